//! The encodings of parts of a text. Each function replaces what it can decode and returns `None` if there is nothing.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem;
use regex::bytes::Regex;

use super::Encoding;
use super::splice::Map;
use super::splice::Splice;
use crate::location::Span;

/// A decoded text and the way back.
type Decoded = Option<(Vec<u8>, Map)>;

/// One way of decoding.
type Family = (Encoding, fn(&[u8]) -> Decoded);

/// All families, in the order in which they are taken off.
pub(super) const ALL: [Family; 8] = [
    (Encoding::QuotedPrintable, quoted_printable),
    (Encoding::Entity, entities),
    (Encoding::Backslash, backslashes),
    (Encoding::Percent, percents),
    (Encoding::Concatenation, concatenations),
    (Encoding::Folded, folded_lines),
    (Encoding::Base64, base64_runs),
    (Encoding::Hex, hex_runs),
];

/// Shortest run that is tried as base64 or hexadecimal.
const SHORTEST_RUN: usize = 16;

/// `\n`, `\"`, `\/`, `\u0041`, `\u{41}`, `\x41`, `\101`, `\:` and line continuations.
fn backslashes(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memchr_iter(b'\\', text) {
        if at < splice.done() {
            continue;
        }
        let Some((length, decoded)) = backslash(&text[at + 1..]) else { continue };
        let span = Span::new(at, at + 1 + length);
        match decoded {
            Some(character) => {
                splice.replace(span, character.encode_utf8(&mut [0; 4]).as_bytes(), (0, 1));
            }
            None => splice.replace(span, b"", (0, 1)),
        }
    }
    splice.finish()
}

/// Length of the escape behind a backslash and its character; none for a continued line.
fn backslash(rest: &[u8]) -> Option<(usize, Option<char>)> {
    let code = |digits: &[u8]| {
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().and_then(char::from_u32)
    };
    match *rest.first()? {
        b'n' => Some((1, Some('\n'))),
        b'r' => Some((1, Some('\r'))),
        b't' => Some((1, Some('\t'))),
        byte @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b':' | b'=' | b'#' | b'!' | b' ') => {
            Some((1, Some(char::from(byte))))
        }
        b'x' => Some((3, Some(code(rest.get(1..3)?)?))),
        b'u' if rest.get(1) == Some(&b'{') => {
            let end = memchr(b'}', rest.get(..rest.len().min(10))?)?;
            Some((end + 1, Some(code(&rest[2..end])?)))
        }
        b'u' => Some((5, Some(code(rest.get(1..5)?)?))),
        b'\n' => Some((
            1 + rest[1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count(),
            None,
        )),
        b'\r' if rest.get(1) == Some(&b'\n') => Some((
            2 + rest[2..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count(),
            None,
        )),
        b'0'..=b'1' => {
            let octal = rest
                .get(..3)
                .filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')))?;
            let value =
                octal.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            Some((3, Some(char::from_u32(value)?)))
        }
        _ => None,
    }
}

/// `%41`.
fn percents(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memchr_iter(b'%', text) {
        if let Some(byte) = hex_byte(&text[at + 1..]).filter(|_| at >= splice.done()) {
            splice.replace(Span::new(at, at + 3), &[byte], (0, 1));
        }
    }
    splice.finish()
}

/// `=41` and soft line breaks, in texts that are quoted-printable.
fn quoted_printable(text: &[u8]) -> Decoded {
    if memmem::find(text, b"=3D").is_none()
        && memmem::find(text, b"quoted-printable").is_none()
        && memmem::find(text, b"Quoted-Printable").is_none()
    {
        return None;
    }
    let mut splice = Splice::new(text);
    for at in memchr_iter(b'=', text) {
        let rest = &text[at + 1..];
        if rest.starts_with(b"\n") {
            splice.replace(Span::new(at, at + 2), b"", (0, 1));
        } else if rest.starts_with(b"\r\n") {
            splice.replace(Span::new(at, at + 3), b"", (0, 1));
        } else if let Some(byte) =
            hex_byte(rest).filter(|_| !rest[..2].iter().any(u8::is_ascii_lowercase))
        {
            splice.replace(Span::new(at, at + 3), &[byte], (0, 1));
        }
    }
    splice.finish()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// `&amp;`, `&#65;`, `&#x41;` and the other usual entities.
fn entities(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memchr_iter(b'&', text) {
        let window = &text[at + 1..text.len().min(at + 12)];
        let Some(end) = memchr(b';', window) else { continue };
        if let Some(character) = entity(&window[..end]) {
            splice.replace(
                Span::new(at, at + end + 2),
                character.encode_utf8(&mut [0; 4]).as_bytes(),
                (0, 1),
            );
        }
    }
    splice.finish()
}

fn entity(name: &[u8]) -> Option<char> {
    let number = |digits: &[u8], radix: u32| {
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok().and_then(char::from_u32)
    };
    match name {
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"nbsp" => Some(' '),
        b"equals" => Some('='),
        b"colon" => Some(':'),
        b"sol" => Some('/'),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => None,
    }
}

/// `"abc" + "def"` over operators and lines, `["abc", "def"].join("")`, and numbers that spell characters.
fn concatenations(text: &[u8]) -> Decoded {
    static BETWEEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?-u)["'`][ \t]*(?:\+|\.\.?|&|\|\||<>|~|_\r?\n|\\)?[ \t]*(?:\r?\n[ \t]*)?(?:\+|\.\.?|&|\|\||<>|~)?[ \t]*[rbfuL@$]?["'`]"#).ok()
    });
    static LIST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?-u)(?:\[\s*((?:["'][^"'\n]{1,64}["']\s*,?\s*){2,64})\]\s*\.join\(\s*(?:""|'')?\s*\)|(?:join|implode)\(\s*(?:(?:""|'')\s*,\s*)?\[\s*((?:["'][^"'\n]{1,64}["']\s*,?\s*){2,64})\])"#).ok()
    });
    static COMMA: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?-u)["']\s*,\s*["']"#).ok());
    let (between, list, comma) = (BETWEEN.as_ref()?, LIST.as_ref()?, COMMA.as_ref()?);
    let mut removed: Vec<Span> = vec![];
    for found in between.find_iter(text) {
        let piece = found.as_bytes();
        // `""` is an empty literal, not two that touch.
        if piece.len() > 2
            && piece.iter().filter(|byte| **byte == b'\n').count() <= 1
            && closes_literal(text, found.start())
        {
            removed.push(Span::new(found.start(), found.end()));
        }
    }
    for captures in list.captures_iter(text) {
        let Some(items) = captures.get(1).or_else(|| captures.get(2)) else { continue };
        removed.extend(
            comma
                .find_iter(items.as_bytes())
                .map(|found| Span::new(items.start() + found.start(), items.start() + found.end())),
        );
    }
    removed.sort_unstable();
    let mut splice = Splice::new(text);
    for span in removed {
        if span.start >= splice.done() {
            splice.replace(span, b"", (0, 1));
        }
    }
    splice.finish()
}

/// Whether the quote at `at` ends a literal that begins shortly before it on the same line.
fn closes_literal(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(300)..at];
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
    line.contains(&text[at])
}

/// A value split over the lines of a YAML block scalar.
fn folded_lines(text: &[u8]) -> Decoded {
    static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m-u):[ \t]*(?:&\w+[ \t]+)?[>|][+-]?\d?[ \t]*\r?\n((?:[ \t]+[A-Za-z0-9+/=_-]{4,80}\r?\n){2,40})").ok()
    });
    let mut splice = Splice::new(text);
    for captures in BLOCK.as_ref()?.captures_iter(text) {
        let Some(lines) = captures.get(1) else { continue };
        let content = lines.as_bytes();
        for end in memchr_iter(b'\n', content).filter(|end| end + 1 < content.len()) {
            let indent =
                content[end + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let start = if end > 0 && content[end - 1] == b'\r' { end - 1 } else { end };
            splice.replace(
                Span::new(lines.start() + start, lines.start() + end + 1 + indent),
                b"",
                (0, 1),
            );
        }
    }
    splice.finish()
}

/// Runs of base64 that decode to text; wrapped lines are joined.
fn base64_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    let mut wrapped_until = None;
    for span in
        runs(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
    {
        let padding = text[span.end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        let span = Span::new(span.start, span.end + padding);
        let Some(decoded) = decode_base64(&text[span.start..span.end]) else { continue };
        if let Some(end) =
            wrapped_until.filter(|end| text[*end..span.start].iter().all(u8::is_ascii_whitespace))
        {
            splice.replace(Span::new(end, span.start), b"", (0, 1));
        }
        match decoded {
            Plain::Text(decoded) => splice.replace(span, &decoded, (3, 4)),
            Plain::Wide(decoded) => splice.replace(span, decoded.as_bytes(), (0, 1)),
        }
        let is_wrapped = span.len() >= 60
            && span.len().is_multiple_of(4)
            && padding == 0
            && matches!(text.get(span.end), Some(b'\n' | b'\r'));
        wrapped_until = is_wrapped.then_some(span.end);
    }
    splice.finish()
}

/// What an encoded run says.
enum Plain {
    /// Byte for byte.
    Text(Vec<u8>),
    /// UTF-16, turned into UTF-8.
    Wide(String),
}

fn decode_base64(run: &[u8]) -> Option<Plain> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if run.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    let decoded = GeneralPurpose::new(&alphabet, config).decode(run).ok()?;
    if let Some(text) = super::charset::decode(&decoded).filter(|text| is_text(text.as_bytes())) {
        return Some(Plain::Wide(text));
    }
    is_text(&decoded).then_some(Plain::Text(decoded))
}

/// Runs of hexadecimal digits that decode to text.
fn hex_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for span in runs(text, |byte| byte.is_ascii_hexdigit()) {
        let stands_alone = |byte: Option<&u8>| {
            byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() || matches!(byte, b'x' | b'X'))
        };
        if span.len() % 2 != 0
            || !stands_alone(span.start.checked_sub(1).map(|at| &text[at]))
            || !stands_alone(text.get(span.end))
        {
            continue;
        }
        let decoded: Option<Vec<u8>> =
            text[span.start..span.end].chunks_exact(2).map(hex_byte).collect();
        if let Some(decoded) = decoded.filter(|decoded| is_text(decoded)) {
            splice.replace(span, &decoded, (1, 2));
        }
    }
    splice.finish()
}

/// Maximal runs of at least [`SHORTEST_RUN`] bytes that pass the test.
fn runs(text: &[u8], test: impl Fn(u8) -> bool) -> Vec<Span> {
    let mut runs = vec![];
    let mut at = SHORTEST_RUN - 1;
    while at < text.len() {
        if !test(text[at]) {
            at += SHORTEST_RUN;
            continue;
        }
        let start = at - text[..at].iter().rev().take_while(|byte| test(**byte)).count();
        let end = at + text[at..].iter().take_while(|byte| test(**byte)).count();
        if end - start >= SHORTEST_RUN {
            runs.push(Span::new(start, end));
        }
        at = end + SHORTEST_RUN;
    }
    runs
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
