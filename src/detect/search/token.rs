//! Finds tokens of a rule's shape: maximal runs of letters and digits of an exact length, with nothing at their ends
//! that makes them part of something longer.

use crate::location::Span;
use crate::rule::Provider;
use crate::rule::RuleKind;
use crate::rule::Shape;

/// Shapes of all token rules of a provider.
pub(crate) fn shapes(provider: &Provider) -> impl Iterator<Item = &Shape> {
    provider.rules.iter().flat_map(|rule| match &rule.kind {
        RuleKind::Token(token) => token.shapes.as_slice(),
        RuleKind::Pattern(_) | RuleKind::Tracked(_) => &[],
    })
}

/// Finds every token of `text` that a rule's shape accepts.
///
/// A run of at least `n` characters covers one of every `n` consecutive offsets, so that only each `n`-th byte is
/// looked at until one of them is a letter or digit.
pub(crate) fn tokens(provider: &Provider, text: &[u8]) -> Vec<Span> {
    let Some(shortest) = shapes(provider).map(|shape| shape.length).min() else { return vec![] };
    let mut found = vec![];
    let mut at = shortest.saturating_sub(1);
    while at < text.len() {
        if !text[at].is_ascii_alphanumeric() {
            at += shortest;
            continue;
        }
        let start =
            at - text[..at].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = at + text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let run = Span::new(start, end);
        let start = start + glued_name(provider, text, run);
        let token = &text[start..end];
        if shapes(provider).any(|shape| shape.accepts(token))
            && (stands_alone(text, start, end)
                || follows_name(provider, text, start, end)
                || start > run.start)
        {
            found.push(Span::new(start, end));
        }
        at = end + shortest;
    }
    found
}

/// Bytes at the start of a run that end a name of the provider's before a value, as where a database's file has one column directly
/// behind the other (`yousign_api_keyVALUE`); none if the rest has no shape of a rule's.
fn glued_name(provider: &Provider, text: &[u8], run: Span) -> usize {
    const LAST: [&[u8]; 3] = [b"key", b"token", b"secret"];
    const REACH: usize = 60;
    let glued = &text[run.start..run.end];
    let word = LAST.into_iter().find(|word| {
        let value = glued.strip_prefix(*word);
        value.is_some_and(|value| shapes(provider).any(|shape| shape.accepts(value)))
    });
    let Some(word) = word else { return 0 };
    let near = &text[run.start.saturating_sub(REACH)..text.len().min(run.end + REACH)];
    let before = &text[run.start.saturating_sub(REACH)..run.start];
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = before.iter().rev().take_while(is_part).count();
    let name = before[before.len() - length..].to_ascii_lowercase();
    let is_ours = |ours: &String| memchr::memmem::find(&name, ours.as_bytes()).is_some();
    let is_binary = near.iter().any(|byte| *byte < 9);
    if is_binary && provider.names.iter().any(is_ours) { word.len() } else { 0 }
}

/// Runs of letters, digits, `-` and `_` of the given lengths: what a key of any shape may be.
pub(crate) fn words(text: &[u8], shortest: usize, longest: usize) -> Vec<Span> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut found = vec![];
    let mut at = shortest - 1;
    while at < text.len() {
        if !is_part(&text[at]) {
            at += shortest;
            continue;
        }
        let start = at - text[..at].iter().rev().take_while(|byte| is_part(byte)).count();
        let end = at + text[at..].iter().take_while(|byte| is_part(byte)).count();
        if (shortest..=longest).contains(&(end - start)) {
            found.push(Span::new(start, end));
        }
        at = end + shortest;
    }
    found
}

/// Whether the token, of letters in both cases as pages and assets do not have them in their addresses, follows the provider's name
/// (`yousign-TOKEN`), or ends a text that is nothing but a path with
/// that name in it, as a ref's or file's name is.
fn follows_name(provider: &Provider, text: &[u8], start: usize, end: usize) -> bool {
    let glued =
        text[..start].iter().rev().take(200).take_while(|byte| !byte.is_ascii_whitespace()).count();
    let prefix = text[start - glued..start].to_ascii_lowercase();
    let name = prefix.strip_suffix(b"-").or_else(|| prefix.strip_suffix(b"_"));
    let is_named =
        name.is_some_and(|name| provider.names.iter().any(|word| name.ends_with(word.as_bytes())));
    let ends = !matches!(text.get(end), Some(b'+' | b'-' | b'_' | b'='));
    let is_path = glued == start && end == text.len() && prefix.ends_with(b"/");
    let names_it = || {
        provider.names.iter().any(|word| memchr::memmem::find(&prefix, word.as_bytes()).is_some())
    };
    let is_mixed = text[start..end].iter().any(u8::is_ascii_uppercase);
    is_named && ends && is_mixed || is_path && names_it()
}

/// Whether neither side continues the token. `+ / = - _` belong to longer encodings, except where they end a name or
/// a part of a URL.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| text[at]);
    let behind = text.get(end).copied();
    let starts = match before {
        Some(b'-') => is_default(&text[..start]),
        Some(b'+' | b'_' | b'%') => false,
        Some(b'\\') => {
            !matches!(text[start], b'n' | b'r' | b't' | b'b' | b'f' | b'u' | b'x' | b'0')
        }
        Some(b'.') => !start.checked_sub(2).is_some_and(|at| text[at].is_ascii_alphanumeric()),
        Some(b'/') => is_url_path(text, start),
        Some(b':') => !is_encoded(text[..start - 1].iter().rev()),
        _ => true,
    };
    let ends = match behind {
        Some(b'+' | b'-' | b'_' | b'=') => false,
        Some(b'/') => is_url_path(text, start) || ends_substitution(&text[end + 1..]),
        Some(b'.') => !text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b':') => !is_encoded(text[end + 1..].iter()),
        _ => true,
    };
    starts && ends
}

/// Whether a slash before `behind` ends a command of `sed` (`s/^NAME=.*/NAME=VALUE/g'`).
fn ends_substitution(behind: &[u8]) -> bool {
    let flags = behind.iter().take_while(|byte| b"gIm".contains(byte)).count();
    behind.get(flags).is_none_or(|byte| b"\"' \n\r;".contains(byte))
}

/// Whether a text ends in what a shell puts before a variable's default (`${NAME:-`).
fn is_default(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b"-") else { return false };
    let before = before.strip_suffix(b":").unwrap_or(before);
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let name = before.iter().rev().take(80).take_while(is_name).count();
    name > 0 && before[..before.len() - name].ends_with(b"${")
}

/// Whether a long run of encoded data goes on from here, as in `iv:data`.
fn is_encoded<'t>(bytes: impl Iterator<Item = &'t u8>) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let run: Vec<u8> = bytes.take(24).take_while(is_part).copied().collect();
    run.len() == 24 && run.iter().any(u8::is_ascii_digit)
}

/// Whether what stands glued before the token is a URL, or the token is the first part of a path.
fn is_url_path(text: &[u8], start: usize) -> bool {
    let glued = text[..start]
        .iter()
        .rev()
        .take(300)
        .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`<>(),".contains(byte))
        .count();
    let prefix = &text[start - glued..start];
    // Of any scheme, as in `yousign://TOKEN@host`.
    let follows_scheme =
        |at: usize| at.checked_sub(1).is_some_and(|last| prefix[last].is_ascii_alphabetic());
    memchr::memmem::find_iter(prefix, b"://").any(follows_scheme)
        || prefix.starts_with(b"/")
        || prefix == b"//"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;

    #[test]
    fn a_name_and_its_value_touch_in_a_database() {
        let rules = RuleSet::built_in().expect("built-in rules are valid");
        let found = |text: &str| tokens(&rules.providers[0], text.as_bytes());
        let value = "aB3dE5gH".repeat(4);
        let record = format!("\u{3}\u{2b}yousign_api_key{value}\u{3}\u{1b}locale");
        assert_eq!(found(&record), [Span::new(17, 17 + value.len())]);
        assert_eq!(found(&format!("yousign_api_key{value}")), []);
        assert_eq!(found(&record.replace("yousign", "acme___")), []);
    }
}
