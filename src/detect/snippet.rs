//! The line around a value as people may see it: every secret of the document masked, long lines shortened.

use crate::location::Span;
use crate::location::SpanSet;
use crate::location::line_within;

/// Bytes shown on each side of the value.
const MARGIN: usize = 60;

/// Cuts out the line of `value` and masks all `secrets` in it, and what is spelled like `secret`, wherever it stands.
pub(super) fn masked(
    document: &[u8],
    value: Span,
    secret: Option<&[u8]>,
    secrets: &SpanSet,
) -> String {
    let line = line_within(document, value.start, 2 * MARGIN + value.len());
    let start = floor_boundary(document, line.start.max(value.start.saturating_sub(MARGIN)));
    let end = line.end.min(value.end + MARGIN).max(value.end.min(line.end));
    let mut snippet = String::new();
    if start > line.start {
        snippet.push('…');
    }
    let mut at = start;
    let shown = Span::new(start, end.max(start));
    let copies = secret.into_iter().flat_map(|secret| copies(document, shown, secret));
    let hidden = SpanSet::new(secrets.overlapping(shown).chain(copies).collect());
    for span in hidden.overlapping(shown) {
        if span.end <= at {
            continue;
        }
        let from = span.start.max(at);
        snippet.push_str(&String::from_utf8_lossy(&document[at..from]));
        snippet.push_str("********");
        at = span.end.min(document.len());
    }
    if at < end {
        snippet.push_str(&String::from_utf8_lossy(&document[at..end]));
    }
    if end < line.end {
        snippet.push('…');
    }
    hide_long_runs(&snippet)
}

/// Where `secret` stands in `shown`, or in a part of it.
fn copies(document: &[u8], shown: Span, secret: &[u8]) -> impl Iterator<Item = Span> {
    let from = shown.start.saturating_sub(secret.len());
    let to = document.len().min(shown.end + secret.len());
    let found = memchr::memmem::find_iter(&document[from..to], secret);
    found.map(move |at| Span::new(from + at, from + at + secret.len()))
}

/// Masks every further run of 24 or more letters and digits: a neighbour may be a secret that no rule of ours knows.
fn hide_long_runs(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_alphanumeric() || character == '_' {
            run.push(character);
            continue;
        }
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        shown.push_str(if run.len() >= 24 && digits >= 2 { "********" } else { &run });
        run.clear();
        if character != '\0' {
            shown.push(character);
        }
    }
    shown
}

/// The nearest UTF-8 character boundary at or before `at`.
fn floor_boundary(text: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|&at| text.get(at).is_none_or(|byte| byte & 0xC0 != 0x80))
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_beside_a_value_is_masked_even_where_the_snippet_cuts_it() {
        let secret = b"pass*word-of-ours";
        let between = " ".repeat(MARGIN - 5);
        let line = [secret, between.as_bytes(), secret, b" and ", secret].concat();
        let start = secret.len() + between.len();
        let value = Span::new(start, start + secret.len());
        let shown = masked(&line, value, Some(secret), &SpanSet::new(vec![value]));
        assert!(!shown.contains("ours") && !shown.contains("pass"), "{shown}");
    }
}
