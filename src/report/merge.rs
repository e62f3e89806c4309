//! Makes one report of several: the shards of one scan, or the scans of several repositories.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::coverage::Coverage;
use crate::finding::Finding;
use crate::finding::Kind;
use crate::finding::LiveCheck;
use crate::finding::ScanReport;
use crate::secret::Fingerprint;

/// Merges reports. Targets of one name are one target; a secret is one finding with the places of all reports, and
/// counts as suppressed only where every report suppresses it. Counts of what was scanned are added up.
#[must_use]
pub fn merge(reports: Vec<ScanReport>) -> ScanReport {
    let mut targets: Vec<String> = vec![];
    let mut coverage = Coverage::default();
    let mut live_check: Option<LiveCheck> = None;
    let mut merged: BTreeMap<(Option<String>, Fingerprint), Finding> = BTreeMap::new();
    let mut stale_suppressions = BTreeSet::new();
    for report in reports {
        stale_suppressions.extend(report.stale_suppressions);
        let numbers: Vec<usize> =
            report.targets.iter().map(|name| number(&mut targets, name)).collect();
        coverage.merge(report.coverage);
        if let Some(check) = report.live_check {
            live_check.get_or_insert_default().merge(check);
        }
        for mut finding in report.findings {
            for place in &mut finding.occurrences {
                place.target = numbers.get(place.target).copied().unwrap_or(0);
            }
            // The same key under two rules is one leak, but one text can break two policies.
            let rule = (finding.kind == Kind::Policy).then(|| finding.rule_id.clone());
            let key = (rule, finding.secret.sha256);
            let joined = match merged.remove(&key) {
                Some(known) => join(known, finding),
                None => finding,
            };
            merged.insert(key, joined);
        }
    }
    let mut findings: Vec<Finding> = merged.into_values().collect();
    findings.sort_by(Finding::compare);
    let stale_suppressions = stale_suppressions.into_iter().collect();
    ScanReport { targets, findings, coverage, live_check, stale_suppressions }
}

/// The number of the target `name`, which is added if it is new.
fn number(targets: &mut Vec<String>, name: &str) -> usize {
    targets.iter().position(|known| known == name).unwrap_or_else(|| {
        targets.push(name.to_owned());
        targets.len() - 1
    })
}

/// Joins two findings of one secret: the surer one gives rule and evidence.
fn join(known: Finding, new: Finding) -> Finding {
    let certainty = |finding: &Finding| {
        let weight: i64 = finding.evidence.iter().map(|evidence| i64::from(evidence.weight)).sum();
        (finding.confidence, weight)
    };
    let (mut best, other) =
        if certainty(&new) > certainty(&known) { (new, known) } else { (known, new) };
    best.severity = best.severity.max(other.severity);
    best.exposure = best.exposure.max(other.exposure);
    if best.environment == Default::default() {
        best.environment = other.environment;
    }
    best.validation = best.validation.max(other.validation);
    best.revocation = best.revocation.or(other.revocation);
    if other.suppression.is_none() {
        best.suppression = None;
    }
    best.occurrences.extend(other.occurrences);
    best.occurrences.sort();
    best.occurrences.dedup_by(|a, b| a.is_same_place(b));
    best
}
