//! Names that stand apart from a row of values: the fields of a struct of Go, the parameters of a test that is run for each
//! row, or those of a function that is called where it is defined.

use super::Page;
use super::blocks;
use super::columns::within;
use super::declared;
use super::lex;
use crate::location::Span;

/// Bytes of a row that are counted through, and of a definition that is read.
const MAX_ROW: usize = 16 * 1024;
/// Bytes before or behind a list in which the names of its columns stand.
const NEAR: usize = 400;

/// The name of the value at `span`, if it stands in a row whose names stand elsewhere, and where the row opens.
pub(crate) fn name(page: &Page<'_>, span: Span) -> Option<(Span, usize)> {
    let quote = page.text.get(span.end).filter(|quote| b"\"'`".contains(quote))?;
    // A part of a string is not what stands in the column.
    let before = page.text[..span.start].strip_suffix(&[*quote])?;
    // `Token: VALUE` has its name with it, whatever order the fields are declared in.
    (!matches!(before.trim_ascii_end().last(), Some(b':' | b'='))).then_some(())?;
    let mut brackets = blocks::brackets(page, span.start);
    let row = brackets.next()?;
    let list = brackets.next();
    let number = || place(page.text.get(row + 1..span.start).filter(|row| row.len() <= MAX_ROW)?);
    if let Some(names) = arguments_of(page, row) {
        return Some((use_of(page, names.0, names.1.get(number()?)?)?, row));
    }
    let lists = || list.into_iter().chain([row]);
    let names = lists().find_map(|list| fields_of(page, list).or_else(|| tested_by(page, list)));
    let names =
        names.or_else(|| declared::parameters(page, row).filter(|names| names.len() > 1))?;
    let name = if names.len() == 1 { names.first() } else { names.get(number()?) };
    name.filter(|name| !name.is_empty()).map(|name| (*name, row))
}

/// How many values stand before the end of a part of a row; `None` in the middle of one.
fn place(row: &[u8]) -> Option<usize> {
    let (parts, is_closed) = lex::list(row)?;
    (!is_closed).then(|| parts.len() - 1)
}

/// The fields of the struct before the bracket (`[]struct { name, token string }{`, `[]testCase{`).
fn fields_of(page: &Page<'_>, bracket: usize) -> Option<Vec<Span>> {
    let text = page.text;
    if text[bracket] != b'{' || !page.file_name().ends_with(b".go") {
        return None;
    }
    let before = text[..bracket].trim_ascii_end();
    let body = if before.ends_with(b"}") {
        let open = blocks::opening(page, before.len() - 1)?;
        text[..open].trim_ascii_end().ends_with(b"struct").then_some(open + 1..before.len() - 1)?
    } else {
        let start = before.len() - lex::last_name(before).len();
        let floor = start.saturating_sub(MAX_ROW);
        let definition = [b"type ", &before[start..], b" struct {"].concat();
        let found = memchr::memmem::rfind(&text[floor..start], &definition)?;
        let open = floor + found + definition.len();
        open..open + memchr::memchr(b'}', &text[open..start])?
    };
    let lines = text[body].split(|byte| matches!(byte, b'\n' | b';'));
    // `name, token string`
    let names = lines.flat_map(|line| {
        let mut goes_on = true;
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let names =
            words.take_while(move |word| std::mem::replace(&mut goes_on, word.ends_with(b",")));
        let names = names.take_while(|word| !word.starts_with(b"//"));
        names.flat_map(|word| word.split(|byte| *byte == b',')).filter(|name| !name.is_empty())
    });
    Some(names.map(|name| within(page.text, name)).collect())
}

/// The parameters of the test that is run for each row of the list (`parametrize("url, token", [`, `each([…])('…', (url, token) =>`).
fn tested_by(page: &Page<'_>, list: usize) -> Option<Vec<Span>> {
    let text = page.text;
    let before = text[list.saturating_sub(NEAR)..list].trim_ascii_end();
    let names = if let Some(head) = before.strip_suffix(b",") {
        const CALL: &[u8] = b"parametrize(";
        &head[memchr::memmem::rfind(head, CALL)? + CALL.len()..]
    } else {
        before.ends_with(b"each(").then_some(())?;
        let end = blocks::end(page, list)?;
        parameters(text.get(end + 1..text.len().min(end + NEAR))?)?
    };
    Some(listed(page, names))
}

/// The parameters of the function in `)('title', async (a, b) => {`.
fn parameters(text: &[u8]) -> Option<&[u8]> {
    let title =
        text.trim_ascii_start().strip_prefix(b")")?.trim_ascii_start().strip_prefix(b"(")?;
    let title = title.trim_ascii_start();
    let quote = title.first().filter(|quote| b"\"'`".contains(quote))?;
    let behind = &title[memchr::memchr(*quote, &title[1..])? + 2..];
    let open = memchr::memchr(b'(', behind)?;
    let names = &behind[open + 1..];
    Some(&names[..memchr::memchr(b')', names)?])
}

/// The body and the parameters of the function that is called by the bracket with what stands in it.
fn arguments_of(page: &Page<'_>, bracket: usize) -> Option<(Span, Vec<Span>)> {
    let text = page.text;
    let before = text[..bracket].trim_ascii_end();
    let before = before.strip_suffix(b")").unwrap_or(before);
    if text[bracket] != b'(' || !before.ends_with(b"}") {
        return None;
    }
    let open = blocks::opening(page, before.len() - 1)?;
    let head = text[open.saturating_sub(MAX_ROW)..open].trim_ascii_end();
    let head = head.strip_suffix(b"=>").unwrap_or(head).trim_ascii_end().strip_suffix(b")")?;
    let names = &head[memchr::memrchr(b'(', head)? + 1..];
    Some((Span::new(open, before.len()), listed(page, names)))
}

/// The name under which the body of a function puts a parameter into an object (`apiKey:e`).
fn use_of(page: &Page<'_>, body: Span, parameter: &Span) -> Option<Span> {
    let name = page.slice(*parameter);
    (!name.is_empty()).then_some(())?;
    let ends = |at: usize| !page.text.get(at).is_some_and(|byte| lex::is_name(*byte));
    let is_part = |byte: &u8| lex::is_name(*byte) || matches!(byte, b'"' | b'\'');
    let mut uses = memchr::memmem::find_iter(page.slice(body), name).map(|at| body.start + at);
    let colon = uses.find_map(|at| {
        let before = page.text[..at].trim_ascii_end().strip_suffix(b":")?;
        (ends(at + name.len()) && before.last().is_some_and(is_part)).then_some(before)
    })?;
    let key = colon.strip_suffix(b"\"").or_else(|| colon.strip_suffix(b"'")).unwrap_or(colon);
    let name = lex::last_name(key);
    (!name.is_empty()).then(|| within(page.text, name))
}

/// Names that commas part, with types, brackets and quotes taken off.
fn listed(page: &Page<'_>, names: &[u8]) -> Vec<Span> {
    let name = |name: &[u8]| {
        let start = name.iter().take_while(|byte| !lex::is_name(**byte)).count();
        let length = name[start..].iter().take_while(|byte| lex::is_name(**byte)).count();
        let start = within(page.text, name).start + start;
        Span::new(start, start + length)
    };
    names.split(|byte| *byte == b',').map(name).collect()
}
