//! Finds the name that says what a value is: tied to it, or else a sibling's, a column's, an enclosing block's, or the
//! file's.

use super::blocks;
use super::blocks::Block;
use super::columns;
use super::columns::Column;
use super::console;
use super::context;
use super::context::Context;
use super::context::Link;
use super::context::Name;
use super::label::Label;
use super::label::Meaning;
use super::lex;
use super::lex::Lexeme;
use super::page::Page;
use super::rivals::Rivals;
use crate::location::Span;

/// Words that are looked at behind a value without a name tied to it.
const MAX_ADJACENT: usize = 6;
/// Names among siblings that are read.
const MAX_SIBLINGS: usize = 60;
/// The rank of a name that says nothing.
const SAYS_NOTHING: u8 = 9;

/// What a value is called.
#[derive(Default)]
pub(super) struct Naming {
    /// The name with its meaning, if anything names the value.
    pub(super) label: Option<Label>,
    /// The value's place in a table.
    pub(super) column: Option<Column>,
}

/// Reads names on a page.
#[derive(Clone, Copy)]
pub(super) struct Namer<'p> {
    pub(super) page: &'p Page<'p>,
    pub(super) rivals: &'p Rivals,
}

impl Namer<'_> {
    /// What the value at `span` is called.
    pub(super) fn name(&self, span: Span, context: &Context) -> Naming {
        let column = columns::of(self.page.text, &self.page.lines, self.page.header(), span);
        let label = column
            .as_ref()
            .and_then(|column| self.column_label(column, span))
            .or_else(|| {
                let key = context::serialized_key(self.page.text, span);
                key.or(context.listed_key).map(|key| self.read_span(key))
            })
            .or_else(|| self.label_elsewhere(span))
            .or_else(|| self.label_of_keys(span, context))
            .or_else(|| self.tied_label(span, context));
        Naming { label, column }
    }

    /// Reads a name.
    pub(super) fn read(&self, name: &[u8]) -> Label {
        Label::read(name, self.page.provider, self.page.vocabulary(), self.rivals)
    }

    fn read_span(&self, span: Span) -> Label {
        self.read(self.page.slice(span))
    }

    /// The column's name, or where it only carries a value (`name;value`), another field of the row.
    fn column_label(&self, column: &Column, span: Span) -> Option<Label> {
        let label = self.read_span(column.name);
        if !matches!(label.meaning, Meaning::Carrier | Meaning::Unknown) || label.names_provider {
            return Some(label);
        }
        let beside = columns::siblings(self.page.text, column);
        let labels = beside.into_iter().filter(|field| !field.overlaps(span));
        labels.map(|field| self.read_span(field)).find(|label| {
            label.names_provider && label.meaning == Meaning::Credential
                || matches!(label.meaning, Meaning::Harmless | Meaning::OtherPurpose)
        })
    }

    /// What the question of a console says of its answer, or the instruction that uses what assembly loads.
    fn label_elsewhere(&self, span: Span) -> Option<Label> {
        let line = console::question(self.page, span)
            .or_else(|| console::instruction(self.page, span))
            .or_else(|| console::form_field(self.page, span))
            .or_else(|| console::chat(self.page, span))
            .or_else(|| console::former(self.page, span))?;
        let words = lex::leftwards(self.page.text, line.end, line.len());
        let names = words.filter_map(|lexeme| match lexeme {
            Lexeme::Word(word) if !word.overlaps(span) => Some(self.read_span(word)),
            _ => None,
        });
        let labels: Vec<Label> = names.take(MAX_SIBLINGS).collect();
        let vocabulary = self.page.vocabulary();
        let is = |meaning: Meaning| labels.iter().find(|label| label.meaning == meaning);
        let is_digest =
            |label: &&Label| label.words.iter().any(|word| vocabulary.digest.contains(word));
        let names_us = |label: &&Label| label.names_provider;
        if let Some(digest) = labels.iter().find(is_digest) {
            return Some(digest.clone());
        }
        let own = labels.iter().filter(names_us).find(|label| label.meaning == Meaning::Credential);
        let both = || {
            let credential = is(Meaning::Credential)?;
            let of_us = labels.iter().find(names_us)?;
            let phrase = [of_us.text.as_bytes()];
            Some(credential.clone().within_phrase(
                &phrase,
                self.page.provider,
                vocabulary,
                self.rivals,
            ))
        };
        own.cloned()
            .or_else(both)
            .or_else(|| is(Meaning::Harmless).cloned())
            .or_else(|| labels.iter().find(names_us).cloned())
            .or_else(|| {
                [
                    Meaning::Credential,
                    Meaning::Rival,
                    Meaning::OtherPurpose,
                    Meaning::ForeignCredential,
                ]
                .into_iter()
                .find_map(is)
                .cloned()
            })
    }

    /// The name of the block, if that holds the provider's keys by whose they are (`$yousignKeys = ['paris' => VALUE]`).
    fn label_of_keys(&self, span: Span, context: &Context) -> Option<Label> {
        let block = context.blocks.first().filter(|block| block.is_data)?;
        let label = self.read(self.header_name(block)?);
        let is_plural = label.words.last().is_some_and(|word| word.ends_with('s'));
        let is_ours = is_plural && label.names_provider && label.meaning == Meaning::Credential;
        let token = self.page.slice(span);
        let is_mixed = token.iter().any(u8::is_ascii_uppercase);
        (is_ours && is_mixed).then_some(label)
    }

    /// The name that syntax ties to the value.
    fn tied_label(&self, span: Span, context: &Context) -> Option<Label> {
        let mut carried = false;
        let mut adjacent = 0;
        for (at, name) in context.names.iter().enumerate() {
            let label = self.read_path(name.span);
            let says_something = says_something(&label);
            let is_carrier = label.meaning == Meaning::Carrier
                || name.link == Link::Called && self.is_setter(&label);
            match name.link {
                // A time or a number names nothing.
                _ if is_number(self.page.slice(name.span)) => {}
                // A command such as `aws` names nobody's credential by itself.
                Link::Path => {}
                Link::Adjacent
                    if label.meaning == Meaning::Rival
                        && label.words.len() == 1
                        && !self.is_symbol(name.span) => {}
                _ if is_carrier && !label.names_provider => carried = true,
                // Behind a carrier, `name=` or `type=` describe the carrier and not the value.
                _ if carried && !label.names_provider && label.meaning != Meaning::Credential => {
                    break;
                }
                Link::Assigned => return Some(self.phrase(label, &context.names[at..])),
                Link::Called | Link::Fallback if says_something => return Some(label),
                Link::Listed
                    if at == 0
                        && (label.names_provider
                            || says_something && self.is_quoted(name.span)) =>
                {
                    return Some(label);
                }
                Link::Listed if label.names_provider && label.meaning == Meaning::Credential => {
                    return Some(label);
                }
                Link::Adjacent if says_something => {
                    return Some(self.phrase(label, &context.names[at..]));
                }
                Link::Adjacent => {
                    adjacent += 1;
                    if adjacent > MAX_ADJACENT {
                        break;
                    }
                }
                _ => {}
            }
        }
        if !carried && !context.names.is_empty() {
            return None;
        }
        let beside = if carried { self.sibling_label(span, context) } else { None };
        beside.or_else(|| self.block_label(context)).or_else(|| self.path_label(context))
    }

    /// The label together with the words before it, as in `the Yousign API key is`.
    fn phrase(&self, label: Label, names: &[Name]) -> Label {
        let is_glue = |byte: &u8| b" \t\"'`*_:".contains(byte);
        let joined = names.windows(2).take_while(|pair| {
            let between = pair[1].span.end..pair[0].span.start;
            pair[1].link == Link::Adjacent
                && !is_number(self.page.slice(pair[1].span))
                && between.len() < 6
                && self.page.text[between].iter().all(is_glue)
        });
        let words: Vec<&[u8]> =
            joined.map(|pair| self.page.slice(pair[1].span)).take(MAX_ADJACENT).collect();
        let is_adjacent = names.first().is_some_and(|name| name.link == Link::Adjacent);
        let label = if is_adjacent { self.of_purpose(label, words.first()) } else { label };
        label.within_phrase(&words, self.page.provider, self.page.vocabulary(), self.rivals)
    }

    /// A credential that the word before it makes one for another purpose, as in `lock token`.
    fn of_purpose(&self, mut label: Label, before: Option<&&[u8]>) -> Label {
        let word = before.map(|word| String::from_utf8_lossy(word).to_ascii_lowercase());
        let vocabulary = self.page.vocabulary();
        let is_purpose = word.is_some_and(|word| {
            vocabulary.data_key.contains(&word)
                || vocabulary.other_purpose.contains(&word) && !vocabulary.neutral.contains(&word)
        });
        if is_purpose && label.meaning == Meaning::Credential && !label.names_provider {
            label.meaning = Meaning::OtherPurpose;
        }
        label
    }

    /// Whether a function only stores what it is given (`setValue`).
    fn is_setter(&self, label: &Label) -> bool {
        let vocabulary = self.page.vocabulary();
        let stores =
            |word: &String| vocabulary.carrier.contains(word) || vocabulary.storing.contains(word);
        !label.words.is_empty() && label.words.iter().all(stores)
    }

    /// Whether a name is a string or symbol literal.
    fn is_symbol(&self, span: Span) -> bool {
        let before = span.start.checked_sub(1).map(|at| self.page.text[at]);
        before == Some(b':') || self.is_quoted(span)
    }

    /// Whether a name is a string literal.
    fn is_quoted(&self, span: Span) -> bool {
        matches!(self.page.text.get(span.end), Some(b'"' | b'\'' | b'`' | b'\\'))
    }

    /// A name among the siblings of a value whose own name only carries it (`name="X" value="…"`): in the value's own
    /// bracket or tag, or else in its statement, or else around its block.
    fn sibling_label(&self, span: Span, context: &Context) -> Option<Label> {
        let around = context::siblings(self.page.text, span);
        let line_end = self.page.lines.around(span.start).end.max(span.end);
        // What comes in later lines names what stands there, as long as there is another name.
        let upward = Span::new(around.start, around.end.min(line_end));
        let nearest = self.entry_label(around, span).or_else(|| self.best_label(upward, span));
        nearest.or_else(|| self.best_label(around, span)).or_else(|| {
            let statement = context.statement?;
            let wider = Span::new(around.start.min(statement.start), around.end.max(statement.end));
            self.entry_label(wider, span)
                .or_else(|| self.best_label(wider, span))
                .or_else(|| self.label_of_block(span, context))
        })
    }

    /// The name that a value has in a list of pairs (`{ "key": "X-Request-Id", "value": VALUE }`), if it says something.
    fn entry_label(&self, around: Span, span: Span) -> Option<Label> {
        let text = self.page.text;
        let before = lex::leftwards(text, span.start, span.start.saturating_sub(around.start));
        let words: Vec<Span> = before
            .filter_map(|lexeme| match lexeme {
                Lexeme::Word(word) => Some(word),
                _ => None,
            })
            .take(MAX_SIBLINGS)
            .collect();
        let is_pair = |pair: &&[Span]| {
            let (name, entry) = (pair[0], pair[1]);
            let between = &text[entry.end..name.start];
            self.is_entry(entry)
                && (self.is_quoted(name)
                    || matches!(text.get(name.end), Some(b'\n' | b'\r' | b'<' | b',')))
                && between.iter().any(|byte| matches!(byte, b':' | b'=' | b'>'))
                && between.iter().all(|byte| b"\"': =>\t".contains(byte))
        };
        let label = words.windows(2).find(is_pair).map(|pair| self.read_span(pair[0]))?;
        let says_something = !matches!(label.meaning, Meaning::Carrier | Meaning::Unknown);
        says_something.then_some(label)
    }

    /// Whether a name is one that holds another name (`key`, `name`, `header`).
    fn is_entry(&self, word: Span) -> bool {
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

    /// The name within `around` that says most about whose credential the value is.
    fn best_label(&self, around: Span, span: Span) -> Option<Label> {
        let words = lex::leftwards(self.page.text, around.end, around.len());
        let ranked = words.filter_map(|lexeme| match lexeme {
            // `"key": "If-Match"` is about another name, which was looked at.
            Lexeme::Word(word) if self.is_entry(word) && self.page.is_key(word.end) => None,
            Lexeme::Word(word) if !word.overlaps(span) => Some((self.rank(word), word)),
            _ => None,
        });
        let best = ranked.take(MAX_SIBLINGS).min_by_key(|(rank, _)| *rank);
        best.filter(|(rank, _)| *rank < SAYS_NOTHING).map(|(_, word)| self.read_path(word))
    }

    /// Reads the last part of a path (`/app/keycloak/client-secret`), which may say whose it is.
    fn read_path(&self, word: Span) -> Label {
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

    /// The name of the innermost data block that says something.
    fn block_label(&self, context: &Context) -> Option<Label> {
        context.blocks.iter().filter(|block| block.is_data).take(3).find_map(|block| {
            let label = self.read(self.header_name(block)?);
            (label.names_provider
                || matches!(
                    label.meaning,
                    Meaning::Credential | Meaning::Harmless | Meaning::Rival
                ))
            .then_some(label)
        })
    }

    /// The name in a block's header: its last word.
    pub(super) fn header_name(&self, block: &Block) -> Option<&[u8]> {
        let words = lex::leftwards(self.page.text, block.header.end, block.header.len());
        words.into_iter().find_map(|lexeme| match lexeme {
            Lexeme::Word(word) => Some(self.page.slice(word)),
            _ => None,
        })
    }

    /// The file's name, when the value stands alone in its text.
    fn path_label(&self, context: &Context) -> Option<Label> {
        if !context.is_bare || self.page.text.trim_ascii().len() > 200 {
            return None;
        }
        let name = self.page.file_name();
        let stem = name
            .rsplitn(2, |byte| *byte == b'.')
            .last()
            .filter(|stem| !stem.is_empty())
            .unwrap_or(name);
        let label = self.read(stem);
        (label.names_provider || label.meaning == Meaning::Credential).then_some(label)
    }
}

/// Whether a word is a number, a date or a time.
fn is_number(name: &[u8]) -> bool {
    name.len() > 1 && name.iter().all(|byte| byte.is_ascii_digit() || b"-.TZ".contains(byte))
}

fn says_something(label: &Label) -> bool {
    label.names_provider || !matches!(label.meaning, Meaning::Unknown | Meaning::Carrier)
}
