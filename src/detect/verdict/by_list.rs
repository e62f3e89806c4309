//! Weighs what the items of lists, the rows of tables and the names around a value are called, where one beside them is called like
//! the provider.

use super::Judge;
use super::label::Meaning;
use super::naming::Naming;
use super::score::Verdict;
use crate::detect::page::Page;
use crate::detect::page::columns::Column;
use crate::detect::page::context;
use crate::detect::page::context::Context;
use crate::detect::page::items;
use crate::detect::page::items::Item;
use crate::detect::page::lex;
use crate::detect::page::lex::Lexeme;
use crate::location::Span;

/// Bytes around a statement in which another one names the provider.
const NEAR: usize = 600;
/// Bytes of an item in which another provider's name says whose it is.
const MAX_ITEM: usize = 2_000;
/// Bytes of an item's name.
const MAX_NAME: usize = 40;
/// Mentions in other items that are looked at.
const MAX_MENTIONS: usize = 4;

/// Whether an item of a list by dashes is nothing but the word.
fn is_bare_item(page: &Page<'_>, word: Span) -> bool {
    let line = page.slice(page.lines.around(word.start)).trim_ascii();
    line.strip_prefix(b"- ").is_some_and(|item| item.trim_ascii() == page.slice(word))
}

impl Judge<'_, '_> {
    /// Weighs what the value's row of a table and its items of lists are called; `true` if that is the provider's name.
    pub(crate) fn weigh_items(
        &self,
        span: Span,
        naming: &Naming,
        items: &[Item],
        verdict: &mut Verdict,
    ) -> bool {
        let (weights, provider) = (&self.weights, &self.provider.name);
        // The innermost list that has an item of ours says more than those around it.
        let other = items.iter().find_map(|item| {
            let ours = self.item_of_ours(item).map(Ok);
            ours.or_else(|| self.item_of_another(item).map(Err))
                .or_else(|| self.item_of_rival(item).map(Err))
        });
        if let Some(Ok(name)) = other {
            verdict.add(weights.enclosing_block, format!("in a list's item called `{name}`"));
            return true;
        }
        if let Some(name) = naming.column.as_ref().and_then(|column| self.row_of_another(column)) {
            verdict.add(weights.other_item, format!("its row of the table is about `{name}`"));
        }
        let other = other.and_then(Result::err);
        if let Some(name) = other.or_else(|| self.statement_of_another(span)) {
            let text = format!("its item in a list is called `{name}`, another one `{provider}`");
            verdict.add(weights.other_item, text);
        } else if let Some(name) = items.iter().find_map(|item| self.item_of_its_own(item, naming))
        {
            let text =
                format!("its item in a list is called `{name}`, and {provider} is in another");
            verdict.add(weights.strange_block, text);
        }
        false
    }

    /// What the value's item in a list is called, if another item of that list is the provider's.
    fn item_of_another(&self, item: &Item) -> Option<String> {
        let mentions = self.page.mentions.inside(item.list).iter();
        let beside = mentions.filter(|mention| {
            mention.host.is_none() && item.is_beside(self.page, mention.span.start)
        });
        let keys = beside.take(MAX_MENTIONS).filter_map(|mention| self.key_of_owner(mention.span));
        let name = keys.filter_map(|key| self.name_of_item(item.span, key)).next()?;
        (!self.page.mentions.within(item.span)).then_some(name)
    }

    /// The name that a list's item of some lines has, if the provider stands only in others (`- job_name: acme`).
    fn item_of_its_own(&self, item: &Item, naming: &Naming) -> Option<String> {
        let page = self.page;
        let lines = memchr::memchr_iter(b'\n', page.slice(item.span)).count();
        let mut mentions = page.mentions.inside(item.list).iter();
        let is_apart = !page.mentions.within(item.span)
            && mentions.any(|mention| item.is_beside(page, mention.span.start));
        // In a list of pairs the name is the value's own.
        let label = naming.label.as_ref().filter(|_| is_apart && lines > 2)?;
        let first =
            page.slice(page.lines.around(item.span.start)).trim_ascii().strip_prefix(b"- ")?;
        let (key, name) = first.split_at(memchr::memchr(b':', first)?);
        let identity = lex::last_subword(key);
        let name = name[1..].trim_ascii();
        let is_part = |byte: &u8| lex::is_word(*byte) || b" ()'".contains(byte);
        let is_name = name.len() < MAX_NAME && name.iter().all(is_part);
        let tells = page.vocabulary().identity.contains(&identity)
            && is_name
            && !self.is_generic(name)
            && self.namer.read(name).meaning != Meaning::Credential
            && label.text.as_bytes() != name;
        tells.then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// What the value's item in a list says of another provider, if another item of that list speaks of ours.
    fn item_of_rival(&self, item: &Item) -> Option<String> {
        let mut mentions = self.page.mentions.inside(item.list).iter();
        let is_told = !self.page.mentions.within(item.span)
            && item.span.len() < MAX_ITEM
            && mentions.any(|mention| item.is_beside(self.page, mention.span.start));
        let rival = is_told.then(|| self.rivals.first_in(self.page.slice(item.span)))??;
        Some(String::from_utf8_lossy(rival).into_owned())
    }

    /// Whose a structured name (`geocoder.api-key`, `$config['solr']['token']`) or a call on an object (`Geocoder.configure(…)`)
    /// says the value is, if a line near by says the same of the provider.
    pub(crate) fn owner_beside_ours(&self, span: Span, context: &Context) -> Option<String> {
        let own = self.page.lines.around(span.start);
        let window = Span::new(span.start.saturating_sub(NEAR), span.end + NEAR);
        let mentions = self.page.mentions.inside(window).iter();
        let beside: Vec<Span> = mentions
            .filter(|mention| mention.host.is_none())
            .map(|mention| mention.span)
            .filter(|mention| self.page.lines.around(mention.start) != own)
            .collect();
        if beside.is_empty() || self.page.mentions.within(own) {
            return None;
        }
        self.object_beside_ours(context, &beside).or_else(|| {
            let owner = self.owner_in_name(own, span.start)?;
            beside.iter().any(|mention| self.heads_credential(*mention)).then_some(owner)
        })
    }

    /// The object of the value's call, if a mention is that of another one with the same method.
    fn object_beside_ours(&self, context: &Context, mentions: &[Span]) -> Option<String> {
        let callee = self.page.slice(context.callee?);
        let (object, method) = callee.split_at(callee.iter().rposition(|byte| *byte == b'.')?);
        let mut words = mentions.iter().map(|mention| lex::word_around(self.page.text, *mention));
        let is_other =
            !self.is_generic(object) && words.any(|word| self.page.slice(word).ends_with(method));
        is_other.then(|| String::from_utf8_lossy(object).into_owned())
    }

    /// The first word that tells something in a line's name, before the equals sign at or before `end`, if that is structured and
    /// a credential's.
    fn owner_in_name(&self, line: Span, end: usize) -> Option<String> {
        let text = &self.page.text[line.start.max(end.saturating_sub(NEAR))..end];
        let name = &text[..text.iter().rposition(|byte| matches!(byte, b'=' | b':'))?];
        let credential = &self.page.vocabulary().credential;
        let is_structured = name.iter().any(|byte| matches!(byte, b'.' | b'['));
        let words = lex::subwords(name);
        (is_structured && words.iter().any(|word| credential.contains(word))).then_some(())?;
        words
            .into_iter()
            .find(|word| !credential.contains(word) && !self.is_generic(word.as_bytes()))
    }

    /// Whether a mention stands in the structured name of a credential.
    fn heads_credential(&self, mention: Span) -> bool {
        let line = self.page.lines.around(mention.start);
        let mut behind = self.page.text[mention.end..line.end].iter();
        let equals = behind.position(|byte| matches!(byte, b'=' | b':'));
        equals.is_some_and(|at| self.owner_in_name(line, mention.end + at + 1).is_some())
    }

    /// The same for statements that create one item each (`create(['slug' => 'stripe', 'secret' => VALUE])`).
    fn statement_of_another(&self, span: Span) -> Option<String> {
        let own = context::siblings(self.page.text, span);
        let window = Span::new(own.start.saturating_sub(NEAR), own.end + NEAR);
        let mentions = self.page.mentions.inside(window).iter();
        let keys = mentions
            .filter(|mention| mention.host.is_none())
            .take(MAX_MENTIONS)
            .filter_map(|mention| self.key_of_owner(mention.span))
            .filter(|key| key.len() > 1);
        let name = keys.filter_map(|key| self.name_of_item(own, key)).next()?;
        (!self.page.mentions.within(own)).then_some(name)
    }

    /// What a row of a table has in a column for providers, if that is not the provider.
    fn row_of_another(&self, column: &Column) -> Option<String> {
        let vocabulary = self.page.vocabulary();
        column.fields.iter().find_map(|(name, field)| {
            let is_owner = |word: &str| vocabulary.owner_column.contains(word);
            let value = self.page.slice(*field).trim_ascii();
            let value =
                value.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(value);
            // `La Poste (suivi)`
            let end = memchr::memmem::find(value, b" (").unwrap_or(value.len());
            let value = &value[..end];
            let is_part = |byte: &u8| lex::is_word(*byte) || matches!(byte, b' ' | b'\'');
            let is_word = !value.is_empty() && value.len() < 32 && value.iter().all(is_part);
            let is_other = is_word
                && lex::any_subword(self.page.slice(*name), is_owner)
                && !self.is_generic(value)
                && !self.page.mentions.within(column.row);
            is_other.then(|| String::from_utf8_lossy(value).into_owned())
        })
    }

    /// The name of the provider, if that is what an item around the value is called.
    fn item_of_ours(&self, item: &Item) -> Option<String> {
        let mentions = self.page.mentions.inside(item.span).iter();
        let mut named = mentions.filter(|mention| mention.host.is_none()).take(MAX_MENTIONS);
        let owner = named.find(|mention| self.key_of_owner(mention.span).is_some())?;
        Some(String::from_utf8_lossy(self.page.slice(owner.span)).into_owned())
    }

    /// The key under which a list's item names the provider and nothing else (`name: Yousign`); empty for the first part
    /// of a bare row.
    fn key_of_owner(&self, mention: Span) -> Option<&[u8]> {
        let word = lex::word_around(self.page.text, mention);
        let label = self.namer.read(self.page.slice(word));
        let mut before = lex::leftwards(self.page.text, word.start, 80);
        if is_bare_item(self.page, word) {
            return Some(b"-");
        }
        if label.meaning != Meaning::Unknown || label.words.len() > 2 {
            return None;
        }
        match (before.next()?, before.next()) {
            (Lexeme::Operator(b':' | b'=' | b'>'), Some(Lexeme::Word(key))) => {
                let key = self.page.slice(key);
                let name = String::from_utf8_lossy(key).to_ascii_lowercase();
                self.page.vocabulary().identity.contains(&name).then_some(key)
            }
            (Lexeme::Open(_, _), _) => Some(b""),
            _ => None,
        }
    }

    /// What an item has under `key`, or under any identity if that is a dash, if that is a name and says more than `default` or `prod`.
    fn name_of_item(&self, item: Span, key: &[u8]) -> Option<String> {
        if key == b"-" {
            let mut keys = self.page.vocabulary().identity.iter();
            return keys.find_map(|key| self.name_of_item(item, key.as_bytes()));
        }
        let text = self.page.slice(item);
        let from = if key.is_empty() {
            1
        } else {
            let stands = |at: &usize| {
                let before = at.checked_sub(1).map(|before| text[before]);
                before.is_none_or(|byte| !lex::is_word(byte))
                    && text.get(at + key.len()).is_some_and(|byte| b"\"': =".contains(byte))
            };
            memchr::memmem::find_iter(text, key).find(stands)? + key.len()
        };
        let is_between = |byte: &&u8| byte.is_ascii_whitespace() || b"\"'`:=>".contains(byte);
        let start = from + text[from..].iter().take_while(is_between).count();
        let length = text[start..].iter().take_while(|byte| lex::is_word(**byte)).count();
        let name = &text[start..start + length];
        let label = self.namer.read(name);
        let is_name = !name.is_empty()
            && name.len() < 32
            && matches!(
                label.meaning,
                Meaning::Unknown | Meaning::Rival | Meaning::Carrier | Meaning::Harmless
            );
        (is_name && !self.is_generic(name)).then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// The items of lists in which the value stands.
    pub(crate) fn items(&self, span: Span, context: &Context) -> Vec<Item> {
        items::around(self.page, span, &context.blocks)
    }
}
