//! The brackets and lines of one stretch of a text, read once for all values in it, so that what encloses a value is
//! looked up and not searched for. Values come in order, so that one stretch is kept at a time.

use std::cell::OnceCell;

use super::blocks::Block;
use super::lines::Lines;
use crate::location::Span;

/// One stretch of a text.
#[derive(Default)]
pub(crate) struct Outline {
    /// The bytes that were read; empty before the first value.
    span: (usize, usize),
    /// Where brackets stand, each with the number of the one that is open behind it.
    brackets: Vec<(usize, Option<usize>)>,
    /// The opening ones among them.
    opens: Vec<Open>,
    /// Read when the first value asks for them.
    lines: OnceCell<Vec<Line>>,
}

/// An opening bracket.
pub(crate) struct Open {
    /// Where it stands.
    pub(crate) at: usize,
    /// The number of the one around it.
    outer: Option<usize>,
    /// Where it is closed, if in this stretch.
    close: Option<usize>,
    /// The block it opens, as far as somebody asked.
    pub(crate) block: OnceCell<Block>,
}

/// How the sections of a text are headed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Headings begin with this mark, as often as they are deep.
    Prose(u8),
    /// `[name]`, as in INI and TOML files.
    Other,
}

/// A line.
pub(crate) struct Line {
    /// Without its line feed.
    pub(crate) span: Span,
    /// Columns before its text.
    pub(crate) indent: usize,
    /// The number of the nearest line above that is indented less and is neither blank nor a comment.
    outer: Option<usize>,
    /// The number of the nearest section header above.
    section: Option<usize>,
    /// The block it heads, as far as somebody asked.
    pub(crate) block: OnceCell<Block>,
}

impl Outline {
    /// Reads the stretch around `needed`, unless it is at hand. Where it goes on from the last one, so will the next, and `reach`
    /// more bytes are read behind it.
    pub(crate) fn cover(&mut self, text: &[u8], needed: Span, reach: usize) {
        let end = needed.end.min(text.len());
        if self.span.0 <= needed.start && end <= self.span.1 {
            return;
        }
        let goes_on = (self.span.0..=self.span.1).contains(&needed.start);
        let end = if goes_on { text.len().min(end + reach) } else { end };
        self.span = (needed.start, end);
        self.brackets.clear();
        self.opens.clear();
        self.lines = OnceCell::new();
        let mut open: Option<usize> = None;
        for (offset, byte) in text[self.span.0..self.span.1].iter().enumerate() {
            let at = self.span.0 + offset;
            match byte {
                b'(' | b'[' | b'{' => {
                    self.opens.push(Open { at, outer: open, close: None, block: OnceCell::new() });
                    open = Some(self.opens.len() - 1);
                }
                b')' | b']' | b'}' => {
                    if let Some(number) = open {
                        self.opens[number].close = Some(at);
                        open = self.opens[number].outer;
                    }
                }
                _ => continue,
            }
            self.brackets.push((at, open));
        }
    }

    /// The brackets that are open at `at`, the innermost first.
    pub(crate) fn around(&self, at: usize) -> impl Iterator<Item = &Open> {
        let before = self.brackets.partition_point(|(bracket, _)| *bracket < at);
        let innermost = before.checked_sub(1).and_then(|last| self.brackets[last].1);
        let open = |number: usize| &self.opens[number];
        std::iter::successors(innermost.map(open), move |inner| inner.outer.map(open))
    }

    /// Where the bracket that opens at `start` is closed, if in this stretch.
    pub(crate) fn close(&self, start: usize) -> Option<usize> {
        let number = self.opens.binary_search_by_key(&start, |open| open.at).ok()?;
        self.opens[number].close
    }

    /// Where the bracket opens that is closed at `close`, if in this stretch.
    pub(crate) fn opening(&self, close: usize) -> Option<usize> {
        let before = self.opens.partition_point(|open| open.at < close);
        let mut opens = self.opens[..before].iter().rev();
        opens.find(|open| open.close == Some(close)).map(|open| open.at)
    }

    /// The lines above that of `at` that are indented less and less, the nearest first.
    pub(crate) fn indented_above<'o>(
        &'o self,
        text: &[u8],
        lines: (&Lines, Kind),
        at: usize,
    ) -> impl Iterator<Item = &'o Line> + use<'o> {
        let all = self.lines(text, lines);
        let outer = Self::line_of(all, at).and_then(|line| line.outer);
        let line = |number: usize| &all[number];
        std::iter::successors(outer.map(line), move |inner| inner.outer.map(line))
    }

    /// The nearest section header above the line of `at`.
    pub(crate) fn section_above(
        &self,
        text: &[u8],
        lines: (&Lines, Kind),
        at: usize,
    ) -> Option<&Line> {
        let all = self.lines(text, lines);
        Self::line_of(all, at).and_then(|line| line.section).map(|number| &all[number])
    }

    fn line_of(lines: &[Line], at: usize) -> Option<&Line> {
        let behind = lines.partition_point(|line| line.span.start <= at);
        behind.checked_sub(1).and_then(|last| lines.get(last))
    }

    fn lines(&self, text: &[u8], (lines, kind): (&Lines, Kind)) -> &[Line] {
        self.lines.get_or_init(|| {
            let mut all: Vec<Line> = vec![];
            // Lines that may enclose the next one, each indented more than the one before.
            let mut stack: Vec<usize> = vec![];
            let mut section = None;
            let mut span = lines.around(self.span.0);
            loop {
                let content = &text[span.start..span.end];
                let indent = indent_of(content);
                let enclosing = stack.partition_point(|line| all[*line].indent < indent);
                let outer = enclosing.checked_sub(1).map(|last| stack[last]);
                all.push(Line { span, indent, outer, section, block: OnceCell::new() });
                if says_something(content) {
                    stack.truncate(enclosing);
                    stack.push(all.len() - 1);
                }
                if kind.is_section(content) {
                    section = Some(all.len() - 1);
                }
                if span.end >= self.span.1 {
                    return all;
                }
                span = lines.around(span.end + 1);
            }
        })
    }
}

/// Columns before the text of a line; a list item's dash counts as space.
fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count()
}

/// Whether a line is neither blank nor a comment.
fn says_something(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    !text.is_empty() && !text.starts_with(b"#") && !text.starts_with(b"//")
}

impl Kind {
    /// The kind of the file with this name.
    pub(crate) fn of(name: &[u8]) -> Self {
        let ends = |endings: &[&[u8]]| endings.iter().any(|end| name.ends_with(end));
        if ends(&[b".md", b".markdown", b".mdx"]) {
            Self::Prose(b'#')
        } else if ends(&[b".adoc", b".asciidoc"]) {
            Self::Prose(b'=')
        } else if ends(&[b".org"]) {
            Self::Prose(b'*')
        } else {
            Self::Other
        }
    }

    fn is_section(self, line: &[u8]) -> bool {
        let text = line.trim_ascii();
        match self {
            Self::Other => {
                let is_short = text.len() < 100 && !text.contains(&b',');
                is_short && text.starts_with(b"[") && text.ends_with(b"]")
            }
            Self::Prose(mark) => {
                let marks = line.iter().take_while(|byte| **byte == mark).count();
                line.len() < 200 && (1..=6).contains(&marks) && line.get(marks) == Some(&b' ')
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What encloses `at`, searched for step by step.
    fn searched(text: &[u8], at: usize) -> (Vec<usize>, Vec<usize>, Option<usize>) {
        let (mut brackets, mut depth) = (vec![], 0);
        for position in (0..at).rev() {
            match text[position] {
                b')' | b']' | b'}' => depth += 1,
                b'(' | b'[' | b'{' if depth > 0 => depth -= 1,
                b'(' | b'[' | b'{' => brackets.push(position),
                _ => {}
            }
        }
        let (mut above, mut section) = (vec![], None);
        let mut line = crate::location::line_around(text, at);
        let mut indent = indent_of(&text[line.start..line.end]);
        while line.start > 0 {
            line = crate::location::line_around(text, line.start - 1);
            let content = &text[line.start..line.end];
            if says_something(content) && indent_of(content) < indent {
                indent = indent_of(content);
                above.push(line.start);
            }
            section = section.or(Kind::Other.is_section(content).then_some(line.start));
        }
        (brackets, above, section)
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_what_a_search_finds(text in "([ \n]|[(){}#a:]|\\[a\\]\n){0,80}", at in 0_usize..80, start in 0_usize..40) {
            let text = text.as_bytes();
            let at = at.min(text.len());
            let lines = Lines::new(text);
            let mut outline = Outline::default();
            // A stretch that another value has asked for.
            outline.cover(text, Span::new(start.min(text.len()), text.len()), 3);
            outline.cover(text, Span::new(0, at), 7);
            let (brackets, above, section) = searched(text, at);
            prop_assert_eq!(outline.around(at).map(|open| open.at).collect::<Vec<_>>(), brackets);
            prop_assert_eq!(outline.indented_above(text, (&lines, Kind::Other), at).map(|line| line.span.start).collect::<Vec<_>>(), above);
            prop_assert_eq!(outline.section_above(text, (&lines, Kind::Other), at).map(|line| line.span.start), section);
        }
    }
}
