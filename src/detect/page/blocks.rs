//! The blocks around a value: by brackets, by indentation, and by section headers.

use super::Page;
use super::lex;
use super::outline::Kind;
use super::outline::Line;
use crate::location::Span;

/// How far enclosing blocks are searched, in bytes.
const BLOCK_REACH: usize = 16 * 1024;
/// Enclosing blocks that are looked at.
const MAX_BLOCKS: usize = 8;
/// Bytes of a line that can head a block.
const MAX_HEADER: usize = 1_000;

/// Lines of a comment above a block that are read.
const MAX_COMMENT: usize = 8;

/// A block around the value.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The text that names it: `'yousign' =>`, `class YousignClient`, `yousign:`.
    pub(crate) header: Span,
    /// Where its content begins.
    pub(crate) start: usize,
    /// Whether it is data (a mapping, a section) and not code.
    pub(crate) is_data: bool,
}

/// The blocks around `at`: by brackets, by indentation, and by section headers.
pub(crate) fn around(page: &Page<'_>, at: usize) -> Vec<Block> {
    let floor = at.saturating_sub(BLOCK_REACH);
    let outline = page.outline(Span::new(floor, at + BLOCK_REACH), 2 * BLOCK_REACH);
    let (text, kind) = (page.text, Kind::of(page.path.as_bytes()));
    let lines = (&page.lines, kind);
    let brackets = outline.around(at).take_while(|open| open.at >= floor);
    let brackets = brackets.map(|open| open.block.get_or_init(|| bracket_block(page, open.at)));
    let mut blocks: Vec<Block> = brackets.take(MAX_BLOCKS).cloned().collect();
    // The line below the last one that counts begins behind the floor.
    let is_near = |line: &&Line| line.span.end + 1 > floor.max(1);
    // A line that ends in a bracket heads the same block as that.
    let is_bracketed = |line: &&Line| {
        let open = text[..line.span.end].trim_ascii_end().len();
        let is_same =
            |block: &Block| block.start + 1 == open && block.header.start <= line.span.start;
        blocks.iter().any(is_same)
    };
    let above = outline.indented_above(text, lines, at).take_while(is_near);
    let above = above.filter(|line| !is_bracketed(line));
    let above = above.map(|line| line.block.get_or_init(|| line_block(page, line.span)));
    let above: Vec<Block> = above.take(MAX_BLOCKS).cloned().collect();
    blocks.extend(above);
    let section = outline.section_above(text, lines, at).filter(is_near);
    blocks.extend(section.map(|line| Block {
        header: line.span,
        start: line.span.start,
        is_data: kind == Kind::Other && !page.is_code(),
    }));
    blocks.sort_by_key(|block| std::cmp::Reverse(block.start));
    blocks.dedup_by_key(|block| block.start);
    blocks.truncate(MAX_BLOCKS);
    blocks
}

/// Whether a round bracket opens a group of declarations, as Go has them (`var (`), and no call.
pub(crate) fn is_declared_in(text: &[u8], bracket: usize) -> bool {
    let line = text[bracket.saturating_sub(40)..bracket]
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    [&b"var"[..], b"const"].contains(&line.trim_ascii())
}

/// The block that a bracket opens.
fn bracket_block(page: &Page<'_>, bracket: usize) -> Block {
    let header = with_comment_above(page, header_before(page.text, bracket));
    let text = page.text[header.start..bracket].trim_ascii_end();
    // PHP writes `'key' => array(` for `'key' => [`.
    if let Some(before) = text.strip_suffix(b"array").filter(|_| page.text[bracket] == b'(') {
        let header = Span::new(header.start, header.start + before.len());
        return Block { header, start: bracket, is_data: opens_data(before, b'[') };
    }
    // `silhouette {`, as settings are written that are no programs.
    let is_setting = || {
        page.text[bracket] == b'{'
            && !text.is_empty()
            && !page.is_code()
            && text.iter().all(|byte| lex::is_word(*byte))
    };
    let is_tuple = || text.ends_with(b"=>") && opens_tuple(&page.text[bracket..]);
    let is_data = opens_data(text, page.text[bracket]) || is_setting() || is_tuple();
    Block { header, start: bracket, is_data }
}

/// The block that a line heads whose followers are indented more, as in YAML, Python and pretty-printed XML.
fn line_block(page: &Page<'_>, line: Span) -> Block {
    let text = page.slice(line).trim_ascii();
    let first = text.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    let is_code = page.vocabulary().code_head.iter().any(|word| word.as_bytes() == first);
    // `{ chain ->` begins a function.
    let is_tag = text.contains(&b'<')
        && text.ends_with(b">")
        && !text.ends_with(b"->")
        && !text.ends_with(b"=>");
    let is_data = !is_code && (text.ends_with(b":") || is_tag);
    let header = Span::new(line.start, line.end.min(line.start + MAX_HEADER));
    let header = key_above(page, line, text).unwrap_or(header);
    Block { header, start: line.start, is_data }
}

/// The key of a property list's dictionary: it stands in the line above.
fn key_above(page: &Page<'_>, line: Span, text: &[u8]) -> Option<Span> {
    let above = page.lines.above(line).next()?;
    let key = page.slice(above).trim_ascii().strip_prefix(b"<key>")?.strip_suffix(b"</key>")?;
    let is_key = matches!(text, b"<dict>" | b"<array>") && key.len() < MAX_HEADER;
    let start = memchr::memmem::find(page.slice(above), b"<key>")? + above.start + 5;
    is_key.then(|| Span::new(start, start + key.len()))
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

/// Whether a text begins with a tuple as Erlang writes them (`{"…", …}`); no function's body has a comma behind its first literal.
fn opens_tuple(text: &[u8]) -> bool {
    const LONGEST: usize = 200;
    let behind = text[..text.len().min(LONGEST)].strip_prefix(b"{").unwrap_or_default();
    let literal = behind.trim_ascii_start().strip_prefix(b"\"").unwrap_or_default();
    let close = memchr::memchr(b'"', literal);
    close.is_some_and(|close| literal[close + 1..].trim_ascii_start().starts_with(b","))
}

/// A header together with the comment in the lines above it.
fn with_comment_above(page: &Page<'_>, header: Span) -> Span {
    let text = page.text;
    let first = header.start
        + text[header.start..header.end]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
    let line = page.lines.around(first);
    // A comment says nothing about what stands far on in the line below it.
    if first - line.start > MAX_HEADER {
        return header;
    }
    let is_comment =
        |line: &Span| line.len() < 160 && lex::begins_comment(page.slice(*line).trim_ascii());
    let comment = page.lines.above(line).take(MAX_COMMENT).take_while(is_comment).last();
    comment.map_or(header, |top| Span::new(top.start.min(header.start), header.end))
}

/// What stands before a bracket: back to the end of the statement before it, at most 160 bytes and two lines.
fn header_before(text: &[u8], bracket: usize) -> Span {
    let floor = bracket.saturating_sub(160);
    let mut start = bracket;
    let mut lines = 0;
    let mut depth = 0_usize;
    let mut said = false;
    let is_small = |text: &[u8]| text.len() <= 2 || text == b"array";
    while start > floor {
        match text[start - 1] {
            // `var_export` writes `'key' =>` and `array (` in two lines.
            b'\n' if said && lines == 0 && !is_small(text[start..bracket].trim_ascii()) => break,
            b'\n' => lines += 1,
            b')' | b']' => depth += 1,
            b'(' | b'[' if depth > 0 => depth -= 1,
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

/// Whether a block is the body of a function that is written where it is passed on (`test(…, async () => {`).
pub(crate) fn is_function(page: &Page<'_>, block: &Block) -> bool {
    let header = page.text[block.header.start.min(block.start)..block.start].trim_ascii_end();
    let header = header.strip_suffix(b"=>").unwrap_or(header).trim_ascii_end();
    page.text.get(block.start) == Some(&b'{') && !block.is_data && header.ends_with(b")")
}

/// Where the brackets around `at` open, the innermost first.
pub(crate) fn brackets(page: &Page<'_>, at: usize) -> impl Iterator<Item = usize> {
    let floor = at.saturating_sub(BLOCK_REACH);
    let outline = page.outline(Span::new(floor, at + BLOCK_REACH), 2 * BLOCK_REACH);
    let around = outline.around(at).map(|open| open.at).take_while(|open| *open >= floor);
    around.take(MAX_BLOCKS).collect::<Vec<_>>().into_iter()
}

/// Where the bracket opens that is closed at `close`.
pub(crate) fn opening(page: &Page<'_>, close: usize) -> Option<usize> {
    let floor = close.saturating_sub(BLOCK_REACH);
    let outline = page.outline(Span::new(floor, close + BLOCK_REACH), 2 * BLOCK_REACH);
    outline.opening(close).filter(|open| *open >= floor)
}

/// Whether `at`, not far from a value whose blocks were asked for, stands in a bracket directly within the one at `outer`.
pub(crate) fn is_in_bracket_within(page: &Page<'_>, at: usize, outer: usize) -> bool {
    let outline = page.outline(Span::new(outer.min(at), outer.max(at)), 2 * BLOCK_REACH);
    let around: Vec<usize> = outline.around(at).take(MAX_BLOCKS).map(|open| open.at).collect();
    around.iter().skip(1).any(|open| *open == outer)
}

/// The end of the block that begins at `start`: its closing bracket, or the line where its indentation ends. `None` if
/// it is not closed near by: then it is none, or too large to say something about each value in it.
pub(crate) fn end(page: &Page<'_>, start: usize) -> Option<usize> {
    let window = &page.text[start..page.text.len().min(start + BLOCK_REACH)];
    if !matches!(window.first(), Some(b'{' | b'[' | b'('))
        || window.starts_with(b"[") && page.lines.around(start).start == start
    {
        return Some(page.indented_end(start, || start + indented_end(window)));
    }
    let outline = page.outline(Span::new(start, start + BLOCK_REACH), 2 * BLOCK_REACH);
    outline.close(start).filter(|close| *close < start + BLOCK_REACH)
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
