//! Where a text speaks of other providers, and whether in a way that could own a value.

use aho_corasick::AhoCorasick;

use super::lex;
use super::lines::Lines;
use crate::location::Span;
use crate::rule::Vocabulary;

/// Names of other providers.
pub(super) struct Rivals {
    names: AhoCorasick,
    everyday: Vec<bool>,
}

impl Rivals {
    /// Compiles the names of the vocabulary.
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let mut names: Vec<&String> = vocabulary.rivals.iter().collect();
        names.sort();
        let everyday =
            names.iter().map(|name| vocabulary.everyday_rivals.contains(*name)).collect();
        let names = AhoCorasick::builder().ascii_case_insensitive(true).build(names);
        Self {
            names: names
                .unwrap_or_else(|_| AhoCorasick::new([""; 0]).expect("no pattern is valid")),
            everyday,
        }
    }

    /// Whether a name or header speaks of another provider, as a whole subword.
    pub(super) fn named_in(&self, name: &[u8]) -> bool {
        self.names.find_iter(name).any(|found| is_own_word(name, found.start(), found.end()))
    }

    /// The same, leaving out everyday words.
    pub(super) fn named_plainly_in(&self, name: &[u8]) -> bool {
        self.names.find_iter(name).any(|found| {
            !self.everyday[found.pattern().as_usize()]
                && is_own_word(name, found.start(), found.end())
        })
    }

    /// Whether another provider could own what stands in `span`: its host, its credential, its block, its client.
    pub(super) fn owns_in(&self, text: &[u8], span: Span, vocabulary: &Vocabulary) -> bool {
        self.owners(&text[span.start..span.end], vocabulary).next().is_some()
    }

    /// The owner among other providers nearest to `at` within `window`: its distance in lines.
    pub(super) fn nearest_owner(
        &self,
        text: &[u8],
        window: Span,
        at: usize,
        places: (&Lines, &Vocabulary),
    ) -> Option<usize> {
        let (lines, vocabulary) = places;
        self.owners(&text[window.start..window.end], vocabulary)
            .map(|found| lines.between(window.start + found, at))
            .min()
    }

    /// Bytes between `at` and the nearest owner within `window`.
    pub(super) fn bytes_away(
        &self,
        text: &[u8],
        window: Span,
        at: usize,
        vocabulary: &Vocabulary,
    ) -> Option<usize> {
        let owners = self.owners(&text[window.start..window.end], vocabulary);
        owners.map(|found| (window.start + found).abs_diff(at)).min()
    }

    fn owners<'t>(
        &'t self,
        slice: &'t [u8],
        vocabulary: &'t Vocabulary,
    ) -> impl Iterator<Item = usize> + 't {
        self.names
            .find_iter(slice)
            .filter(move |found| {
                let (start, end) = (found.start(), found.end());
                is_own_word(slice, start, end)
                    && (is_host(slice, end)
                        || is_credential(slice, start, vocabulary)
                        || !self.everyday[found.pattern().as_usize()]
                            && (is_block(slice, end) || is_client(slice, start, end)))
            })
            .map(|found| found.start())
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

/// `stripe.com`, `ingest.sentry.io`
fn is_host(text: &[u8], end: usize) -> bool {
    let behind = &text[end..text.len().min(end + 12)];
    let Some(suffix) = behind.strip_prefix(b".") else { return false };
    let letters = suffix.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let goes_on = suffix.get(letters).is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b'=' | b' ' | b'[')
    });
    (2..=4).contains(&letters) && !goes_on
}

/// `MAILJET_API_KEY`, `stripeSecret`
fn is_credential(text: &[u8], start: usize, vocabulary: &Vocabulary) -> bool {
    let reach = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = text[..start].iter().rev().take(40).take_while(reach).count();
    let behind = text[start..].iter().take(60).take_while(reach).count();
    let words = lex::subwords(&text[start - before..start + behind]);
    words.len() > 1 && words.iter().any(|word| vocabulary.credential.contains(word))
}

/// `stripe:`, `'stripe' =>`, `[stripe]`
fn is_block(text: &[u8], end: usize) -> bool {
    let behind = text[end..].iter().take(4).copied();
    let mut behind = behind.filter(|byte| !matches!(byte, b'"' | b'\'' | b' '));
    matches!(behind.next(), Some(b':' | b']' | b'=' | b'{'))
}

/// `new Stripe(`, `Sentry.init`
fn is_client(text: &[u8], start: usize, end: usize) -> bool {
    text[start].is_ascii_uppercase() && matches!(text.get(end), Some(b'(' | b'.' | b'\\' | b':'))
}
