//! Finds the candidates in one document: views, prefilter, tokens, context, randomness, verdict. Takes bytes and a
//! path, knows nothing of git, files or output.

mod exposure;
mod eyes;
mod found;
mod known;
mod original;
mod page;
mod search;
mod snippet;
mod verdict;

use std::sync::OnceLock;

use regex::bytes::Regex;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::decode;
use crate::decode::View;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Evidence;
use crate::finding::Exposure;
use crate::finding::Kind;
use crate::location::Region;
use crate::location::SpanSet;
use crate::rule::RuleSet;
use crate::secret::Secret;

use eyes::Beyond;
use eyes::Eyes;
use eyes::Shapes;
use found::Found;
pub use known::InHistory;
pub use known::KnownKey;
pub use known::KnownSecrets;
use page::Page;
use page::rivals::Rivals;
pub(crate) use search::forms::Forms;
pub use search::prefilter::Prefilter;
use verdict::Hit;
use verdict::Judge;
pub use verdict::score::Verdict;

/// The compiled form of a rule set. Built once, shared by all threads; what only documents with a keyword need is compiled
/// when the first one comes, since most runs of a hook see none.
pub struct Detector {
    rules: RuleSet,
    prefilter: Prefilter,
    rivals: OnceLock<Rivals>,
    keywords: OnceLock<Vec<Regex>>,
    limits: decode::Limits,
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
        Self { rules, prefilter, rivals: OnceLock::new(), keywords: OnceLock::new(), limits }
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
        let mut keep = |view: &View<'_>, path: &BlobPath, hits| {
            self.keep(view, path, hits, &mut found);
        };
        let mut eyes = Eyes::new(self, path, &mut keep);
        decode::read_views(bytes, &self.limits, coverage, &path.to_string(), &mut eyes);
        let mut candidates = found.into_candidates();
        original::find(&mut candidates, bytes, path.as_bytes(), &self.rules.places);
        candidates
    }

    /// Adds to candidates of one script where their values stood before the build, if `map` is its source map.
    pub fn find_originals<'c>(
        &self,
        candidates: impl Iterator<Item = &'c mut Candidate>,
        map: &[u8],
    ) {
        original::find_in_map(candidates, map, &self.rules.places);
    }

    /// Whether a blob whose path is not known yet can hold a candidate under any path that does not speak of a provider, or
    /// under any path at all if it `is_hinted` that its path may.
    #[must_use]
    pub fn may_hold(&self, bytes: &[u8], is_hinted: bool) -> bool {
        let mut ignored = Coverage::default();
        let mut shapes = Shapes::new(self, is_hinted);
        decode::read_views(bytes, &self.limits, &mut ignored, "", &mut shapes);
        if shapes.may_have_missed() {
            decode::read_views(bytes, &self.limits, &mut ignored, "", &mut shapes);
        }
        shapes.may_hold()
    }

    /// Explains every value of a document that has the shape of a secret.
    #[must_use]
    pub fn explain(&self, bytes: &[u8], path: &BlobPath) -> Vec<Explanation> {
        let mut explanations: Vec<Explanation> = vec![];
        let mut ignored = Coverage::default();
        let mut keep = |view: &View<'_>, _: &BlobPath, hits: Vec<Hit<'_>>| {
            for hit in hits {
                explain_hit(view, hit, &mut explanations);
            }
        };
        let mut eyes = Eyes::new(self, path, &mut keep);
        decode::read_views(bytes, &self.limits, &mut ignored, &path.to_string(), &mut eyes);
        explanations.sort_by_key(|explanation| explanation.region);
        explanations
    }

    /// For each provider, the expression that finds its mentions.
    fn keywords(&self) -> &[Regex] {
        self.keywords
            .get_or_init(|| self.rules.providers.iter().map(page::mention::keyword_regex).collect())
    }

    fn deserves_a_look(&self, bytes: &[u8], path: &BlobPath) -> bool {
        use crate::sieve::Sieve as _;
        self.prefilter.may_match(bytes)
            || self.prefilter.may_match(path.as_bytes())
            || self.prefilter.is_opaque(&bytes[..bytes.len().min(512)])
    }

    /// Keeps the hits of one view that are findings.
    fn keep(&self, view: &View<'_>, full_path: &BlobPath, hits: Vec<Hit<'_>>, found: &mut Found) {
        // What breaks a policy is a name, and stays readable.
        let is_secret =
            |hit: &&Hit<'_>| hit.verdict.confidence().is_some() && !hit.rule.is_policy();
        let places = hits.iter().filter(is_secret).map(|hit| view.document_span(hit.span));
        let secrets = SpanSet::new(places.collect());
        for hit in hits {
            let Some(confidence) = hit.verdict.confidence() else { continue };
            let in_document = view.document_span(hit.span);
            let is_policy = hit.rule.is_policy();
            let exposure = exposure::exposure(&self.rules.places, view.text, hit.span, full_path);
            let mut verdict = hit.verdict;
            if exposure == Exposure::ClientBundle && !is_policy {
                verdict.add(0, exposure::how_exposed(&self.rules.places, view.text, hit.span));
            }
            let value = &view.text[hit.span.start..hit.span.end];
            let secret = (!is_policy).then_some(value);
            let candidate = Candidate {
                rule_id: hit.rule.id.clone(),
                kind: if is_policy { Kind::Policy } else { Kind::Leak },
                secret: Secret::new(value),
                severity: hit.rule.severity_in(hit.environment),
                confidence,
                environment: hit.environment,
                exposure,
                evidence: verdict.into_evidence(view.via),
                region: view.region(hit.span),
                snippet: snippet::masked(view.document.bytes(), in_document, secret, &secrets),
                member: view.member.cloned(),
                original: None,
            };
            found.keep(in_document, candidate);
        }
    }

    /// All values of a view that have the shape of a secret, judged.
    fn hits<'r>(&'r self, view: &View<'_>, path: &BlobPath, beyond: &mut Beyond) -> Vec<Hit<'r>> {
        let providers = 0..self.rules.providers.len();
        providers.flat_map(|number| self.hits_of(number, view, path, beyond)).collect()
    }

    /// Those of the provider with this number.
    fn hits_of<'r>(
        &'r self,
        number: usize,
        view: &View<'_>,
        path: &BlobPath,
        beyond: &mut Beyond,
    ) -> Vec<Hit<'r>> {
        let provider = &self.rules.providers[number];
        let far = beyond.far(number, view);
        let keywords = (provider, &self.keywords()[number]);
        let Some(page) = Page::read(view.text, path, keywords, &self.rules, far) else {
            return vec![];
        };
        let rivals = self.rivals.get_or_init(|| Rivals::new(&self.rules.vocabulary));
        let judge = Judge::new(provider, &page, rivals);
        let mut hits = verdict::pattern::hits(&judge);
        hits.retain(|hit| !view.is_no_url(hit.span));
        hits.iter_mut().for_each(|hit| hit.span = view.own_link(hit.span));
        let taken = hits.iter().filter(|hit| !hit.rule.is_policy()).map(|hit| hit.span);
        let taken = SpanSet::new(taken.collect());
        let tokens = search::token::tokens(provider, view.text);
        for token in &tokens {
            // What a neutral anchor holds is judged where it is used.
            let is_anchor = || !page.names_provider_beside(*token) && view.is_anchor(*token);
            if taken.overlapping(*token).next().is_none()
                && !view.is_unjoined(*token)
                && !is_anchor()
            {
                hits.extend(judge.judge(*token, view.is_in_pieces(*token)));
            }
        }
        beyond.remember(number, view, &page.mentions, &tokens);
        hits
    }
}

/// Adds a hit to what is explained, unless a surer one stands at the same place.
fn explain_hit(view: &View<'_>, hit: Hit<'_>, explanations: &mut Vec<Explanation>) {
    let region = view.region(hit.span);
    let confidence = hit.verdict.confidence();
    let known = explanations.iter().position(|known| known.region == region);
    if let Some(at) = known {
        if confidence <= explanations[at].confidence {
            return;
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

/// The path of a member inside its archive, or else of the file.
fn full_path(path: &BlobPath, member: Option<&BlobPath>) -> BlobPath {
    member.map_or_else(|| path.clone(), |member| path.member(member.as_bytes()))
}
