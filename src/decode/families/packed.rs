//! Runs that encode a text as a whole: base64, hexadecimal, UTF-16; and archives that stand in base64.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use memchr::memchr;

use super::Decoded;
use super::SHORTEST_RUN;
use super::Span;
use super::Splice;
use super::hex_byte;
use super::is_base64;
use super::runs;
use crate::decode::archive;
use crate::decode::splice::Group;

/// Shortest line of wrapped base64.
const SHORTEST_LINE: usize = 40;

/// What an encoded run says.
enum Plain {
    /// Byte for byte.
    Text(Vec<u8>),
    /// UTF-16, one byte for each unit.
    Wide(Vec<u8>),
}

/// Runs of base64 that decode to text; wrapped lines are joined.
pub(super) fn base64_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for lines in wrapped(text) {
        let Some(plain) = decode(text, &lines) else { continue };
        let (decoded, group, unit) = match &plain {
            Plain::Text(decoded) => (decoded, Group::BASE64, 1),
            Plain::Wide(decoded) => (decoded, Group::BASE64.of_wide(), 2),
        };
        let mut done = 0;
        let mut encoded = 0;
        for (at, line) in lines.iter().enumerate() {
            encoded += line.len();
            // Lines hold whole groups of four; those of UTF-16 may cut a unit, which then counts to the line before.
            let end = if at + 1 == lines.len() { decoded.len() } else { encoded / 4 * 3 / unit };
            let end = end.clamp(done, decoded.len());
            if splice.done() > line.start {
                break;
            }
            if let Some(before) = at.checked_sub(1) {
                splice.remove(Span::new(lines[before].end, line.start));
            }
            splice.replace(*line, &decoded[done..end], group);
            done = end;
        }
    }
    splice.finish()
}

/// Runs of base64, each with the lines on which it goes on and with its padding.
fn wrapped(text: &[u8]) -> Vec<Vec<Span>> {
    let mut all: Vec<Vec<Span>> = vec![];
    for run in runs(text, is_base64) {
        let padding = text[run.end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        let line = Span::new(run.start, run.end + padding);
        // `NAME:` below a value in base64 is no part of it.
        let ends = text.get(line.end).is_none_or(|byte| !matches!(byte, b':' | b'(' | b'.'));
        let goes_on = |lines: &Vec<Span>| {
            lines.last().filter(|_| ends).is_some_and(|last| {
                let between = &text[last.end..line.start];
                last.len() >= SHORTEST_LINE
                    && last.len().is_multiple_of(4)
                    && text[last.end - 1] != b'='
                    && between.iter().filter(|byte| **byte == b'\n').count() == 1
                    && between.len() < 40
                    && between.iter().all(u8::is_ascii_whitespace)
            })
        };
        match all.last_mut().filter(|lines| goes_on(lines)) {
            Some(lines) => lines.push(line),
            None => all.push(vec![line]),
        }
    }
    all
}

/// Decodes a run that may be split over lines.
fn decode(text: &[u8], lines: &[Span]) -> Option<Plain> {
    let decoded = match lines {
        [line] => decode_base64(&text[line.start..line.end])?,
        lines => {
            let joined: Vec<u8> =
                lines.iter().flat_map(|line| &text[line.start..line.end]).copied().collect();
            decode_base64(&joined)?
        }
    };
    plain(decoded)
}

fn plain(decoded: Vec<u8>) -> Option<Plain> {
    if is_text(&decoded) {
        return Some(Plain::Text(decoded));
    }
    narrow(&decoded).filter(|text| is_text(text)).map(Plain::Wide)
}

/// Padding or none, and whatever the last bits are.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
static STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
static URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

fn decode_base64(run: &[u8]) -> Option<Vec<u8>> {
    let is_url_safe = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(run).ok()
}

/// UTF-16 of mostly Latin text as one byte for each unit, `?` for others and a space for the mark.
fn narrow(bytes: &[u8]) -> Option<Vec<u8>> {
    let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let half = bytes.len() / 2;
    let low = if zeros(1) * 10 >= half * 8 {
        0
    } else if zeros(0) * 10 >= half * 8 {
        1
    } else {
        return None;
    };
    let unit = |pair: &[u8]| match (pair[low], pair[1 - low]) {
        (letter, 0) if letter.is_ascii() => letter,
        (0xFF, 0xFE) | (0xFE, 0xFF) => b' ',
        _ => b'?',
    };
    (bytes.len() >= 2 * SHORTEST_RUN).then(|| bytes.chunks_exact(2).map(unit).collect())
}

/// Whether a run of base64 characters says a text or an archive.
pub(in crate::decode) fn says_something(run: &[u8]) -> bool {
    // Most runs are identifiers, which their first bytes already give away.
    let Some(head) = decode_base64(&run[..run.len().min(64) / 4 * 4]) else { return false };
    let is_hex = run.len().is_multiple_of(2)
        && run.iter().take(64).all(u8::is_ascii_hexdigit)
        && run
            .chunks_exact(2)
            .take(32)
            .all(|pair| hex_byte(pair).is_some_and(|byte| byte.is_ascii()));
    archive::kind(&head).is_some()
        || head.len() >= 8 && is_mostly_text(&head)
        || narrow(&head).is_some()
        || is_hex
}

/// Whether the bytes may be the beginning of a text: the last character may be cut.
fn is_mostly_text(head: &[u8]) -> bool {
    let whole = match std::str::from_utf8(head) {
        Ok(_) => head,
        Err(error) if head.len() - error.valid_up_to() < 4 => &head[..error.valid_up_to()],
        Err(_) => return false,
    };
    is_text(whole)
}

/// Runs of hexadecimal digits that decode to text.
pub(super) fn hex_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for run in runs(text, |byte| byte.is_ascii_hexdigit()) {
        // `0x…` and `\x…` go with their prefix.
        let prefix = match &text[run.start.saturating_sub(2)..run.start] {
            b"0x" | b"0X" | b"\\x" => 2,
            [.., before] if before.is_ascii_alphanumeric() => continue,
            _ => 0,
        };
        if run.len() % 2 != 0 || text.get(run.end).is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        let digits = &text[run.start..run.end];
        let Some(decoded) = digits.chunks_exact(2).map(hex_byte).collect::<Option<Vec<u8>>>()
        else {
            continue;
        };
        let Some(plain) = plain(decoded) else { continue };
        splice.remove(Span::new(run.start - prefix, run.start));
        match plain {
            Plain::Text(decoded) => splice.replace(run, &decoded, Group::HEX),
            Plain::Wide(decoded) => splice.replace(run, &decoded, Group::HEX.of_wide()),
        }
    }
    splice.finish()
}

/// Runs of UTF-16 inside of other bytes, as in programs.
pub(super) fn wide_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    let mut at = memchr(0, text)?;
    while at < text.len() {
        if text[at] != 0 {
            at += memchr(0, &text[at..]).unwrap_or(text.len() - at);
            continue;
        }
        let run = wide_run_around(text, at);
        if run.len() >= 2 * SHORTEST_RUN && run.start >= splice.done() {
            let letters: Vec<u8> = text[run.start..run.end].iter().copied().step_by(2).collect();
            splice.replace(run, &letters, WIDE);
        }
        at = run.end.max(at + 1);
    }
    splice.finish()
}

/// Two bytes for each byte of text.
const WIDE: Group = Group::HEX;

/// The run of letters with a zero behind each, of which the zero at `zero` is one.
pub(in crate::decode) fn wide_run_around(text: &[u8], zero: usize) -> Span {
    let is_unit = |pair: &[u8]| matches!(pair, [b'\t' | b'\n' | b'\r' | b' '..=b'~', 0]);
    let Some(first) = zero.checked_sub(1) else { return Span::new(zero, zero) };
    let before = text[..first].rchunks_exact(2).take_while(|pair| is_unit(pair)).count();
    let behind = text[first..].chunks_exact(2).take_while(|pair| is_unit(pair)).count();
    if behind == 0 {
        Span::new(zero, zero)
    } else {
        Span::new(first - 2 * before, first + 2 * behind)
    }
}

/// Archives that stand in base64, by where they begin in the document.
#[derive(Default)]
pub(in crate::decode) struct Hidden {
    contents: BTreeMap<usize, Vec<u8>>,
}

impl Hidden {
    /// Looks for archives in `text`; `locate` says where a span of it stands in the document.
    pub(in crate::decode) fn find(&mut self, text: &[u8], locate: impl Fn(Span) -> usize) {
        for lines in wrapped(text) {
            let Some(head) = lines.first().and_then(|line| {
                decode_base64(
                    &text[line.start..line.end.min(line.start + 16) - (line.len().min(16)) % 4],
                )
            }) else {
                continue;
            };
            if archive::kind(&head).is_none() {
                continue;
            }
            let joined: Vec<u8> =
                lines.iter().flat_map(|line| &text[line.start..line.end]).copied().collect();
            // A shorter one is the beginning of one that somebody quotes.
            if let Some(content) = decode_base64(&joined).filter(|content| content.len() >= 64) {
                self.contents.entry(locate(lines[0])).or_insert(content);
            }
        }
    }

    /// What was found, by place.
    pub(in crate::decode) fn into_contents(self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        self.contents.into_iter()
    }
}

/// Whether decoded bytes are text and not what any bytes would give.
fn is_text(decoded: &[u8]) -> bool {
    decoded.len() >= 8
        && std::str::from_utf8(decoded).is_ok_and(|text| {
            text.chars()
                .all(|character| !character.is_control() || matches!(character, '\n' | '\r' | '\t'))
        })
        && decoded.iter().filter(|byte| byte.is_ascii()).count() * 10 >= decoded.len() * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        wrapped(text.as_bytes()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_blank_line_or_a_name_ends_wrapped_base64() {
        let line = "QUJD".repeat(11);
        assert_eq!(lines(&format!("{line}\n{line}\n")), [2]);
        assert_eq!(lines(&format!("{line}\n\n--{line}\n")), [1, 1]);
        assert_eq!(lines(&format!("a: {line}\n  webhook-secret-of-another: {line}\n")), [1, 1, 1]);
    }
}
