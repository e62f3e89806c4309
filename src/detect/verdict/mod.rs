//! Judges one token: which rule, how sure, and why. Every reason has a weight in points; the sum decides.

mod anchors;
mod by_list;
mod by_name;
mod by_tie;
mod environment;
mod label;
mod links;
mod naming;
pub(super) mod pattern;
mod purpose;
pub(super) mod score;
mod selection;
mod siblings;
mod tenants;
mod told;
mod twins;
mod uses;

use self::naming::Namer;
use self::score::Verdict;
use crate::detect::page::Page;
use crate::detect::page::blocks::Block;
use crate::detect::page::context;
use crate::detect::page::encoded;
use crate::detect::page::lex;
use crate::detect::page::randomness;
use crate::detect::page::rivals::Rivals;
use crate::detect::page::urls;
use crate::finding::Environment;
use crate::location::Span;
use crate::rule::Alphabet;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::Shape;
use crate::rule::Weights;

/// A value in one view, judged.
pub(crate) struct Hit<'r> {
    /// Rule it is reported under.
    pub(crate) rule: &'r Rule,
    /// Where it stands in the view's text.
    pub(crate) span: Span,
    /// Verdict with its reasons.
    pub(crate) verdict: Verdict,
    /// Which environment it opens.
    pub(crate) environment: Environment,
}

/// Judges the tokens of one page.
pub(crate) struct Judge<'r, 'p> {
    pub(crate) provider: &'r Provider,
    pub(crate) page: &'p Page<'p>,
    pub(crate) rivals: &'p Rivals,
    pub(crate) namer: Namer<'p>,
    pub(crate) weights: Weights,
}

impl<'r, 'p> Judge<'r, 'p> {
    /// A judge for `page` by the rules of `provider`.
    pub(crate) fn new(provider: &'r Provider, page: &'p Page<'p>, rivals: &'p Rivals) -> Self {
        let namer = Namer { page, rivals };
        Self { provider, page, rivals, namer, weights: page.rules.weights }
    }

    /// Judges the token at `span`, which the document may have in pieces.
    pub(crate) fn judge(&self, span: Span, is_in_pieces: bool) -> Option<Hit<'r>> {
        let context = context::read(self.page, span);
        let naming = self.namer.name(span, &context);
        let (rule, shape) = self.rule(span, &context, &naming)?;
        let mut verdict = Verdict::new(self.page.rules.thresholds);
        self.weigh_shape(span, shape, &mut verdict);
        if is_in_pieces {
            let text = "is put together from pieces, as what shall not be seen is";
            verdict.add(self.weights.in_pieces, text);
        }
        self.weigh_label((span, rule), &naming, &context, &mut verdict);
        self.weigh_provider((span, rule), &naming, &context, &mut verdict);
        if verdict.confidence().is_some() && self.is_key_elsewhere(span) {
            verdict.add(self.weights.harmless_name, "is itself the name of something near by");
        }
        let environment = match verdict.confidence() {
            Some(_) => environment::environment(self.page, span, &context),
            None => Environment::Unknown,
        };
        Some(Hit { rule, span, verdict, environment })
    }

    fn weigh_shape(&self, span: Span, shape: &Shape, verdict: &mut Verdict) {
        let token = self.page.slice(span);
        let weight = if is_plain(token, shape) {
            self.weights.plain_shape
        } else {
            self.weights.mixed_shape
        };
        verdict.add(weight, format!("has the shape of a key: {}", shape.note));
        let objection = randomness::objection(token)
            .or_else(|| self.placeholder(token))
            .or_else(|| self.is_function(span).then_some("is the name of a function"));
        match objection {
            Some(objection) => {
                verdict.add(self.weights.not_random, format!("the value {objection}"));
            }
            None => verdict.add(self.weights.random, "the value looks drawn at random"),
        }
        if !has_both_cases(token) && self.is_quoted_key(span) {
            verdict.add(self.weights.harmless_name, "is itself the name of something");
        }
        if urls::is_page_parameter(self.page, span) {
            let text = "a parameter of a link to one of the provider's pages, not a key";
            verdict.add(self.weights.page_parameter, text);
        }
        let before = &self.page.text[span.start.saturating_sub(40)..span.start];
        if encoded::is_in_crypt_format(before) {
            verdict.add(self.weights.encrypted, "stands inside of a hashed password");
        }
        if self.page.is_in_mappings(span.start) {
            verdict.add(self.weights.not_random, "is a part of a source map's mappings");
        }
        if encoded::is_encrypted(self.page, span) {
            verdict.add(self.weights.encrypted, "stands inside of an encrypted value");
        }
    }

    fn placeholder(&self, token: &[u8]) -> Option<&'static str> {
        let lower = String::from_utf8_lossy(token).to_ascii_lowercase();
        let vocabulary = self.page.vocabulary();
        if vocabulary.published.contains(&lower) {
            return Some("is one that anybody knows, like the MD5 of nothing");
        }
        let holds = |word: &String| {
            let mut places = lower.match_indices(word.as_str());
            places.any(|(at, word)| is_spelled(&token[at..at + word.len()]))
        };
        vocabulary.placeholder.iter().any(holds).then_some("holds a placeholder's word")
    }

    /// Whether all words of a name are such as say nothing about whose it is.
    pub(crate) fn is_generic(&self, name: &[u8]) -> bool {
        let vocabulary = self.page.vocabulary();
        lex::subwords(name).iter().all(|word| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || vocabulary.generic_block.contains(word)
                || vocabulary.neutral.contains(word)
                || vocabulary.carrier.contains(word)
        })
    }
}

/// Whether somebody spelled a word so: capitals begin its parts, or all are. Letters drawn at random that happen to make one
/// are both anywhere.
fn is_spelled(word: &[u8]) -> bool {
    let changes =
        word.windows(2).filter(|pair| pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase());
    changes.count() <= if word.len() <= 5 { 1 } else { 3 }
}

/// The last line of a block's header, without a comment above it.
pub(crate) fn own_line(page: &Page<'_>, block: &Block) -> Span {
    let header = page.slice(block.header);
    let text = header.trim_ascii_end();
    let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Span::new(block.header.start + start, block.header.end)
}

/// Whether the shape says little: many things are 32 hexadecimal digits.
fn is_plain(token: &[u8], shape: &Shape) -> bool {
    shape.alphabet == Alphabet::LowerHex || !has_both_cases(token)
}

pub(crate) fn has_both_cases(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_uppercase) && token.iter().any(u8::is_ascii_lowercase)
}
