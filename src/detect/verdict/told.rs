//! What the text around a value says of it, where no syntax ties a name to it: a question, a title, a message before it, a word of prose.

use super::label::Label;
use super::label::Meaning;
use super::naming::MAX_SIBLINGS;
use super::naming::Namer;
use crate::detect::page::console;
use crate::detect::page::lex;
use crate::detect::page::lex::Lexeme;
use crate::detect::page::randomness::could_be_digest;
use crate::location::Span;

impl Namer<'_> {
    /// What the question of a console says of its answer, or the instruction that uses what assembly loads.
    pub(crate) fn label_elsewhere(&self, span: Span) -> Option<Label> {
        let line = console::question(self.page, span)
            .or_else(|| console::instruction(self.page, span))
            .or_else(|| console::form_field(self.page, span))
            .or_else(|| console::chat(self.page, self.rivals, span))
            .or_else(|| console::exported_chat(self.page, self.rivals, span))
            .or_else(|| console::counted(self.page, span))
            .or_else(|| console::announced(self.page, span))
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

    /// What the title right above a value says of it, if it says something.
    pub(crate) fn title_label(&self, span: Span) -> Option<Label> {
        let label = self.read_span(console::title(self.page, span)?);
        (!matches!(label.meaning, Meaning::Unknown | Meaning::Carrier)).then_some(label)
    }

    /// The word before what could be a digest in prose, if it says that it is one, or an identifier (`version <code>VALUE`).
    pub(crate) fn number_label(&self, span: Span) -> Option<Label> {
        const REACH: usize = 60;
        let (page, floor) = (self.page, span.start.saturating_sub(REACH));
        if page.is_code() || !could_be_digest(page.slice(span)) {
            return None;
        }
        let before = page.text[floor..span.start].trim_ascii_end();
        let tag = before.strip_suffix(b">").and_then(|tag| memchr::memrchr(b'<', tag));
        let before = tag.map_or(before, |at| before[..at].trim_ascii_end());
        let end = floor + before.len();
        let start = end - before.iter().rev().take_while(|byte| lex::is_name(**byte)).count();
        let is_parted = tag.is_some() || end < span.start;
        let label = (is_parted && start < end).then(|| self.read_span(Span::new(start, end)))?;
        (label.meaning == Meaning::Harmless && !label.names_provider).then_some(label)
    }

    /// The name in the key of a pair whose value is an object (`{"key": "session", "value": {"stringValue": "VALUE"}}`).
    pub(crate) fn label_of_pair(&self, span: Span) -> Option<Label> {
        const REACH: usize = 200;
        const VALUE: &[u8] = b"\"value\":";
        let floor = span.start.saturating_sub(REACH);
        let before = &self.page.text[floor..span.start];
        let value = memchr::memmem::rfind(before, VALUE)?;
        let inner = before[value + VALUE.len()..].trim_ascii_start().strip_prefix(b"{")?;
        let is_key = |byte: &u8| lex::is_name(*byte) || b" \t\r\n\":".contains(byte);
        let key = before[..value].trim_ascii_end().strip_suffix(b",")?.trim_ascii_end();
        let name = key.strip_suffix(b"\"").filter(|_| inner.iter().all(is_key))?;
        let start = memchr::memrchr(b'"', name)? + 1;
        let opens = name[..start - 1].trim_ascii_end();
        let is_named = opens.ends_with(b"\"key\":") || opens.ends_with(b"\"name\":");
        is_named.then(|| self.read_span(Span::new(floor + start, floor + name.len())))
    }
}
