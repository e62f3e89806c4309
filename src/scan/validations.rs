//! Lets findings follow what a live check has shown: their environment, severity, confidence and suppression.

use crate::finding::Confidence;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::finding::ScanReport;
use crate::finding::Severity;
use crate::finding::Validation;
use crate::finding::Validations;
use crate::rule::RuleSet;

/// Writes the results of a live check into a report. Findings that were not checked stay as they are.
pub fn apply(report: &mut ScanReport, rules: &RuleSet, validations: Validations) {
    for finding in report.findings.iter_mut().filter(|finding| finding.is_leak()) {
        if let Some(validation) = validations.states.get(&finding.secret.sha256) {
            finding.validation = *validation;
            follow(finding, rules);
        }
    }
    report.findings.sort_by(Finding::compare);
    if let Some(check) = validations.check {
        report.live_check.get_or_insert_default().merge(check);
    }
}

fn follow(finding: &mut Finding, rules: &RuleSet) {
    match finding.validation {
        Validation::Active { environment } => {
            let own = rules.rules().filter(|rule| rule.id == finding.rule_id);
            let severity = own.map(|rule| rule.severity_in(environment)).max();
            finding.severity = severity.unwrap_or(finding.severity);
            finding.environment = environment;
            finding.confidence = Confidence::High;
            overrule(finding);
        }
        Validation::Refused => finding.severity = Severity::Low,
        Validation::Unchecked | Validation::Unknown { .. } => {}
    }
}

/// A key that works right now is hidden only until a day that somebody has named.
fn overrule(finding: &mut Finding) {
    let overruled = finding.suppression.take_if(|suppression| suppression.until.is_none());
    finding.evidence.extend(overruled.map(|suppression| Evidence {
        weight: 0,
        text: format!(
            "{} hides it, which does not count for a key that works: only an entry with until= does",
            suppression.place
        ),
    }));
}
