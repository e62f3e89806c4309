//! Lines that are written like one that names the provider, with another name in its place: `class AcmeSettings` beside
//! `class YousignSettings`, `when :acme` beside `when :yousign`. What stands with such a line is somebody else's, whoever that is.

use super::Judge;
use super::label::Meaning;
use super::own_line;
use crate::detect::page::Page;
use crate::detect::page::blocks;
use crate::detect::page::columns::Column;
use crate::detect::page::context::Context;
use crate::detect::page::lex;
use crate::detect::page::randomness;
use crate::location::Span;

/// Bytes around a value in which lines that name the provider are read.
const REACH: usize = 8 * 1024;
/// So many of them, the nearest ones.
const MAX_MENTIONS: usize = 16;
/// Longer lines are not compared.
const LONGEST: usize = 400;
/// The same for records that are a line each.
const LONGEST_RECORD: usize = 4_000;
/// Bytes of a block whose lines are compared.
const MAX_BLOCK: usize = 2_000;
/// Lines of a block, or of a record in markup, that are compared.
const MAX_LINES: usize = 24;
/// Two lines that begin with as many bytes alike are of one kind.
const LONG_PREFIX: usize = 12;
/// Longest name.
const MAX_NAME: usize = 40;

/// Where a line has the provider's name.
struct Slot<'t> {
    /// The number of the cell, if the line is a row of a table that bars draw.
    cell: Option<usize>,
    /// What stands before it, without indentation.
    before: &'t [u8],
    /// What stands directly behind it: the rest of its word, and what parts that from the next.
    behind: &'t [u8],
    /// Whether the line is a record of its own (`{"type":"yousign",…}`), and `before` only the field's name.
    is_record: bool,
    /// Whether the line ends there.
    ends: bool,
}

impl<'t> Slot<'t> {
    /// The slot of the mention at `span` in a line of the page.
    fn of(page: &Page<'t>, span: Span) -> Option<Self> {
        let line = page.lines.around(span.start);
        let is_record = is_record(page.slice(line));
        if line.len() > longest(is_record) || span.end > line.end {
            return None;
        }
        let (text, line_end) = (page.text, page.slice(line).trim_ascii_end().len() + line.start);
        let behind = &text[span.end..line_end.max(span.end)];
        let mut length = word_and_gap(behind);
        if behind[..length].trim_ascii().is_empty() {
            length += word_and_gap(&behind[length..]);
        }
        let before = text[line.start..span.start].trim_ascii_start();
        let before = if is_record { field_name(before)? } else { before };
        let cell = before.starts_with(b"|").then(|| memchr::memchr_iter(b'|', before).count());
        Some(Self {
            cell,
            is_record,
            before,
            behind: &behind[..length],
            ends: length == behind.len(),
        })
    }

    /// What a line has in the place of the provider's name, if it is written alike.
    fn name_in<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        let line = line.trim_ascii();
        if let Some(cell) = self.cell {
            let cell = line.strip_prefix(b"|")?.split(|byte| *byte == b'|').nth(cell - 1)?;
            let end = memchr::memchr(b'(', cell).unwrap_or(cell.len());
            let marks = |byte: &u8| !b" *`_".contains(byte);
            let name = &cell[..end];
            let (from, to) = (name.iter().position(marks)?, name.iter().rposition(marks)? + 1);
            return is_name(&name[from..to]).then_some(&name[from..to]);
        }
        if self.is_record {
            let field =
                memchr::memmem::find(line, self.before).filter(|_| line.starts_with(b"{"))?;
            let value = &line[field + self.before.len()..];
            let name = &value[..memchr::memchr(b'"', &value[..value.len().min(MAX_NAME)])?];
            return is_name(name).then_some(name);
        }
        // `sms.provider=` is to `sms.token=` what `esign.provider=` is to `esign.token=`.
        let rest = line.strip_prefix(self.before).or_else(|| {
            let (own, ours) = (without_owner(line)?, without_owner(self.before)?);
            (!ours.is_empty()).then(|| own.strip_prefix(ours))?
        })?;
        let near = &rest[..rest.len().min(MAX_NAME + self.behind.len())];
        let (name, rest) = match self.behind {
            // A path, say, whose last part is told apart: what follows need not be alike.
            [gap, ..] if self.before.len() >= LONG_PREFIX && !lex::is_name(*gap) => {
                let end = near.iter().position(|byte| byte == gap).unwrap_or(near.len());
                return is_name(&near[..end]).then_some(&near[..end]);
            }
            [] => (rest, &[][..]),
            behind => rest.split_at(memchr::memmem::find(near, behind)?),
        };
        (is_name(name) && (!self.ends || rest.len() == self.behind.len())).then_some(name)
    }

    /// Whether this is how a variable of any name is given a value.
    fn is_assignment(&self) -> bool {
        let is_structured = self.before.iter().any(|byte| b".[({\"'=:".contains(byte));
        let is_bare = self.before.is_empty() && self.behind.is_empty();
        !is_structured && matches!(self.behind.trim_ascii(), b"=" | b":=") || is_bare
    }
}

/// Whether a line is a record of its own, as in JSON Lines.
fn is_record(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"{\"") && (line.ends_with(b"}") || line.ends_with(b"},"))
}

/// As much of a line is compared.
fn longest(is_record: bool) -> usize {
    if is_record { LONGEST_RECORD } else { LONGEST }
}

/// The name of the field whose value begins where `before` ends, as it is written (`"type":"`).
fn field_name(before: &[u8]) -> Option<&[u8]> {
    let name = before.strip_suffix(b"\"")?.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end();
    let open = memchr::memrchr(b'"', name.strip_suffix(b"\"")?)?;
    Some(&before[open..])
}

/// What stands behind the first word of a setting's name and what parts it from the next (`provider=` of `SMS_PROVIDER=`).
fn without_owner(line: &[u8]) -> Option<&[u8]> {
    let word = line.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let parts = matches!(line.get(word), Some(b'.' | b'_'));
    (word > 1 && parts).then(|| &line[word + 1..])
}

/// Whether a host stands behind one word alone in its line (`machine api.acme.com`, as `.netrc` has it).
fn heads_entry(page: &Page<'_>, host: Span) -> bool {
    let line = page.lines.around(host.start);
    let word = page.text[line.start..host.start].trim_ascii_start().strip_suffix(b" ");
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|byte| lex::is_name(*byte)))
        && page.text[host.end..line.end.max(host.end)].trim_ascii().is_empty()
}

/// Whether a text can be somebody's name.
fn is_name(text: &[u8]) -> bool {
    let is_part = |byte: &u8| lex::is_name(*byte) || matches!(byte, b' ' | b'-' | b'.');
    (2..=MAX_NAME).contains(&text.len())
        && text[0].is_ascii_alphabetic()
        && text.iter().all(is_part)
        && text.split(|byte| *byte == b' ').count() <= 3
}

/// Length of a word and of what is none behind it.
fn word_and_gap(text: &[u8]) -> usize {
    let is_word = |byte: &&u8| lex::is_name(**byte) || **byte == b'-';
    let word = text.iter().take_while(is_word).count();
    word + text[word..].iter().take_while(|byte| !is_word(byte)).count()
}

impl Judge<'_, '_> {
    /// The name that a line about the value has where one written like it has the provider's.
    pub(crate) fn twin_of_ours(
        &self,
        span: Span,
        column: Option<&Column>,
        context: &Context,
    ) -> Option<String> {
        let page = self.page;
        if page.mentions.within(page.lines.around(span.start)) {
            return None;
        }
        let window = Span::new(span.start.saturating_sub(REACH), span.end + REACH);
        let mut mentions: Vec<Span> = page
            .mentions
            .inside(window)
            .iter()
            .filter(|mention| mention.host.is_none() || heads_entry(page, mention.span))
            .map(|mention| mention.span)
            .collect();
        mentions.sort_by_key(|mention| mention.start.abs_diff(span.start));
        let mentions = mentions.into_iter().take(MAX_MENTIONS);
        let slots: Vec<Slot<'_>> = mentions.filter_map(|mention| Slot::of(page, mention)).collect();
        if slots.is_empty() {
            return None;
        }
        let own = page.lines.around(span.start);
        let own = Span::new(own.start, span.start);
        let in_own = slots.iter().filter(|slot| !slot.is_assignment() && !slot.behind.is_empty());
        let mut names = in_own.filter_map(|slot| self.name_in(slot, own));
        let mut lines = self.lines_about(span, column, context).into_iter();
        let in_lines =
            || lines.find_map(|line| slots.iter().find_map(|slot| self.name_in(slot, line)));
        names.next().or_else(in_lines).or_else(|| {
            let mut lines = self.paragraph(span).into_iter();
            let slots = || slots.iter().filter(|slot| !slot.is_assignment());
            lines.find_map(|line| slots().find_map(|slot| self.name_in(slot, line)))
        })
    }

    /// The lines that head the value's blocks, or stand in the small ones of them, or in its row of a table.
    fn lines_about(&self, span: Span, column: Option<&Column>, context: &Context) -> Vec<Span> {
        let page = self.page;
        let mut lines: Vec<Span> = vec![];
        let mut add_all = |part: Span| {
            let first = page.lines.around(part.start);
            let inside = std::iter::once(first).chain(page.lines.below(first)).take(MAX_LINES);
            lines.extend(inside.take_while(|line| line.start < part.end));
        };
        if let Some(column) = column {
            add_all(column.row);
        }
        for block in &context.blocks {
            let end = blocks::end(page, block.start).filter(|end| *end > span.start);
            let inside = Span::new(block.start, end.unwrap_or(span.start).max(block.start));
            // What stands in a block with the provider's name may well be the provider's.
            if page.mentions.within(block.header) || page.mentions.within(inside) {
                break;
            }
            let head = own_line(page, block);
            // What a test is called is nobody (`it('…', () => {`).
            let has_title = page.slice(head).iter().any(|byte| b"'\"`".contains(byte));
            if has_title && blocks::is_function(page, block) {
                continue;
            }
            add_all(head);
            if end.is_some() && inside.len() < MAX_BLOCK {
                add_all(inside);
            }
        }
        lines
    }

    /// The lines around the value's own, up to blank ones; none if one of them names the provider.
    fn paragraph(&self, span: Span) -> Vec<Span> {
        let page = self.page;
        let own = page.lines.around(span.start);
        // Of a page, lines that begin with the same tag.
        let tag = lex::leading_tag(page.slice(own));
        let is_text = |line: &Span| {
            let line = page.slice(*line).trim_ascii();
            // Headings, and the ends of drawers.
            let is_edge = [&b"* "[..], b"** ", b"=", b"#", b":END:"]
                .iter()
                .any(|mark| line.starts_with(mark));
            !line.is_empty() && line.starts_with(tag) && !is_edge
        };
        let above = page.lines.above(own).take(MAX_LINES / 2).take_while(is_text);
        let below = page.lines.below(own).take(MAX_LINES / 2).take_while(is_text);
        let lines: Vec<Span> = above.chain(below).collect();
        if lines.iter().any(|line| page.mentions.within(*line)) { vec![] } else { lines }
    }

    /// The name of somebody else in a slot of a line, which does not speak of the provider.
    fn name_in(&self, slot: &Slot<'_>, line: Span) -> Option<String> {
        if line.len() > longest(slot.is_record) || self.page.mentions.within(line) {
            return None;
        }
        let name = slot.name_in(self.page.slice(line))?;
        let credential = &self.page.vocabulary().credential;
        let says_whose = |word: &String| {
            !credential.contains(word) && !self.is_generic(word.as_bytes()) && word.len() > 1
        };
        let is_other = self.rivals.named_in(name)
            || matches!(
                self.namer.read(name).meaning,
                Meaning::Unknown
                    | Meaning::Rival
                    | Meaning::ForeignCredential
                    | Meaning::OtherPurpose
            ) && lex::subwords(name).iter().any(says_whose);
        (is_other && !randomness::is_drawn(name))
            .then(|| String::from_utf8_lossy(name).into_owned())
    }
}
