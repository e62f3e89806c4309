//! The parameters of a type or function, where the same file declares it: what a call gives has their names in their order.

use super::Page;
use super::columns::within;
use super::lex;
use crate::location::Span;

/// How far from a call its declaration is looked for, in bytes.
const REACH: usize = 32 * 1024;
/// Bytes of a declaration that are read.
const MAX_DECLARATION: usize = 4 * 1024;
/// Bytes before a `new(…)` in which its type is looked for.
const TYPE_REACH: usize = 400;

/// The names of the parameters of what is called by the bracket at `bracket`.
pub(crate) fn parameters(page: &Page<'_>, bracket: usize) -> Option<Vec<Span>> {
    (page.text[bracket] == b'(' && page.is_code()).then_some(())?;
    let before = page.text[..bracket].trim_ascii_end();
    let callee = lex::last_name(before);
    let callee = if callee == b"new" { type_before(before)? } else { callee };
    (callee.len() > 1).then_some(())?;
    let window = &page.text[bracket.saturating_sub(REACH)..page.text.len().min(bracket + REACH)];
    let mut declarations = memchr::memmem::find_iter(window, callee).filter_map(|at| {
        let keyword = str::from_utf8(lex::last_name(window[..at].strip_suffix(b" ")?)).ok()?;
        let behind = &window[at + callee.len()..];
        let is_whole = !behind.first().is_some_and(|byte| lex::is_name(*byte));
        let defines = page.vocabulary().defining.contains(keyword);
        (is_whole && defines).then_some((keyword, behind))
    });
    let (keyword, behind) = declarations.next()?;
    let behind = &behind[..behind.len().min(MAX_DECLARATION)];
    // What stands in brackets behind a class of Python are its bases.
    let has_bases = keyword == "class" && page.file_name().ends_with(b".py");
    let names = match behind.strip_prefix(b"(").filter(|_| !has_bases) {
        Some(list) => listed(page, list)?,
        None => constructed(page, behind).or_else(|| annotated(page, behind))?,
    };
    (!names.is_empty()).then_some(names)
}

/// The type in the nearest `<Name>` before a `new`.
fn type_before(before: &[u8]) -> Option<&[u8]> {
    let window = &before[before.len().saturating_sub(TYPE_REACH)..];
    let mut closes = memchr::memrchr_iter(b'>', window);
    closes.find_map(|close| {
        let inner = &window[..close];
        let name = lex::last_name(inner);
        let is_type = name.first().is_some_and(u8::is_ascii_uppercase);
        (is_type && inner[..inner.len() - name.len()].ends_with(b"<")).then_some(name)
    })
}

/// The parameters of the constructor in the body behind a class's name.
fn constructed(page: &Page<'_>, behind: &[u8]) -> Option<Vec<Span>> {
    // One behind the next class is that one's.
    let end = memchr::memmem::find(behind, b"\nclass ").unwrap_or(behind.len());
    let heads = page.vocabulary().constructor.iter().filter_map(|name| {
        let head = [name.as_bytes(), b"("].concat();
        Some(memchr::memmem::find(&behind[..end], &head)? + head.len())
    });
    listed(page, &behind[heads.min()?..])
}

/// The annotated fields with which the body of a class of Python begins.
fn annotated(page: &Page<'_>, behind: &[u8]) -> Option<Vec<Span>> {
    page.file_name().ends_with(b".py").then_some(())?;
    let lines = behind.split(|byte| *byte == b'\n').skip(1);
    let fields = lines.map_while(|line| {
        let field = line.trim_ascii_start();
        let length = field.iter().take_while(|byte| lex::is_name(**byte)).count();
        let is_field = length > 0 && field[length..].starts_with(b": ") && field.len() < line.len();
        let is_text = field.starts_with(b"\"\"\"") || field.is_empty();
        (is_field || is_text).then(|| is_field.then(|| within(page.text, &field[..length])))
    });
    Some(fields.flatten().collect())
}

/// The names in a list of parameters, up to the bracket that closes it.
fn listed(page: &Page<'_>, list: &[u8]) -> Option<Vec<Span>> {
    let (parameters, is_closed) = lex::list(list)?;
    let names = parameters.into_iter().map(parameter_name);
    let names = names.filter(|name| !matches!(*name, b"" | b"self" | b"cls"));
    is_closed.then(|| names.map(|name| within(page.text, name)).collect())
}

/// The name in `String name = default`, `private readonly name?: string`, `val name: String`, `$name`.
fn parameter_name(parameter: &[u8]) -> &[u8] {
    let end = parameter.iter().position(|byte| matches!(byte, b'=' | b':'));
    let head = parameter[..end.unwrap_or(parameter.len())].trim_ascii_end();
    lex::last_name(head.strip_suffix(b"?").unwrap_or(head))
}
