//! Replaces parts of a text and remembers where everything came from.

use crate::location::Span;

/// How the bytes of a replaced run and of what replaced it belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Bytes that were decoded for one byte of the text; 0 if the run is one whole.
    unit: u32,
    /// Decoded bytes and source bytes that belong together.
    decoded: u32,
    encoded: u32,
}

impl Group {
    /// The run is one whole.
    pub(super) const WHOLE: Self = Self { unit: 0, decoded: 1, encoded: 1 };
    /// Copied as it is.
    pub(super) const SAME: Self = Self { unit: 1, decoded: 1, encoded: 1 };
    /// Three bytes in four characters.
    pub(super) const BASE64: Self = Self { unit: 1, decoded: 3, encoded: 4 };
    /// One byte in two digits.
    pub(super) const HEX: Self = Self { unit: 1, decoded: 1, encoded: 2 };

    /// The same encoding of UTF-16, of which two bytes make one of the text.
    pub(super) const fn of_wide(self) -> Self {
        Self { unit: 2, ..self }
    }
}

/// One run of the new text and the run of the old one that it came from.
#[derive(Clone, Copy, Debug)]
struct Segment {
    text: usize,
    text_len: usize,
    source: usize,
    source_len: usize,
    group: Group,
}

impl Segment {
    /// Where the group of the byte at `offset` begins or, for `is_last`, ends.
    fn source(&self, offset: usize, is_last: bool) -> usize {
        let Group { unit, decoded, encoded } = self.group;
        let [unit, decoded, encoded] = [unit, decoded, encoded].map(|number| number as usize);
        let within = match (unit, is_last) {
            (0, false) => 0,
            (0, true) => self.source_len,
            (_, false) => (offset - self.text) * unit / decoded * encoded,
            (_, true) => ((offset - self.text + 1) * unit).div_ceil(decoded) * encoded,
        };
        self.source + within.min(self.source_len)
    }
}

/// From offsets of a decoded text to those of the text before. Segments lie gapless in the text's order.
#[derive(Debug)]
pub(super) struct Map {
    segments: Vec<Segment>,
}

impl Map {
    /// The smallest run of source bytes that makes up `span`.
    pub(super) fn source(&self, span: Span) -> Span {
        let start = self.offset(span.start, false);
        let end = if span.is_empty() { start } else { self.offset(span.end - 1, true) };
        Span::new(start, end.max(start))
    }

    fn offset(&self, offset: usize, is_last: bool) -> usize {
        let at = self.segments.partition_point(|segment| segment.text + segment.text_len <= offset);
        match self.segments.get(at) {
            Some(segment) => segment.source(offset, is_last),
            None => self.segments.last().map_or(0, |last| last.source + last.source_len),
        }
    }
}

/// Builds a spliced text.
pub(super) struct Splice<'t> {
    source: &'t [u8],
    done: usize,
    text: Vec<u8>,
    segments: Vec<Segment>,
    replaced: bool,
}

impl<'t> Splice<'t> {
    /// Nothing replaced yet.
    pub(super) fn new(source: &'t [u8]) -> Self {
        Self { source, done: 0, text: Vec::new(), segments: vec![], replaced: false }
    }

    /// Puts `decoded` in the place of `span`.
    pub(super) fn replace(&mut self, span: Span, decoded: &[u8], group: Group) {
        self.replace_with(span, span, decoded, group);
    }

    /// Drops `span`.
    pub(super) fn remove(&mut self, span: Span) {
        self.replace(span, b"", Group::WHOLE);
    }

    /// Puts `decoded`, which came from `source`, in the place of `span`.
    pub(super) fn replace_with(&mut self, span: Span, source: Span, decoded: &[u8], group: Group) {
        self.copy_to(span.start);
        self.push(source, decoded.len(), group);
        self.text.extend_from_slice(decoded);
        self.done = span.end;
        self.replaced = true;
    }

    /// Bytes of memory that the new text and the way back take.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.segments.len() * size_of::<Segment>()
    }

    /// Offset up to which the source is used.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// The new text with its map, if anything was replaced.
    pub(super) fn finish(mut self) -> Option<(Vec<u8>, Map)> {
        if !self.replaced {
            return None;
        }
        self.copy_to(self.source.len());
        Some((self.text, Map { segments: self.segments }))
    }

    fn copy_to(&mut self, end: usize) {
        if end > self.done {
            let span = Span::new(self.done, end);
            self.push(span, span.len(), Group::SAME);
            self.text.extend_from_slice(&self.source[span.start..span.end]);
        }
    }

    fn push(&mut self, source: Span, text_len: usize, group: Group) {
        if text_len > 0 {
            self.segments.push(Segment {
                text: self.text.len(),
                text_len,
                source: source.start,
                source_len: source.len(),
                group,
            });
        }
    }
}
