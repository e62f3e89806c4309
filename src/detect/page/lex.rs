//! The little grammar that all languages share: words, operators, brackets, lines. Read leftwards from a value, so
//! that its cost depends on the value's surroundings and not on the file's size.

use super::randomness;
use crate::location::Span;

/// A piece of text left of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lexeme {
    /// A run of identifier characters, with inner dots and dashes.
    Word(Span),
    /// `=`, `:`, `=>`, `->`, `<`, `>`, `|` and other operators, one per run.
    Operator(u8),
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `(`, `[` or `{`
    Open(u8, usize),
    /// `)`, `]` or `}`
    Close,
    /// A line end; blank lines give one each.
    Newline,
}

/// Bytes that may stand in a word.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@' | b'-' | b'.') || byte >= 0x80
}

/// Iterates over the lexemes before `end`, the nearest first, at most `budget` bytes far.
pub(crate) fn leftwards(text: &[u8], end: usize, budget: usize) -> Leftwards<'_> {
    Leftwards { text, at: end, floor: end.saturating_sub(budget) }
}

/// See [`leftwards`].
#[derive(Clone)]
pub(crate) struct Leftwards<'t> {
    text: &'t [u8],
    at: usize,
    floor: usize,
}

impl Leftwards<'_> {
    /// Offset before which the next lexeme ends.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Goes on before `offset`, which lies to the left.
    pub(crate) fn jump_to(&mut self, offset: usize) {
        self.at = offset.clamp(self.floor, self.at);
    }

    fn word(&mut self) -> Lexeme {
        let end = self.at;
        while self.at > self.floor && is_word(self.text[self.at - 1]) {
            self.at -= 1;
        }
        Lexeme::Word(Span::new(self.at, end))
    }

    fn operator(&mut self) -> Lexeme {
        let last = self.text[self.at - 1];
        self.at -= 1;
        while self.at > self.floor
            && matches!(
                self.text[self.at - 1],
                b'=' | b'>' | b'<' | b'?' | b'|' | b'&' | b':' | b'!'
            )
        {
            self.at -= 1;
        }
        Lexeme::Operator(last)
    }
}

impl Iterator for Leftwards<'_> {
    type Item = Lexeme;

    fn next(&mut self) -> Option<Lexeme> {
        while self.at > self.floor {
            let byte = self.text[self.at - 1];
            let single = match byte {
                b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'\0' | b'\r' => {
                    self.at -= 1;
                    continue;
                }
                b'\n' => Lexeme::Newline,
                b',' => Lexeme::Comma,
                b';' => Lexeme::Semicolon,
                b'(' | b'[' | b'{' => Lexeme::Open(byte, self.at - 1),
                b')' | b']' | b'}' => Lexeme::Close,
                _ if is_word(byte) => {
                    let word = self.word();
                    let Lexeme::Word(span) = word else { return Some(word) };
                    // A lone dash or dot (a list item, a PHP concatenation) says nothing.
                    if self.text[span.start..span.end]
                        .iter()
                        .any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
                    {
                        return Some(word);
                    }
                    continue;
                }
                _ => return Some(self.operator()),
            };
            self.at -= 1;
            return Some(single);
        }
        None
    }
}

/// Splits a name into lowercase words at case changes, digits' ends, and separators: `YOUSIGN_API_KEY`,
/// `yousignApiKey` and `yousign.api-key` all give `yousign api key`.
pub(crate) fn subwords(name: &[u8]) -> Vec<String> {
    let mut words = vec![];
    any_subword(name, |word| {
        words.push(word.to_owned());
        false
    });
    words
}

/// The last of the [`subwords`] of a name; empty if it has none.
pub(crate) fn last_subword(name: &[u8]) -> String {
    let mut last = String::new();
    any_subword(name, |word| {
        word.clone_into(&mut last);
        false
    });
    last
}

/// Whether one of the [`subwords`] of a name passes the test; the others behind it are not read.
pub(crate) fn any_subword(name: &[u8], mut test: impl FnMut(&str) -> bool) -> bool {
    let mut word = String::new();
    for (at, &byte) in name.iter().enumerate() {
        // `’` and the dashes of Unicode are no letters.
        let is_mark = byte == 0xe2 && name.get(at + 1) == Some(&0x80);
        let is_part = byte.is_ascii_alphanumeric() || byte >= 0x80 && !is_mark;
        let before = at.checked_sub(1).map(|before| name[before]);
        let starts = byte.is_ascii_uppercase()
            && (before
                .is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(|before| before >= 0x80) && ends_small(&name[..at])
                || before.is_some_and(|before| before.is_ascii_uppercase())
                    && name.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if (starts || !is_part) && !word.is_empty() {
            if test(&word) {
                return true;
            }
            word.clear();
        }
        if is_part {
            match byte {
                0..0x80 => word.push(char::from(byte.to_ascii_lowercase())),
                // The rest of a character in UTF-8.
                0x80..0xc0 => {}
                _ => word.extend(
                    letter(&name[at..])
                        .filter(|letter| !is_accent(*letter))
                        .into_iter()
                        .flat_map(char::to_lowercase),
                ),
            }
        }
    }
    !word.is_empty() && test(&word)
}

/// The same for a text that may hold values: what one drawn at random happens to spell says nothing.
pub(crate) fn any_said(text: &[u8], mut test: impl FnMut(&str) -> bool) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    let mut words = text.split(|byte| !is_part(byte)).filter(|word| !word.is_empty());
    words.any(|word| !randomness::is_drawn(word) && any_subword(word, &mut test))
}

/// Whether a text ends in a small letter that is not ASCII (`Clé` of `CléAccès`).
fn ends_small(text: &[u8]) -> bool {
    let rest = text.iter().rev().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    letter(&text[text.len().saturating_sub(rest + 1)..]).is_some_and(char::is_lowercase)
}

/// The character with which a text begins, in UTF-8 or else in Latin-1.
fn letter(text: &[u8]) -> Option<char> {
    let head = &text[..text.len().min(4)];
    let letter = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    letter.or_else(|| text.first().map(|byte| char::from(*byte)))
}

/// Whether a character is an accent that belongs to the letter before it.
fn is_accent(character: char) -> bool {
    ('\u{300}'..'\u{370}').contains(&character)
}

/// Whether a line of code that begins with `text` is one of a comment.
pub(crate) fn begins_comment(text: &[u8]) -> bool {
    let marks = [b"//".as_slice(), b"#", b"/*", b"*", b"--"];
    marks.iter().any(|mark| text.starts_with(mark)) && !is_schedule(text)
}

/// Whether a line begins with the five fields by which a table of jobs says when (`*/14 * * * *`).
fn is_schedule(text: &[u8]) -> bool {
    const FIELDS: usize = 5;
    let fields = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let is_time = |byte: &u8| byte.is_ascii_digit() || b"*/,-".contains(byte);
    let times = fields.take(FIELDS).take_while(|field| field.iter().all(is_time));
    text.starts_with(b"*") && times.count() == FIELDS
}

/// Whether one of the [`subwords`] of the name around it begins at `at`.
pub(crate) fn begins_subword(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| text[before]);
    before.is_none_or(|byte| {
        !byte.is_ascii_alphanumeric() || byte.is_ascii_lowercase() && text[at].is_ascii_uppercase()
    })
}

/// The word in which `found` stands, at most 80 bytes to each side.
pub(crate) fn word_around(text: &[u8], found: Span) -> Span {
    let before = text[..found.start].iter().rev().take(80).take_while(|byte| is_word(**byte));
    let behind = text[found.end..].iter().take(80).take_while(|byte| is_word(**byte));
    Span::new(found.start - before.count(), found.end + behind.count())
}

/// Bytes of a single name, without dots and sigils.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The beginning of the tag with which a line of markup begins (`<dt`); nothing for other lines.
pub(crate) fn leading_tag(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    let ends = |byte: &u8| matches!(byte, b'>' | b' ');
    let length = line.iter().position(ends).unwrap_or(line.len());
    if line.starts_with(b"<") { &line[..length] } else { b"" }
}

/// The last part of a dotted or arrowed name: `setToken` of `client.setToken`.
pub(crate) fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| !is_name(*byte)).find(|part| !part.is_empty()).unwrap_or(name)
}

/// The name with which a text ends, at most 80 bytes of it.
pub(crate) fn last_name(text: &[u8]) -> &[u8] {
    const LONGEST: usize = 80;
    let length = text.iter().rev().take(LONGEST).take_while(|byte| is_name(**byte)).count();
    &text[text.len() - length..]
}

/// The parts of a list that commas divide outside of literals and brackets, and whether a bracket closes it before the text ends.
/// `None` if it ends in the middle of a bracket.
pub(crate) fn list(text: &[u8]) -> Option<(Vec<&[u8]>, bool)> {
    let (mut quote, mut depth, mut angles) = (None, 0_usize, 0_usize);
    let (mut parts, mut start, mut at) = (vec![], 0, 0);
    while let Some(byte) = text.get(at) {
        match (quote, byte) {
            (_, b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') if depth == 0 => {
                parts.push(&text[start..at]);
                return Some((parts, true));
            }
            (None, b')' | b']' | b'}') => depth -= 1,
            // `List<String, Int>`; `->` and `=>` close nothing.
            (None, b'<') if at > 0 && is_name(text[at - 1]) => angles += 1,
            (None, b'>') if at > 0 && !b"-=".contains(&text[at - 1]) => {
                angles = angles.saturating_sub(1);
            }
            (None, b',') if depth == 0 && angles == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            (None, _) => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    (depth == 0).then_some((parts, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_divided_outside_of_literals_and_brackets() {
        let parts = |text: &'static str| {
            let (parts, is_closed) = list(text.as_bytes())?;
            let parts: Vec<&str> = parts.into_iter().flat_map(str::from_utf8).collect();
            Some((parts, is_closed))
        };
        assert_eq!(
            parts(r#"a: Map<K, V> = f(1, 2), b = ",)", c) {"#),
            Some((vec!["a: Map<K, V> = f(1, 2)", r#" b = ",)""#, " c"], true))
        );
        assert_eq!(parts(r#""x", y => z, "#), Some((vec![r#""x""#, " y => z", " "], false)));
        assert_eq!(parts("a, 'b"), Some((vec!["a", " 'b"], false)));
        assert_eq!(parts("a, (b"), None);
    }

    #[test]
    fn a_schedule_is_no_comment() {
        for line in ["*/14 * * * * www-data curl", "* * * * * curl", "*\t1-5 * */2 1,2 x"] {
            assert!(!begins_comment(line.as_bytes()), "{line}");
        }
        for line in ["* what it does", "*/", "* 1 2 3 words", "# x", "// x"] {
            assert!(begins_comment(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn typographic_apostrophe_separates_words() {
        assert_eq!(subwords("Clé d\u{2019}API".as_bytes()), ["clé", "d", "api"]);
    }

    #[test]
    fn letters_with_accents_are_read_in_each_encoding() {
        assert_eq!(subwords("API-SCHLÜSSEL".as_bytes()), ["api", "schlüssel"]);
        assert_eq!(subwords("sCléAccès".as_bytes()), ["s", "clé", "accès"]);
        assert_eq!(subwords(b"Cl\xe9Acc\xe8s"), ["clé", "accès"]);
        assert_eq!(subwords(b"cl\xe9 api"), ["clé", "api"]);
        assert_eq!(subwords("cle\u{301}".as_bytes()), ["cle"]);
    }

    #[test]
    fn names_split_alike_in_every_style() {
        for name in ["YOUSIGN_API_KEY", "yousignApiKey", "yousign.api-key", "YousignAPIKey"] {
            assert_eq!(subwords(name.as_bytes()), ["yousign", "api", "key"], "{name}");
        }
    }
}
