//! The syntactic surroundings of a value: the name it is assigned to, the call it stands in, its siblings, and the
//! names of the blocks around it.

use super::blocks;
use super::blocks::Block;
use super::lex;
use super::lex::Lexeme;
use super::page::Page;
use crate::location::Span;

/// How far a statement is read to the left, in bytes.
const STATEMENT_REACH: usize = 1_000;

/// How a name is tied to the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
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
pub(super) struct Name {
    /// Where it stands.
    pub(super) span: Span,
    /// How it is tied to the value.
    pub(super) link: Link,
}

/// What stands around a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// Names tied to the value, the nearest first.
    pub(super) names: Vec<Name>,
    /// Function whose argument the value is.
    pub(super) callee: Option<Span>,
    /// From the beginning of the statement to the end of the value's bracket or line.
    pub(super) statement: Option<Span>,
    /// Blocks around it, the innermost first.
    pub(super) blocks: Vec<Block>,
    /// Whether `Bearer` stands right before it.
    pub(super) is_bearer: bool,
    /// Whether the value stands alone on its line, or in its whole text.
    pub(super) is_bare: bool,
}

/// Reads the surroundings of the value at `span`.
pub(super) fn read(page: &Page<'_>, span: Span) -> Context {
    let mut context = Context { is_bare: is_bare(page, span), ..Context::default() };
    read_statement(page, span, &mut context);
    context.blocks = blocks::around(page, span.start);
    context
}

fn is_bare(page: &Page<'_>, span: Span) -> bool {
    let text = page.text;
    let line = page.lines.around(span.start);
    let mut around = text[line.start..span.start].iter().rev().chain(&text[span.end..line.end]);
    around.all(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte))
}

/// The key before a value in PHP's serialized form: `s:7:"api_key";s:32:"value"`.
pub(super) fn serialized_key(text: &[u8], span: Span) -> Option<Span> {
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

/// Walks to the beginning of the statement and collects the names on the way.
fn read_statement(page: &Page<'_>, span: Span, context: &mut Context) {
    let text = page.text;
    let mut lexemes = lex::leftwards(text, span.start, STATEMENT_REACH);
    let mut link = Link::Adjacent;
    let mut depth = 0_usize;
    let mut start = span.start;
    let mut continues = false;
    // `bearer = value` is a name; `"Bearer " + value` is a scheme.
    let mut is_assigned = false;
    let mut is_here_string = false;
    while let Some(lexeme) = lexemes.next() {
        match lexeme {
            Lexeme::Close => depth += 1,
            Lexeme::Open(_, _) if depth > 0 => depth -= 1,
            Lexeme::Open(b'(', _) => {
                link = Link::Called;
                continues = true;
                if context.callee.is_none() {
                    context.callee = word_before(&lexemes).filter(|word| {
                        !page.vocabulary().is_conversion(&text[word.start..word.end])
                    });
                }
            }
            Lexeme::Open(bracket, _) => {
                if bracket == b'{' && !context.names.is_empty() {
                    break;
                }
                continues = true;
            }
            // Options of a command do not name what it reads (`--data-file=- <<< VALUE`).
            Lexeme::Word(word) if is_here_string && text[word.start] == b'-' => {}
            // `atob("…")` names nothing; what it is assigned to does.
            Lexeme::Word(word)
                if link == Link::Called
                    && page.vocabulary().is_conversion(&text[word.start..word.end]) =>
            {
                link = Link::Adjacent;
                continues = true;
            }
            Lexeme::Word(word) if depth == 0 => {
                if text[word.start..word.end].eq_ignore_ascii_case(b"bearer")
                    && context.names.is_empty()
                    && !is_assigned
                {
                    context.is_bearer = true;
                } else if context.names.len() < 12 {
                    context.names.push(Name { span: word, link });
                    link = Link::Adjacent;
                }
                continues = false;
            }
            Lexeme::Operator(b'/') => {
                link = Link::Path;
                continues = true;
            }
            Lexeme::Operator(b'>') if skip_tag(page, &mut lexemes) => link = Link::Adjacent,
            Lexeme::Operator(byte) => {
                is_here_string |= byte == b'<' && text[lexemes.offset()..].starts_with(b"<<");
                is_assigned |= matches!(byte, b'=' | b':' | b'>');
                link = if matches!(byte, b'?' | b'|') { Link::Fallback } else { Link::Assigned };
                continues = true;
            }
            Lexeme::Comma => {
                link = Link::Listed;
                continues = true;
            }
            Lexeme::Newline if depth == 0 && announces(&lexemes, context) => {}
            Lexeme::Newline
                if depth == 0 && !goes_on(&lexemes, continues || context.names.is_empty()) =>
            {
                break;
            }
            Lexeme::Semicolon if depth == 0 && !is_entity(text, lexemes.offset()) => break,
            Lexeme::Word(_) | Lexeme::Newline | Lexeme::Semicolon => {}
        }
        start = lexemes.offset();
    }
    context.statement = Some(Span::new(start, statement_end(text, span.end)));
}

/// Passes over an HTML tag that only marks up its content, if one ends here.
fn skip_tag(page: &Page<'_>, lexemes: &mut lex::Leftwards<'_>) -> bool {
    let text = page.text;
    let end = lexemes.offset();
    let Some(start) = text[end.saturating_sub(200)..end].iter().rposition(|byte| *byte == b'<')
    else {
        return false;
    };
    let start = end.saturating_sub(200) + start;
    let inner = text[start + 1..end].strip_prefix(b"/").unwrap_or(&text[start + 1..end]);
    let name = inner.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let tag = String::from_utf8_lossy(&inner[..name]).to_ascii_lowercase();
    let is_markup = page.vocabulary().markup.contains(&tag);
    if is_markup {
        lexemes.jump_to(start);
    }
    is_markup
}

/// Whether a statement goes on in the line above: that line ends in an operator, comma or bracket, or nothing was said
/// yet that could be the value's name.
fn goes_on(lexemes: &lex::Leftwards<'_>, unfinished: bool) -> bool {
    match lexemes.clone().next() {
        Some(Lexeme::Operator(_) | Lexeme::Open(b'(' | b'[', _)) => true,
        Some(Lexeme::Comma) => unfinished,
        _ => false,
    }
}

/// Whether a value stands alone on its line, and the text above, which may be a blank line away, ends in a colon.
fn announces(lexemes: &lex::Leftwards<'_>, context: &Context) -> bool {
    let is_first = context.is_bare && context.names.is_empty();
    let mut above = lexemes.clone().skip_while(|lexeme| *lexeme == Lexeme::Newline);
    is_first && above.next() == Some(Lexeme::Operator(b':'))
}

/// Whether the semicolon ends an HTML entity.
fn is_entity(text: &[u8], at: usize) -> bool {
    let word = text[..at]
        .iter()
        .rev()
        .take(8)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#')
        .count();
    word > 0 && at > word && text[at - word - 1] == b'&'
}

fn word_before(lexemes: &lex::Leftwards<'_>) -> Option<Span> {
    match lexemes.clone().next() {
        Some(Lexeme::Word(word)) => Some(word),
        _ => None,
    }
}

/// The end of the value's bracket, statement or line, at most 300 bytes on.
fn statement_end(text: &[u8], from: usize) -> usize {
    let window = &text[from..text.len().min(from + 300)];
    let mut depth = 0_i32;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'\n' | b';' if depth <= 0 => return from + at,
            _ => {}
        }
        if depth < 0 {
            return from + at;
        }
    }
    from + window.len()
}

/// The bracket or tag around the value, as far as it stands within 300 bytes: where siblings such as `name=` stand.
pub(super) fn siblings(text: &[u8], span: Span) -> Span {
    let floor = span.start.saturating_sub(300);
    let mut depth = 0_usize;
    let mut start = span.start;
    while start > floor {
        match text[start - 1] {
            b'}' | b')' | b']' | b'>' => depth += 1,
            b'{' | b'(' | b'[' | b'<' if depth == 0 => break,
            b'{' | b'(' | b'[' | b'<' => depth -= 1,
            b'\n' if is_blank_or_item(text, start) => break,
            _ => {}
        }
        start -= 1;
    }
    let ceiling = text.len().min(span.end + 300);
    let mut end = span.end;
    let mut depth = 0_usize;
    while end < ceiling {
        match text[end] {
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

/// Whether a blank line or the next list item (`- `) begins at `at`.
fn is_blank_or_item(text: &[u8], at: usize) -> bool {
    let rest = text[at..]
        .iter()
        .position(|byte| *byte != b' ' && *byte != b'\t')
        .map_or(&[][..], |skip| &text[at + skip..]);
    rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r") || rest.starts_with(b"- ")
}
