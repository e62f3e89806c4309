//! Comments that allow a value on their own or the next line, ours and other scanners'.

use super::Day;
use crate::finding::Suppression;
use crate::location::line_within;
use crate::secret::Fingerprint;

/// Marks that allow a value on the same line or the line below.
const MARKS: [&str; 8] = [
    "signleak:allow",
    "gitleaks:allow",
    "betterleaks:allow",
    "trufflehog:ignore",
    "kingfisher:ignore",
    "pragma: allowlist secret",
    "secretlint-disable-line",
    "ggignore",
];
/// Marks that allow a value on the line below only.
const NEXT_LINE_MARKS: [&str; 2] =
    ["pragma: allowlist nextline secret", "secretlint-disable-next-line"];
/// Lines longer than this (bundles) hold no comment for one value.
const MAX_LINE: usize = 2_000;

/// Fewer hexadecimal digits of a fingerprint tell too little.
const LEAST_DIGITS: usize = 8;

/// A comment that allows a value.
#[derive(Clone, Debug)]
pub struct InlineAllow {
    /// What reports say of it.
    pub suppression: Suppression,
    /// Whether it says by `sha256=` which value it means. One that does not covers a line with one value only.
    pub names_it: bool,
}

/// The comment that allows `value` at `offset` of `text`, if there is one and `today` is not past its `until`.
#[must_use]
pub fn inline_allow(
    text: &[u8],
    offset: usize,
    value: &Fingerprint,
    today: &Day,
) -> Option<InlineAllow> {
    let line = line_within(text, offset, MAX_LINE + 1);
    let own = mark_in(&text[line.start..line.end], &MARKS);
    let above = || {
        let end = line.start.checked_sub(1)?;
        // A carriage return before the line feed is a part of the same line end.
        let end =
            if text[end] == b'\n' && end > 0 && text[end - 1] == b'\r' { end - 1 } else { end };
        let above = line_within(text, end, MAX_LINE + 1);
        let content = &text[above.start..above.end];
        // A mark that stands behind code belongs to that code.
        mark_in(content, &NEXT_LINE_MARKS)
            .or_else(|| is_comment(content).then(|| mark_in(content, &MARKS)).flatten())
    };
    let (mark, rest) = own.or_else(above)?;
    if attribute(&rest, "until")
        .is_some_and(|until| Day::parse(&until).is_none_or(|until| until < *today))
    {
        return None;
    }
    let named = attribute(&rest, "sha256");
    if named.as_ref().is_some_and(|named| !named.split(',').any(|digits| begins(value, digits))) {
        return None;
    }
    let suppression = Suppression {
        kind: "inline".to_owned(),
        place: mark.to_owned(),
        reason: attribute(&rest, "reason"),
        until: attribute(&rest, "until"),
    };
    Some(InlineAllow { suppression, names_it: named.is_some() })
}

/// Whether a fingerprint begins with `digits`.
fn begins(value: &Fingerprint, digits: &str) -> bool {
    digits.len() >= LEAST_DIGITS && value.to_string().starts_with(&digits.to_ascii_lowercase())
}

/// The first mark in a line that stands there as a word, and what follows it.
fn mark_in(line: &[u8], marks: &[&'static str]) -> Option<(&'static str, String)> {
    if line.len() > MAX_LINE {
        return None;
    }
    let line = String::from_utf8_lossy(line);
    marks.iter().find_map(|mark| {
        let at = line.find(mark)?;
        let is_word = |character: Option<char>| {
            character.is_none_or(|character| {
                !character.is_alphanumeric() && character != '-' && character != '_'
            })
        };
        let rest = &line[at + mark.len()..];
        (is_word(line[..at].chars().next_back()) && is_word(rest.chars().next()))
            .then(|| (*mark, rest.to_owned()))
    })
}

/// Whether a line holds nothing but a comment.
fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    [
        b"#".as_slice(),
        b"//",
        b"/*",
        b"*",
        b"--",
        b";",
        b"<!--",
        b"%",
        b"'",
        b"{{!",
        b"rem ",
        b"REM ",
    ]
    .iter()
    .any(|opener| line.starts_with(opener))
}

/// The value of `name="…"` or `name=…`.
fn attribute(rest: &str, name: &str) -> Option<String> {
    let value = rest.split_once(&format!("{name}="))?.1;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().map(str::to_owned),
        None => value.split_whitespace().next().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn allows(text: &str) -> bool {
        let at = text.find("VALUE").expect("the value is there");
        let (value, today) = (Secret::new(b"VALUE").fingerprint(), Day::parse("2026-11-24"));
        inline_allow(text.as_bytes(), at, &value, &today.expect("valid")).is_some()
    }

    #[test]
    fn a_mark_that_names_a_value_allows_that_one_alone() {
        // As `printf VALUE | sha256sum` begins.
        let digits = Secret::new(b"VALUE").fingerprint().to_string();
        assert!(allows(&format!("key=VALUE # signleak:allow sha256={digits}")));
        assert!(allows(&format!("key=VALUE # signleak:allow sha256=00000000,{}", &digits[..8])));
        assert!(!allows(&format!("key=VALUE # signleak:allow sha256={}", &digits[..7])));
        assert!(!allows("key=VALUE # signleak:allow sha256=00000000"));
    }

    #[test]
    fn marks_count_on_their_line_and_the_next() {
        assert!(allows("key=VALUE # signleak:allow reason=\"a test\""));
        assert!(allows("// gitleaks:allow\r\nkey=VALUE"));
        assert!(allows("# pragma: allowlist nextline secret\nkey=VALUE"));
        assert!(allows("key=VALUE # signleak:allow until=2026-11-24"));
        assert!(!allows("key=VALUE # signleak:allow until=2026-11-23"));
        assert!(!allows("key=VALUE # signleak:allowed"));
        assert!(!allows("other=1 # signleak:allow\nkey=VALUE"));
        assert!(!allows("# signleak:allow\n\nkey=VALUE"));
    }
}
