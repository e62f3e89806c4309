//! Where a text speaks of the provider.

use std::rc::Rc;

use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

use super::lex;
use super::lines::Distance;
use super::lines::Lines;
use crate::blob::BlobPath;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::Provider;

/// Bytes in which the lines between a part of a text and a mention outside of it are counted.
const COUNTED: usize = 64 * 1024;

/// One mention of the provider in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mention {
    /// The word or host name.
    pub(crate) span: Span,
    /// The host and its environment, if it is one.
    pub(crate) host: Option<Environment>,
    /// Whether keys are sent to that host.
    pub(crate) api: bool,
}

/// What the rest of a document says to a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Far {
    /// The word that the nearest mention is, or is part of.
    word: Box<[u8]>,
    /// The mention in that word.
    span: Span,
    has_host: bool,
    distance: Distance,
    /// Environment of the nearest API host.
    api: Option<Environment>,
}

/// The mention nearest to a place.
#[derive(Clone, Copy)]
pub(crate) struct Nearest<'t> {
    /// What it stands in.
    text: &'t [u8],
    span: Span,
    /// Whether it is a host name.
    pub(crate) has_host: bool,
    /// How far away it is.
    pub(crate) distance: Distance,
}

impl<'t> Nearest<'t> {
    /// The mention itself.
    pub(crate) fn mention(&self) -> &'t [u8] {
        &self.text[self.span.start..self.span.end]
    }

    /// The line in which it stands, not too far on either side.
    pub(crate) fn line(&self) -> &'t [u8] {
        const REACH: usize = 200;
        let near = &self.text[self.span.start.saturating_sub(REACH)..self.span.start];
        let before = near.iter().rev().take_while(|byte| **byte != b'\n').count();
        let behind = self.text[self.span.end..].iter().take(REACH);
        let behind = behind.take_while(|byte| **byte != b'\n').count();
        &self.text[self.span.start - before..self.span.end + behind]
    }

    /// The word around it.
    pub(crate) fn word(&self) -> &'t [u8] {
        let word = lex::word_around(self.text, self.span);
        &self.text[word.start..word.end]
    }
}

/// All mentions of a provider in a text and its path. A text may be nothing else, so that copies share them.
#[derive(Clone)]
pub(crate) struct Mentions {
    /// In the text, by position.
    pub(crate) in_text: Rc<Vec<Mention>>,
    /// Whether the path mentions it.
    pub(crate) in_path: bool,
    /// In the document of which the text is a part.
    pub(crate) far: Option<Far>,
    /// Where keywords stand in the text, mentions or not.
    pub(crate) keywords: Rc<Vec<Span>>,
    /// The API hosts among the mentions.
    pub(crate) api_hosts: Vec<(usize, Environment)>,
}

impl Mentions {
    /// Finds them; `keywords` is the provider's [`keyword_regex`].
    pub(crate) fn find(
        provider: &Provider,
        keywords: &Regex,
        text: &[u8],
        path: &BlobPath,
    ) -> Self {
        let in_path = is_named(provider, keywords, path.as_bytes());
        let keywords: Vec<Span> = find(keywords, text).collect();
        let in_text: Vec<Mention> =
            keywords.iter().filter_map(|found| mention(provider, text, *found)).collect();
        let api_hosts = in_text
            .iter()
            .filter(|mention| mention.api)
            .filter_map(|mention| Some((mention.span.start, mention.host?)))
            .collect();
        let (in_text, keywords) = (Rc::new(in_text), Rc::new(keywords));
        Self { in_text, in_path, far: None, keywords, api_hosts }
    }

    /// What these mentions of a whole document say to a part of it.
    pub(crate) fn far_from(&self, document: &[u8], part: Span) -> Option<Far> {
        let before = self.in_text.partition_point(|mention| mention.span.start < part.start);
        let behind = self.in_text.partition_point(|mention| mention.span.start < part.end);
        let before = before.checked_sub(1).and_then(|at| self.in_text.get(at));
        let near = [before, self.in_text.get(behind)].into_iter().flatten();
        let mention = near.min_by_key(|mention| mention.span.start.abs_diff(part.start))?;
        let (low, high) = (mention.span.start.min(part.start), mention.span.start.max(part.start));
        let counted = &document[low..high.min(low + COUNTED)];
        let word = lex::word_around(document, mention.span);
        Some(Far {
            word: document[word.start..word.end].into(),
            span: Span::new(mention.span.start - word.start, mention.span.end - word.start),
            has_host: mention.host.is_some(),
            distance: Distance {
                lines: memchr::memchr_iter(b'\n', counted).count(),
                bytes: high - low,
            },
            api: self.nearest_api_host(part.start),
        })
    }

    /// Whether nothing speaks of the provider.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_text.is_empty() && !self.in_path && self.far.is_none()
    }

    /// The mentions within `span`, by position.
    pub(crate) fn inside(&self, span: Span) -> &[Mention] {
        let from = self.in_text.partition_point(|mention| mention.span.start < span.start);
        let to = self.in_text.partition_point(|mention| mention.span.end <= span.end);
        &self.in_text[from..to.max(from)]
    }

    /// Whether a mention stands within `span`.
    pub(crate) fn within(&self, span: Span) -> bool {
        let from = self.in_text.partition_point(|mention| mention.span.start < span.start);
        self.in_text.get(from).is_some_and(|mention| mention.span.end <= span.end)
    }

    /// Whether a mention within `span` passes the test.
    pub(crate) fn within_any(&self, span: Span, test: impl Fn(&Mention) -> bool) -> bool {
        let from = self.in_text.partition_point(|mention| mention.span.start < span.start);
        let inside = self.in_text[from..].iter().take_while(|mention| mention.span.end <= span.end);
        inside.into_iter().any(test)
    }

    /// The mention nearest to `at` in `text`, whose mentions these are, or else in the rest of the document.
    pub(crate) fn nearest<'t>(
        &'t self,
        (text, lines): (&'t [u8], &Lines),
        at: usize,
    ) -> Option<Nearest<'t>> {
        let near = self.neighbours(at).map(|mention| Nearest {
            text,
            span: mention.span,
            has_host: mention.host.is_some(),
            distance: lines.distance(mention.span.start, at),
        });
        near.min_by_key(|near| near.distance).or_else(|| {
            let Far { word, span, has_host, distance, .. } = self.far.as_ref()?;
            Some(Nearest { text: word, span: *span, has_host: *has_host, distance: *distance })
        })
    }

    /// Bytes between `at` and the nearest mention.
    pub(crate) fn bytes_away(&self, at: usize) -> Option<usize> {
        let near = self.neighbours(at).map(|mention| mention.span.start.abs_diff(at)).min();
        near.or_else(|| self.far.as_ref().map(|far| far.distance.bytes))
    }

    /// The API host nearest to `at`.
    pub(crate) fn nearest_api_host(&self, at: usize) -> Option<Environment> {
        let from = self.api_hosts.partition_point(|(start, _)| *start < at);
        let near = from.checked_sub(1).into_iter().chain([from]);
        near.filter_map(|index| self.api_hosts.get(index))
            .min_by_key(|(start, _)| start.abs_diff(at))
            .map(|(_, environment)| *environment)
            .or_else(|| self.far.as_ref().and_then(|far| far.api))
    }

    /// The mentions directly before and behind `at`.
    fn neighbours(&self, at: usize) -> impl Iterator<Item = &Mention> {
        let from = self.in_text.partition_point(|mention| mention.span.start < at);
        from.checked_sub(1).into_iter().chain([from]).filter_map(|index| self.in_text.get(index))
    }
}

/// A regular expression for all keywords, in any letter case.
pub(crate) fn keyword_regex(provider: &Provider) -> Regex {
    RegexBuilder::new(&provider.keywords.join("|"))
        .case_insensitive(true)
        .unicode(false)
        .build()
        .expect("keywords are plain words, as the rule parser checks")
}

/// Whether `text` mentions the provider; `keywords` is its [`keyword_regex`].
pub(crate) fn is_named(provider: &Provider, keywords: &Regex, text: &[u8]) -> bool {
    find(keywords, text).any(|found| mention(provider, text, found).is_some())
}

fn find<'t>(keywords: &'t Regex, text: &'t [u8]) -> impl Iterator<Item = Span> + 't {
    keywords.find_iter(text).map(|found| Span::new(found.start(), found.end()))
}

/// What the keyword at `found` amounts to.
fn mention(provider: &Provider, text: &[u8], found: Span) -> Option<Mention> {
    if let Some((span, environment, api)) = host_around(provider, text, found) {
        return Some(Mention { span, host: Some(environment), api });
    }
    let around = lex::word_around(text, found);
    let words = lex::subwords(&text[around.start..around.end]);
    if words.iter().any(|word| provider.unlike.contains(word)) {
        return None;
    }
    if is_chance(text, found) {
        return None;
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
    let (before, behind) = (&text[around.start..found.start], &text[found.end..around.end]);
    let is_joined = !keyword.iter().all(u8::is_ascii_alphanumeric);
    if is_joined && is_in_sentence(provider, before, behind) {
        return None;
    }
    let says_credential = words.iter().any(|word| {
        matches!(
            word.as_str(),
            "key" | "apikey" | "token" | "secret" | "api" | "webhook" | "scim" | "client" | "sdk"
        )
    });
    let counts = says_credential || heads_block(text, found) || is_imported(text, found);
    counts.then_some(Mention { span: found, host: None, api: false })
}

/// Whether the words around those of a keyword make a sentence of it (`when_you_sign_in`).
fn is_in_sentence(provider: &Provider, before: &[u8], behind: &[u8]) -> bool {
    let (before, behind) = (lex::subwords(before), lex::subwords(behind));
    before.last().is_some_and(|word| provider.joined_before.contains(word))
        || behind.first().is_some_and(|word| provider.joined_after.contains(word))
}

/// Whether random letters happen to spell the keyword, as those of `zV0YSapIUzs` do.
fn is_chance(text: &[u8], found: Span) -> bool {
    let is_glued = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_glued(text[..found.start].last())
        && is_glued(text.get(found.end))
        && lex::any_subword(&text[found.start..found.end], |word| word.len() == 1)
}

/// Whether the keyword alone heads a block of settings (`youtrust:`, `'youtrust' => [`, `[youtrust]`).
fn heads_block(text: &[u8], found: Span) -> bool {
    let is_line = |byte: &&u8| **byte != b'\n';
    let before = text[..found.start].iter().rev().take(40).take_while(is_line);
    let before: Vec<u8> = before.copied().collect();
    let behind = text[found.end..].iter().take(40).take_while(is_line);
    let behind: Vec<u8> = behind.copied().collect();
    let is_quote = |byte: &u8| b"\"'`".contains(byte);
    let starts =
        before.iter().find(|byte| !is_quote(byte)).is_none_or(|byte| b" \t{[(,".contains(byte));
    let rest = behind.strip_prefix(b"\"").or_else(|| behind.strip_prefix(b"'")).unwrap_or(&behind);
    let rest = rest.trim_ascii();
    let opens = |rest: &[u8]| matches!(rest.trim_ascii_start().first(), Some(b'{' | b'[' | b'('));
    let is_section = before.first() == Some(&b'[') && rest == b"]";
    let operator = [b"=>".as_slice(), b":=", b":", b"="]
        .into_iter()
        .find_map(|operator| rest.strip_prefix(operator));
    let is_block =
        operator.map_or_else(|| rest.first() == Some(&b'{'), |rest| opens(rest) || rest.is_empty());
    starts && (is_section || is_block)
}

/// Whether the keyword's line imports something of its name.
pub(crate) fn is_imported(text: &[u8], found: Span) -> bool {
    let line =
        text[..found.start].iter().rev().take(120).take_while(|byte| **byte != b'\n').count();
    let line = text[found.start - line..found.start].trim_ascii_start();
    [b"import ".as_slice(), b"from ", b"use ", b"using ", b"require"]
        .iter()
        .any(|word| line.starts_with(word))
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
    let host = provider.hosts.iter().find(|host| host.pattern.regex().is_match(name.as_bytes()))?;
    Some((span, host.environment, host.api))
}

/// Whether `whenYouSignUp` and the like are meant: a capital in the middle of the keyword and English words around it.
fn is_english_join(provider: &Provider, text: &[u8], found: Span) -> bool {
    let around = lex::word_around(text, found);
    let before = &text[around.start..found.start];
    let is_glued = before.last().is_some_and(u8::is_ascii_alphabetic);
    let before = lex::subwords(before);
    let behind = &text[found.end..around.end];
    let behind_words = lex::subwords(behind);
    let has_inner_capital = text[found.start + 1..found.end].iter().any(u8::is_ascii_uppercase)
        && text[found.start + 1..found.end].iter().any(u8::is_ascii_lowercase);
    // A class such as `SendToYousign` has the name as one word, as a sentence has not.
    let is_one_word = text[around.start].is_ascii_uppercase()
        && text[found.start].is_ascii_uppercase()
        && text[found.start + 1..found.end].iter().all(u8::is_ascii_lowercase);
    let joined_before = is_glued
        && !is_one_word
        && before.last().is_some_and(|word| provider.joined_before.contains(word));
    let joined_behind =
        behind_words.first().is_some_and(|word| provider.joined_after.contains(word));
    let inflected = behind.starts_with(b"ed") || behind.starts_with(b"ing");
    // `thankYouSignature`: the word goes on, and not with something of a name's.
    let tail = behind.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let goes_on = has_inner_capital
        && tail > 1
        && !["api", "key", "token", "secret", "client"]
            .iter()
            .any(|word| behind.starts_with(word.as_bytes()));
    inflected || goes_on || joined_before || has_inner_capital && joined_behind
}
