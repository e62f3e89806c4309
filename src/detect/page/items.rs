//! Items of lists: a list that has an item for each provider says of each value whose it is.

use super::Page;
use super::blocks;
use super::blocks::Block;
use crate::location::Span;

/// Lines above and below a value in which a list by dashes is read.
const MAX_LINES: usize = 60;
/// Lists around a value that are looked at.
const MAX_LISTS: usize = 3;

/// An item of a list around the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// The item.
    pub(crate) span: Span,
    /// The whole list.
    pub(crate) list: Span,
    /// Whether brackets, not dashes, make the list.
    is_bracketed: bool,
}

impl Item {
    /// Whether `at` stands in another item of the same list.
    pub(crate) fn is_beside(&self, page: &Page<'_>, at: usize) -> bool {
        let is_in = |span: Span| span.start <= at && at < span.end;
        if !is_in(self.list) || is_in(self.span) {
            return false;
        }
        !self.is_bracketed || blocks::is_in_bracket_within(page, at, self.list.start)
    }
}

/// The items of lists in which the value stands, the innermost first.
pub(crate) fn around(page: &Page<'_>, span: Span, blocks: &[Block]) -> Vec<Item> {
    // The cells of a notebook are one program.
    if page.file_name().ends_with(b".ipynb") {
        return vec![];
    }
    let opens = |block: &Block| page.text.get(block.start).copied();
    // Lines that are indented less stand among them.
    let brackets =
        || blocks.iter().filter(|block| matches!(opens(block), Some(b'{' | b'[' | b'(')));
    let bracketed = brackets().zip(brackets().skip(1)).filter_map(|(inner, outer)| {
        let header = page.slice(inner.header);
        let has_name = || inner.is_data || header.iter().any(u8::is_ascii_alphanumeric);
        let is_item = match opens(outer) {
            Some(b'[') => !has_name(),
            Some(b'{') => inner.is_data && is_number(header),
            _ => false,
        };
        if !is_item {
            return None;
        }
        let (item, list) = (blocks::end(page, inner.start)?, blocks::end(page, outer.start)?);
        Some(Item {
            span: Span::new(inner.start, item),
            list: Span::new(outer.start, list),
            is_bracketed: true,
        })
    });
    let innermost = dashed(page, page.lines.around(span.start), usize::MAX);
    let outer = |item: &Item| {
        let head = page.lines.around(item.list.start);
        let (level, _) = column(page.slice(head))?;
        dashed(page, page.lines.above(head).next()?, level)
    };
    let dashed = std::iter::successors(innermost, outer).take(MAX_LISTS).chain(lined(page, span));
    let mut items: Vec<Item> = dashed.chain(bracketed.take(MAX_LISTS)).collect();
    items.sort_by_key(|item| item.span.len());
    items
}

/// Whether a key only tells items apart (`"bTe3S": {`, `provider2: {`).
fn is_number(header: &[u8]) -> bool {
    let is_mark = |byte: &u8| byte.is_ascii_whitespace() || b"\"':=>{,".contains(byte);
    let mut key = header.trim_ascii().split(is_mark).filter(|part| !part.is_empty());
    key.next_back().is_some_and(|key| key.iter().any(u8::is_ascii_digit))
}

/// The item of a list whose items begin with dashes, indented less than `level`, around the line `own`.
fn dashed(page: &Page<'_>, own: Span, mut level: usize) -> Option<Item> {
    let outermost = level;
    let head = upwards(page, own).find(|line| {
        let Some((column, is_dash)) = column(page.slice(*line)) else { return false };
        let encloses = column < level || line.start == own.start && column < outermost;
        level = level.min(column);
        encloses && is_dash
    })?;
    let (column_of_list, _) = column(page.slice(head))?;
    let ends = |line: &Span| {
        column(page.slice(*line)).is_some_and(|(column, is_dash)| {
            column < column_of_list || column == column_of_list && !is_dash
        })
    };
    let begins_item = |line: &Span| column(page.slice(*line)) == Some((column_of_list, true));
    let first = upwards(page, head).take_while(|line| !ends(line)).last()?;
    let last = downwards(page, own).take_while(|line| !ends(line)).last()?;
    let end = page.lines.below(own).take(MAX_LINES).find(|line| ends(line) || begins_item(line));
    let end = end.map_or(last.end, |line| line.start).min(last.end.max(own.end));
    Some(Item {
        span: Span::new(head.start, end),
        list: Span::new(first.start, last.end.max(end)),
        is_bracketed: false,
    })
}

/// The line around the value in a file of one JSON object a line.
fn lined(page: &Page<'_>, span: Span) -> Option<Item> {
    let own = page.lines.around(span.start);
    let is_object = |line: &Span| {
        let line = page.slice(*line).trim_ascii_end();
        line.starts_with(b"{\"") && line.ends_with(b"}")
    };
    is_object(&own).then_some(())?;
    let first = upwards(page, own).take_while(is_object).last()?;
    let last = downwards(page, own).take_while(is_object).last()?;
    let list = Span::new(first.start, last.end);
    (list != own).then_some(Item { span: own, list, is_bracketed: false })
}

/// The column of a line's text, and whether that is an item's dash; `None` for a blank line or a comment.
pub(crate) fn column(line: &[u8]) -> Option<(usize, bool)> {
    let column = line.iter().take_while(|byte| **byte == b' ').count();
    let text = line[column..].trim_ascii_end();
    (!text.is_empty() && !text.starts_with(b"#")).then(|| (column, text.starts_with(b"- ")))
}

/// A line and those above it, as far as a list is read.
fn upwards<'p>(page: &'p Page<'_>, line: Span) -> impl Iterator<Item = Span> + 'p {
    std::iter::once(line).chain(page.lines.above(line)).take(MAX_LINES)
}

/// A line and those below it, as far as a list is read.
fn downwards<'p>(page: &'p Page<'_>, line: Span) -> impl Iterator<Item = Span> + 'p {
    std::iter::once(line).chain(page.lines.below(line)).take(MAX_LINES)
}
