//! Names that stand beside a value: in its bracket or tag, in its record, around its block.

use super::label::Label;
use super::label::Meaning;
use super::naming::MAX_SIBLINGS;
use super::naming::Namer;
use crate::detect::page::blocks;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::items;
use crate::detect::page::lex;
use crate::detect::page::lex::Lexeme;
use crate::detect::page::urls;
use crate::location::Span;

/// The rank of a name that says nothing.
const SAYS_NOTHING: u8 = 9;
/// The rank of a literal that is another provider's name.
const OWNER: u8 = SAYS_NOTHING - 1;

impl Namer<'_> {
    /// A name among the siblings of a value whose own name only carries it (`name="X" value="…"`): in the value's own
    /// bracket or tag, or else in its statement, or else around its block.
    pub(crate) fn sibling_label(&self, span: Span, context: &Context) -> Option<Label> {
        let around = self.in_mapping(context::siblings(self.page.text, span), span);
        let around = self.in_statement(around, span, context);
        let line_end = self.page.lines.around(span.start).end.max(span.end);
        // What comes in later lines names what stands there, as long as there is another name.
        let upward = Span::new(around.start, around.end.min(line_end));
        // `put path/of/acme public=… private=VALUE`
        let own = Span::new(self.page.lines.around(span.start).start.max(around.start), span.start);
        if self.rivals.named_plainly_in(self.page.slice(own)) {
            return self.best_label(own, span);
        }
        let nearest = self.entry_label(around, span).or_else(|| self.best_label(upward, span));
        nearest.or_else(|| self.best_label(around, span)).or_else(|| {
            let statement = context.statement?;
            let wider = Span::new(around.start.min(statement.start), around.end.max(statement.end));
            let wider = self.in_mapping(wider, span);
            self.entry_label(wider, span)
                .or_else(|| self.best_label(wider, span))
                .or_else(|| self.label_of_block(span, context))
                .or_else(|| self.label_of_record(span))
                .or_else(|| self.label_of_columns(span, context))
        })
    }

    /// What of `around` stands in the value's own statement, if no bracket or tag holds them together: what stands above in code, or
    /// what other commands are told (`set --name "NAME" --value VALUE`), is about something else.
    fn in_statement(&self, around: Span, span: Span, context: &Context) -> Span {
        let text = self.page.text;
        let is_held =
            around.start.checked_sub(1).is_some_and(|before| b"{([<".contains(&text[before]));
        let own = self.page.lines.around(span.start);
        let before = Span::new(own.start.max(around.start), span.start);
        let is_command = || memchr::memmem::find(self.page.slice(before), b" --").is_some();
        let statement = context.statement.filter(|_| self.page.is_code() || is_command());
        match statement.filter(|_| !is_held) {
            Some(statement) => {
                Span::new(around.start.max(statement.start.min(own.start)), around.end)
            }
            None => around,
        }
    }

    /// What of `around` stands in the mapping of YAML in which the value does: lines that are indented less are about more than it.
    fn in_mapping(&self, around: Span, span: Span) -> Span {
        let own = self.page.lines.around(span.start);
        // A dash is part of the indentation of what stands behind it.
        let column = |line: Span| {
            let (column, is_dash) = items::column(self.page.slice(line))?;
            Some((column + if is_dash { 2 } else { 0 }, is_dash))
        };
        let Some((level, own_dash)) = column(own).filter(|_| self.page.is_yaml()) else {
            return around;
        };
        let mut start = own.start;
        let above = self.page.lines.above(own).take_while(|line| line.end > around.start);
        for line in above {
            let Some((column, is_dash)) = column(line) else { continue };
            if column < level || own_dash {
                break;
            }
            start = line.start;
            if is_dash && column == level {
                break;
            }
        }
        Span::new(around.start.max(start), around.end)
    }

    /// The name that a value has in a list of pairs (`{ "key": "X-Request-Id", "value": VALUE }`), if it says something.
    pub(crate) fn entry_label(&self, around: Span, span: Span) -> Option<Label> {
        let text = self.page.text;
        let before = lex::leftwards(text, span.start, span.start.saturating_sub(around.start));
        let words = before.filter_map(|lexeme| match lexeme {
            Lexeme::Word(word) => Some(word),
            _ => None,
        });
        // A statement that has ended says nothing of the next.
        let words = words.take_while(|word| !self.has_statement_between(word.end, span.start));
        let names = words.take(MAX_SIBLINGS).filter(|word| self.is_entry(*word));
        let mut names = names.filter(|word| !self.has_ended(*word, span.start));
        let label = names.find_map(|entry| Some(self.read_span(self.entry_name(entry)?)));
        let label = label.or_else(|| self.label_of_condition(span))?;
        let says_something = !matches!(label.meaning, Meaning::Carrier | Meaning::Unknown);
        (says_something || label.names_provider).then_some(label)
    }

    /// Whether a statement of SQL or the like has ended between two places.
    fn has_statement_between(&self, from: usize, to: usize) -> bool {
        memchr::memmem::find(&self.page.text[from.min(to)..to], b";\n").is_some()
    }

    /// The name of the row that is given the value (`SET value = VALUE WHERE name = NAME`).
    fn label_of_condition(&self, span: Span) -> Option<Label> {
        const REACH: usize = 120;
        const WHERE: &[u8] = b" where ";
        let line = self.page.lines.around(span.start);
        let end = line.end.min(span.end + REACH).max(span.end);
        let behind = self.page.text[span.end..end].to_ascii_lowercase();
        let from = span.end + memchr::memmem::find(&behind, WHERE)? + WHERE.len();
        let word = self.page.text[from..end].iter().take_while(|byte| lex::is_name(**byte)).count();
        let entry = Span::new(from, from + word);
        let is_entry = lex::subwords(self.page.slice(entry))
            .last()
            .is_some_and(|word| self.page.vocabulary().entry.contains(word));
        is_entry.then(|| self.entry_name(entry).map(|name| self.read_span(name)))?
    }

    /// Whether the mapping of YAML in which a key stands has ended before `at`: a line between them is indented less.
    fn has_ended(&self, key: Span, at: usize) -> bool {
        let line = self.page.lines.around(key.start);
        let level = key.start - line.start;
        let lines = self.page.lines.below(line).take(MAX_SIBLINGS);
        let mut between = lines.take_while(|line| line.end < at);
        let is_less = |line: Span| {
            items::column(self.page.slice(line)).is_some_and(|(column, _)| column < level)
        };
        self.page.is_yaml() && between.any(is_less)
    }

    /// What stands behind the word for a name (`"key": "NAME"`, `name: NAME`, `<name>NAME<`).
    fn entry_name(&self, entry: Span) -> Option<Span> {
        const LONGEST: usize = 60;
        let text = self.page.text;
        let rest = &text[entry.end..text.len().min(entry.end + LONGEST)];
        let gap = rest.iter().take_while(|byte| b"\"': =>\t".contains(byte)).count();
        // `--name "NAME"`
        let is_option = text[..entry.start].ends_with(b"--");
        let is_told =
            is_option || rest[..gap].iter().any(|byte| matches!(byte, b':' | b'=' | b'>'));
        let quote = rest[..gap].last().copied().filter(|byte| b"\"'".contains(byte) && gap > 1);
        let ends = |byte: &u8| match quote {
            Some(quote) => *byte == quote,
            None => b"\n\r<,".contains(byte),
        };
        let length = rest[gap..].iter().position(ends).filter(|_| is_told)?;
        (length > 0).then(|| Span::new(entry.end + gap, entry.end + gap + length))
    }

    /// Whether a name is one that holds another name (`key`, `name`, `header`).
    pub(crate) fn is_entry(&self, word: Span) -> bool {
        let name = self.page.slice(word).to_ascii_lowercase();
        str::from_utf8(&name).is_ok_and(|name| self.page.vocabulary().entry.contains(name))
    }

    /// A name beside the block of a value (`{ name: "X", properties: { value: VALUE } }`), if that block has no name of its
    /// own and this one leaves no doubt.
    fn label_of_block(&self, span: Span, context: &Context) -> Option<Label> {
        let generic = &self.page.vocabulary().generic_block;
        let block = context.blocks.first().filter(|block| block.is_data)?;
        let name = lex::subwords(self.header_name(block)?);
        name.iter().all(|word| generic.contains(word)).then_some(())?;
        let end = blocks::end(self.page, block.start)?.max(span.end);
        let block = Span::new(block.header.start, (end + 1).min(self.page.text.len()));
        let label = self.best_label(context::siblings(self.page.text, block), span)?;
        (label.names_provider && label.meaning == Meaning::Credential).then_some(label)
    }

    /// The name of a record whose elements stand in a line each (`<record>`, `<name>NAME</name>`, …, `<value>VALUE</value>`).
    fn label_of_record(&self, span: Span) -> Option<Label> {
        let own = self.page.lines.around(span.start);
        let is_element = |line: &Span| {
            let line = self.page.slice(*line).trim_ascii();
            let ends = line.ends_with(b"/>") || memchr::memmem::find(line, b"</").is_some();
            line.starts_with(b"<") && ends
        };
        let above = self.page.lines.above(own).take(MAX_SIBLINGS).take_while(is_element);
        let mut lines = above.filter(|_| is_element(&own));
        lines.find_map(|line| {
            let text = self.page.slice(line);
            let open = memchr::memchr(b'<', text)? + 1;
            let length = memchr::memchr(b'>', &text[open..])?;
            let entry = Span::new(line.start + open, line.start + open + length);
            self.is_entry(entry).then_some(())?;
            let label = self.read_span(self.entry_name(entry)?);
            (label.names_provider || label.meaning == Meaning::Credential).then_some(label)
        })
    }

    /// The name that another item of the value's list, an item for each column of a row, has under the value's key
    /// (`- name: code`, `value: NAME`, `- name: content`, `value: VALUE`).
    fn label_of_columns(&self, span: Span, context: &Context) -> Option<Label> {
        let list = items::around(self.page, span, &context.blocks).first()?.list;
        let own = self.page.lines.around(span.start);
        let key = self.page.slice(own).trim_ascii_start();
        let key = &key[..=memchr::memchr(b':', key)?];
        let is_part = |byte: &u8| lex::is_word(*byte) || b"\"':".contains(byte);
        key.iter().all(is_part).then_some(())?;
        let lines = self.page.lines.above(own).take(MAX_SIBLINGS);
        let mut lines = lines.take_while(|line| line.start >= list.start);
        lines.find_map(|line| {
            let value = self.page.slice(line).trim_ascii().strip_prefix(key)?.trim_ascii();
            let label = self.read(value);
            (label.names_provider && label.meaning == Meaning::Credential).then_some(label)
        })
    }

    /// The name within `around` that says most about whose credential the value is.
    fn best_label(&self, around: Span, span: Span) -> Option<Label> {
        let words = lex::leftwards(self.page.text, around.end, around.len());
        let ranked = words.filter_map(|lexeme| match lexeme {
            // `"key": "If-Match"` is about another name, which was looked at.
            Lexeme::Word(word) if self.is_entry(word) && self.page.is_key(word.end) => None,
            Lexeme::Word(word)
                if self.is_reference(word) || self.is_in_url(word) || self.is_style(word) =>
            {
                None
            }
            Lexeme::Word(word) if !word.overlaps(span) => Some(match self.rank(word) {
                // `new Partner("crm", …, VALUE)`
                SAYS_NOTHING if self.is_rival_literal(word) => (OWNER, word),
                rank => (rank, word),
            }),
            _ => None,
        });
        let ranked: Vec<(u8, Span)> = ranked.take(MAX_SIBLINGS).collect();
        let best = ranked.iter().min_by_key(|(rank, _)| *rank);
        let (_, best) = *best.filter(|(rank, _)| *rank < SAYS_NOTHING)?;
        let label = self.read_text(best);
        // `<t>us</t> … <t>somebody else</t> … <t>VALUE</t>`
        let is_text = |word: &Span| {
            self.page.text[..word.start].ends_with(b">")
                && self.page.text[word.end..].starts_with(b"<")
        };
        let between = ranked.iter().map(|(_, word)| *word);
        let between = between.filter(|word| best.end < word.start && word.end < span.start);
        let mut others = between.filter(is_text).map(|word| self.read_span(word));
        let rival = others.find(|other| other.meaning == Meaning::Rival);
        rival.filter(|_| label.meaning != Meaning::Credential).or(Some(label))
    }

    /// Whether a word is a literal of its own, the name of another provider.
    fn is_rival_literal(&self, word: Span) -> bool {
        self.is_literal(word) && self.read_span(word).meaning == Meaning::Rival
    }

    /// Whether a word says how an element looks (`class="…"`).
    fn is_style(&self, word: Span) -> bool {
        let before = &self.page.text[word.start.saturating_sub(100)..word.start];
        let quote = memchr::memrchr2(b'"', b'\n', before);
        quote.is_some_and(|at| {
            before[..at].ends_with(b" class=") || before[..at].ends_with(b" style=")
        })
    }

    /// Whether a word stands in a URL, which calls nothing by its name.
    fn is_in_url(&self, word: Span) -> bool {
        let url = urls::glued(self.page.text, word, 100);
        memchr::memmem::find(&self.page.text[url.start..word.start], b"://").is_some()
    }

    /// Whether a name stands for a value of its own that comes from elsewhere (`$_ENV['NAME']`, `process.env.NAME`).
    fn is_reference(&self, word: Span) -> bool {
        let text = self.page.text;
        let before = text[..word.start].trim_ascii_end();
        let before =
            before.strip_suffix(b"'").or_else(|| before.strip_suffix(b"\"")).unwrap_or(before);
        let opened = before.strip_suffix(b"(").or_else(|| before.strip_suffix(b"["));
        let function = opened.map(|text| {
            let length = text.iter().rev().take(40).take_while(|byte| lex::is_word(**byte)).count();
            &text[text.len() - length..]
        });
        let name = self.page.slice(word);
        let object = name.iter().rposition(|byte| *byte == b'.').map(|dot| &name[..dot]);
        let is_source = |word: &str| self.page.vocabulary().reference_word.contains(word);
        function.into_iter().chain(object).any(|name| lex::any_subword(name, is_source))
    }

    /// Reads a word, and where it ends a text in quotes of several words, that text (`"Algolia search key"`).
    fn read_text(&self, word: Span) -> Label {
        const LONGEST: usize = 60;
        let before = &self.page.text[word.start.saturating_sub(LONGEST)..word.start];
        let quote = self.page.text.get(word.end).filter(|quote| b"\"'".contains(quote));
        let start = quote.and_then(|quote| memchr::memrchr2(*quote, b'\n', before));
        let text = start.map(|at| Span::new(word.start - before.len() + at + 1, word.end));
        let label = text.filter(|_| before.ends_with(b" ")).map(|text| self.read_span(text));
        label
            .filter(|label| label.meaning == Meaning::Rival)
            .unwrap_or_else(|| self.read_path(word))
    }

    /// Reads the last part of a path (`/app/keycloak/client-secret`), which may say whose it is.
    pub(crate) fn read_path(&self, word: Span) -> Label {
        let is_part = |byte: &u8| lex::is_word(*byte) || *byte == b'/';
        let before = self.page.text[..word.start].iter().rev().take(100);
        let start = word.start - before.take_while(|byte| is_part(byte)).count();
        let whole = self.read_span(Span::new(start, word.end));
        let says_whose = whole.names_provider || whole.meaning == Meaning::Rival;
        if says_whose { whole } else { self.read_span(word) }
    }

    /// How much a name among siblings says, the least number the most.
    fn rank(&self, word: Span) -> u8 {
        let name = self.page.slice(word);
        if let Some(rank) = self.page.ranks.borrow().get(name) {
            return *rank;
        }
        let label = self.read(name);
        let rank = match label.meaning {
            Meaning::Credential if label.names_provider => 0,
            Meaning::Rival if label.words.len() == 1 => SAYS_NOTHING,
            Meaning::Rival | Meaning::OtherPurpose => 1,
            _ if label.names_provider => 2,
            Meaning::ForeignCredential => 3,
            Meaning::Credential => 4,
            _ => SAYS_NOTHING,
        };
        self.page.ranks.borrow_mut().insert(name, rank);
        rank
    }
}
