//! Where a text speaks of other providers, and whether in a way that could own a value.

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use aho_corasick::MatchKind;

use super::Page;
use super::lex;
use super::lines::Distance;
use crate::location::Span;
use crate::rule::Vocabulary;

/// Bytes before and behind a place that are read with it for owners.
const MARGIN: usize = 8 * 1024;

/// Where a stretch of a page speaks of other providers that could own a value.
#[derive(Default)]
pub(crate) struct Owners {
    /// The bytes that were read; empty before the first value.
    read: (usize, usize),
    found: Vec<Span>,
}

/// Names of other providers.
pub(crate) struct Rivals {
    names: AhoCorasick,
    everyday: Vec<bool>,
}

impl Rivals {
    /// Compiles the names of the vocabulary.
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        let mut names: Vec<&String> = vocabulary.rivals.iter().collect();
        names.sort();
        let everyday =
            names.iter().map(|name| vocabulary.everyday_rivals.contains(*name)).collect();
        let names = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // Of `honeycomb` the middle is a name, too.
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(names);
        Self {
            names: names
                .unwrap_or_else(|_| AhoCorasick::new([""; 0]).expect("no pattern is valid")),
            everyday,
        }
    }

    /// Whether a name or header speaks of another provider, as a whole subword.
    pub(crate) fn named_in(&self, name: &[u8]) -> bool {
        self.names.find_iter(name).any(|found| is_own_word(name, found.start(), found.end()))
    }

    /// The same, leaving out everyday words.
    pub(crate) fn named_plainly_in(&self, name: &[u8]) -> bool {
        self.first_in(name).is_some()
    }

    /// The first other provider that is named, leaving out everyday words.
    pub(crate) fn first_in<'t>(&self, name: &'t [u8]) -> Option<&'t [u8]> {
        let mut found = self.names.find_iter(name).filter(|found| {
            !self.everyday[found.pattern().as_usize()]
                && is_own_word(name, found.start(), found.end())
        });
        found.next().map(|found| &name[found.range()])
    }

    /// Whether another provider could own what stands in `span`: its host, its credential, its block, its client.
    pub(crate) fn owns_in(&self, page: &Page<'_>, span: Span) -> bool {
        self.on_page(page, span, |owners| !owners.is_empty())
    }

    /// How far the owner among other providers is that stands nearest to `at` within `window`.
    pub(crate) fn nearest_owner(
        &self,
        page: &Page<'_>,
        window: Span,
        at: usize,
    ) -> Option<Distance> {
        self.neighbours(page, window, at).map(|owner| page.lines.distance(owner, at)).min()
    }

    /// Bytes between `at` and the nearest owner within `window`.
    pub(crate) fn bytes_away(&self, page: &Page<'_>, window: Span, at: usize) -> Option<usize> {
        self.neighbours(page, window, at).map(|owner| owner.abs_diff(at)).min()
    }

    /// Where the owners directly before and behind `at` begin, as far as they stand within `window`.
    fn neighbours(
        &self,
        page: &Page<'_>,
        window: Span,
        at: usize,
    ) -> impl Iterator<Item = usize> + use<> {
        self.on_page(page, window, |owners| {
            let behind = owners.partition_point(|owner| owner.start < at);
            let start = |index: usize| owners.get(index).map(|owner| owner.start);
            [behind.checked_sub(1).and_then(start), start(behind)].into_iter().flatten()
        })
    }

    /// Hands on the owners that stand within `window`, in order.
    fn on_page<T>(&self, page: &Page<'_>, window: Span, then: impl FnOnce(&[Span]) -> T) -> T {
        let mut owners = page.owners.borrow_mut();
        if window.start < owners.read.0 || owners.read.1 < window.end {
            let start = window.start.saturating_sub(MARGIN);
            let end = page.text.len().min(window.end + MARGIN);
            owners.read = (start, end);
            let found = self.owners(&page.text[start..end], page.vocabulary());
            owners.found = found.map(|at| Span::new(start + at.start, start + at.end)).collect();
        }
        let from = owners.found.partition_point(|owner| owner.start < window.start);
        let to = owners.found.partition_point(|owner| owner.end <= window.end);
        then(&owners.found[from..to.max(from)])
    }

    fn owners<'t>(
        &'t self,
        slice: &'t [u8],
        vocabulary: &'t Vocabulary,
    ) -> impl Iterator<Item = Span> + 't {
        self.names
            .find_iter(slice)
            .filter(move |found| {
                let (start, end) = (found.start(), found.end());
                is_own_word(slice, start, end)
                    && (is_host(slice, end)
                        || is_prefix(slice, end)
                        || is_credential(slice, start, vocabulary)
                        || !self.everyday[found.pattern().as_usize()]
                            && (is_block(slice, end) || is_client(slice, start, end)))
            })
            .map(|found| Span::new(found.start(), found.end()))
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

/// `env_prefix="ALGOLIA_"`
fn is_prefix(text: &[u8], end: usize) -> bool {
    text[end..].starts_with(b"_\"") || text[end..].starts_with(b"_'")
}

/// `MAILJET_API_KEY`, `stripeSecret`
fn is_credential(text: &[u8], start: usize, vocabulary: &Vocabulary) -> bool {
    let reach = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = text[..start].iter().rev().take(40).take_while(reach).count();
    let behind = text[start..].iter().take(60).take_while(reach).count();
    let words = lex::subwords(&text[start - before..start + behind]);
    words.len() > 1 && words.iter().any(|word| vocabulary.credential.contains(word))
}

/// `stripe:`, `'stripe' =>`, `[stripe]`, `<key>stripe</key>`
fn is_block(text: &[u8], end: usize) -> bool {
    if text[end..].starts_with(b"</key>") {
        return true;
    }
    let behind = text[end..].iter().take(4).copied();
    let mut behind = behind.filter(|byte| !matches!(byte, b'"' | b'\'' | b' '));
    matches!(behind.next(), Some(b':' | b']' | b'=' | b'{'))
}

/// `new Stripe(`, `Sentry.init`, `Swoosh.Adapters.Mailjet`
fn is_client(text: &[u8], start: usize, end: usize) -> bool {
    let is_joint = |byte: Option<&u8>| matches!(byte, Some(b'.' | b'\\' | b':'));
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    text[start].is_ascii_uppercase()
        && (text.get(end) == Some(&b'(') || is_joint(text.get(end)) || is_joint(before))
}
