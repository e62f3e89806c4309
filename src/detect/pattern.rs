//! Values that a regular expression of a rule finds: links, passwords, policy breaches.

use super::Hit;
use super::context;
use super::mention::Mentions;
use super::randomness;
use super::score::Verdict;
use crate::blob::BlobPath;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::PatternRule;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::Vocabulary;

/// Finds all values of the provider's pattern rules, without overlaps within a rule.
pub(super) fn hits<'r>(
    provider: &'r Provider,
    vocabulary: &Vocabulary,
    mentions: &Mentions,
    text: &[u8],
    path: &BlobPath,
) -> Vec<Hit<'r>> {
    let mut hits: Vec<Hit<'r>> = vec![];
    for rule in &provider.rules {
        let RuleKind::Pattern(pattern) = &rule.kind else { continue };
        if !applies(pattern, path) {
            continue;
        }
        for captures in pattern.pattern.captures_iter(text) {
            let Some(found) = captures.name("secret").or_else(|| captures.get(0)) else { continue };
            let span = Span::new(found.start(), found.end());
            if captures.name("secret").is_some()
                && !is_plausible(found.as_bytes(), pattern, vocabulary)
            {
                continue;
            }
            if !pattern.context.is_empty()
                && !stands_in_context(provider, pattern, text, span, path)
            {
                continue;
            }
            hits.push(Hit {
                rule,
                span,
                verdict: verdict(rule, pattern),
                environment: environment(mentions, text, span),
            });
        }
    }
    hits
}

/// Whether a pattern rule could find something in `text` under some path.
pub(super) fn may_match(provider: &Provider, text: &[u8]) -> bool {
    provider.rules.iter().any(
        |rule| matches!(&rule.kind, RuleKind::Pattern(pattern) if pattern.pattern.is_match(text)),
    )
}

fn applies(pattern: &PatternRule, path: &BlobPath) -> bool {
    let lower = path.as_bytes().to_ascii_lowercase();
    pattern.path.as_ref().is_none_or(|part| memchr::memmem::find(&lower, part.as_bytes()).is_some())
}

/// Whether the rule's context words and the provider's name stand in the statement, an enclosing block or the path.
fn stands_in_context(
    provider: &Provider,
    pattern: &PatternRule,
    text: &[u8],
    span: Span,
    path: &BlobPath,
) -> bool {
    let context = context::read(text, span);
    let spans =
        context.statement.iter().copied().chain(context.blocks.iter().map(|block| block.header));
    let mut said = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
    for span in spans {
        said.push(' ');
        said.push_str(&String::from_utf8_lossy(&text[span.start..span.end]).to_ascii_lowercase());
    }
    let said = said.replace(['_', '-'], "");
    let holds = |words: &[String]| words.iter().any(|word| said.contains(word.as_str()));
    holds(&pattern.context) && holds(&provider.keywords)
}

/// Whether a value can be a secret: no placeholder, no reference to one, random if the rule asks for it.
fn is_plausible(value: &[u8], pattern: &PatternRule, vocabulary: &Vocabulary) -> bool {
    let lower = value.to_ascii_lowercase();
    let holds = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    let is_placeholder = vocabulary.placeholder.iter().any(|word| holds(word))
        || ["env", "config", "process", "null", "none", "undefined", "true", "false", "string"]
            .contains(&&*String::from_utf8_lossy(&lower));
    let is_reference = holds("process.env")
        || holds("getenv")
        || holds("config.")
        || holds("settings.")
        || holds("self.")
        || holds("this.")
        || holds("->")
        || holds("::")
        || holds("os.environ");
    let is_uniform = value.iter().all(|byte| byte == &value[0])
        || value.iter().all(|byte| b"*x.X-_#".contains(byte));
    // A single word is prose or a name, hardly a password.
    let is_name =
        value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-'));
    let looks_random = || {
        let has_digit = value.iter().any(u8::is_ascii_digit);
        has_digit && randomness::objection(value).is_none()
    };
    !is_placeholder
        && !is_reference
        && !is_uniform
        && !is_name
        && (!pattern.random || looks_random())
}

fn verdict(rule: &Rule, pattern: &PatternRule) -> Verdict {
    let weight = match pattern.confidence {
        Confidence::High => 100,
        Confidence::Medium => 70,
        Confidence::Low => 55,
    };
    Verdict::because(weight, format!("has the form of: {}", rule.title))
}

/// `sandbox` in the value itself, or the nearest API host.
fn environment(mentions: &Mentions, text: &[u8], span: Span) -> Environment {
    let value = text[span.start..span.end].to_ascii_lowercase();
    if memchr::memmem::find(&value, b"sandbox").is_some()
        || memchr::memmem::find(&value, b"staging").is_some()
    {
        return Environment::Sandbox;
    }
    if value.starts_with(b"http") {
        return Environment::Production;
    }
    let hosts = mentions.in_text.iter().filter(|mention| mention.api);
    hosts
        .min_by_key(|mention| mention.span.start.abs_diff(span.start))
        .and_then(|mention| mention.host)
        .unwrap_or_default()
}
