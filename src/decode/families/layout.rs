//! Values that a format's layout takes apart or away: folded lines and aliases of YAML, text runs of office documents.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use encoding_rs::WINDOWS_1252;
use memchr::memchr_iter;
use memchr::memchr3_iter;
use memchr::memmem;
use regex::bytes::Regex;

use super::Decoded;
use super::Span;
use super::Splice;
use super::character;
use super::hex_byte;
use crate::decode::splice::Group;

/// Bytes of tags between two runs of a text.
const MAX_TAGS: usize = 2_000;

/// A value split over the lines of a YAML block scalar.
pub(super) fn folded_lines(text: &[u8]) -> Decoded {
    static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m-u):[ \t]*(?:[&!][\w!]+[ \t]+)?[>|][+-]?\d?[ \t]*\r?\n((?:[ \t]+[A-Za-z0-9+/=_-]{4,80}\r?\n){2,40})").ok()
    });
    let mut splice = Splice::new(text);
    for captures in BLOCK.as_ref()?.captures_iter(text) {
        let Some(lines) = captures.get(1) else { continue };
        let content = lines.as_bytes();
        for end in memchr_iter(b'\n', content).filter(|end| end + 1 < content.len()) {
            let indent =
                content[end + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let start = if end > 0 && content[end - 1] == b'\r' { end - 1 } else { end };
            splice.remove(Span::new(lines.start() + start, lines.start() + end + 1 + indent));
        }
    }
    splice.finish()
}

/// `key: *name` where `&name value` stands elsewhere: the value takes the alias's place and points at the anchor.
pub(super) fn aliases(text: &[u8]) -> Decoded {
    static ANCHOR: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?m-u)[:-][ \t]+&([\w.-]+)[ \t]+["']?([A-Za-z0-9+/=_-]{16,200})["']?[ \t]*(?:#.*)?\r?$"#).ok()
    });
    static ALIAS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m-u)[:-][ \t]+(\*([\w.-]+))[ \t]*(?:#.*)?\r?$").ok());
    memmem::find(text, b" *")?;
    let mut anchors: BTreeMap<&[u8], Span> = BTreeMap::new();
    for captures in ANCHOR.as_ref()?.captures_iter(text) {
        if let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) {
            anchors.insert(name.as_bytes(), Span::new(value.start(), value.end()));
        }
    }
    if anchors.is_empty() {
        return None;
    }
    let mut splice = Splice::new(text);
    for captures in ALIAS.as_ref()?.captures_iter(text) {
        let (Some(alias), Some(name)) = (captures.get(1), captures.get(2)) else { continue };
        let Some(value) = anchors.get(name.as_bytes()) else { continue };
        let place = Span::new(alias.start(), alias.end());
        splice.replace_with(place, *value, &text[value.start..value.end], Group::SAME);
    }
    splice.finish()
}

/// The marks by which a terminal shows colours, which stand glued to what they colour (`ESC[32m`); pasted logs lose the escape.
pub(super) fn colours(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memchr_iter(b'[', text) {
        let is_escaped = text[..at].ends_with(b"\x1b");
        let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b';';
        let numbers = text[at + 1..].iter().take(20).take_while(is_number).count();
        let end = at + 1 + numbers;
        let is_mark = match text.get(end) {
            Some(b'm') => is_escaped || numbers > 0,
            Some(b'K') => is_escaped,
            _ => false,
        };
        if is_mark {
            splice.remove(Span::new(at - usize::from(is_escaped), end + 1));
        }
    }
    splice.finish()
}

/// The words by which rich text (RTF) marks up a text, and its braces; `\'e9` and `\u233?` become the characters that they stand for.
pub(super) fn rich_text(text: &[u8]) -> Decoded {
    text.strip_prefix(b"{\\rtf")?;
    let mut splice = Splice::new(text);
    for at in memchr3_iter(b'\\', b'{', b'}', text) {
        if at < splice.done() {
            continue;
        }
        let behind = &text[at + 1..];
        let length = behind.iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = &behind[..length];
        let number = behind[length..].iter().take(8);
        let number = number.take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        let end = at + 1 + length + number;
        let place = Span::new(at, end + usize::from(text.get(end) == Some(&b' ')));
        match (text[at], behind.first()) {
            (b'\\', Some(b'\'')) => {
                let Some(byte) = hex_byte(&behind[1..]) else { continue };
                let byte = [byte];
                let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(&byte);
                splice.replace(Span::new(at, at + 4), decoded.as_bytes(), Group::WHOLE);
            }
            (b'\\', Some(b'\\' | b'{' | b'}')) => {
                splice.replace(Span::new(at, at + 2), &behind[..1], Group::WHOLE);
            }
            (b'\\', Some(b'u')) if length == 1 && number > 0 => {
                let Some(character) = character(&behind[1..=number], 10) else { continue };
                let place = Span::new(at, (end + 1).min(text.len()));
                splice.replace(place, character.encode_utf8(&mut [0; 4]).as_bytes(), Group::WHOLE);
            }
            (b'\\', _) if matches!(word, b"par" | b"line" | b"row" | b"cell") => {
                splice.replace(place, b"\n", Group::WHOLE);
            }
            (b'\\', _) if matches!(word, b"rquote" | b"lquote") => {
                splice.replace(place, b"'", Group::WHOLE);
            }
            (b'\\', Some(_)) if length > 0 => splice.remove(place),
            (b'{' | b'}', _) => splice.remove(Span::new(at, at + 1)),
            _ => {}
        }
    }
    splice.finish()
}

/// Text that an office document splits into runs, each in a tag of its own.
pub(super) fn text_runs(text: &[u8]) -> Decoded {
    let mut splice = Splice::new(text);
    for at in memmem::find_iter(text, b"t></") {
        let start = text[at.saturating_sub(4)..at].iter().rposition(|byte| *byte == b'<');
        let Some(start) = start.map(|found| at.saturating_sub(4) + found) else { continue };
        let is_text = matches!(&text[start..at], b"</" | b"</w:" | b"</a:");
        if let Some(end) = next_run(text, at + 2).filter(|_| is_text && start >= splice.done()) {
            splice.remove(Span::new(start, end));
        }
    }
    splice.finish()
}

/// Where the text of the next run begins, if nothing but tags of runs stands between.
fn next_run(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let limit = text.len().min(from + MAX_TAGS);
    loop {
        at += text[at..limit].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let tag = text[at..limit].strip_prefix(b"<")?;
        let length = tag.iter().position(|byte| *byte == b'>')?;
        let name = &tag[..tag.iter().position(|byte| b" \t\r\n>".contains(byte))?];
        at += length + 2;
        match name {
            b"t" | b"w:t" | b"a:t" => return Some(at),
            // The end of a paragraph or cell ends the text.
            b"/si" | b"/is" | b"/w:p" | b"/a:p" | b"/text" | b"/comment" | b"w:br/" | b"a:br/" => {
                return None;
            }
            _ => {}
        }
    }
}
