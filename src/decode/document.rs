//! A document and its lines. On a file of one endless line, as bundles are, each line and column would cost a walk
//! from the beginning; so marks are set once on the way, and a position costs a walk from the nearest mark.

use std::cell::OnceCell;

use crate::location::Region;
use crate::location::Span;

/// Bytes between two marks.
const STEP: usize = 16 * 1024;

/// The text of a file or member.
pub struct Document<'a> {
    bytes: &'a [u8],
    marks: OnceCell<Vec<Mark>>,
    /// What stands behind the stars of the text, in order.
    aliases: OnceCell<Vec<Span>>,
}

/// The line and column at a multiple of [`STEP`], 0-based.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    line: usize,
    column: usize,
}

impl<'a> Document<'a> {
    /// Sets no mark yet.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, marks: OnceCell::new(), aliases: OnceCell::new() }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Line and columns of `span`, as [`Region::of`] gives them.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end);
        Region { line, column, end_line, end_column }
    }

    /// Whether YAML's alias of this name (`*name`) stands somewhere.
    pub(super) fn has_alias(&self, name: &[u8]) -> bool {
        let bytes = self.bytes;
        let text = |span: &Span| &bytes[span.start..span.end];
        let read = || {
            let names = memchr::memchr_iter(b'*', bytes).map(|star| {
                let length = bytes[star + 1..].iter().take_while(|byte| is_alias(byte)).count();
                Span::new(star + 1, star + 1 + length)
            });
            let mut names: Vec<Span> = names.filter(|name| !name.is_empty()).collect();
            names.sort_unstable_by_key(text);
            names.dedup_by_key(|name| text(name));
            names
        };
        self.aliases.get_or_init(read).binary_search_by_key(&name, text).is_ok()
    }

    fn position(&self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.bytes.len());
        let marks = self.marks.get_or_init(|| self.set_marks());
        let at = offset / STEP;
        let mark = self.walk(marks.get(at).copied().unwrap_or_default(), at * STEP, offset);
        let saturate = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        (saturate(mark.line), saturate(mark.column))
    }

    fn set_marks(&self) -> Vec<Mark> {
        let mut mark = Mark::default();
        let mut marks = vec![mark];
        for end in (STEP..=self.bytes.len()).step_by(STEP) {
            mark = self.walk(mark, end - STEP, end);
            marks.push(mark);
        }
        marks
    }

    /// From the mark at `start` on to `end`.
    fn walk(&self, mark: Mark, start: usize, end: usize) -> Mark {
        let piece = &self.bytes[start..end];
        let ends_line = |at: &usize| {
            self.bytes[start + at] == b'\n' || self.bytes.get(start + at + 1) != Some(&b'\n')
        };
        let mut lines = 0;
        let mut last = None;
        for at in memchr::memchr2_iter(b'\n', b'\r', piece).filter(ends_line) {
            lines += 1;
            last = Some(at);
        }
        match last {
            Some(at) => {
                Mark { line: mark.line + lines, column: columns(self.bytes, start + at + 1, end) }
            }
            None => Mark { line: mark.line, column: mark.column + columns(self.bytes, start, end) },
        }
    }
}

/// Characters that begin in `start..end`; a byte that is not UTF-8 is one.
fn columns(text: &[u8], start: usize, end: usize) -> usize {
    let piece = &text[start..end];
    if piece.is_ascii() {
        return piece.len();
    }
    // A character that the piece's ends cut belongs to the piece in which it begins.
    let start = start + tail_of_cut_character(text, start);
    let end = (end + tail_of_cut_character(text, end)).max(start);
    let chunks = text[start..end].utf8_chunks();
    chunks.map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// Bytes from `at` on that belong to a character that begins before `at`.
fn tail_of_cut_character(text: &[u8], at: usize) -> usize {
    let Some(begin) = (at.saturating_sub(3)..at).rev().find(|&at| text[at] & 0xC0 == 0xC0) else {
        return 0;
    };
    let window = &text[begin..text.len().min(begin + 4)];
    let length = window
        .utf8_chunks()
        .next()
        .map_or(0, |chunk| chunk.valid().chars().next().map_or(0, char::len_utf8));
    (begin + length).saturating_sub(at)
}

/// Bytes of an alias in YAML.
pub(super) fn is_alias(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_change_no_position(pieces in proptest::collection::vec(prop::sample::select(vec![&b"a\n"[..], b"\r\n", b"\r", "é".as_bytes(), "🦀".as_bytes(), b"\xff", b"\xf0\x9f", b"x"]), 1..40), repeat in 1_000_usize..4_000, at in 0.0..1.0_f64) {
            let text = pieces.concat().repeat(repeat);
            let document = Document::new(&text);
            let start = (at * text.len() as f64) as usize;
            // Between the halves of a CRLF or of a character no value begins.
            prop_assume!(start == 0 || text[start - 1] != b'\r');
            prop_assume!(tail_of_cut_character(&text, start) == 0);
            let span = Span::new(start, start);
            prop_assert_eq!(document.region(span), Region::of(&text, span));
        }
    }
}
