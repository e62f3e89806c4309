//! Replaces parts of a text and remembers where everything came from.

use crate::location::Span;

/// One run of the new text and the run of the old one that it came from.
#[derive(Clone, Copy, Debug)]
struct Segment {
    text: usize,
    text_len: usize,
    source: usize,
    source_len: usize,
    /// Bytes of text and of source that belong together; `(0, _)` if the run is one whole.
    group: (usize, usize),
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

    /// The source of the byte at `offset`: where its group begins or, for `is_last`, ends.
    fn offset(&self, offset: usize, is_last: bool) -> usize {
        let at = self.segments.partition_point(|segment| segment.text + segment.text_len <= offset);
        let Some(segment) = self.segments.get(at) else {
            return self.segments.last().map_or(0, |last| last.source + last.source_len);
        };
        let (decoded, encoded) = segment.group;
        if decoded == 0 {
            return segment.source + if is_last { segment.source_len } else { 0 };
        }
        let group = (offset - segment.text) / decoded + usize::from(is_last);
        segment.source + (group * encoded).min(segment.source_len)
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

    /// Puts `decoded` in the place of `span`, of which `group` bytes of text and source belong together.
    pub(super) fn replace(&mut self, span: Span, decoded: &[u8], group: (usize, usize)) {
        self.copy_to(span.start);
        self.push(span, decoded.len(), group);
        self.text.extend_from_slice(decoded);
        self.done = span.end;
        self.replaced = true;
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
            self.push(span, span.len(), (1, 1));
            self.text.extend_from_slice(&self.source[span.start..span.end]);
        }
    }

    fn push(&mut self, source: Span, text_len: usize, group: (usize, usize)) {
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
