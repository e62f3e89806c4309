//! The statement in which a value stands: read leftwards from it, with the names that syntax ties to it.

use super::Page;
use super::blocks;
use super::context::Context;
use super::context::Link;
use super::context::Name;
use super::lex;
use super::lex::Lexeme;
use super::randomness;
use crate::location::Span;

/// How far a statement is read to the left, in bytes.
const STATEMENT_REACH: usize = 1_000;

/// How far on either side a line is read to tell what kind of line it is, in bytes.
const LINE_REACH: usize = 4 * 1024;

/// Names of a statement that are kept.
const MAX_NAMES: usize = 12;

/// Walks to the beginning of the statement and collects the names on the way.
pub(crate) fn read(page: &Page<'_>, span: Span, context: &mut Context) {
    let before = before_escaped_quote(page.text, span.start);
    let mut walk = Walk {
        page,
        at: span.start,
        lexemes: lex::leftwards(page.text, before, STATEMENT_REACH),
        context,
        link: Link::Adjacent,
        depth: 0,
        continues: false,
        is_assigned: false,
        is_here_string: false,
        is_typed: false,
        crossed: 0,
    };
    let mut start = span.start;
    while let Some(lexeme) = walk.lexemes.next() {
        if !walk.take(lexeme) {
            break;
        }
        start = walk.lexemes.offset();
    }
    context.statement = Some(Span::new(start, statement_end(page.text, span.end)));
}

/// Where the entity begins that is the quote before a value in markup (`<pre>&#x27;VALUE`), or else the value.
fn before_escaped_quote(text: &[u8], start: usize) -> usize {
    const QUOTES: [&[u8]; 6] = [b"&quot;", b"&#39;", b"&#x27;", b"&apos;", b"&#34;", b"&#x22;"];
    let before = &text[..start];
    let quote = QUOTES.iter().find(|quote| before.ends_with(quote));
    start - quote.map_or(0, |quote| quote.len())
}

/// How far a statement was read.
#[expect(clippy::struct_excessive_bools, reason = "each tells something else that was read")]
struct Walk<'p, 't, 'c> {
    page: &'p Page<'t>,
    /// Where the value begins.
    at: usize,
    lexemes: lex::Leftwards<'t>,
    context: &'c mut Context,
    /// How the next name is tied to the value.
    link: Link,
    /// Brackets that close before the value.
    depth: usize,
    /// Whether what was read last cannot begin a statement.
    continues: bool,
    /// Whether an assignment was read: `bearer = value` is a name; `"Bearer " + value` is a scheme.
    is_assigned: bool,
    /// Whether `<<<` was read.
    is_here_string: bool,
    /// Whether a word of the value's type was read.
    is_typed: bool,
    /// Elements of XML that stand in the lines above.
    crossed: usize,
}

impl Walk<'_, '_, '_> {
    /// Takes the next lexeme; `false` if the statement begins behind it.
    fn take(&mut self, lexeme: Lexeme) -> bool {
        let text = self.page.text;
        match lexeme {
            Lexeme::Close => self.close(),
            Lexeme::Open(_, _) if self.depth > 0 => self.depth -= 1,
            Lexeme::Open(bracket, _) => return self.open(bracket),
            Lexeme::Word(word) => self.word(word),
            Lexeme::Operator(byte) => self.operator(byte),
            Lexeme::Comma => self.go_on(Link::Listed),
            Lexeme::Newline => return self.depth > 0 || self.goes_on_above(),
            // `NAME:Ljava/lang/String; = VALUE`: a type of bytecode.
            Lexeme::Semicolon => {
                let at = self.lexemes.offset();
                return self.depth > 0 || is_entity(text, at) || is_assigned_to(text, at);
            }
        }
        true
    }

    fn go_on(&mut self, link: Link) {
        self.link = link;
        self.continues = true;
    }

    fn close(&mut self) {
        let is_first = self.context.names.is_empty() && self.link == Link::Adjacent;
        // `${NAME}    VALUE`, as Robot Framework writes it.
        let name = braced_name(self.page.text, self.lexemes.offset());
        if let Some(name) = name.filter(|_| is_first && self.depth == 0) {
            self.context.names.push(Name { span: name, link: Link::Assigned });
            self.lexemes.jump_to(name.start - 2);
            return;
        }
        if let Some(field) = self.field_filled_in() {
            self.context.names = vec![Name { span: field, link: Link::Assigned }];
            self.link = Link::Adjacent;
        }
        // `os.environ["NAME"] = VALUE`, `getenv('NAME') ?: VALUE`
        if self.depth == 0
            && self.context.names.is_empty()
            && let Some(name) = self.bracketed_name()
        {
            self.context.names.push(Name { span: name, link: self.link });
            self.link = Link::Adjacent;
        }
        self.depth += 1;
    }

    /// The name, in quotes or not, that is all a bracket holds which closes directly before an assignment or a fallback. Where PHP
    /// shows an object, more follows (`["NAME":protected]=>`).
    fn bracketed_name(&self) -> Option<Span> {
        const SHORTEST: usize = 4;
        let (text, end) = (self.page.text, self.lexemes.offset());
        let is_asked = match self.link {
            Link::Assigned => text[end] == b']',
            Link::Fallback => b"])".contains(&text[end]),
            _ => false,
        };
        let floor = end.saturating_sub(80);
        let before = text.get(floor..end).filter(|_| is_asked)?;
        let open = floor + memchr::memrchr3(b'[', b'(', b'\n', before)? + 1;
        let inner = &text[open..end];
        let quote = inner.first().copied().filter(|byte| b"\"'".contains(byte));
        let start = open + usize::from(quote.is_some());
        let length = text[start..end].iter().take_while(|byte| lex::is_word(**byte)).count();
        let name = Span::new(start, start + length);
        let is_whole = match quote {
            Some(quote) => {
                let rest = text[name.end..end].strip_prefix(&[quote]);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b":"))
            }
            // `env[NAME] = VALUE`; a place in a list is a number or a letter.
            None => name.end == end && text[end] == b']' && length >= SHORTEST,
        };
        (is_whole && !name.is_empty()).then_some(name)
    }

    /// The string that names the field which a method fills in with the value (`page.getByLabel('NAME').fill(VALUE)`).
    fn field_filled_in(&self) -> Option<Span> {
        const LONGEST: usize = 120;
        let (text, end) = (self.page.text, self.lexemes.offset());
        let [Name { span: method, link: Link::Called }] = self.context.names[..] else {
            return None;
        };
        let is_called = text[end] == b')' && text[end + 1..method.start].trim_ascii().is_empty();
        let method = self.page.slice(method).strip_prefix(b".")?;
        (is_called && self.depth == 0).then_some(())?;
        let method = String::from_utf8_lossy(method).to_ascii_lowercase();
        self.page.vocabulary().entering.contains(&method).then_some(())?;
        let floor = end.saturating_sub(LONGEST);
        let is_quote = |byte: &u8| b"\"'`".contains(byte);
        let close = floor + text[floor..end].iter().rposition(is_quote)?;
        let open = floor + text[floor..close].iter().rposition(|byte| *byte == text[close])?;
        Some(Span::new(open + 1, close))
    }

    fn open(&mut self, bracket: u8) -> bool {
        if bracket == b'(' && self.is_in_sentence() {
            self.go_on(Link::Adjacent);
        } else if bracket == b'(' {
            self.go_on(Link::Called);
            if self.context.callee.is_none() {
                let word = word_before(&self.lexemes);
                self.context.callee = word.filter(|word| !self.converts(*word));
            }
        } else if bracket == b'{' && !self.context.names.is_empty() {
            return false;
        }
        self.continues = true;
        true
    }

    /// Whether the bracket that was read opens in prose (`the token (VALUE)`).
    fn is_in_sentence(&self) -> bool {
        let before = &self.page.text[..self.lexemes.offset()];
        !self.page.is_code() && before.ends_with(b" ")
    }

    fn word(&mut self, word: Span) {
        let (text, written) = (self.page.text, self.page.slice(word));
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
        // `@{f('VALUE')}`, as workflows write what is computed.
        if !written.iter().any(is_letter) {
            return;
        }
        // Options of a command do not name what it reads (`--data-file=- <<< VALUE`).
        if self.is_here_string && written.starts_with(b"-") {
            return;
        }
        // `atob("…")` names nothing; what it is assigned to does.
        if self.link == Link::Called && self.converts(word) {
            self.go_on(Link::Adjacent);
            return;
        }
        let is_first = self.context.names.is_empty();
        // `b"VALUE"`, `N'VALUE'`
        if is_first
            && word.len() <= 2
            && word.end + 1 == self.at
            && b"\"'".contains(&text[word.end])
        {
            return;
        }
        // A type stands between the name and the value (`key: SecretStr = VALUE`, `key As String = VALUE`).
        if is_first && self.link != Link::Called && (self.converts(word) || self.declares(word)) {
            self.is_typed = true;
            return;
        }
        // Another value (`test ? VALUE : VALUE`) names nothing.
        if self.depth > 0 || randomness::is_drawn(written) && self.is_in_line(word) {
            return;
        }
        if written.eq_ignore_ascii_case(b"bearer") && is_first && !self.is_assigned {
            self.context.is_bearer = true;
        } else if self.context.names.len() < MAX_NAMES {
            self.context.names.push(Name { span: word, link: self.link });
            self.link = Link::Adjacent;
        }
        self.continues = false;
    }

    fn operator(&mut self, byte: u8) {
        let text = self.page.text;
        if let Some(start) = symbol_before(text, self.lexemes.offset()) {
            self.lexemes.jump_to(start);
        } else if byte == b'/' {
            self.go_on(Link::Path);
        } else if byte == b'|' && cells(text, self.lexemes.offset()) == Some(2) {
            // The first of two cells says what the value is, as a word would.
            self.go_on(Link::Adjacent);
        } else if byte == b'>' && skip_tag(self.page, &mut self.lexemes) {
            self.link = Link::Adjacent;
        } else if byte == b'>'
            && self.depth == 0
            && name_in_tag(self.page, &mut self.lexemes, self.context)
        {
            // `<string name="NAME" translatable="false">VALUE`
            self.link = Link::Adjacent;
            self.is_assigned = true;
            self.continues = false;
        } else {
            self.is_here_string |= byte == b'<' && text[self.lexemes.offset()..].starts_with(b"<<");
            self.is_assigned |= matches!(byte, b'=' | b':' | b'>');
            let is_elvis = byte == b':' && text[self.lexemes.offset()] == b'?';
            let is_choice = matches!(byte, b'?' | b'|') || is_elvis;
            self.go_on(if is_choice { Link::Fallback } else { Link::Assigned });
        }
    }

    /// Whether the statement goes on in the line above.
    fn goes_on_above(&mut self) -> bool {
        let (text, at) = (self.page.text, self.lexemes.offset());
        let is_unfinished =
            self.continues || self.context.names.is_empty() || self.is_among_arguments(at);
        announces(&self.lexemes, self.context)
            || !leaves_element(text, at, &mut self.crossed)
                && goes_on(text, &self.lexemes, is_unfinished)
                && !(self.is_assigned && ends_in_empty_assignment(text, at))
                && !(self.is_assigned && self.page.is_yaml() && text[..at].ends_with(b":"))
    }

    /// Whether arguments of a call stand before `at` that have only their place, no names, as the value.
    fn is_among_arguments(&self, at: usize) -> bool {
        let open = blocks::brackets(self.page, at).next();
        let is_call = |open: usize| {
            self.page.text[open] == b'(' && !blocks::is_declared_in(self.page.text, open)
        };
        !self.is_assigned && open.is_some_and(is_call)
    }

    /// Whether a word stands in the value's own line.
    fn is_in_line(&self, word: Span) -> bool {
        self.page.lines.around(word.start).end > self.at
    }

    /// Whether a word belongs to a declaration: one before a type (`As`), or what stands right before the value (`Name: Label 'VALUE'`,
    /// `name TYPE string VALUE 'VALUE'`).
    fn declares(&self, word: Span) -> bool {
        let text = self.page.text;
        let lower = String::from_utf8_lossy(self.page.slice(word)).to_lowercase();
        let is_last = self.link == Link::Adjacent
            && self.page.is_code()
            && text[word.end..].starts_with(b" '");
        let is_behind_type = || {
            text[..word.start].trim_ascii_end().ends_with(b":")
                || word_before(&self.lexemes).is_some_and(|before| self.converts(before))
        };
        self.is_typed && self.page.vocabulary().declaring.contains(&lower)
            || is_last && is_behind_type()
    }

    fn converts(&self, word: Span) -> bool {
        self.page.vocabulary().is_conversion(self.page.slice(word))
    }
}

/// The name in `${NAME}`, whose closing brace stands at `end`.
fn braced_name(text: &[u8], end: usize) -> Option<Span> {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ');
    let length = text[..end].iter().rev().take(60).take_while(is_part).count();
    let is_brace = text[end] == b'}' && length > 0 && text[..end - length].ends_with(b"${");
    is_brace.then(|| Span::new(end - length, end))
}

/// Where a chat's symbol (`:point_right:`) begins whose last colon stands at `end`; it says nothing.
fn symbol_before(text: &[u8], end: usize) -> Option<usize> {
    let is_part = |byte: &&u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'+' | b'-');
    let length = text[..end].iter().rev().take(40).take_while(is_part).count();
    let start = end.checked_sub(length + 1)?;
    let is_alone = start.checked_sub(1).is_none_or(|at| b" \"'\n".contains(&text[at]));
    (length > 1 && is_alone && text[start] == b':' && text[end..].starts_with(b": "))
        .then_some(start)
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

/// Passes over a tag with attributes, if one ends here, and keeps what its attributes or else itself name the value.
fn name_in_tag(page: &Page<'_>, lexemes: &mut lex::Leftwards<'_>, context: &mut Context) -> bool {
    let end = lexemes.offset();
    let reach = end.saturating_sub(300);
    let Some(start) = memchr::memrchr2(b'<', b'>', &page.text[reach..end]).map(|at| reach + at)
    else {
        return false;
    };
    let inner = &page.text[start + 1..end];
    let tag = inner.iter().take_while(|byte| lex::is_word(**byte) || **byte == b':').count();
    let is_tag =
        page.text[start] == b'<' && tag > 0 && inner.get(tag).is_some_and(u8::is_ascii_whitespace);
    if !is_tag || !matches!(inner.last(), Some(b'"' | b'\'')) || !context.names.is_empty() {
        return false;
    }
    let mut keep = |span| context.names.push(Name { span, link: Link::Assigned });
    let mut at = start + 1 + tag;
    for attribute in inner[tag..].split(|byte| byte.is_ascii_whitespace()) {
        let name = attribute.split(|byte| *byte == b'=').next().unwrap_or_default();
        let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
        let quoted = attribute.get(name.len() + 1..).unwrap_or_default();
        let value = at + name.len() + 2;
        if page.vocabulary().identity.contains(&lower) && quoted.len() > 2 {
            keep(Span::new(value, value + quoted.len() - 2));
        }
        at += attribute.len() + 1;
    }
    keep(Span::new(start + 1, start + 1 + tag));
    lexemes.jump_to(start);
    true
}

/// Whether a statement goes on in the line above: that line ends in an operator, comma or bracket, or nothing was said
/// yet that could be the value's name.
fn goes_on(text: &[u8], lexemes: &lex::Leftwards<'_>, unfinished: bool) -> bool {
    match lexemes.clone().next() {
        // A masked value ends in stars, a row of a table in a bar.
        Some(Lexeme::Operator(byte)) => {
            byte != b'*' && !(byte == b'|' && cells(text, lexemes.offset()).is_some())
        }
        Some(Lexeme::Open(b'(' | b'[', _)) => true,
        // `NAME[] = {`, as C and its like write lists.
        Some(Lexeme::Open(b'{', at)) => unfinished && text[..at].trim_ascii_end().ends_with(b"="),
        Some(Lexeme::Comma) => unfinished,
        _ => false,
    }
}

/// How many cells the line of `at` has, if it is the row of a table that bars draw.
fn cells(text: &[u8], at: usize) -> Option<usize> {
    let line = crate::location::line_within(text, at, LINE_REACH);
    let row = text[line.start..line.end].trim_ascii().strip_prefix(b"|")?;
    Some(memchr::memchr_iter(b'|', row.strip_suffix(b"|").unwrap_or(row)).count() + 1)
}

/// Whether a value stands alone on its line, and the text above, which may be a blank line away, ends in a colon.
fn announces(lexemes: &lex::Leftwards<'_>, context: &Context) -> bool {
    let is_first = context.is_bare && context.names.is_empty();
    let mut above = lexemes.clone().skip_while(|lexeme| *lexeme == Lexeme::Newline);
    is_first && above.next() == Some(Lexeme::Operator(b':'))
}

/// Whether a line of markup that ends at `end` says nothing of the line below: it opens or closes an element around others, or
/// another element stands between.
fn leaves_element(text: &[u8], end: usize, crossed: &mut usize) -> bool {
    let line = crate::location::line_within(text, end, LINE_REACH);
    let line = text[line.start..end].trim_ascii();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if !line.starts_with(b"<") || !line.ends_with(b">") {
        return false;
    }
    *crossed += 1;
    let is_whole = memchr::memmem::find(line, b"</").is_some() || line.ends_with(b"/>");
    *crossed > 1 || line.starts_with(b"</") || !is_whole
}

/// Whether a line that ends at `end` has a name and nothing behind its `=`, as unset variables have.
fn ends_in_empty_assignment(text: &[u8], end: usize) -> bool {
    let line = crate::location::line_within(text, end, LINE_REACH);
    let line = text[line.start..end].trim_ascii();
    let name = line.strip_suffix(b"=").unwrap_or_default();
    !name.is_empty() && name.iter().all(|byte| lex::is_word(*byte))
}

/// Whether the semicolon before `at` is followed by an equals sign.
fn is_assigned_to(text: &[u8], at: usize) -> bool {
    let behind = text[at..].iter().skip(1).find(|byte| **byte != b' ');
    behind == Some(&b'=')
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
