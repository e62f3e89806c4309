//! String literals in pieces, reversed, or spelled as numbers: what programs put together when they run.

use std::sync::LazyLock;

use memchr::memchr3_iter;
use memchr::memmem;
use regex::bytes::Regex;

use super::Decoded;
use super::SHORTEST_RUN;
use super::Span;
use super::Splice;
use super::is_part_of_name;
use super::variables;
use crate::decode::splice::Group;

/// Bytes of operators and space between two literals.
const MAX_JOINT: usize = 200;
/// Bytes in front of a list in which `join(` and the like are looked for.
const LEAD: usize = 48;
/// Longest list of words that is joined.
const MAX_WORDS: usize = 400;
/// Longest item of a list that is joined.
const MAX_ITEM: usize = 64;

/// `"abc" + "def"` over operators and lines, and lists of literals that are joined.
pub(super) fn concatenations(text: &[u8]) -> Decoded {
    let mut joints: Vec<Span> = vec![];
    let mut list = List::default();
    for at in memchr3_iter(b'"', b'\'', b'`', text) {
        match joint(text, at) {
            Some((open, Joint::Operator)) if closes_literal(text, at) => {
                joints.push(Span::new(at, open + 1));
            }
            Some((open, Joint::Comma)) => list.add(text, Span::new(at, open + 1), &mut joints),
            _ => {}
        }
    }
    list.finish(text, &mut joints);
    for words in memmem::find_iter(text, b"%w") {
        joints.extend(gaps_of_words(text, words + 2));
    }
    joints.extend(variables::joints(text));
    joints.sort_unstable();
    let mut splice = Splice::new(text);
    for joint in joints {
        if joint.start >= splice.done() {
            splice.remove(joint);
        }
    }
    splice.finish()
}

/// The gaps between the words of a list of Ruby that is joined (`%w[abc def].join`), whose bracket stands at `open`.
fn gaps_of_words(text: &[u8], open: usize) -> Vec<Span> {
    let close = match text.get(open) {
        Some(b'[') => b']',
        Some(b'(') => b')',
        Some(b'{') => b'}',
        _ => return vec![],
    };
    let list = &text[open + 1..text.len().min(open + 1 + MAX_WORDS)];
    let Some(length) = memchr::memchr(close, list) else { return vec![] };
    let call = list[length + 1..].strip_prefix(b".join").unwrap_or(b"(_");
    if call.starts_with(b"(") && !call.starts_with(b"()") && !call.starts_with(b"('')") {
        return vec![];
    }
    let list = &list[..length];
    let is_gap = |at: &usize| list[*at].is_ascii_whitespace();
    (0..length).filter(is_gap).map(|at| Span::new(open + 1 + at, open + 2 + at)).collect()
}

/// What stands between two literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    /// Something that joins them.
    Operator,
    /// A comma; the list must say that its items are joined.
    Comma,
}

/// The quote that opens the next literal behind the one that closes at `close`.
fn joint(text: &[u8], close: usize) -> Option<(usize, Joint)> {
    let window = &text[close + 1..text.len().min(close + 1 + MAX_JOINT)];
    let mut at = 0;
    let mut lines = 0;
    let mut kind = Joint::Operator;
    while let Some(&byte) = window.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => {
                // `""` is an empty literal, unless two of a shell touch (`"abc""def"`).
                let open = close + 1 + at;
                let touches = at > 0 || touch(text, close);
                let is_entry = lines > 0 && at_most_space(&window[..at]) && is_key(text, open);
                return (touches && !is_entry).then_some((open, kind));
            }
            b' ' | b'\t' | b'\r' => at += 1,
            b'\n' if lines < 2 => {
                lines += 1;
                at += 1;
            }
            b'+' | b'.' | b'&' | b'|' | b'<' | b'>' | b'~' | b'^' | b'\\'
                if kind == Joint::Operator =>
            {
                let operator = window[at..].iter().take_while(|byte| b"+.&|<>~^\\".contains(byte));
                let length = operator.count();
                let is_joining = matches!(
                    &window[at..at + length],
                    b"+" | b"++" | b"." | b".." | b"&" | b"||" | b"<>" | b"~" | b"^" | b"\\"
                );
                if window[at..].starts_with(b".concat(") {
                    at += b".concat(".len();
                } else if is_joining {
                    at += length;
                } else {
                    return None;
                }
            }
            b'}' if window[at..].starts_with(b"}${") => at += 3,
            // `.append("abc").append("def")`
            b')' if kind == Joint::Operator => {
                let behind = window[at + 1..].trim_ascii_start().strip_prefix(b".append(")?;
                at = window.len() - behind.len();
            }
            // A continued line of Visual Basic.
            b'_' if matches!(window.get(at + 1), Some(b'\n' | b'\r')) => at += 1,
            b',' if kind == Joint::Operator && at_most_space(&window[..at]) => {
                kind = Joint::Comma;
                at += 1;
            }
            _ => {
                let prefix = window[at..]
                    .iter()
                    .take(2)
                    .take_while(|byte| b"rRbBfFuULN@$".contains(byte))
                    .count();
                let opens = matches!(window.get(at + prefix), Some(b'"' | b'\'' | b'`'));
                if prefix == 0 || at == 0 || !opens {
                    return None;
                }
                at += prefix;
            }
        }
    }
    None
}

/// Whether the literal that opens at `open` is the name of what follows it (`"name"=`), as in exports of a registry.
fn is_key(text: &[u8], open: usize) -> bool {
    let literal = &text[open + 1..text.len().min(open + 1 + MAX_JOINT)];
    let close = literal.iter().position(|byte| *byte == text[open] || *byte == b'\n');
    let behind = close.and_then(|close| literal.get(close + 1..)).unwrap_or_default();
    matches!(behind.iter().find(|byte| **byte != b' '), Some(b'=' | b':'))
}

/// Whether letters and digits stand on both sides of the two quotes at `at`.
fn touch(text: &[u8], at: usize) -> bool {
    const LEAST: usize = 2;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric();
    at >= LEAST
        && text[at - LEAST..at].iter().all(is_part)
        && text.get(at + 2..at + 2 + LEAST).is_some_and(|behind| behind.iter().all(is_part))
}

fn at_most_space(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

/// Whether the quote at `at` ends a literal that begins shortly before it on the same line.
fn closes_literal(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(300)..at];
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
    line.contains(&text[at])
}

/// Literals with commas between them, as far as they were read.
#[derive(Default)]
struct List {
    commas: Vec<Span>,
}

impl List {
    /// Takes the next comma, or begins a new list if it does not follow the last item.
    fn add(&mut self, text: &[u8], comma: Span, joints: &mut Vec<Span>) {
        let follows = self.commas.last().is_some_and(|last| {
            comma.start >= last.end
                && comma.start - last.end <= MAX_ITEM
                && !text[last.end..comma.start].contains(&text[comma.start])
        });
        if !follows {
            self.finish(text, joints);
        }
        self.commas.push(comma);
    }

    /// Joins the items if something around the list says so, or if each is a single character.
    fn finish(&mut self, text: &[u8], joints: &mut Vec<Span>) {
        let commas = std::mem::take(&mut self.commas);
        let (Some(first), Some(last)) = (commas.first(), commas.last()) else { return };
        let quote = text[first.start];
        let item = text[first.start.saturating_sub(MAX_ITEM)..first.start].iter();
        let Some(length) = item.rev().position(|byte| *byte == quote) else { return };
        let open = first.start - length - 1;
        let is_spelled = commas.len() + 1 >= SHORTEST_RUN
            && length == 1
            && commas.windows(2).all(|pair| pair[1].start - pair[0].end == 1);
        if is_spelled || is_joined(text, open, last.end) || is_key_in_pieces(text, open, &commas) {
            joints.extend(commas);
        }
    }
}

/// Whether the items of a list make a key together, and the list's name is joined elsewhere (`parts.forEach(::append)`).
fn is_key_in_pieces(text: &[u8], open: usize, commas: &[Span]) -> bool {
    const KEY: usize = 32;
    let Some(last) = commas.last().map(|last| last.end) else { return false };
    let between: usize = commas.iter().map(|comma| comma.len()).sum();
    let end = open + 1 + between + KEY;
    if end < last || text.get(end) != Some(&text[open]) {
        return false;
    }
    let mut at = open + 1;
    let ends = commas.iter().map(|comma| (comma.start, comma.end)).chain([(end, end)]);
    let is_plain = ends.into_iter().all(|(close, next)| {
        let item = text.get(at..close).unwrap_or(b"-");
        at = next;
        item.iter().all(u8::is_ascii_alphanumeric)
    });
    is_plain && name_of_list(text, open).is_some_and(|name| is_joined_elsewhere(text, open, name))
}

/// The name that is given a list whose first literal opens at `open` (`val parts: List<String> = listOf("`).
fn name_of_list(text: &[u8], open: usize) -> Option<&[u8]> {
    const LONGEST: usize = 120;
    let before = &text[open.saturating_sub(LONGEST)..open];
    let line = before.rsplit(|byte| *byte == b'\n').find(|line| line.contains(&b'='))?;
    let name = line[..memchr::memrchr(b'=', line)?].trim_ascii_end();
    let name = name.strip_suffix(b":").unwrap_or(name);
    let name = &name[..memchr::memrchr(b':', name).unwrap_or(name.len())];
    let name = name.trim_ascii_end().rsplit(|byte| !is_part_of_name(*byte)).next()?;
    (!name.is_empty()).then_some(name)
}

/// Whether a name stands, not far from `at`, in a call that joins what it names.
fn is_joined_elsewhere(text: &[u8], at: usize, name: &[u8]) -> bool {
    const REACH: usize = 8 * 1024;
    static JOINS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:\.|->)\s*(?i-u:join|concat|implode|foreach\s*\(\s*::append)").ok()
    });
    let start = at.saturating_sub(REACH);
    let window = &text[start..text.len().min(at + REACH)];
    memmem::find_iter(window, name).any(|found| {
        let (before, behind) = (&window[..found], &window[found + name.len()..]);
        let is_whole = !before.last().is_some_and(|byte| is_part_of_name(*byte))
            && !behind.first().is_some_and(|byte| is_part_of_name(*byte));
        let lead = &before[before.len().saturating_sub(LEAD)..];
        is_whole
            && (JOINS.as_ref().is_some_and(|joins| joins.is_match(behind)) || opens_joining(lead))
    })
}

/// Whether a call that joins what it is given is open at the end of a text.
fn opens_joining(before: &[u8]) -> bool {
    static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?i-u)(?:join|implode|concat|paste0|char_array)\s*\(\s*(?:(?:""|'')\s*,)?[^"'`;]*$"#,
        )
        .ok()
    });
    BEFORE.as_ref().is_some_and(|list| list.is_match(before))
}

/// Whether the list whose first quote is `open` and whose last item begins at `last` is joined without a separator.
fn is_joined(text: &[u8], open: usize, last: usize) -> bool {
    static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?-u)^,?\s*[\])}]+\s*(?:\.|->)\s*(?:join|concat|implode)\s*(?:\(\s*(?:""|'')?\s*\))?"#).ok()
    });
    let before = &text[open.saturating_sub(LEAD)..open];
    let item = &text[last..text.len().min(last + MAX_ITEM)];
    let Some(close) = item.iter().position(|byte| b"\"'`".contains(byte)) else { return false };
    let behind = &text[last + close + 1..text.len().min(last + close + 1 + LEAD)];
    opens_joining(before) || BEHIND.as_ref().is_some_and(|behind_list| behind_list.is_match(behind))
}

/// Literals that the code reverses.
pub(super) fn reversed(text: &[u8]) -> Decoded {
    static REVERSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?i-u)(?:\b(?:str_?rev(?:erse)?|reversed?|string\.reverse|array\.from)\s*\(\s*["'`]([a-z0-9+/=_-]{16,600})["'`]\s*\)|(?:\[\.\.\.)?["'`]([a-z0-9+/=_-]{16,600})["'`]\]?(?:\[::-1\]|(?:\.split\(\s*(?:""|'')\s*\)|\.chars(?:\(\))?|\.toCharArray\(\)|\.chars\(\))?\.reversed?\b))"#).ok()
    });
    if memmem::find(text, b"[::-1]").is_none() && !mentions_reversal(text) {
        return None;
    }
    let mut splice = Splice::new(text);
    for captures in REVERSED.as_ref()?.captures_iter(text) {
        let Some(value) = captures.get(1).or_else(|| captures.get(2)) else { continue };
        let turned: Vec<u8> = value.as_bytes().iter().rev().copied().collect();
        // The call goes as well, lest the next round turns the value back.
        let Some(whole) = captures.get(0) else { continue };
        splice.replace(Span::new(whole.start(), value.start() - 1), b"", Group::WHOLE);
        splice.replace(Span::new(value.start() - 1, value.start()), b"\"", Group::SAME);
        splice.replace(Span::new(value.start(), value.end()), &turned, Group::WHOLE);
        splice.replace(Span::new(value.end(), whole.end()), b"\"", Group::WHOLE);
    }
    splice.finish()
}

fn mentions_reversal(text: &[u8]) -> bool {
    static WORD: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("(?i-u)rev(?:erse|\\()").ok());
    WORD.as_ref().is_some_and(|word| word.is_match(text))
}

/// Lists of numbers that spell characters: `121, 111, 117`, `0x79, 0x6f`, `chr(121).chr(111)`, `79 6f 75`.
pub(super) fn codes(text: &[u8]) -> Decoded {
    static LISTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let decimal = r"(?:3[3-9]|[4-9]\d|1[01]\d|12[0-6])";
        let list = |item: &str, between: &str| format!(r"{item}(?:{between}{item}){{15,}}");
        let numbers = list(decimal, r"\s*,\s*");
        let hexadecimal = list("0[xX][2-7][0-9a-fA-F]", r"\s*,?\s*");
        let calls =
            list(&format!(r"(?i:chr|char|chrw)\(\s*{decimal}\s*\)"), r"\s*(?:\.|\+|&|\|\|)\s*");
        let pairs = list("[2-7][0-9a-fA-F]", "(?: |:)");
        Regex::new(&format!(r"(?-u)\b(?:{numbers}|{hexadecimal}|{calls}|{pairs})\b|{calls}")).ok()
    });
    let mut splice = Splice::new(text);
    for found in LISTS.as_ref()?.find_iter(text) {
        let numbers = code_spans(found.as_bytes());
        let mut end = found.start();
        for (number, letter) in numbers {
            let place = Span::new(found.start() + number.start, found.start() + number.end);
            splice.remove(Span::new(end, place.start));
            splice.replace(place, &[letter], Group::WHOLE);
            end = place.end;
        }
        splice.remove(Span::new(end, found.end()));
    }
    splice.finish()
}

/// The numbers of a list, without the name of `chr(121)`, and what they spell.
fn code_spans(list: &[u8]) -> Vec<(Span, u8)> {
    let is_decimal = list.iter().any(|byte| matches!(byte, b',' | b'('));
    let mut spans = vec![];
    let mut at = 0;
    while at < list.len() {
        let length = list[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = std::str::from_utf8(&list[at..at + length]).unwrap_or_default();
        let code = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(digits) => u8::from_str_radix(digits, 16),
            None => u8::from_str_radix(word, if is_decimal { 10 } else { 16 }),
        };
        spans.extend(code.ok().map(|code| (Span::new(at, at + length), code)));
        at += length.max(1);
    }
    spans
}
