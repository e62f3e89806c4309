//! The line ends of a text, found once, so that asking for a line or a distance does not read the text again.

use crate::location::Span;

/// So many bytes of a long line keep two places as far apart as a line feed does.
const LINE: usize = 400;

/// How far two places of a text are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Distance {
    /// Line feeds between them.
    pub(crate) lines: usize,
    /// Bytes between them.
    pub(crate) bytes: usize,
}

impl Distance {
    /// In lines, where a long one, as in a bundle, counts as many.
    pub(crate) fn in_lines(self) -> usize {
        self.lines.max(self.bytes / LINE)
    }

    /// For people.
    pub(crate) fn in_words(self) -> String {
        match self.lines {
            0 if self.bytes < LINE => "in the same line".to_owned(),
            0 => format!("in the same line, {} bytes away", self.bytes),
            1 => "one line away".to_owned(),
            lines => format!("{lines} lines away"),
        }
    }
}

/// Offsets of all line feeds of a text.
pub(crate) struct Lines {
    feeds: Vec<usize>,
    length: usize,
}

impl Lines {
    /// Finds them.
    pub(crate) fn new(text: &[u8]) -> Self {
        Self { feeds: memchr::memchr_iter(b'\n', text).collect(), length: text.len() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.feeds.len() + 1
    }

    /// The line, without its line feed, in which `at` stands.
    pub(crate) fn around(&self, at: usize) -> Span {
        let next = self.feeds.partition_point(|feed| *feed < at);
        let start = next.checked_sub(1).map_or(0, |before| self.feeds[before] + 1);
        Span::new(start, self.feeds.get(next).copied().unwrap_or(self.length).max(start))
    }

    /// The lines above `line`, the nearest first.
    pub(crate) fn above(&self, line: Span) -> impl Iterator<Item = Span> + '_ {
        let before = |line: &Span| Some(self.around(line.start.checked_sub(1)?));
        std::iter::successors(before(&line), before)
    }

    /// The lines below `line`, the nearest first; what follows the last line feed counts only if it is not empty.
    pub(crate) fn below(&self, line: Span) -> impl Iterator<Item = Span> + '_ {
        let behind = |line: &Span| (line.end + 1 < self.length).then(|| self.around(line.end + 1));
        std::iter::successors(behind(&line), behind)
    }

    /// How far two offsets are apart.
    pub(crate) fn distance(&self, a: usize, b: usize) -> Distance {
        let count = |at| self.feeds.partition_point(|feed| *feed < at);
        Distance { lines: count(a).abs_diff(count(b)), bytes: a.abs_diff(b) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "[ab\n]{0,60}", a in 0_usize..60, b in 0_usize..60) {
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            let lines = Lines::new(text.as_bytes());
            prop_assert_eq!(lines.around(a), crate::location::line_around(text.as_bytes(), a));
            let between = text[a.min(b)..a.max(b)].matches('\n').count();
            prop_assert_eq!(lines.distance(a, b), Distance { lines: between, bytes: a.abs_diff(b) });
        }
    }
}
