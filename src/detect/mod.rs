//! Finds the candidates in one document: views, prefilter, tokens, context, randomness, verdict. Takes bytes and a
//! path, knows nothing of git, files or output.

mod blocks;
mod columns;
mod context;
mod environment;
mod exposure;
mod known;
mod label;
mod lex;
mod lines;
mod mention;
mod naming;
mod page;
mod pattern;
mod prefilter;
mod quote;
mod randomness;
mod rivals;
mod score;
mod selection;
mod snippet;
mod token;
mod urls;
mod verdict;
mod windows;

use regex::bytes::Regex;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::decode;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Evidence;
use crate::finding::Kind;
use crate::location::Region;
use crate::location::Span;
use crate::rule::Provider;
use crate::rule::Rule;
use crate::rule::RuleSet;
use crate::secret::Secret;

pub use known::KnownSecrets;
pub use prefilter::Prefilter;
pub use score::Verdict;

/// The compiled form of a rule set. Built once, shared by all threads.
pub struct Detector {
    rules: RuleSet,
    prefilter: Prefilter,
    rivals: rivals::Rivals,
    /// For each provider, the expression that finds its mentions.
    keywords: Vec<Regex>,
    limits: decode::Limits,
}

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

/// A document as `explain` shows it: every value that has the shape of a secret, reported or not.
#[derive(Debug)]
pub struct Explanation {
    /// Where the value stands.
    pub region: Region,
    /// Rule that was tried.
    pub rule_id: String,
    /// The value, redacted.
    pub redacted: String,
    /// Confidence if it is a finding.
    pub confidence: Option<Confidence>,
    /// Environment that its surroundings tell.
    pub environment: Environment,
    /// Reasons for and against.
    pub evidence: Vec<Evidence>,
}

impl Detector {
    /// Compiles `rules`.
    #[must_use]
    pub fn new(rules: RuleSet, limits: decode::Limits) -> Self {
        let prefilter = Prefilter::new(&rules);
        let rivals = rivals::Rivals::new(&rules.vocabulary);
        let keywords = rules.providers.iter().map(mention::keyword_regex).collect();
        Self { rules, prefilter, rivals, keywords, limits }
    }

    /// The rules it was built from.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The sieve that says which documents need a look.
    #[must_use]
    pub fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// Finds the candidates of one document. Gaps (archive limits and the like) go to `coverage`.
    #[must_use]
    pub fn candidates(
        &self,
        bytes: &[u8],
        path: &BlobPath,
        coverage: &mut Coverage,
    ) -> Vec<Candidate> {
        if !self.deserves_a_look(bytes, path) {
            return vec![];
        }
        let mut found = Found::default();
        decode::for_each_view(bytes, &self.limits, coverage, &path.to_string(), &mut |view| {
            self.look(view, path, &mut found);
        });
        found.into_candidates()
    }

    /// Whether a blob whose path is not known yet can hold a candidate under any path.
    #[must_use]
    pub fn may_hold(&self, bytes: &[u8]) -> bool {
        let mut ignored = Coverage::default();
        let mut may_hold = false;
        decode::for_each_view(bytes, &self.limits, &mut ignored, "", &mut |view| {
            may_hold = may_hold
                || self.rules.providers.iter().any(|provider| {
                    !token::tokens(provider, view.text).is_empty()
                        || pattern::may_match(provider, view.text)
                });
        });
        may_hold
    }

    /// Explains every value of a document that has the shape of a secret.
    #[must_use]
    pub fn explain(&self, bytes: &[u8], path: &BlobPath) -> Vec<Explanation> {
        let mut explanations: Vec<Explanation> = vec![];
        let mut ignored = Coverage::default();
        decode::for_each_view(bytes, &self.limits, &mut ignored, &path.to_string(), &mut |view| {
            let full_path = full_path(path, view.member);
            for hit in self.hits(view.text, &full_path) {
                let region = view.region(hit.span);
                let confidence = hit.verdict.confidence();
                let known = explanations.iter().position(|known| known.region == region);
                if let Some(at) = known {
                    if confidence <= explanations[at].confidence {
                        continue;
                    }
                    explanations.remove(at);
                }
                explanations.push(Explanation {
                    region,
                    rule_id: hit.rule.id.clone(),
                    redacted: Secret::new(&view.text[hit.span.start..hit.span.end]).redacted(),
                    confidence,
                    environment: hit.environment,
                    evidence: hit.verdict.into_evidence(view.via),
                });
            }
        });
        explanations.sort_by_key(|explanation| explanation.region);
        explanations
    }

    fn deserves_a_look(&self, bytes: &[u8], path: &BlobPath) -> bool {
        use crate::blob::Sieve as _;
        self.prefilter.may_match(bytes)
            || self.prefilter.may_match(path.as_bytes())
            || self.prefilter.is_opaque(&bytes[..bytes.len().min(64)])
    }

    /// Judges one view and keeps what is a finding.
    fn look(&self, view: &decode::View<'_>, path: &BlobPath, found: &mut Found) {
        use crate::blob::Sieve as _;
        let full_path = full_path(path, view.member);
        if !self.prefilter.may_match(view.text) && !self.prefilter.may_match(full_path.as_bytes()) {
            return;
        }
        let hits: Vec<Hit<'_>> = self
            .hits(view.text, &full_path)
            .into_iter()
            .filter(|hit| hit.verdict.confidence().is_some())
            .collect();
        if hits.is_empty() {
            return;
        }
        let secrets: Vec<Span> = hits.iter().map(|hit| view.document_span(hit.span)).collect();
        for hit in hits {
            let Some(confidence) = hit.verdict.confidence() else { continue };
            let in_document = view.document_span(hit.span);
            let exposure = exposure::exposure(&self.rules.places, view.text, hit.span, &full_path);
            found.keep(
                in_document,
                Candidate {
                    rule_id: hit.rule.id.clone(),
                    kind: if hit.rule.is_policy() { Kind::Policy } else { Kind::Leak },
                    secret: Secret::new(&view.text[hit.span.start..hit.span.end]),
                    severity: hit.rule.severity_in(hit.environment),
                    confidence,
                    environment: hit.environment,
                    exposure,
                    evidence: hit.verdict.into_evidence(view.via),
                    region: view.region(hit.span),
                    snippet: snippet::masked(
                        view.document(),
                        in_document,
                        &secrets,
                        hit.rule.is_policy(),
                    ),
                    member: view.member.cloned(),
                },
            );
        }
    }

    /// All values of a text that have the shape of a secret, judged.
    fn hits<'r>(&'r self, text: &[u8], path: &BlobPath) -> Vec<Hit<'r>> {
        let providers = self.rules.providers.iter().zip(&self.keywords);
        providers.flat_map(|provider| self.hits_of(provider, text, path)).collect()
    }

    fn hits_of<'r>(
        &'r self,
        provider: (&'r Provider, &Regex),
        text: &[u8],
        path: &BlobPath,
    ) -> Vec<Hit<'r>> {
        let Some(page) = page::Page::read(text, path, provider, &self.rules) else {
            return vec![];
        };
        let mut hits = pattern::hits(&page, provider.0);
        let taken: Vec<Span> =
            hits.iter().filter(|hit| !hit.rule.is_policy()).map(|hit| hit.span).collect();
        let judge = verdict::Judge::new(provider.0, &page, &self.rivals);
        for token in token::tokens(provider.0, text) {
            if taken.iter().all(|span| !span.overlaps(token)) {
                hits.extend(judge.judge(token));
            }
        }
        hits
    }
}

/// The path of a member inside its archive, or else of the file.
fn full_path(path: &BlobPath, member: Option<&BlobPath>) -> BlobPath {
    member.map_or_else(|| path.clone(), |member| path.member(member.as_bytes()))
}

/// Candidates of one document over all its views: a place is reported once, by its surest view.
#[derive(Default)]
struct Found {
    candidates: Vec<(Span, Candidate)>,
}

impl Found {
    fn keep(&mut self, span: Span, candidate: Candidate) {
        // A longer value that was decoded, such as a link, swallows what looked like a key in it.
        self.candidates.retain(|(known_span, known)| {
            known.member != candidate.member
                || known.kind != candidate.kind
                || known.rule_id == candidate.rule_id
                || known.secret.len() >= candidate.secret.len()
                || !(span.start <= known_span.start && known_span.end <= span.end)
        });
        let rival = self.candidates.iter_mut().find(|(known_span, known)| {
            known.member == candidate.member
                && known.kind == candidate.kind
                && known_span.overlaps(span)
                && (known.secret == candidate.secret || known.rule_id == candidate.rule_id)
        });
        match rival {
            // A link with its escapes decoded is the true one, and later views are the decoded ones.
            Some((_, known))
                if known.confidence > candidate.confidence
                    || known.confidence == candidate.confidence
                        && known.secret == candidate.secret => {}
            Some(slot) => *slot = (span, candidate),
            None => self.candidates.push((span, candidate)),
        }
    }

    fn into_candidates(mut self) -> Vec<Candidate> {
        self.candidates.sort_by(|(_, a), (_, b)| {
            (&a.member, a.region, &a.rule_id).cmp(&(&b.member, b.region, &b.rule_id))
        });
        self.candidates.into_iter().map(|(_, candidate)| candidate).collect()
    }
}
