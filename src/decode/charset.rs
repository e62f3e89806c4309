//! UTF-16 and UTF-32, with a byte order mark or without.

use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;

/// Bytes of a file by which its character set is guessed.
const SAMPLE: usize = 512;

/// Unit and byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

/// Guesses by the mark or, without one, by where the zero bytes of Latin text stand.
pub(super) fn guess(bytes: &[u8]) -> Option<Charset> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] => return Some(Charset::Utf32Le),
        [0, 0, 0xFE, 0xFF, ..] => return Some(Charset::Utf32Be),
        [0xFF, 0xFE, ..] => return Some(Charset::Utf16Le),
        [0xFE, 0xFF, ..] => return Some(Charset::Utf16Be),
        _ => {}
    }
    let sample = &bytes[..bytes.len().min(SAMPLE) / 4 * 4];
    if sample.len() < 8 || !sample.contains(&0) {
        return None;
    }
    let quads = sample.len() / 4;
    let zeros = |at: usize| sample.chunks_exact(4).filter(|quad| quad[at] == 0).count();
    let zeros = [zeros(0), zeros(1), zeros(2), zeros(3)];
    let many = |count: usize| count * 10 >= quads * 7;
    let few = |count: usize| count * 10 <= quads * 2;
    match zeros.map(|count| (many(count), few(count))) {
        [(_, true), (true, _), (true, _), (true, _)] => Some(Charset::Utf32Le),
        [(true, _), (true, _), (true, _), (_, true)] => Some(Charset::Utf32Be),
        [(_, true), (true, _), (_, true), (true, _)] => Some(Charset::Utf16Le),
        [(true, _), (_, true), (true, _), (_, true)] => Some(Charset::Utf16Be),
        _ => None,
    }
}

/// The text as UTF-8, if it is UTF-16 or UTF-32.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let charset = guess(bytes)?;
    Some(match charset {
        Charset::Utf16Le => UTF_16LE.decode_with_bom_removal(bytes).0.into_owned(),
        Charset::Utf16Be => UTF_16BE.decode_with_bom_removal(bytes).0.into_owned(),
        Charset::Utf32Le => utf32(bytes, u32::from_le_bytes),
        Charset::Utf32Be => utf32(bytes, u32::from_be_bytes),
    })
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> String {
    let units = bytes.chunks_exact(4).map(|quad| read([quad[0], quad[1], quad[2], quad[3]]));
    units
        .map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|&unit| unit != '\u{feff}')
        .collect()
}
