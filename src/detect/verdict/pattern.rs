//! Values that a regular expression of a rule finds: links, passwords, policy breaches.

use super::Hit;
use super::Judge;
use super::label::Label;
use super::label::Meaning;
use super::score::Verdict;
use crate::blob::BlobPath;
use crate::detect::page::Page;
use crate::detect::page::REACH;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::items;
use crate::detect::page::lex;
use crate::detect::page::mention::Nearest;
use crate::detect::page::randomness;
use crate::detect::page::urls;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::PatternRule;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::Vocabulary;

/// Longer values are none; a link has a few hundred bytes.
const LONGEST: usize = 8 * 1024;
/// A call that breaks a policy is as long at most.
const LONGEST_BREACH: usize = 400;

/// Finds all values of the provider's pattern rules, without overlaps within a rule.
pub(crate) fn hits<'r>(judge: &Judge<'r, '_>) -> Vec<Hit<'r>> {
    let (page, provider) = (judge.page, judge.provider);
    let mut hits: Vec<Hit<'r>> = vec![];
    let parts = page.parts_about_provider(REACH);
    // What stands around a value, a block's header among it, stands as near to the value as that to a keyword.
    let around = page.parts_about_provider(2 * REACH);
    for rule in &provider.rules {
        let RuleKind::Pattern(pattern) = &rule.kind else { continue };
        if !applies(pattern, page.path) || !speaks_of_context(page, pattern, &around) {
            continue;
        }
        for span in matches(page, pattern, &parts) {
            let needs_context = !pattern.context.is_empty();
            if needs_context && !stands_in_context(judge, pattern, span)
                || (needs_context || pattern.path.is_some()) && is_in_section_of_another(page, span)
            {
                continue;
            }
            hits.push(Hit {
                rule,
                span,
                verdict: verdict(page, rule, pattern),
                environment: environment(page, span),
            });
        }
    }
    hits
}

/// The plausible values of a pattern in parts of a text.
fn matches(page: &Page<'_>, pattern: &PatternRule, parts: &[Span]) -> Vec<Span> {
    let mut spans = vec![];
    for part in parts {
        for captures in pattern.pattern.regex().captures_iter(page.slice(*part)) {
            let secret = captures.name("secret");
            let group =
                if pattern.policy { captures.iter().skip(1).flatten().next() } else { secret };
            let Some(found) = group.or_else(|| captures.get(0)) else { continue };
            let whole = captures.get(0).map_or(0, |whole| whole.len());
            if found.len() > LONGEST || pattern.policy && whole > LONGEST_BREACH {
                continue;
            }
            let is_real = match secret {
                Some(secret) => is_plausible(secret.as_bytes(), pattern, page.vocabulary()),
                None => !has_dummy(found.as_bytes()),
            };
            if is_real {
                spans.push(Span::new(part.start + found.start(), part.start + found.end()));
            }
        }
    }
    spans
}

/// Whether a pattern rule could find something in `text` under some path.
pub(crate) fn may_match(provider: &Provider, text: &[u8]) -> bool {
    provider.rules.iter().any(
        |rule| matches!(&rule.kind, RuleKind::Pattern(pattern) if pattern.pattern.regex().is_match(text)),
    )
}

fn applies(pattern: &PatternRule, path: &BlobPath) -> bool {
    let lower = path.as_bytes().to_ascii_lowercase();
    pattern.path.as_ref().is_none_or(|part| memchr::memmem::find(&lower, part.as_bytes()).is_some())
}

/// Whether the value's section is about something else (`[db]`).
fn is_in_section_of_another(page: &Page<'_>, span: Span) -> bool {
    let vocabulary = page.vocabulary();
    let is_other = |word: &str| vocabulary.purpose_owner.contains(word);
    let blocks = context::read(page, span).blocks;
    blocks.iter().any(|block| lex::any_subword(page.slice(block.header), is_other))
}

/// Whether one of the rule's context words, if it has any, stands in these parts of the text or in its path.
fn speaks_of_context(page: &Page<'_>, pattern: &PatternRule, parts: &[Span]) -> bool {
    let speaks = |text: &[u8]| pattern.speaks.regex().is_match(text);
    pattern.context.is_empty()
        || speaks(page.path.as_bytes())
        || parts.iter().any(|part| speaks(page.slice(*part)))
}

/// Whether the rule's context words stand in the statement, an enclosing block or the path, and the provider's name, too, or
/// a host of the provider near by.
fn stands_in_context(judge: &Judge<'_, '_>, pattern: &PatternRule, span: Span) -> bool {
    let page = judge.page;
    let context = context::read(page, span);
    // The login before a password is no name of it.
    let name = context.names.first().map(|name| page.slice(name.span));
    let name = name.filter(|name| !name.contains(&b'@'));
    let label = name.map(|name| judge.namer.read(name));
    let meaning = label.as_ref().map(|label| label.meaning);
    // `key_id` tells which key is meant.
    let is_id = |label: &Label| label.words.last().is_some_and(|word| word == "id");
    if label.as_ref().is_some_and(is_id)
        || matches!(meaning, Some(Meaning::OtherPurpose | Meaning::Rival))
        || judge.twin_of_ours(span, None, &context).is_some()
    {
        return false;
    }
    let items = items::around(page, span, &context.blocks);
    // `- name: …`, `type: scim`
    let item = items.first().map(|item| item.span);
    let item = item.filter(|item| item.len() < LONGEST && page.mentions.within(*item));
    // What a value drawn at random happens to spell says nothing.
    let own = context.statement.into_iter().chain(item).flat_map(|part| part.without(span));
    let spans = own.chain(context.blocks.iter().map(|block| block.header));
    let mut said = String::from_utf8_lossy(page.path.as_bytes()).to_ascii_lowercase();
    for span in spans {
        said.push(' ');
        said.push_str(&String::from_utf8_lossy(page.slice(span)).to_ascii_lowercase());
    }
    let said = said.replace(['_', '-'], "");
    let holds = |words: &[String]| words.iter().any(|word| said.contains(word.as_str()));
    let is_ours = |near: &Nearest<'_>| {
        near.has_host && meaning != Some(Meaning::ForeignCredential)
            || names_nobody(page, pattern, &context)
    };
    let is_foreign = |item: &items::Item| {
        let host = urls::nearest_host(page, item.span, span, &[]);
        matches!(host, Some(urls::Host::Foreign(_)))
    };
    let is_of_another =
        items.iter().any(|item| !page.mentions.within(item.span) && is_foreign(item));
    let near = page.nearest_mention(span.start).filter(|near| {
        !is_of_another
            && near.distance.in_lines() <= page.rules.thresholds.near_lines
            && is_ours(near)
    });
    let near = near.map(|near| String::from_utf8_lossy(near.line()).to_ascii_lowercase());
    let is_said = |words: &[String]| {
        let holds = |line: &str| words.iter().any(|word| line.contains(word.as_str()));
        near.as_deref().is_some_and(holds) || lines_with_hosts(page, span).any(|line| holds(&line))
    };
    (holds(&pattern.context) || is_said(&pattern.context))
        && (holds(&page.provider.keywords) || near.is_some())
}

/// The lines near a value in which a host of the provider stands, in lowercase.
fn lines_with_hosts<'p>(page: &'p Page<'_>, span: Span) -> impl Iterator<Item = String> + 'p {
    let own = page.lines.around(span.start);
    let reach = page.rules.thresholds.near_lines;
    let lines = page.lines.above(own).take(reach).chain(page.lines.below(own).take(reach));
    let has_host = |line: &Span| {
        line.len() < LONGEST && page.mentions.within_any(*line, |mention| mention.host.is_some())
    };
    lines
        .filter(has_host)
        .map(|line| String::from_utf8_lossy(page.slice(line)).to_ascii_lowercase())
}

/// Whether the value's name holds one of the rule's context words, and nothing that tells whose it is (`$ScimToken`).
fn names_nobody(page: &Page<'_>, pattern: &PatternRule, context: &Context) -> bool {
    let Some(name) = context.names.first() else { return false };
    let words = lex::subwords(page.slice(name.span));
    let vocabulary = page.vocabulary();
    words.iter().any(|word| pattern.context.contains(word))
        && words.iter().all(|word| {
            pattern.context.contains(word)
                || vocabulary.neutral.contains(word)
                || vocabulary.credential.contains(word)
        })
}

/// Whether a part of a link is as long as a key and was not drawn (`k=0123456789abcdef…`), as in examples.
fn has_dummy(link: &[u8]) -> bool {
    const SHORTEST: usize = 24;
    let mut parts = link.split(|byte| !byte.is_ascii_hexdigit());
    parts.any(|part| part.len() >= SHORTEST && randomness::objection(part).is_some())
}

/// Whether a value can be a secret: no placeholder, no reference to one, random if the rule asks for it.
fn is_plausible(value: &[u8], pattern: &PatternRule, vocabulary: &Vocabulary) -> bool {
    let lower = value.to_ascii_lowercase();
    let holds = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    let is_placeholder = vocabulary.placeholder.iter().any(|word| holds(word))
        || vocabulary.reference_word.contains(&*String::from_utf8_lossy(&lower));
    let is_reference = vocabulary.reference.iter().any(|word| holds(word));
    let is_uniform = value.iter().all(|byte| byte == &value[0])
        || value.iter().all(|byte| b"*x.X-_#".contains(byte));
    // A single word is prose or a name, hardly a password, unless it mixes cases as no name does.
    let is_name =
        value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-'))
            && !randomness::looks_drawn(value);
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

fn verdict(page: &Page<'_>, rule: &Rule, pattern: &PatternRule) -> Verdict {
    let thresholds = page.rules.thresholds;
    let weight = match pattern.confidence {
        Confidence::High => thresholds.high,
        Confidence::Medium => thresholds.medium,
        Confidence::Low => thresholds.low,
    };
    let mut verdict = Verdict::new(thresholds);
    verdict.add(weight, format!("has the form of: {}", rule.title));
    verdict
}

/// `sandbox` in the link itself, or the nearest API host.
fn environment(page: &Page<'_>, span: Span) -> Environment {
    let value = page.slice(span);
    if value.starts_with(b"http") {
        let words = lex::subwords(value);
        let is_sandbox = words.iter().any(|word| page.vocabulary().sandbox.contains(word));
        return if is_sandbox { Environment::Sandbox } else { Environment::Production };
    }
    page.mentions.nearest_api_host(span.start).unwrap_or_default()
}
