//! Breaches that a text alone does not show: a present file that holds a leak and that git tracks.

use std::collections::BTreeMap;

use super::Options;
use super::Sighting;
use super::Target;
use super::target;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Evidence;
use crate::finding::Kind;
use crate::provenance::Origin;
use crate::rule::Rule;
use crate::rule::RuleKind;
use crate::rule::RuleSet;
use crate::secret::Secret;
use crate::source::git::Tracked;

/// Adds a breach for each present file that holds a leak and should not be tracked.
pub(super) fn add(
    found: &mut Vec<Sighting>,
    targets: &[Target],
    options: &Options,
    rules: &RuleSet,
) {
    let mut files: BTreeMap<(&str, usize, &[u8]), (&Rule, &Sighting)> = BTreeMap::new();
    let leaks = found.iter().filter(|sighting| {
        let candidate = &sighting.candidate;
        matches!(sighting.provenance.origin, Origin::Worktree | Origin::Index)
            && candidate.kind == Kind::Leak
            && candidate.member.is_none()
            && candidate.confidence >= options.min_confidence
    });
    for leak in leaks {
        for rule in rules.rules().filter(|rule| is_about(rule, leak)) {
            let key = (rule.id.as_str(), leak.target, leak.provenance.path.as_bytes());
            let (_, first) = files.entry(key).or_insert((rule, leak));
            if leak.candidate.region < first.candidate.region {
                *first = leak;
            }
        }
    }
    let mut indexes: BTreeMap<usize, Option<Tracked>> = BTreeMap::new();
    let mut breaches = vec![];
    for ((_, number, path), (rule, leak)) in files {
        let read = || target::place(&targets[number], options)?.1?.tracked();
        let is_tracked = leak.provenance.origin == Origin::Index
            || indexes
                .entry(number)
                .or_insert_with(read)
                .as_ref()
                .is_some_and(|tracked| tracked.holds(path));
        if is_tracked {
            breaches.push(breach(rule, leak));
        }
    }
    found.append(&mut breaches);
}

fn is_about(rule: &Rule, leak: &Sighting) -> bool {
    let path = leak.provenance.path.to_string();
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(&rule.kind, RuleKind::Tracked(tracked) if tracked.is_about(name))
}

fn breach(rule: &Rule, leak: &Sighting) -> Sighting {
    let path = leak.provenance.path.to_string();
    let candidate = Candidate {
        rule_id: rule.id.clone(),
        kind: Kind::Policy,
        secret: Secret::new(path.as_bytes()),
        severity: rule.severity,
        confidence: Confidence::High,
        environment: Environment::Unknown,
        evidence: vec![Evidence {
            weight: 0,
            text: "git tracks the file, and it holds a secret".to_owned(),
        }],
        original: None,
        ..leak.candidate.clone()
    };
    Sighting { candidate, inline: None, ..leak.clone() }
}
