//! The encodings of parts of a text. Each function replaces what it can decode and returns `None` if there is nothing.

mod escapes;
mod layout;
mod literals;
mod packed;
mod variables;

use super::Encoding;
use super::splice::Map;
use super::splice::Splice;
use crate::location::Span;

pub(super) use escapes::escape_at;
pub(super) use packed::Hidden;
pub(super) use packed::says_something;
pub(super) use packed::wide_run_around;

/// A decoded text and the way back.
pub(super) type Decoded = Option<(Vec<u8>, Map)>;

/// One way of decoding.
type Family = (Encoding, fn(&[u8]) -> Decoded);

/// All families, in the order in which they are taken off.
pub(super) const ALL: [Family; 15] = [
    (Encoding::Wide, packed::wide_runs),
    (Encoding::QuotedPrintable, escapes::quoted_printable),
    (Encoding::TextRuns, layout::text_runs),
    (Encoding::RichText, layout::rich_text),
    (Encoding::Entity, escapes::entities),
    (Encoding::Backslash, escapes::backslashes),
    (Encoding::Colour, layout::colours),
    (Encoding::Percent, escapes::percents),
    (Encoding::Codes, literals::codes),
    (Encoding::Concatenation, literals::concatenations),
    (Encoding::Reversed, literals::reversed),
    (Encoding::Folded, layout::folded_lines),
    (Encoding::Alias, layout::aliases),
    (Encoding::Base64, packed::base64_runs),
    (Encoding::Hex, packed::hex_runs),
];

/// Shortest run that is tried as base64, hexadecimal or UTF-16.
pub(super) const SHORTEST_RUN: usize = 16;

/// Bytes of a name in code.
fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a byte may stand in base64 of either alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The maximal run of bytes around `at` that pass the test.
pub(super) fn run_around(text: &[u8], at: usize, test: impl Fn(u8) -> bool) -> Span {
    let before = text[..at].iter().rev().take_while(|byte| test(**byte)).count();
    let behind = text[at..].iter().take_while(|byte| test(**byte)).count();
    Span::new(at - before, at + behind)
}

/// Maximal runs of at least [`SHORTEST_RUN`] bytes that pass the test. Such a run covers one of every so many
/// consecutive offsets, so that only those are looked at.
fn runs(text: &[u8], test: impl Fn(u8) -> bool) -> Vec<Span> {
    let mut runs = vec![];
    let mut at = SHORTEST_RUN - 1;
    while at < text.len() {
        if !test(text[at]) {
            at += SHORTEST_RUN;
            continue;
        }
        let run = run_around(text, at, &test);
        if run.len() >= SHORTEST_RUN {
            runs.push(run);
        }
        at = run.end + SHORTEST_RUN;
    }
    runs
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// The character with this number in the given base.
fn character(digits: &[u8], radix: u32) -> Option<char> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok().and_then(char::from_u32)
}
