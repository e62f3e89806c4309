//! Finds the name that says what a value is: tied to it, or else a sibling's, a column's, an enclosing block's, or the
//! file's.

use super::label::Label;
use super::label::Meaning;
use crate::detect::page::Page;
use crate::detect::page::blocks;
use crate::detect::page::blocks::Block;
use crate::detect::page::columns;
use crate::detect::page::columns::Column;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::context::Link;
use crate::detect::page::context::Name;
use crate::detect::page::lex;
use crate::detect::page::lex::Lexeme;
use crate::detect::page::positional;
use crate::detect::page::randomness::could_be_digest;
use crate::detect::page::rivals::Rivals;
use crate::location::Span;

/// Words that are looked at behind a value without a name tied to it.
const MAX_ADJACENT: usize = 6;
/// Longest title of a row.
const MAX_TITLE: usize = 60;
/// Names among siblings that are read.
pub(crate) const MAX_SIBLINGS: usize = 60;

/// What a value is called.
#[derive(Default)]
pub(crate) struct Naming {
    /// The name with its meaning, if anything names the value.
    pub(crate) label: Option<Label>,
    /// The value's place in a table.
    pub(crate) column: Option<Column>,
}

/// Reads names on a page.
#[derive(Clone, Copy)]
pub(crate) struct Namer<'p> {
    pub(crate) page: &'p Page<'p>,
    pub(crate) rivals: &'p Rivals,
}

impl Namer<'_> {
    /// What the value at `span` is called.
    pub(crate) fn name(&self, span: Span, context: &Context) -> Naming {
        let column = columns::of(
            self.page.text,
            &self.page.lines,
            (self.page.header(), self.page.tables()),
            span,
        );
        let serialized = context::serialized_key(self.page.text, span);
        let label = serialized
            .map(|key| self.read_span(key))
            .or_else(|| self.label_of_pair(span))
            .or_else(|| self.number_label(span))
            .or_else(|| self.column_label(column.as_ref()?, span))
            .or_else(|| context.listed_key.map(|key| self.read_span(key)))
            .or_else(|| self.positional_label(span))
            .or_else(|| self.label_elsewhere(span))
            .or_else(|| self.title_label(span))
            .or_else(|| self.label_of_keys(span, context))
            .or_else(|| {
                let row = column.as_ref().map_or(0, |column| column.row.start);
                self.tied_label(span, context, row)
            });
        Naming { label, column }
    }

    /// Reads a name.
    pub(crate) fn read(&self, name: &[u8]) -> Label {
        Label::read(name, self.page.provider, self.page.vocabulary(), self.rivals)
    }

    pub(crate) fn read_span(&self, span: Span) -> Label {
        self.read(self.page.slice(span))
    }

    /// The column's name, or where it only carries a value (`name;value`), another field of the row.
    fn column_label(&self, column: &Column, span: Span) -> Option<Label> {
        let label = self.read_title(column.name);
        let is_ours = |label: &&Label| label.names_provider && label.meaning == Meaning::Credential;
        let titles = column.fields.iter().map(|(_, field)| *field);
        let titles = || titles.clone().filter(|field| field.len() < MAX_TITLE);
        let ours = || titles().map(|field| self.read_span(field)).find(|label| is_ours(&label));
        // Managers of passwords call so whatever the title says that it is.
        if label.meaning == Meaning::Password {
            // Nor does anybody log in at an API with a password.
            let is_api = |field: Span| self.page.mentions.within_any(field, |mention| mention.api);
            let logs_in = !column.fields.iter().any(|(_, field)| is_api(*field));
            let meaning = if logs_in { Meaning::Password } else { Meaning::Credential };
            return ours().or(Some(Label { meaning, ..label }));
        }
        // What lets somebody in is a code, too.
        if label.words == ["code"] && !could_be_digest(self.page.slice(span)) {
            return ours().or(Some(label));
        }
        if !matches!(label.meaning, Meaning::Carrier | Meaning::Unknown) || label.names_provider {
            return Some(label);
        }
        // A column for each service: this one is another's.
        let names = || column.fields.iter().map(|(name, _)| self.read_span(*name));
        if label.meaning == Meaning::Unknown && names().any(|name| name.names_provider) {
            return Some(Label { meaning: Meaning::Rival, ..label });
        }
        let beside = columns::siblings(self.page.text, column).into_iter().chain(titles());
        let labels: Vec<Label> = beside
            .filter(|field| !field.overlaps(span) && !self.page.slice(*field).contains(&b' '))
            .map(|field| self.read_span(field))
            .collect();
        let is_other =
            |label: &&Label| matches!(label.meaning, Meaning::Harmless | Meaning::OtherPurpose);
        let own = labels.iter().find(is_ours).cloned().or_else(ours);
        own.or_else(|| labels.iter().find(is_other).cloned())
    }

    /// Reads the name of a column, which may be one of two things (`login / key`, `key or password`).
    fn read_title(&self, title: Span) -> Label {
        let whole = self.read_span(title);
        let is_credential = |label: &Label| label.meaning == Meaning::Credential;
        if is_credential(&whole) {
            return whole;
        }
        let title = String::from_utf8_lossy(self.page.slice(title));
        let parts = ["/", " or ", " ou "].into_iter().flat_map(|sign| title.split(sign));
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        let mut labels = parts.map(|part| self.read(part.as_bytes()));
        labels.find(is_credential).unwrap_or(whole)
    }

    /// The name of a value's place in a row, and what the data around that name says of whose it is.
    fn positional_label(&self, span: Span) -> Option<Label> {
        let (name, row) = positional::name(self.page, span)?;
        let label = self.read_span(name);
        // `env("NAME", VALUE)` with a parameter `default`: the other arguments tell.
        if label.meaning == Meaning::Carrier {
            return None;
        }
        // `new Partner("crm", …, VALUE)`: whose it is stands beside it.
        let is_open = label.meaning == Meaning::Credential && !label.names_provider;
        if is_open && self.rivals.named_plainly_in(self.page.slice(Span::new(row, span.start))) {
            return None;
        }
        let blocks = blocks::around(self.page, name.start);
        let owners = blocks.iter().filter(|block| block.is_data);
        let mut owners =
            owners.filter_map(|block| self.header_name(block)).map(|name| self.read(name));
        let owner = owners.find(|owner| owner.names_provider || owner.meaning == Meaning::Rival);
        match owner {
            Some(rival) if rival.meaning == Meaning::Rival && !label.names_provider => Some(rival),
            Some(owner) => Some(label.within_phrase(
                &[owner.text.as_bytes()],
                self.page.provider,
                self.page.vocabulary(),
                self.rivals,
            )),
            None => Some(label),
        }
    }

    /// The name of the block, if that holds the provider's keys by whose they are (`$yousignKeys = ['paris' => VALUE]`).
    fn label_of_keys(&self, span: Span, context: &Context) -> Option<Label> {
        let block = context.blocks.first().filter(|block| block.is_data)?;
        let label = self.read(self.header_name(block)?);
        let is_plural = label.words.last().is_some_and(|word| word.ends_with('s'));
        if !is_plural || label.meaning != Meaning::Credential {
            return None;
        }
        // `secrets = {"yousign": VALUE}`
        let own = context.names.first().map(|name| self.page.slice(name.span));
        let is_own = |name: &&[u8]| {
            self.page.provider.names.contains(&String::from_utf8_lossy(name).to_lowercase())
        };
        if let Some(own) = own.filter(is_own) {
            let (provider, vocabulary) = (self.page.provider, self.page.vocabulary());
            return Some(label.within_phrase(&[own], provider, vocabulary, self.rivals));
        }
        let is_mixed = !could_be_digest(self.page.slice(span));
        (label.names_provider && is_mixed).then_some(label)
    }

    /// The name at or behind `floor` that syntax ties to the value.
    fn tied_label(&self, span: Span, context: &Context, floor: usize) -> Option<Label> {
        let mut carried = false;
        let mut adjacent = 0;
        let names = context.names.iter().take_while(|name| name.span.start >= floor);
        for (at, name) in names.enumerate() {
            let label = self.read_path(name.span);
            let says_something = says_something(&label);
            let is_carrier = label.meaning == Meaning::Carrier
                && !self.is_variable(name)
                && !self.is_said_between(name, &label)
                || name.link == Link::Called && self.is_setter(&label);
            match name.link {
                // `"NAME" to VALUE`, as Kotlin writes pairs.
                Link::Adjacent if at == 0 && self.joins_pair(name.span) => {}
                // A time or a number names nothing.
                _ if is_number(self.page.slice(name.span)) => {}
                // A command such as `aws` names nobody's credential by itself.
                Link::Path => {}
                Link::Adjacent
                    if label.meaning == Meaning::Rival
                        && label.words.len() == 1
                        && !self.is_symbol(name.span)
                        && !self.is_literal(name.span) => {}
                _ if is_carrier && !label.names_provider => {
                    carried = true;
                    let around = context::siblings(self.page.text, span);
                    let entry = (at == 0).then(|| self.entry_label(around, span)).flatten();
                    if entry.is_some() {
                        return entry;
                    }
                }
                // `"key": "value", "value": VALUE`
                _ if carried && self.is_entry(name.span) && self.page.is_key(name.span.end) => {}
                // Behind a carrier, `name=` or `type=` describe the carrier and not the value.
                _ if carried && !label.names_provider && label.meaning != Meaning::Credential => {
                    break;
                }
                Link::Assigned => {
                    let label = self.phrase(label, &context.names[at..]);
                    return Some(self.of_sentence(label, span, &context.names[at..]));
                }
                Link::Called | Link::Fallback if says_something => return Some(label),
                Link::Listed
                    if at == 0
                        && (label.names_provider
                            || says_something && self.is_quoted(name.span))
                        && !self.ends_description(name.span, &label) =>
                {
                    return Some(label);
                }
                Link::Listed if label.names_provider && label.meaning == Meaning::Credential => {
                    return Some(label);
                }
                Link::Adjacent if says_something => {
                    let mut label = self.phrase(label, &context.names[at..]);
                    label.words.extend(self.words_behind(context, at));
                    return Some(self.narrowed(label, &context.names[..at]));
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

    /// The words of the name directly behind one, which only carries the value (`secret webhook: VALUE`).
    fn words_behind(&self, context: &Context, at: usize) -> Vec<String> {
        let behind = at.checked_sub(1).map(|behind| context.names[behind].span);
        let follows = |behind: &Span| {
            let end = context.names[at].span.end;
            end < behind.start && self.page.text[end..behind.start] == *b" "
        };
        behind
            .filter(follows)
            .map(|behind| lex::subwords(self.page.slice(behind)))
            .unwrap_or_default()
    }

    /// The label together with the words before it, as in `the Yousign API key is`.
    fn phrase(&self, label: Label, names: &[Name]) -> Label {
        let is_glue = |byte: &u8| b" \t\"'`*_:".contains(byte);
        let joined = names.windows(2).take_while(|pair| {
            let between = pair[1].span.end..pair[0].span.start;
            // A sentence before this one is about something else.
            pair[1].link == Link::Adjacent
                && !self.page.slice(pair[1].span).ends_with(b".")
                && !is_number(self.page.slice(pair[1].span))
                && between.len() < 6
                && self.page.text[between].iter().all(is_glue)
        });
        let words: Vec<&[u8]> =
            joined.map(|pair| self.page.slice(pair[1].span)).take(MAX_ADJACENT).collect();
        let before = words.first().map(|word| self.read(word));
        // `Segment Write Key: VALUE`: an everyday word is somebody's name if it is written like one.
        let proper = || {
            let is_proper = |word: &&&[u8]| word.first().is_some_and(u8::is_ascii_uppercase);
            let mut proper = words.iter().filter(is_proper).map(|word| self.read(word));
            proper.find(|label| label.meaning == Meaning::Rival)
        };
        let before = before.filter(is_rival).or_else(|| proper().filter(|_| !self.page.is_code()));
        let names_us = |word: &&[u8]| self.read(word).names_provider;
        if let Some(rival) = before.filter(|_| !label.names_provider && !words.iter().any(names_us))
        {
            return rival;
        }
        let is_adjacent = names.first().is_some_and(|name| name.link == Link::Adjacent);
        // `unsubscribe token=…` in a log
        let is_said = is_adjacent || !self.page.is_code();
        let label = if is_said { self.of_purpose(label, words.first()) } else { label };
        label.within_phrase(&words, self.page.provider, self.page.vocabulary(), self.rivals)
    }

    /// In prose, what the sentence is about whose last word means nothing (`the key from this morning: VALUE`).
    fn of_sentence(&self, label: Label, span: Span, names: &[Name]) -> Label {
        let is_mixed = !could_be_digest(self.page.slice(span));
        if says_something(&label) || self.page.is_code() || !is_mixed {
            return label;
        }
        let words = names.windows(2).take(MAX_ADJACENT).take_while(|pair| {
            let between = self.page.text.get(pair[1].span.end..pair[0].span.start);
            pair[1].link == Link::Adjacent && matches!(between, Some(b" " | b"'"))
        });
        let labels: Vec<Label> = words.map(|pair| self.read_span(pair[1].span)).collect();
        let at = |meaning: Meaning| labels.iter().position(|label| label.meaning == meaning);
        let other = at(Meaning::Harmless).or_else(|| at(Meaning::Rival));
        let Some(at) = other.or_else(|| at(Meaning::Credential)) else { return label };
        let mut said = labels[at].clone();
        said.words.extend(label.words);
        self.narrowed(said, &names[..=at])
    }

    /// A credential that the words behind it, up to the value, make one for another purpose or somebody else's, as in French
    /// (`clé de chiffrement`, `jeton Slack`).
    fn narrowed(&self, mut label: Label, behind: &[Name]) -> Label {
        if label.meaning != Meaning::Credential || label.names_provider || self.page.is_code() {
            return label;
        }
        let is_purpose = |word: &str| self.page.vocabulary().is_purpose(word);
        let written = || behind.iter().map(|name| self.page.slice(name.span));
        let is_rival = |name: &&[u8]| {
            let is_proper = name.first().is_some_and(u8::is_ascii_uppercase);
            self.rivals.named_plainly_in(name) || is_proper && self.rivals.named_in(name)
        };
        if let Some(rival) = written().find(is_rival) {
            return self.read(rival);
        }
        if written().any(|name| lex::any_subword(name, is_purpose)) {
            label.meaning = Meaning::OtherPurpose;
        }
        label
    }

    /// A credential that the word before it makes one for another purpose, as in `lock token`.
    fn of_purpose(&self, mut label: Label, before: Option<&&[u8]>) -> Label {
        let word = before.map(|word| String::from_utf8_lossy(word).to_ascii_lowercase());
        let is_purpose = word.is_some_and(|word| self.page.vocabulary().is_purpose(&word));
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

    /// Whether a name is that of a variable which a program calls by a letter (`$a = VALUE`): nothing beside it names it.
    fn is_variable(&self, name: &Name) -> bool {
        let behind = self.page.text[name.span.end..].trim_ascii_start();
        let letters = self.page.slice(name.span).iter().filter(|byte| byte.is_ascii_alphanumeric());
        name.link == Link::Assigned
            && letters.count() == 1
            && self.page.is_code()
            && behind.starts_with(b"=")
            && !matches!(behind.get(1), Some(b'=' | b'>'))
    }

    /// Whether what stands before a value in prose only leads to it (`the token is VALUE`, `token — VALUE`).
    fn is_said_between(&self, name: &Name, label: &Label) -> bool {
        let carrier = &self.page.vocabulary().carrier;
        name.link == Link::Adjacent
            && !self.page.is_code()
            && self.page.text.get(name.span.end) == Some(&b' ')
            && !label.words.iter().any(|word| carrier.contains(word))
    }

    /// Whether a name is a string or symbol literal.
    fn is_symbol(&self, span: Span) -> bool {
        let before = span.start.checked_sub(1).map(|at| self.page.text[at]);
        before == Some(b':') || self.is_quoted(span)
    }

    /// Whether a name is a string literal.
    pub(crate) fn is_quoted(&self, span: Span) -> bool {
        matches!(self.page.text.get(span.end), Some(b'"' | b'\'' | b'`' | b'\\'))
    }

    /// Whether a word is the `to` behind a literal.
    fn joins_pair(&self, word: Span) -> bool {
        self.page.slice(word) == b"to"
            && matches!(self.page.text[..word.start].trim_ascii_end().last(), Some(b'"' | b'\''))
    }

    /// Whether a word is all that a literal holds.
    pub(crate) fn is_literal(&self, word: Span) -> bool {
        let quote = self.page.text.get(word.end).filter(|quote| b"\"'`".contains(quote));
        quote.is_some() && word.start > 0 && self.page.text.get(word.start - 1) == quote
    }

    /// Whether a word that is no credential's ends a literal of several words (`"what signs the documents"`).
    fn ends_description(&self, span: Span, label: &Label) -> bool {
        let before = self.page.text[..span.start].last();
        label.meaning == Meaning::Harmless && before == Some(&b' ') && self.is_quoted(span)
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

    /// The name in a block's header: its last word, or an XML element's.
    pub(crate) fn header_name(&self, block: &Block) -> Option<&[u8]> {
        if let Some(name) = self.element_name(block) {
            return Some(name);
        }
        let words = lex::leftwards(self.page.text, block.header.end, block.header.len());
        words.into_iter().find_map(|lexeme| match lexeme {
            Lexeme::Word(word) => Some(self.page.slice(word)),
            _ => None,
        })
    }

    /// What the element whose tag a block's header is says of itself (`<bean id="NAME" class="…">`), or else what it is.
    fn element_name(&self, block: &Block) -> Option<&[u8]> {
        let tag = self.page.slice(block.header).trim_ascii().strip_prefix(b"<")?;
        let length = tag.iter().take_while(|byte| lex::is_word(**byte) || **byte == b':').count();
        let is_identity = |attribute: &&[u8]| {
            let name = attribute.split(|byte| *byte == b'=').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            self.page.vocabulary().identity.contains(&name)
        };
        let attributes = tag[length..].split(u8::is_ascii_whitespace);
        let named = attributes.filter(is_identity).find_map(|attribute| {
            attribute
                .split(|byte| matches!(byte, b'"' | b'\''))
                .nth(1)
                .filter(|name| !name.is_empty())
        });
        named.or(Some(&tag[..length])).filter(|name| !name.is_empty())
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

fn is_rival(label: &Label) -> bool {
    label.meaning == Meaning::Rival
}

fn says_something(label: &Label) -> bool {
    label.names_provider || !matches!(label.meaning, Meaning::Unknown | Meaning::Carrier)
}
