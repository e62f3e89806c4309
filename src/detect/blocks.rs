//! The blocks around a value: by brackets, by indentation, and by section headers.

use super::page::Page;
use crate::location::Span;

/// How far enclosing blocks are searched, in bytes.
const BLOCK_REACH: usize = 16 * 1024;
/// Enclosing blocks that are looked at.
const MAX_BLOCKS: usize = 8;

/// A block around the value.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The text that names it: `'yousign' =>`, `class YousignClient`, `yousign:`.
    pub(super) header: Span,
    /// Where its content begins.
    pub(super) start: usize,
    /// Whether it is data (a mapping, a section) and not code.
    pub(super) is_data: bool,
}

/// The blocks around `at`: by brackets, by indentation, and by section headers.
pub(super) fn around(page: &Page<'_>, at: usize) -> Vec<Block> {
    let floor = at.saturating_sub(BLOCK_REACH);
    let mut blocks = bracket_blocks(page, at, floor);
    blocks.extend(indent_blocks(page, at, floor));
    blocks.extend(section(page, at, floor));
    blocks.sort_by_key(|block| std::cmp::Reverse(block.start));
    blocks.dedup_by_key(|block| block.start);
    blocks.truncate(MAX_BLOCKS);
    blocks
}

fn bracket_blocks(page: &Page<'_>, at: usize, floor: usize) -> Vec<Block> {
    let text = page.text;
    let mut blocks = vec![];
    let mut depth = 0_usize;
    for position in (floor..at).rev() {
        match text[position] {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth > 0 => depth -= 1,
            b'(' | b'[' | b'{' => {
                let header = with_comment_above(page, header_before(text, position, floor));
                let is_data = opens_data(&text[header.start..position], text[position]);
                blocks.push(Block { header, start: position, is_data });
                if blocks.len() == MAX_BLOCKS {
                    break;
                }
            }
            _ => {}
        }
    }
    blocks
}

/// Whether a bracket behind `header` holds data and not code: `"a": {`, `'a' => [`, `a = {`, `variable "a" {`.
fn opens_data(header: &[u8], bracket: u8) -> bool {
    let header = header.trim_ascii();
    match header.last() {
        _ if bracket == b'(' => false,
        Some(b'"') => bracket == b'{',
        Some(b':') => !header.starts_with(b"case "),
        Some(b'=') => true,
        // An arrow function's body is code.
        Some(b'>') => {
            let key = header.strip_suffix(b"=>").unwrap_or_default().trim_ascii_end();
            let word = key.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            matches!(key.last(), Some(b'"' | b'\'' | b'`' | b']')) || word.starts_with(b":")
        }
        _ => false,
    }
}

/// A header together with the comment in the line above it.
fn with_comment_above(page: &Page<'_>, header: Span) -> Span {
    let text = page.text;
    let first = header.start
        + text[header.start..header.end]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
    let line = page.lines.around(first);
    if line.start < 2 {
        return header;
    }
    let above = page.lines.around(line.start - 1);
    let comment = text[above.start..above.end].trim_ascii();
    let is_comment = [b"//".as_slice(), b"#", b"/*", b"*", b"--"]
        .iter()
        .any(|opener| comment.starts_with(opener));
    if is_comment && above.len() < 160 {
        Span::new(above.start.min(header.start), header.end)
    } else {
        header
    }
}

/// What stands before a bracket: back to the end of the statement before it, at most 160 bytes and two lines.
fn header_before(text: &[u8], bracket: usize, floor: usize) -> Span {
    let floor = floor.max(bracket.saturating_sub(160));
    let mut start = bracket;
    let mut lines = 0;
    let mut depth = 0_usize;
    let mut said = false;
    while start > floor {
        match text[start - 1] {
            b'\n' if said && lines == 0 && text[start..bracket].trim_ascii().len() > 2 => break,
            b'\n' => lines += 1,
            b')' => depth += 1,
            b'(' if depth > 0 => depth -= 1,
            b';' | b'{' | b'}' => break,
            b',' | b'[' | b'(' if depth == 0 => break,
            byte if !byte.is_ascii_whitespace() => said = true,
            _ => {}
        }
        if lines > 1 {
            break;
        }
        start -= 1;
    }
    Span::new(start, bracket)
}

/// Lines above with less and less indentation, as in YAML, Python and pretty-printed XML.
fn indent_blocks(page: &Page<'_>, at: usize, floor: usize) -> Vec<Block> {
    let text = page.text;
    let mut blocks = vec![];
    let mut line = page.lines.around(at);
    let mut indent = indent_of(&text[line.start..line.end]);
    while indent > 0 && line.start > floor.max(1) && blocks.len() < MAX_BLOCKS {
        line = page.lines.around(line.start - 1);
        let content = &text[line.start..line.end];
        let trimmed = content.trim_ascii();
        if trimmed.is_empty() || trimmed.starts_with(b"#") || trimmed.starts_with(b"//") {
            continue;
        }
        let own = indent_of(content);
        if own < indent {
            indent = own;
            let is_code = page.vocabulary().code_head.iter().any(|word| {
                trimmed
                    .strip_suffix(b":")
                    .unwrap_or(trimmed)
                    .split(|byte| !byte.is_ascii_alphabetic())
                    .next()
                    == Some(word.as_bytes())
            });
            let is_data = !is_code && (trimmed.ends_with(b":") || trimmed.ends_with(b">"));
            blocks.push(Block { header: line, start: line.start, is_data });
        }
    }
    blocks
}

/// Columns before the text of a line; a list item's dash counts as space.
fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count()
}

/// The section header `[name]` above, as in INI and TOML files.
fn section(page: &Page<'_>, at: usize, floor: usize) -> Option<Block> {
    let text = page.text;
    let mut line = page.lines.around(at);
    while line.start > floor.max(1) {
        line = page.lines.around(line.start - 1);
        let content = text[line.start..line.end].trim_ascii();
        if content.starts_with(b"[")
            && content.ends_with(b"]")
            && content.len() < 100
            && !content.contains(&b',')
        {
            return Some(Block { header: line, start: line.start, is_data: true });
        }
    }
    None
}

/// The end of the block that begins at `start`: its closing bracket, or the line where its indentation ends. `None` if
/// it is not closed near by: then it is none, or too large to say something about each value in it.
pub(super) fn end(page: &Page<'_>, start: usize) -> Option<usize> {
    let text = page.text;
    let window = &text[start..text.len().min(start + BLOCK_REACH)];
    if !matches!(window.first(), Some(b'{' | b'[' | b'('))
        || window.starts_with(b"[") && page.lines.around(start).start == start
    {
        return Some(start + indented_end(window));
    }
    let mut depth = 0_usize;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' if depth <= 1 => return Some(start + at),
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn indented_end(window: &[u8]) -> usize {
    let is_section = window.starts_with(b"[");
    let own = window.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut at = window.iter().position(|byte| *byte == b'\n').map_or(window.len(), |end| end + 1);
    while at < window.len() {
        let line = &window[at..at
            + window[at..].iter().position(|byte| *byte == b'\n').unwrap_or(window.len() - at)];
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends = if is_section {
            line.starts_with(b"[")
        } else {
            indent <= own && !line.trim_ascii().is_empty()
        };
        if ends {
            return at;
        }
        at += line.len() + 1;
    }
    window.len()
}
