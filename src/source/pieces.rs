//! Large texts in pieces. Neighbours overlap, so that a value at a seam keeps its surroundings.

use crate::location::Start;
use crate::sieve::is_zero;

/// Bytes of a piece.
pub(crate) const PIECE: usize = 64 << 20;
/// Texts up to this size are looked at whole, since archives cannot be read in pieces.
pub(crate) const WHOLE: usize = 256 << 20;
/// Bytes that two neighbouring pieces share.
const OVERLAP: usize = 1 << 20;
/// A piece starts at a line if one starts within this many bytes.
const LINE: usize = 1 << 20;

/// A text, or one piece of a large one.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where in the text it begins.
    pub start: Start,
}

impl<'a> From<&'a [u8]> for Piece<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, start: Start::default() }
    }
}

/// Cuts a large text into pieces; others are one piece. Pieces of nothing but zeros (sparse files) are passed over.
pub fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    cut(text, if text.len() > WHOLE { PIECE } else { WHOLE })
}

fn cut(text: &[u8], size: usize) -> impl Iterator<Item = Piece<'_>> {
    let mut next = Some(Piece::from(text));
    let cut = std::iter::from_fn(move || {
        let rest = next.take()?;
        let bytes = &rest.bytes[..rest.bytes.len().min(size)];
        if bytes.len() < rest.bytes.len() {
            let passed = passed(bytes);
            let start = rest.start.behind(&bytes[..passed]);
            next = Some(Piece { bytes: &rest.bytes[passed..], start });
        }
        Some(Piece { bytes, ..rest })
    });
    cut.filter(move |piece| piece.bytes.len() < size || !is_zero(piece.bytes))
}

/// How many bytes of a piece the next one leaves behind: up to the start of a line where it can, else a number that keeps
/// characters and line ends whole.
pub(crate) fn passed(piece: &[u8]) -> usize {
    let latest = piece.len().saturating_sub(OVERLAP) & !3;
    let cuts = |at: &usize| {
        piece.get(*at).is_some_and(|byte| *byte == b'\n' || (0x80..0xc0).contains(byte))
    };
    // In texts that are not UTF-8 any byte may look so.
    let latest = (latest.saturating_sub(16)..=latest)
        .rev()
        .step_by(4)
        .find(|at| !cuts(at))
        .unwrap_or(latest);
    let before = &piece[latest.saturating_sub(LINE)..latest];
    let line_start = memchr::memrchr(b'\n', before).map(|at| latest - before.len() + at + 1);
    line_start.filter(|_| !before.contains(&0)).unwrap_or(latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_overlap_start_at_lines_and_know_how_many_came_before() {
        let line = b"a line of thirty-two characters\n";
        let text = line.repeat((2 * PIECE + PIECE / 2) / line.len());
        let mut covered = 0;
        for piece in cut(&text, PIECE) {
            let start = piece.bytes.as_ptr().addr() - text.as_ptr().addr();
            assert!(start == 0 || start + OVERLAP <= covered, "{start} leaves no overlap");
            assert_eq!(start, piece.start.lines as usize * line.len());
            covered = start + piece.bytes.len();
        }
        assert_eq!(covered, text.len());
    }

    /// In a bundle of one line, all that stood in its second piece was reported 31 MiB before its place.
    #[test]
    fn pieces_of_one_line_know_how_many_characters_came_before() {
        let text = "xyü€".repeat(3 * PIECE / 7);
        let mut starts = vec![];
        for piece in cut(text.as_bytes(), PIECE) {
            let before = piece.bytes.as_ptr().addr() - text.as_ptr().addr();
            assert_eq!(piece.start.columns as usize, text[..before].chars().count());
            assert_eq!(piece.start.lines, 0);
            starts.push(before);
        }
        assert_eq!(starts.len(), 4, "{starts:?}");
    }

    #[test]
    fn a_text_without_lines_and_a_sparse_one_end() {
        assert_eq!(cut(&vec![b'x'; 2 * PIECE], PIECE).count(), 3);
        let sparse = vec![0; 2 * PIECE];
        assert_eq!(cut(&sparse, PIECE).map(|piece| piece.bytes.len()).max(), Some(2 * OVERLAP));
        assert_eq!(pieces(b"").count(), 1);
    }
}
