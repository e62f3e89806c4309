//! Where a text speaks of the provider, and where of others.

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

use super::lex;
use crate::blob::BlobPath;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::Provider;
use crate::rule::Vocabulary;

/// Mentions kept per text; more say nothing new.
const MAX_MENTIONS: usize = 4096;

/// One mention of the provider in a text.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// The word or host name.
    pub(super) span: Span,
    /// The host and its environment, if it is one.
    pub(super) host: Option<Environment>,
    /// Whether keys are sent to that host.
    pub(super) api: bool,
}

/// All mentions of a provider in a text and its path.
pub(super) struct Mentions {
    /// In the text, by position.
    pub(super) in_text: Vec<Mention>,
    /// Whether the path mentions it.
    pub(super) in_path: bool,
}

impl Mentions {
    /// Finds them.
    pub(super) fn find(provider: &Provider, text: &[u8], path: &BlobPath) -> Self {
        let Ok(keyword) = keyword_regex(provider) else {
            return Self { in_text: vec![], in_path: false };
        };
        let in_text = keyword
            .find_iter(text)
            .filter_map(|found| mention(provider, text, Span::new(found.start(), found.end())));
        let in_path = keyword.find_iter(path.as_bytes()).any(|found| {
            mention(provider, path.as_bytes(), Span::new(found.start(), found.end())).is_some()
        });
        Self { in_text: in_text.take(MAX_MENTIONS).collect(), in_path }
    }

    /// Whether nothing speaks of the provider.
    pub(super) fn is_empty(&self) -> bool {
        self.in_text.is_empty() && !self.in_path
    }

    /// Whether a mention stands within `span`.
    pub(super) fn within(&self, span: Span) -> bool {
        let from = self.in_text.partition_point(|mention| mention.span.start < span.start);
        self.in_text.get(from).is_some_and(|mention| mention.span.end <= span.end)
    }

    /// Whether a mention within `span` passes the test.
    pub(super) fn within_any(&self, span: Span, test: impl Fn(&Mention) -> bool) -> bool {
        let from = self.in_text.partition_point(|mention| mention.span.start < span.start);
        let inside = self.in_text[from..].iter().take_while(|mention| mention.span.end <= span.end);
        inside.into_iter().any(test)
    }

    /// The mention nearest to `at`, with its distance in lines, looking `reach` bytes to each side.
    pub(super) fn nearest(
        &self,
        text: &[u8],
        at: usize,
        reach: usize,
    ) -> Option<(&Mention, usize)> {
        let from = self.in_text.partition_point(|mention| mention.span.start < at);
        let before = from.checked_sub(1).and_then(|index| self.in_text.get(index));
        let after = self.in_text.get(from);
        let distance = |mention: &Mention| {
            let (low, high) = if mention.span.start < at {
                (mention.span.end.min(at), at)
            } else {
                (at, mention.span.start)
            };
            (high - low <= reach).then(|| memchr::memchr_iter(b'\n', &text[low..high]).count())
        };
        [before, after]
            .into_iter()
            .flatten()
            .filter_map(|mention| distance(mention).map(|lines| (mention, lines)))
            .min_by_key(|(mention, lines)| (*lines, mention.span.start.abs_diff(at)))
    }
}

/// A regular expression for all keywords, in any letter case.
fn keyword_regex(provider: &Provider) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&provider.keywords.join("|")).case_insensitive(true).unicode(false).build()
}

/// What the keyword at `found` amounts to.
fn mention(provider: &Provider, text: &[u8], found: Span) -> Option<Mention> {
    if let Some((span, environment, api)) = host_around(provider, text, found) {
        return Some(Mention { span, host: Some(environment), api });
    }
    let keyword = text[found.start..found.end].to_ascii_lowercase();
    let names_it = provider.names.iter().any(|name| name.as_bytes() == keyword);
    if names_it {
        return (!is_english_join(provider, text, found)).then_some(Mention {
            span: found,
            host: None,
            api: false,
        });
    }
    let around = word_around(text, found);
    let words = lex::subwords(&text[around.start..around.end]);
    let says_credential = words.iter().any(|word| {
        matches!(word.as_str(), "key" | "apikey" | "token" | "secret" | "api" | "webhook" | "scim")
    });
    says_credential.then_some(Mention { span: found, host: None, api: false })
}

/// The host name around the keyword, if it is one of the provider's.
fn host_around(provider: &Provider, text: &[u8], found: Span) -> Option<(Span, Environment, bool)> {
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let before = text[..found.start].iter().rev().take(80).take_while(|byte| is_host(byte)).count();
    let behind = text[found.end..].iter().take(80).take_while(|byte| is_host(byte)).count();
    let span = Span::new(found.start - before, found.end + behind);
    let name = std::str::from_utf8(&text[span.start..span.end])
        .ok()?
        .trim_end_matches('.')
        .trim_start_matches(['-', '.']);
    let host = provider.hosts.iter().find(|host| host.pattern.is_match(name))?;
    Some((span, host.environment, host.api))
}

fn word_around(text: &[u8], found: Span) -> Span {
    let before =
        text[..found.start].iter().rev().take(80).take_while(|byte| lex::is_word(**byte)).count();
    let behind = text[found.end..].iter().take(80).take_while(|byte| lex::is_word(**byte)).count();
    Span::new(found.start - before, found.end + behind)
}

/// Whether `whenYouSignUp` and the like are meant: a capital in the middle of the keyword and English words around it.
fn is_english_join(provider: &Provider, text: &[u8], found: Span) -> bool {
    let around = word_around(text, found);
    let before = lex::subwords(&text[around.start..found.start]);
    let behind = &text[found.end..around.end];
    let behind_words = lex::subwords(behind);
    let has_inner_capital = text[found.start + 1..found.end].iter().any(u8::is_ascii_uppercase)
        && text[found.start + 1..found.end].iter().any(u8::is_ascii_lowercase);
    let joined_before = before.last().is_some_and(|word| provider.joined_before.contains(word));
    let joined_behind =
        behind_words.first().is_some_and(|word| provider.joined_after.contains(word));
    let inflected = behind.starts_with(b"ed") || behind.starts_with(b"ing");
    inflected || joined_before || has_inner_capital && joined_behind
}

/// Names of other providers.
pub(super) struct Rivals {
    names: AhoCorasick,
}

impl Rivals {
    /// Compiles the names of the vocabulary.
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let mut names: Vec<&String> = vocabulary.rivals.iter().collect();
        names.sort();
        let names = AhoCorasick::builder().ascii_case_insensitive(true).build(names);
        Self {
            names: names
                .unwrap_or_else(|_| AhoCorasick::new([""; 0]).expect("no pattern is valid")),
        }
    }

    /// Whether a name or header speaks of another provider, as a whole subword.
    pub(super) fn named_in(&self, name: &[u8]) -> bool {
        self.names.find_iter(name).any(|found| is_own_word(name, found.start(), found.end()))
    }

    /// The other provider nearest to `at` as part of a longer name or a host within `window`: its distance in lines.
    pub(super) fn nearest(&self, text: &[u8], window: Span, at: usize) -> Option<usize> {
        let slice = &text[window.start..window.end];
        self.names
            .find_iter(slice)
            .filter(|found| {
                is_own_word(slice, found.start(), found.end())
                    && is_in_longer_name(slice, found.start(), found.end())
            })
            .map(|found| {
                let position = window.start + found.start();
                memchr::memchr_iter(b'\n', &text[position.min(at)..position.max(at)]).count()
            })
            .min()
    }
}

/// Whether `start..end` is a whole subword of the name it stands in.
fn is_own_word(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| text[at]);
    let behind = text.get(end).copied();
    let starts = before.is_none_or(|byte| {
        !byte.is_ascii_alphabetic()
            || (byte.is_ascii_lowercase() && text[start].is_ascii_uppercase())
    });
    let ends = behind.is_none_or(|byte| {
        !byte.is_ascii_alphabetic()
            || (byte.is_ascii_uppercase() && text[end - 1].is_ascii_lowercase())
    });
    starts && ends
}

/// Whether the word goes on as a name (`MAILJET_KEY`, `stripeSecret`) or a host (`sentry.io`).
fn is_in_longer_name(text: &[u8], start: usize, end: usize) -> bool {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let behind = text.get(end).copied();
    let is_name = behind.is_some_and(goes_on) || start > 0 && goes_on(text[start - 1]);
    let is_host = behind == Some(b'.') && text.get(end + 1).is_some_and(u8::is_ascii_lowercase);
    let is_block = matches!(behind, Some(b':' | b'\'' | b'"' | b']'));
    is_name || is_host || is_block
}
