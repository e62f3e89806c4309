//! Which of the provider's environments a value opens, as far as its surroundings tell.

use crate::detect::page::Page;
use crate::detect::page::context::Context;
use crate::detect::page::lex;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::Vocabulary;

/// How far a flag such as `sandbox: true` is searched, in bytes.
const FLAG_REACH: usize = 400;

/// Infers it: from the value's name, a remark behind it, its statement, its blocks, the nearest API host, a flag nearby, or the path.
pub(crate) fn environment(page: &Page<'_>, span: Span, context: &Context) -> Environment {
    let words = |span: Span| in_words(page.slice(span), page.vocabulary());
    if let Some(environment) = of_branch(page, span, context) {
        return environment;
    }
    let named = context.names.iter().map(|name| name.span).chain(context.callee).find_map(words);
    // Not in the value: what it happens to spell says nothing.
    let statement = || context.statement?.without(span).into_iter().find_map(words);
    let header = || context.blocks.iter().take(2).map(|block| block.header).find_map(words);
    named
        .or_else(|| of_remark(page, span))
        .or_else(statement)
        .or_else(header)
        .or_else(|| page.mentions.nearest_api_host(span.start))
        .or_else(|| flag_nearby(page, span))
        .or_else(|| in_words(page.path.as_bytes(), page.vocabulary()))
        .unwrap_or_default()
}

/// The environment that a remark directly behind the value names (`VALUE (sandbox)`, `"VALUE", # production`).
fn of_remark(page: &Page<'_>, span: Span) -> Option<Environment> {
    const LONGEST: usize = 60;
    const MARKS: [&[u8]; 4] = [b"(", b"//", b"#", b"--"];
    let behind = &page.text[span.end..page.text.len().min(span.end + LONGEST)];
    let line = &behind[..memchr::memchr(b'\n', behind).unwrap_or(behind.len())];
    let gap = line.iter().take_while(|byte| b"\"'`,;* \t".contains(byte)).count();
    let opening = MARKS.iter().find(|mark| line[gap..].starts_with(mark))?;
    let remark = &line[gap + opening.len()..];
    let close = if *opening == b"(" { memchr::memchr(b')', remark) } else { None };
    in_words(&remark[..close.unwrap_or(remark.len())], page.vocabulary())
}

/// The environment of a branch of `isProd ? VALUE : VALUE` or `VALUE if is_prod else VALUE`.
fn of_branch(page: &Page<'_>, span: Span, context: &Context) -> Option<Environment> {
    let statement = context.statement?;
    let (before, behind) = (
        &page.text[statement.start..span.start],
        &page.text[span.end..statement.end.max(span.end)],
    );
    let vocabulary = page.vocabulary();
    let question = memchr::memchr(b'?', before).filter(|at| before.get(at + 1) == Some(&b' '));
    if let Some(question) = question {
        let condition = in_words(&before[..question], vocabulary)?;
        let is_else = before[question..].windows(3).any(|part| part == b" : ");
        return Some(if is_else { opposite(condition) } else { condition });
    }
    if let Some(rest) = behind.trim_ascii_start().strip_prefix(b"\" if ") {
        let condition = &rest[..memchr::memmem::find(rest, b" else ")?];
        return in_words(condition, vocabulary);
    }
    let is_else = before.trim_ascii_end().strip_suffix(b" else \"")?;
    let condition = memchr::memmem::rfind(is_else, b" if ")?;
    in_words(&is_else[condition..], vocabulary).map(opposite)
}

fn opposite(environment: Environment) -> Environment {
    match environment {
        Environment::Production => Environment::Sandbox,
        Environment::Sandbox => Environment::Production,
        Environment::Unknown => Environment::Unknown,
    }
}

/// `YOUSIGN_ENV=sandbox`, `sandbox: true`, `environment: "production"` nearby.
fn flag_nearby(page: &Page<'_>, span: Span) -> Option<Environment> {
    let from = span.start.saturating_sub(FLAG_REACH);
    let window = &page.text[from..page.text.len().min(span.end + FLAG_REACH)];
    window
        .split(|byte| *byte == b'\n' || *byte == b',')
        .filter(|line| line.len() < 200)
        .map(|line| line.trim_ascii_start().strip_prefix(b":").unwrap_or(line))
        .find_map(|line| flag(page, line))
}

fn flag(page: &Page<'_>, line: &[u8]) -> Option<Environment> {
    let vocabulary = page.vocabulary();
    let separator = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let (name, value) = line.split_at(separator);
    let last = lex::last_subword(name);
    let switches = vocabulary.sandbox.contains(&last);
    if vocabulary.environment_flag.contains(&last) {
        let name = lex::subwords(name);
        let joined = name.concat();
        let names_us = |keyword: &String| joined.contains(keyword.as_str());
        let is_ours = name.len() == 1
            || vocabulary.flag_owner.contains(&name[0])
            || page.provider.keywords.iter().any(names_us);
        if is_ours {
            return in_words(value, vocabulary);
        }
    }
    let value = if switches { lex::subwords(value) } else { vec![] };
    match value.first().map(String::as_str) {
        Some("true" | "1") => Some(Environment::Sandbox),
        Some("false" | "0") => Some(Environment::Production),
        _ => None,
    }
}

fn in_words(name: &[u8], vocabulary: &Vocabulary) -> Option<Environment> {
    let mut environment = None;
    lex::any_subword(name, |word| {
        environment = of_word(word, vocabulary);
        environment.is_some()
    });
    environment
}

fn of_word(word: &str, vocabulary: &Vocabulary) -> Option<Environment> {
    if vocabulary.sandbox.contains(word) {
        return Some(Environment::Sandbox);
    }
    vocabulary.production.contains(word).then_some(Environment::Production)
}
