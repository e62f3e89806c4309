//! The line ends of a text, found once, so that asking for a line or a distance does not read the text again.

use crate::location::Span;

/// Offsets of all line feeds of a text.
pub(super) struct Lines {
    feeds: Vec<usize>,
    length: usize,
}

impl Lines {
    /// Finds them.
    pub(super) fn new(text: &[u8]) -> Self {
        Self { feeds: memchr::memchr_iter(b'\n', text).collect(), length: text.len() }
    }

    /// The line, without its line feed, in which `at` stands.
    pub(super) fn around(&self, at: usize) -> Span {
        let next = self.feeds.partition_point(|feed| *feed < at);
        let start = next.checked_sub(1).map_or(0, |before| self.feeds[before] + 1);
        Span::new(start, self.feeds.get(next).copied().unwrap_or(self.length).max(start))
    }

    /// Line feeds between two offsets.
    pub(super) fn between(&self, a: usize, b: usize) -> usize {
        let count = |at| self.feeds.partition_point(|feed| *feed < at);
        count(a).abs_diff(count(b))
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
            prop_assert_eq!(lines.between(a, b), between);
        }
    }
}
