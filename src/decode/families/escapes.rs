//! Characters that are escaped one by one: backslashes, percent, HTML entities, quoted-printable.

use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem;

use super::Decoded;
use super::Span;
use super::Splice;
use super::character;
use super::hex_byte;
use crate::decode::splice::Group;

/// Hexadecimal digits behind `\x` that make it the beginning of a byte string and no escape (`PostgreSQL`'s `bytea`).
const BYTE_STRING: usize = 16;

/// Length of the escape at `at` and its character, none for a continued line; `None` if no escape begins there.
pub(in crate::decode) fn escape_at(text: &[u8], at: usize) -> Option<(usize, Option<char>)> {
    let rest = &text[at + 1..];
    let (length, character) = match text[at] {
        b'\\' => backslash(rest)?,
        b'%' => {
            let (length, character) = percent(rest)?;
            (length, Some(character))
        }
        b'&' => {
            let (length, character) = entity(rest)?;
            (length, Some(character))
        }
        _ => return None,
    };
    Some((length + 1, character))
}

/// Takes off all escapes that begin with `mark`.
fn escapes(text: &[u8], mark: u8) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memchr_iter(mark, text) {
        if at < splice.done() {
            continue;
        }
        let Some((length, character)) = escape_at(text, at) else { continue };
        let span = Span::new(at, at + length);
        match character {
            Some(character) => {
                let mut buffer = [0; 4];
                splice.replace(span, character.encode_utf8(&mut buffer).as_bytes(), Group::WHOLE);
            }
            None => splice.remove(span),
        }
    }
    splice.finish()
}

/// `\n`, `\"`, `\/`, `\u0041`, `\u{41}`, `\U00000041`, `\x41`, `\101`, `\:` and line continuations.
pub(super) fn backslashes(text: &[u8]) -> Decoded {
    escapes(text, b'\\')
}

/// `%41` and `%u0041`.
pub(super) fn percents(text: &[u8]) -> Decoded {
    escapes(text, b'%')
}

/// `&amp;`, `&#65;`, `&#x41;` and the other usual entities.
pub(super) fn entities(text: &[u8]) -> Decoded {
    escapes(text, b'&')
}

fn backslash(rest: &[u8]) -> Option<(usize, Option<char>)> {
    let blanks =
        |from: usize| rest[from..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match *rest.first()? {
        b'n' => Some((1, Some('\n'))),
        b'r' => Some((1, Some('\r'))),
        b't' => Some((1, Some('\t'))),
        byte @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b':' | b'=' | b'#' | b'!' | b' ') => {
            Some((1, Some(char::from(byte))))
        }
        b'x' => {
            let digits = rest[1..].iter().take(BYTE_STRING);
            let is_byte_string = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
            (is_byte_string < BYTE_STRING).then_some(())?;
            Some((3, Some(character(rest.get(1..3)?, 16)?)))
        }
        b'u' if rest.get(1) == Some(&b'{') => {
            let end = memchr(b'}', rest.get(..rest.len().min(10))?)?;
            Some((end + 1, Some(character(&rest[2..end], 16)?)))
        }
        b'u' => Some((5, Some(character(rest.get(1..5)?, 16)?))),
        b'U' => Some((9, Some(character(rest.get(1..9)?, 16)?))),
        b'\n' => Some((1 + blanks(1), None)),
        b'\r' if rest.get(1) == Some(&b'\n') => Some((2 + blanks(2), None)),
        b'0'..=b'1' => Some((3, Some(character(rest.get(..3)?, 8)?))),
        _ => None,
    }
}

fn percent(rest: &[u8]) -> Option<(usize, char)> {
    match rest {
        [b'u', digits @ ..] => Some((5, character(digits.get(..4)?, 16)?)),
        // Bytes of longer characters are left alone: no key holds one.
        _ => hex_byte(rest).filter(u8::is_ascii).map(|byte| (2, char::from(byte))),
    }
}

fn entity(rest: &[u8]) -> Option<(usize, char)> {
    let end = memchr(b';', &rest[..rest.len().min(11)])?;
    let character = match &rest[..end] {
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        b"lt" => '<',
        b"gt" => '>',
        b"nbsp" => ' ',
        b"equals" => '=',
        b"colon" => ':',
        b"sol" => '/',
        [b'#', b'x' | b'X', digits @ ..] => character(digits, 16)?,
        [b'#', digits @ ..] => character(digits, 10)?,
        _ => return None,
    };
    Some((end + 1, character))
}

/// `=41` and soft line breaks, in texts that are quoted-printable.
pub(super) fn quoted_printable(text: &[u8]) -> Decoded {
    let says_so = [&b"=3D"[..], b"quoted-printable", b"Quoted-Printable", b"QUOTED-PRINTABLE"];
    if !says_so.iter().any(|mark| memmem::find(text, mark).is_some()) {
        return None;
    }
    let mut splice = Splice::new(text);
    // Of the line at hand: its end, and whether it has an equals sign that this encoding would have escaped.
    let (mut end, mut has_plain) = (0, false);
    for at in memchr_iter(b'=', text) {
        let rest = &text[at + 1..];
        if at >= end {
            end = at + memchr(b'\n', rest).map_or(rest.len() + 1, |feed| feed + 2);
            let line = text[at..end].trim_ascii_end();
            let line = line.strip_suffix(b"=").unwrap_or(line);
            has_plain = memchr_iter(b'=', line).any(|at| escaped_byte(&line[at + 1..]).is_none());
        }
        if has_plain {
            continue;
        }
        // A line that goes on in the next one.
        let is_soft = [&b"\n"[..], b"\r\n"].into_iter().find(|feed| rest.starts_with(feed));
        if let Some(feed) = is_soft {
            splice.remove(Span::new(at, at + 1 + feed.len()));
        }
        if let Some(byte) = escaped_byte(rest) {
            splice.replace(Span::new(at, at + 3), &[byte], Group::WHOLE);
        }
    }
    splice.finish()
}

/// The byte that two capital hexadecimal digits tell.
fn escaped_byte(digits: &[u8]) -> Option<u8> {
    hex_byte(digits).filter(|_| !digits[..2].iter().any(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_begins_with_3d_is_not_quoted_printable() {
        let decoded = |text: &str| quoted_printable(text.as_bytes()).map(|(text, _)| text);
        assert_eq!(decoded("https://a.example/?k=3D7lWo&r=6ff3&lang=fr\n"), None);
        assert_eq!(decoded("a=3D1=\n&b=3D2=\n").as_deref(), Some(&b"a=1&b=2"[..]));
    }

    #[test]
    fn base64_that_ends_a_line_is_not_quoted_printable() {
        let decoded = |text: &str| quoted_printable(text.as_bytes()).map(|(text, _)| text);
        assert_eq!(
            decoded("Basic YTpiMQ==\n> Id: =3DC\n").as_deref(),
            Some(&b"Basic YTpiMQ==\n> Id: =C\n"[..])
        );
    }
}
