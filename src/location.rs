//! Where a value stands in a text: byte spans, and the lines and columns a person sees.
//!
//! Spans are bytes and are what the pipeline works with. Lines and columns are computed only for what is reported.

use serde::Deserialize;
use serde::Serialize;

/// A half-open range of bytes, `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// Makes the span `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span never ends before it starts");
        Self { start, end }
    }

    /// Number of bytes in the span.
    #[must_use]
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two spans share a byte.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What of it stands before and behind another one.
    #[must_use]
    pub fn without(self, inner: Self) -> [Self; 2] {
        let before = Self::new(self.start, inner.start.clamp(self.start, self.end));
        [before, Self::new(inner.end.clamp(self.start, self.end), self.end)]
    }
}

/// Spans by their place, for a quick look at those that share a byte with another. Such as overlap are one.
#[derive(Clone, Debug, Default)]
pub struct SpanSet {
    /// Sorted, without overlaps.
    spans: Vec<Span>,
}

impl SpanSet {
    /// Takes them in any order.
    #[must_use]
    pub fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let is_same = next.overlaps(*last) || next == last;
            if is_same {
                last.end = last.end.max(next.end);
            }
            is_same
        });
        Self { spans }
    }

    /// Those that share a byte with `other`, in order.
    pub fn overlapping(&self, other: Span) -> impl Iterator<Item = Span> + '_ {
        let from = self.spans.partition_point(|span| span.end <= other.start);
        let near = self.spans[from..].iter().take_while(move |span| span.start < other.end);
        near.copied().filter(move |span| span.overlaps(other))
    }
}

/// Where a value stands for a person: 1-based lines and columns, the end exclusive, as in SARIF.
///
/// Columns count Unicode code points; a byte that is not UTF-8 counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Region {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the last character.
    pub end_line: u32,
    /// Column behind the last character.
    pub end_column: u32,
}

impl Region {
    /// The region, found in a piece of a text that begins at `start`, in the whole text.
    #[must_use]
    pub fn behind(self, start: Start) -> Self {
        let in_text = |line: u32, column: u32| {
            let columns = if line == 1 { start.columns } else { 0 };
            (line.saturating_add(start.lines), column.saturating_add(columns))
        };
        let (line, column) = in_text(self.line, self.column);
        let (end_line, end_column) = in_text(self.end_line, self.end_column);
        Self { line, column, end_line, end_column }
    }

    /// Finds the region of `span` in `text`. Lines end at `\n`, `\r\n` or a lone `\r`, as in SARIF.
    #[must_use]
    pub fn of(text: &[u8], span: Span) -> Self {
        let (line, column) = position(text, span.start);
        let (end_line, end_column) = position(text, span.end);
        Self { line, column, end_line, end_column }
    }
}

/// Where a piece of a text begins: what of the text stands before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Line ends.
    pub lines: u32,
    /// Characters of the line that goes on in the piece.
    pub columns: u32,
}

impl Start {
    /// Where what follows `text` begins, if `text` begins here and cuts no line end in two.
    #[must_use]
    pub fn behind(self, text: &[u8]) -> Self {
        let (line, column) = position(text, text.len());
        let end = Region { line, column, end_line: line, end_column: column }.behind(self);
        Self { lines: end.line - 1, columns: end.column - 1 }
    }
}

/// Finds the span of the whole line, without its line end, in which `offset` stands.
#[must_use]
pub fn line_around(text: &[u8], offset: usize) -> Span {
    let offset = offset.min(text.len());
    let start = memchr::memrchr2(b'\n', b'\r', &text[..offset]).map_or(0, |at| at + 1);
    let end = memchr::memchr2(b'\n', b'\r', &text[offset..]).map_or(text.len(), |at| offset + at);
    Span::new(start, end)
}

/// The part of the line around `offset` that stands within `reach` bytes of it: the line, unless that is very long.
#[must_use]
pub fn line_within(text: &[u8], offset: usize, reach: usize) -> Span {
    let offset = offset.min(text.len());
    let floor = offset.saturating_sub(reach);
    let line =
        line_around(&text[floor..text.len().min(offset.saturating_add(reach))], offset - floor);
    Span::new(line.start + floor, line.end + floor)
}

/// Returns the 1-based line and column of `offset`; both saturate at `u32::MAX`.
fn position(text: &[u8], offset: usize) -> (u32, u32) {
    let before = &text[..offset.min(text.len())];
    let is_inside = before.ends_with(b"\r") && text.get(before.len()) == Some(&b'\n');
    let line_ends = line_ends(before) - u32::from(is_inside);
    let line_start = line_around(text, before.len()).start;
    (line_ends.saturating_add(1), saturate(count_characters(&before[line_start..]) + 1))
}

/// Counts the line ends of a text; saturates at `u32::MAX`.
fn line_ends(text: &[u8]) -> u32 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    saturate(ends.filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n')).count())
}

/// Counts the characters of a text, each invalid byte as one.
fn count_characters(text: &[u8]) -> usize {
    let valid = std::str::from_utf8(text).map(|text| text.chars().count());
    valid.unwrap_or_else(|_| {
        let chunks = text.utf8_chunks();
        chunks.map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
    })
}

fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is found in a piece stands where it is found in the whole.
        #[test]
        fn a_piece_knows_where_it_begins(before in "[a\\n\\ré€]{0,20}", middle in "[a\\n\\ré€]{0,20}", behind in "[a\\né€]{1,9}") {
            prop_assume!(!before.ends_with('\r') && !middle.ends_with('\r'));
            let whole = format!("{before}{middle}{behind}");
            let (first, second) = (before.len(), before.len() + middle.len());
            let start = Start::default().behind(before.as_bytes()).behind(middle.as_bytes());
            prop_assert_eq!(start, Start::default().behind(&whole.as_bytes()[..second]));
            for (piece, start, from) in [(&whole[first..], Start::default().behind(before.as_bytes()), first), (&whole[second..], start, second)] {
                let span = Span::new(piece.len() - behind.len(), piece.len());
                let in_whole = Span::new(span.start + from, span.end + from);
                prop_assert_eq!(Region::of(piece.as_bytes(), span).behind(start), Region::of(whole.as_bytes(), in_whole));
            }
        }
    }

    #[test]
    fn columns_count_characters_and_lines_end_in_three_ways() {
        let text = "a\r\nb\rçé key\n".as_bytes();
        let start = text.windows(3).position(|window| window == b"key").expect("key is there");
        let region = Region::of(text, Span::new(start, start + 3));
        assert_eq!(region, Region { line: 3, column: 4, end_line: 3, end_column: 7 });
    }

    #[test]
    fn spans_that_overlap_are_one_and_neighbours_are_two() {
        let spans =
            [(8, 9), (1, 4), (2, 3), (3, 6), (6, 8)].map(|(start, end)| Span::new(start, end));
        let set = SpanSet::new(spans.to_vec());
        let found = |start, end| set.overlapping(Span::new(start, end)).collect::<Vec<_>>();
        assert_eq!(found(5, 7), [Span::new(1, 6), Span::new(6, 8)]);
        assert_eq!(found(9, 20), []);
    }

    #[test]
    fn an_invalid_byte_is_one_column() {
        assert_eq!(position(b"\xff\xfex", 2), (1, 3));
    }
}
