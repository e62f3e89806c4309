//! From sightings to findings: one per secret, under the rule that is surest of it, with all places.

use std::collections::BTreeMap;

use super::Sighting;
use super::Suppressions;
use super::mask::Mask;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Exposure;
use crate::finding::Finding;
use crate::finding::Kind;
use crate::finding::Occurrence;
use crate::finding::SecretSummary;
use crate::finding::Validation;
use crate::provenance::Origin;
use crate::rule::RuleSet;
use crate::secret::Fingerprint;

/// What makes two sightings one finding: the secret, or for breaches of a policy the rule and the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Secret(Fingerprint),
    Breach(String, Fingerprint),
}

/// Gathers sightings in any order.
pub(super) struct Findings<'r> {
    rules: &'r RuleSet,
    min_confidence: Confidence,
    sightings: BTreeMap<Key, Vec<Sighting>>,
}

impl<'r> Findings<'r> {
    /// Nothing yet.
    pub(super) fn new(rules: &'r RuleSet, min_confidence: Confidence) -> Self {
        Self { rules, min_confidence, sightings: BTreeMap::new() }
    }

    /// The rules by which they were found.
    pub(super) fn rules(&self) -> &'r RuleSet {
        self.rules
    }

    /// Adds one sighting.
    pub(super) fn add(&mut self, sighting: Sighting) {
        let candidate = &sighting.candidate;
        let key = match candidate.kind {
            Kind::Leak => Key::Secret(candidate.secret.fingerprint()),
            Kind::Policy => Key::Breach(candidate.rule_id.clone(), candidate.secret.fingerprint()),
        };
        // Most secrets are seen once; room for four, as a list takes by itself, would be most of what many findings hold.
        let sightings = self.sightings.entry(key).or_insert_with(|| Vec::with_capacity(1));
        sightings.push(sighting);
    }

    /// Brings the sightings of each secret into order, when all are there.
    pub(super) fn rank(&mut self) {
        let order: Vec<&str> = self.rules.rules().map(|rule| rule.id.as_str()).collect();
        self.sightings.values_mut().for_each(|sightings| rank(sightings, &order));
    }

    /// The surest candidate of each leaked secret that will be reported, with the environment that any of its places
    /// tells.
    pub(super) fn leaks(&self) -> Vec<Candidate> {
        let leaks = self.sightings.iter().filter_map(|(key, sightings)| match key {
            Key::Secret(_) => sightings.first().map(|best| (best.candidate.clone(), sightings)),
            Key::Breach(..) => None,
        });
        leaks
            .filter(|(candidate, _)| candidate.confidence >= self.min_confidence)
            .map(|(candidate, sightings)| Candidate {
                environment: environment(sightings),
                ..candidate
            })
            .collect()
    }

    /// Masks every leaked secret, also those that will not be reported.
    pub(super) fn mask(&self) -> Mask {
        let leaks = self.sightings.iter().filter(|(key, _)| matches!(key, Key::Secret(_)));
        Mask::of(leaks.filter_map(|(_, places)| Some(&places.first()?.candidate.secret)))
    }

    /// The findings in their final order: the worst first, then by place.
    pub(super) fn finish(self, suppressions: &Suppressions, mask: &Mask) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .sightings
            .into_values()
            .filter_map(|sightings| finding(sightings, suppressions, mask))
            .filter(|finding| finding.confidence >= self.min_confidence)
            .collect();
        findings.sort_by(Finding::compare);
        findings
    }
}

/// The surest sighting first, and among equals the first by place: it gives rule and evidence.
fn rank(sightings: &mut [Sighting], order: &[&str]) {
    let rank = |id: &str| order.iter().position(|known| *known == id).unwrap_or(usize::MAX);
    sightings.sort_by_cached_key(|sighting| {
        let candidate = &sighting.candidate;
        let weight: i32 = candidate.evidence.iter().map(|evidence| evidence.weight).sum();
        let in_history = sighting.provenance.reachability.is_some();
        let place = (
            in_history,
            sighting.target,
            sighting.provenance.path.clone(),
            candidate.region,
            sighting.provenance.blob_id,
        );
        (std::cmp::Reverse((candidate.confidence, weight)), rank(&candidate.rule_id), place)
    });
}

/// The environment that the surest place tells, or else any.
fn environment(sightings: &[Sighting]) -> Environment {
    let mut told = sightings.iter().map(|sighting| sighting.candidate.environment);
    told.find(|environment| *environment != Environment::Unknown).unwrap_or_default()
}

/// Joins the ranked sightings of one secret.
fn finding(sightings: Vec<Sighting>, suppressions: &Suppressions, mask: &Mask) -> Option<Finding> {
    let best = sightings.first()?.candidate.clone();
    let current = sightings.iter().filter(|sighting| sighting.provenance.reachability.is_none());
    let exposure = current.map(|sighting| sighting.candidate.exposure).max();
    let exposure = exposure.unwrap_or_else(|| history_exposure(&sightings));
    let environment = environment(&sightings);
    let severity = sightings
        .iter()
        .filter(|sighting| sighting.candidate.rule_id == best.rule_id)
        .map(|sighting| sighting.candidate.severity)
        .max();
    let suppression = suppressions.of(&best.rule_id, &sightings);
    let mut occurrences: Vec<Occurrence> = sightings
        .into_iter()
        .map(|sighting| Occurrence::new(&sighting.candidate, sighting.provenance, sighting.target))
        .collect();
    occurrences.iter_mut().for_each(|occurrence| mask.occurrence(occurrence));
    occurrences.sort();
    occurrences.dedup_by(|a, b| a.is_same_place(b));
    let mut finding = Finding {
        severity: severity.unwrap_or(best.severity),
        confidence: best.confidence,
        environment,
        exposure,
        kind: best.kind,
        secret: SecretSummary::of(&best),
        evidence: best.evidence,
        rule_id: best.rule_id,
        validation: Validation::default(),
        revocation: None,
        suppression,
        occurrences,
    };
    mask.finding(&mut finding);
    Some(finding)
}

/// A secret that only history holds is exposed by it, unless what history holds was sent to browsers.
fn history_exposure(sightings: &[Sighting]) -> Exposure {
    let worst = sightings.iter().map(|sighting| sighting.candidate.exposure).max();
    let in_head = sightings.iter().any(|sighting| {
        sighting.provenance.exposed.as_ref().is_some_and(|exposed| exposed.in_head)
            || sighting.provenance.origin == Origin::Index
    });
    match worst {
        Some(worst) if in_head || worst == Exposure::ClientBundle => worst,
        _ => Exposure::History,
    }
}
