//! The parameters of a type or function, where the same file declares it: what a call gives has their names in their order.

use super::Page;
use super::columns::within;
use super::lex;
use crate::location::Span;

/// How far from a call its declaration is looked for, in bytes.
const REACH: usize = 32 * 1024;
/// Bytes of a name.
const LONGEST_NAME: usize = 80;
/// Bytes of a declaration that are read.
const MAX_DECLARATION: usize = 4 * 1024;
/// Bytes before a `new(…)` in which its type is looked for.
const TYPE_REACH: usize = 400;
/// Words behind which a type or function is declared.
const DECLARING: [&[u8]; 9] =
    [b"class", b"record", b"struct", b"function", b"def", b"fn", b"func", b"fun", b"interface"];
/// Heads of constructors, up to their parameters.
const CONSTRUCTORS: [&[u8]; 3] = [b"constructor(", b"__construct(", b"def __init__("];

/// The names of the parameters of what is called by the bracket at `bracket`.
pub(crate) fn parameters(page: &Page<'_>, bracket: usize) -> Option<Vec<Span>> {
    (page.text[bracket] == b'(').then_some(())?;
    let before = page.text[..bracket].trim_ascii_end();
    let callee = &before[name_start(before)..];
    let callee = if callee == b"new" { type_before(before)? } else { callee };
    (callee.len() > 1 && page.is_code()).then_some(())?;
    let window = &page.text[bracket.saturating_sub(REACH)..page.text.len().min(bracket + REACH)];
    let mut declarations = memchr::memmem::find_iter(window, callee).filter_map(|at| {
        let head = window[..at].strip_suffix(b" ")?;
        let keyword = &head[name_start(head)..];
        let behind = &window[at + callee.len()..];
        let is_whole = !behind.first().is_some_and(|byte| lex::is_name(*byte));
        (is_whole && DECLARING.contains(&keyword)).then_some(behind)
    });
    let behind = declarations.next()?;
    let behind = &behind[..behind.len().min(MAX_DECLARATION)];
    let names = match behind.strip_prefix(b"(").filter(|_| !begins_bases(page, behind)) {
        Some(list) => listed(page, list),
        None => constructed(page, behind).or_else(|| annotated(page, behind))?,
    };
    (!names.is_empty()).then_some(names)
}

/// Where the name begins with which a text ends.
fn name_start(text: &[u8]) -> usize {
    text.len()
        - text.iter().rev().take(LONGEST_NAME).take_while(|byte| lex::is_name(**byte)).count()
}

/// The type in the nearest `<Name>` before a `new`.
fn type_before(before: &[u8]) -> Option<&[u8]> {
    let window = &before[before.len().saturating_sub(TYPE_REACH)..];
    let mut closes = memchr::memrchr_iter(b'>', window);
    closes.find_map(|close| {
        let inner = &window[..close];
        let name = &inner[name_start(inner)..];
        let is_type = name.first().is_some_and(u8::is_ascii_uppercase);
        (is_type && inner[..inner.len() - name.len()].ends_with(b"<")).then_some(name)
    })
}

/// Whether what stands in brackets behind a class are its bases, as in Python.
fn begins_bases(page: &Page<'_>, behind: &[u8]) -> bool {
    let is_python = page.file_name().ends_with(b".py");
    let line = behind.split(|byte| *byte == b'\n').next().unwrap_or_default();
    is_python && line.trim_ascii_end().ends_with(b"):") && !line.contains(&b',')
}

/// The parameters of the constructor in the body behind a class's name.
fn constructed(page: &Page<'_>, behind: &[u8]) -> Option<Vec<Span>> {
    let heads = CONSTRUCTORS
        .iter()
        .filter_map(|head| Some(memchr::memmem::find(behind, head)? + head.len()));
    // One behind the next class is that one's.
    let end = memchr::memmem::find(behind, b"\nclass ").unwrap_or(behind.len());
    let at = heads.min().filter(|at| *at < end)?;
    Some(listed(page, &behind[at..]))
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
fn listed(page: &Page<'_>, list: &[u8]) -> Vec<Span> {
    let mut depth = 0_usize;
    let (mut start, mut names) = (0, vec![]);
    for (at, byte) in list.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b',' | b')' if depth == 0 => {
                let parameter = &list[start..at];
                let name = parameter_name(parameter);
                let is_end = name.is_empty() && *byte == b')';
                if !is_end && !matches!(name, b"self" | b"cls") {
                    names.push(within(page.text, name));
                }
                start = at + 1;
                if *byte == b')' {
                    return names;
                }
            }
            // `->`, `=>`
            b'>' if at > 0 && matches!(list[at - 1], b'-' | b'=') => {}
            b')' | b']' | b'}' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    vec![]
}

/// The name in `String name = default`, `private readonly name?: string`, `val name: String`, `$name`.
fn parameter_name(parameter: &[u8]) -> &[u8] {
    let end = parameter.iter().position(|byte| matches!(byte, b'=' | b':'));
    let head = parameter[..end.unwrap_or(parameter.len())].trim_ascii_end();
    let head = head.strip_suffix(b"?").unwrap_or(head);
    &head[name_start(head)..]
}
