//! What a block of YAML takes from an anchor elsewhere in the file.

use super::Judge;
use super::uses::ours_or_first;
use crate::detect::page::Page;
use crate::detect::page::items;
use crate::detect::page::lex;
use crate::detect::page::urls;
use crate::detect::page::urls::Host;
use crate::location::Span;

/// How far from a block what takes it in is looked for, in bytes, and so many places of that.
const REACH: usize = 8 * 1024;
const MAX_USERS: usize = 8;
/// Lines of a block that are read.
const MAX_LINES: usize = 60;
/// Longer lines are none of a block that merges another.
const MAX_LINE: usize = 1_000;

impl Judge<'_, '_> {
    /// The anchor that the value's block merges (`<<: *NAME`), if the block at that anchor speaks of the provider.
    pub(crate) fn merged_from_ours(&self, span: Span) -> Option<String> {
        let page = self.page;
        page.is_yaml().then_some(())?;
        let own = page.lines.around(span.start);
        let level = indent(page.slice(own))?;
        let is_inner = |line: &Span| indent(page.slice(*line)).is_none_or(|column| level <= column);
        let above = page.lines.above(own).take(MAX_LINES).take_while(is_inner);
        let below = page.lines.below(own).take(MAX_LINES).take_while(is_inner);
        let mut names = std::iter::once(own).chain(above).chain(below).filter_map(|line| {
            let text = page.slice(line);
            let is_own = line == own || indent(text) == Some(level);
            merged(text).filter(|_| is_own && text.len() <= MAX_LINE)
        });
        let name = names.next()?;
        let block = anchored(page, name)?;
        page.mentions.within(block).then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// The host to which the blocks of YAML speak that take in the value's block by its anchor; the provider's if one does.
    pub(crate) fn host_of_merging(&self, span: Span) -> Option<Host> {
        let page = self.page;
        page.is_yaml().then_some(())?;
        let own = page.lines.around(span.start);
        let level = indent(page.slice(own))?;
        let is_outer = |line: &Span| indent(page.slice(*line)).is_some_and(|column| column < level);
        let head = page.slice(page.lines.above(own).take(MAX_LINES).find(is_outer)?);
        let name = &head[memchr::memmem::find(head, b": &")? + 3..];
        let name = &name[..name.iter().take_while(|byte| lex::is_word(**byte)).count()];
        let merge = [b"<<: *", name].concat();
        let near = Span::new(own.start.saturating_sub(REACH), page.text.len().min(own.end + REACH));
        let places = memchr::memmem::find_iter(page.slice(near), &merge).map(|at| near.start + at);
        let hosts = places.take(MAX_USERS).filter_map(|at| {
            let line = page.lines.around(at);
            let level = indent(page.slice(line))?;
            let is_inside =
                |line: &Span| indent(page.slice(*line)).is_none_or(|column| level <= column);
            let above = page.lines.above(line).take(MAX_LINES).take_while(is_inside);
            let below = page.lines.below(line).take(MAX_LINES).take_while(is_inside);
            above.chain(below).find_map(|line| {
                let text = page.slice(line);
                let scheme = memchr::memmem::find(&text[..text.len().min(MAX_LINE)], b"://")?;
                urls::host_at(page, line.start + scheme)
            })
        });
        ours_or_first(hosts).filter(|_| !name.is_empty())
    }
}

/// The column of a line's text; `None` for a blank line or a comment.
fn indent(line: &[u8]) -> Option<usize> {
    items::column(line).map(|(column, _)| column)
}

/// The name behind `<<: *` in a line.
fn merged(line: &[u8]) -> Option<&[u8]> {
    const MERGE: &[u8] = b"<<: *";
    let name = &line[memchr::memmem::find(line, MERGE)? + MERGE.len()..];
    let length = name.iter().take_while(|byte| lex::is_word(**byte)).count();
    (length > 0).then(|| &name[..length])
}

/// The line of an anchor with what is indented below it.
fn anchored(page: &Page<'_>, name: &[u8]) -> Option<Span> {
    let anchor = [b" &", name].concat();
    let ends =
        |at: &usize| !page.text.get(at + anchor.len()).is_some_and(|byte| lex::is_word(*byte));
    let at = memchr::memmem::find_iter(page.text, &anchor).find(ends)?;
    let head = page.lines.around(at);
    let level = indent(page.slice(head))?;
    let is_inner = |line: &Span| indent(page.slice(*line)).is_none_or(|column| level < column);
    let last = page.lines.below(head).take(MAX_LINES).take_while(is_inner).last();
    Some(Span::new(head.start, last.map_or(head.end, |line| line.end)))
}
