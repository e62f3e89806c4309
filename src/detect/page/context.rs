//! The syntactic surroundings of a value: the name it is assigned to, the call it stands in, its siblings, and the
//! names of the blocks around it.

use super::Page;
use super::blocks;
use super::blocks::Block;
use super::lex;
use super::statement;
use crate::location::Span;

/// How far before and behind a value its siblings stand at most, in bytes.
const SIBLINGS_REACH: usize = 400;

/// How a name is tied to the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// `name = value`, `name: value`, `<name>value`
    Assigned,
    /// `name(value)`
    Called,
    /// `"name", value`
    Listed,
    /// `name ?? value`
    Fallback,
    /// `name value`
    Adjacent,
    /// `name/value`
    Path,
}

/// A name near the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    /// Where it stands.
    pub(crate) span: Span,
    /// How it is tied to the value.
    pub(crate) link: Link,
}

/// What stands around a value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Names tied to the value, the nearest first.
    pub(crate) names: Vec<Name>,
    /// Function whose argument the value is.
    pub(crate) callee: Option<Span>,
    /// From the beginning of the statement to the end of the value's bracket or line.
    pub(crate) statement: Option<Span>,
    /// Blocks around it, the innermost first.
    pub(crate) blocks: Vec<Block>,
    /// The key before it in a property list.
    pub(crate) listed_key: Option<Span>,
    /// Whether `Bearer` stands right before it.
    pub(crate) is_bearer: bool,
    /// Whether the value stands alone on its line, or in its whole text.
    pub(crate) is_bare: bool,
}

/// Reads the surroundings of the value at `span`.
pub(crate) fn read(page: &Page<'_>, span: Span) -> Context {
    let mut context = Context { is_bare: is_bare(page, span), ..Context::default() };
    statement::read(page, span, &mut context);
    context.is_bearer |= follows_bearer(page.text, span);
    context.listed_key = listed_key(page, span);
    if let Some(key) = context.listed_key {
        context.statement = Some(Span::new(key.start, span.end));
    }
    context.blocks = blocks::around(page, span.start);
    context
}

/// Whether the literal before the value's own ends in a scheme (`"Authorization: Bearer " "VALUE"`).
fn follows_bearer(text: &[u8], span: Span) -> bool {
    const REACH: usize = 80;
    let before = &text[span.start.saturating_sub(REACH)..span.start];
    let Some(literal) = before.strip_suffix(b"\"").map(<[u8]>::trim_ascii_end) else {
        return false;
    };
    let scheme = literal.strip_suffix(b"\"").map(<[u8]>::trim_ascii_end).unwrap_or_default();
    scheme.len() >= 6 && scheme[scheme.len() - 6..].eq_ignore_ascii_case(b"bearer")
}

fn is_bare(page: &Page<'_>, span: Span) -> bool {
    let text = page.text;
    let line = page.lines.around(span.start);
    let mut around = text[line.start..span.start].iter().rev().chain(&text[span.end..line.end]);
    around.all(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte))
}

/// The key before a value in PHP's serialized form: `s:7:"api_key";s:32:"value"`.
pub(crate) fn serialized_key(text: &[u8], span: Span) -> Option<Span> {
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\\');
    let before = |end: usize, test: &dyn Fn(&u8) -> bool| {
        end - text[end.saturating_sub(80)..end].iter().rev().take_while(|byte| test(byte)).count()
    };
    let type_end = before(span.start, &is_quote);
    let digits = before(type_end.checked_sub(1)?, &u8::is_ascii_digit);
    let key_close = digits
        .checked_sub(3)
        .filter(|at| text[*at..digits].starts_with(b";s:") && text[type_end - 1] == b':')?;
    let key_end = before(key_close, &is_quote);
    let key = Span::new(before(key_end, &|byte| lex::is_word(*byte)), key_end);
    (!key.is_empty() && key_end < key_close).then_some(key)
}

/// The key before a value in a pair of elements: `<key>NAME</key> <string>VALUE`, `<field>NAME</field> <value type="…">VALUE`.
fn listed_key(page: &Page<'_>, span: Span) -> Option<Span> {
    const REACH: usize = 300;
    let floor = span.start.saturating_sub(REACH);
    let before = |end: usize| page.text[floor..end].trim_ascii_end();
    let open = before(span.start).strip_suffix(b">")?;
    let tag_start = memchr::memrchr2(b'<', b'>', open).filter(|at| open[*at] == b'<')?;
    let carrier = &open[tag_start + 1..];
    let inner = before(floor + tag_start).strip_suffix(b">")?;
    let close = memchr::memrchr(b'<', inner)?;
    let tag = inner[close + 1..].strip_prefix(b"/")?;
    let start = memchr::memrchr(b'>', &inner[..close])? + 1;
    // `<field name="key">NAME</field> <field name="value">VALUE`
    let role = |tag: &[u8]| {
        let name = memchr::memmem::find(tag, b" name=\"").map(|at| &tag[at + 7..]);
        let name = name
            .and_then(|name| name.split(|byte| *byte == b'"').next())
            .or_else(|| tag.split(u8::is_ascii_whitespace).next())
            .unwrap_or(tag);
        String::from_utf8_lossy(lex::last_part(name)).to_ascii_lowercase()
    };
    let vocabulary = page.vocabulary();
    let opening = &inner[memchr::memrchr(b'<', &inner[..start])? + 1..start - 1];
    let is_pair = opening.starts_with(tag)
        && vocabulary.entry.contains(&role(opening))
        && vocabulary.carrier.contains(&role(carrier));
    (is_pair && start < close).then(|| Span::new(floor + start, floor + close))
}

/// The bracket or tag around the value, as far as it stands near by: where siblings such as `name=` stand.
pub(crate) fn siblings(text: &[u8], span: Span) -> Span {
    let floor = span.start.saturating_sub(SIBLINGS_REACH);
    let mut depth = 0_usize;
    let mut start = span.start;
    while start > floor {
        match text[start - 1] {
            b'>' if is_arrow(text, start - 1) => {}
            b'}' | b')' | b']' | b'>' => depth += 1,
            b'{' | b'(' | b'[' | b'<' if depth == 0 => break,
            b'{' | b'(' | b'[' | b'<' => depth -= 1,
            b'\n' if is_blank_or_item(text, start) => break,
            _ => {}
        }
        start -= 1;
    }
    let ceiling = text.len().min(span.end + SIBLINGS_REACH);
    let mut end = span.end;
    let mut depth = 0_usize;
    while end < ceiling {
        match text[end] {
            b'>' if is_arrow(text, end) => {}
            b'{' | b'(' | b'[' | b'<' if text[end] != b'<' || text.get(end + 1) != Some(&b'/') => {
                depth += 1;
            }
            b'}' | b')' | b']' | b'>' if depth == 0 => break,
            b'}' | b')' | b']' | b'>' => depth -= 1,
            b'\n' if is_blank_or_item(text, end + 1) => break,
            _ => {}
        }
        end += 1;
    }
    Span::new(start, end)
}

/// Whether the `>` at `at` ends `=>` or `->` and no tag.
fn is_arrow(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| matches!(text[before], b'=' | b'-'))
}

/// Whether a blank line, the next list item (`- `) or the next row of a table (`| `) begins at `at`.
fn is_blank_or_item(text: &[u8], at: usize) -> bool {
    let rest = text[at..]
        .iter()
        .position(|byte| *byte != b' ' && *byte != b'\t')
        .map_or(&[][..], |skip| &text[at + skip..]);
    rest.is_empty()
        || rest.starts_with(b"\n")
        || rest.starts_with(b"\r")
        || rest.starts_with(b"- ")
        || rest.starts_with(b"|")
}
