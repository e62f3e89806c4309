//! SARIF 2.1.0 as GitHub code scanning takes it, built as JSON and passed through the types of `serde-sarif`, so that
//! nothing that is no SARIF can be written.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;
use serde_json::json;
use serde_sarif::sarif::Sarif;

use super::Context;
use super::RuleInfo;
use super::escape;
use super::escape::Json;
use super::words;
use crate::coverage::Gap;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::Severity;
use crate::finding::Validation;

/// Results of one run that GitHub shows, results that it takes, and runs that it takes in one file.
const SHOWN_PER_RUN: usize = 5_000;
const TAKEN_PER_RUN: usize = 25_000;
const RUNS: usize = 20;
/// Further places of a finding that are listed.
const RELATED: usize = 20;
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the report. Suppressed findings are left out: GitHub does not honour suppressions.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let findings: Vec<&Finding> = report.unsuppressed().collect();
    let taken = findings.len().min(RUNS * TAKEN_PER_RUN);
    let mut parts: Vec<&[&Finding]> = findings[..taken].chunks(part_size(taken)).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let mut runs: Vec<Value> =
        parts.iter().enumerate().map(|(number, part)| run(number, part, report, context)).collect();
    if let Some(left_out) = findings.len().checked_sub(taken).filter(|count| *count > 0) {
        let text = format!(
            "{left_out} results are left out: a SARIF file holds {taken}; the JSON report has all."
        );
        let note = json!({ "level": "error", "message": { "text": text } });
        runs[0]["invocations"][0]["toolExecutionNotifications"] = match notes(report) {
            notes if notes.is_empty() => json!([note]),
            mut notes => {
                notes.push(note);
                Value::from(notes)
            }
        };
    }
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    let log: Sarif = serde_json::from_value(log)?;
    serde_json::to_writer_pretty(Json(out), &log)?;
    out.write_all(b"\n")
}

fn run(number: usize, findings: &[&Finding], report: &ScanReport, context: &Context<'_>) -> Value {
    let tool = context.tool;
    let rules: Vec<Value> = context.rules.iter().map(|info| rule(info, context)).collect();
    let indices: BTreeMap<&str, usize> =
        context.rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
    let results: Vec<Value> =
        findings.iter().filter_map(|finding| result(finding, &indices, context)).collect();
    let notifications = notes(report);
    let mut invocation = json!({ "executionSuccessful": true });
    if !notifications.is_empty() {
        invocation["toolExecutionNotifications"] = Value::from(notifications);
    }
    let mut run = json!({
        "tool": { "driver": {
            "name": tool.name,
            "fullName": format!("{} {}", tool.name, tool.version),
            "semanticVersion": tool.version,
            "version": tool.version,
            "informationUri": tool.information_uri,
            "rules": rules,
        }},
        "automationDetails": { "id": category(tool.name, number) },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The root of the scanned repository, or the scanned folder." } } },
        "invocations": [invocation],
        "results": results,
        "properties": report.live_check.as_ref().map_or(json!({}), |check| json!({ "liveCheck": check })),
    });
    if let Some(version) = context.version {
        run["versionControlProvenance"] = json!([{
            "repositoryUri": version.repository_uri,
            "revisionId": version.revision,
            "mappedTo": { "uriBaseId": "SRCROOT" },
        }]);
        if let Some(branch) = version.branch {
            run["versionControlProvenance"][0]["branch"] = Value::from(branch);
        }
    }
    run
}

/// Results in each run: as many as GitHub shows, and only when that needs too many runs, more.
fn part_size(results: usize) -> usize {
    results.div_ceil(RUNS).max(SHOWN_PER_RUN)
}

/// What GitHub tells runs apart by: the part up to the last slash. It takes a category only once in a file, and closes
/// alerts of a category that a later upload of it does not hold.
fn category(tool: &str, number: usize) -> String {
    match number {
        0 => format!("{tool}/"),
        number => format!("{tool}-part-{}/", number + 1),
    }
}

fn notes(report: &ScanReport) -> Vec<Value> {
    let stale = words::stale(report).map(
        |line| json!({ "level": "note", "message": { "text": format!("Suppression: {line}") } }),
    );
    report.coverage.gaps().map(notification).chain(stale).collect()
}

fn rule(rule: &RuleInfo, context: &Context<'_>) -> Value {
    let steps: Vec<String> =
        rule.remedy.iter().enumerate().map(|(at, step)| format!("{}. {step}.", at + 1)).collect();
    let help = if steps.is_empty() { rule.description.clone() } else { steps.join("\n") };
    let help_uri =
        if rule.help_uri.is_empty() { context.tool.information_uri } else { &rule.help_uri };
    json!({
        "id": rule.id,
        "name": camel_case(&rule.id),
        "shortDescription": { "text": sentence(&rule.title) },
        "fullDescription": { "text": sentence(&rule.description) },
        "help": { "text": help, "markdown": format!("**{}**\n\n{}\n\n{help}", rule.title, rule.description) },
        "helpUri": help_uri,
        "defaultConfiguration": { "level": level(rule.severity) },
        "messageStrings": { "default": { "text": "{0}." } },
        "properties": {
            "tags": ["security", "secret", "CWE-798"],
            "precision": "very-high",
            "security-severity": security_severity(rule.severity),
        },
    })
}

fn result(
    finding: &Finding,
    indices: &BTreeMap<&str, usize>,
    context: &Context<'_>,
) -> Option<Value> {
    let first = finding.occurrences.first()?;
    let index = *indices.get(finding.rule_id.as_str())?;
    let title = &context.rules[index].title;
    let text = message(title, finding, first);
    let mut fingerprints = json!({ "signleakSecret/v1": content_key(finding) });
    if let Some(hash) = (context.line_hash)(first) {
        fingerprints["primaryLocationLineHash"] = Value::from(hash);
    } else {
        fingerprints["primaryLocationLineHash"] =
            Value::from(format!("{}:1", &content_key(finding)[..16]));
    }
    let related: Vec<Value> = finding
        .occurrences
        .iter()
        .skip(1)
        .take(RELATED)
        .enumerate()
        .map(|(at, occurrence)| related(at, occurrence))
        .collect();
    let mut result = json!({
        "ruleId": finding.rule_id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "id": "default", "arguments": [text.trim_end_matches('.')], "text": text },
        "locations": [{ "physicalLocation": physical(first, true) }],
        "partialFingerprints": fingerprints,
        "properties": {
            "confidence": finding.confidence,
            "environment": finding.environment,
            "exposure": finding.exposure,
            "validation": finding.validation,
            "evidence": finding.evidence.iter().map(|evidence| &evidence.text).collect::<Vec<_>>(),
            "occurrences": finding.occurrences.len(),
        },
    });
    if let Some(receipt) = &finding.revocation {
        result["properties"]["revocation"] = json!(receipt);
    }
    if !related.is_empty() {
        result["relatedLocations"] = Value::from(related);
    }
    Some(result)
}

fn message(title: &str, finding: &Finding, first: &Occurrence) -> String {
    let environment = match finding.environment {
        Environment::Production => " for production",
        Environment::Sandbox => " for the sandbox",
        Environment::Unknown => "",
    };
    let live = match finding.validation {
        Validation::Active { .. } => ", active: the provider accepts it now",
        Validation::Refused => ", refused by the provider",
        Validation::Unchecked | Validation::Unknown { .. } => "",
    };
    let sure = match finding.confidence {
        Confidence::High => "",
        Confidence::Medium => "Probably a ",
        Confidence::Low => "Possibly a ",
    };
    let secret = format!(" ({}, {} characters)", finding.secret.redacted, finding.secret.length);
    let commit = first
        .commit
        .as_ref()
        .map_or(String::new(), |commit| format!(", introduced by commit {}", commit.id));
    let places = match finding.occurrences.len() {
        1 => String::new(),
        count => format!(", in {count} places"),
    };
    format!("{sure}{title}{environment}{secret}{live}{commit}{places}.")
}

/// What stays the same when the line moves: the secret and the rule.
fn content_key(finding: &Finding) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("{}\n{}", finding.rule_id, finding.secret.sha256));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn physical(occurrence: &Occurrence, with_snippet: bool) -> Value {
    let region = occurrence.region;
    let path = if occurrence.path.as_bytes().is_empty() {
        b"unnamed".as_slice()
    } else {
        occurrence.path.as_bytes()
    };
    let mut value = json!({
        "artifactLocation": { "uri": escape::uri(path), "uriBaseId": "SRCROOT" },
        "region": { "startLine": region.line, "startColumn": region.column, "endLine": region.end_line, "endColumn": region.end_column },
    });
    if with_snippet && !occurrence.snippet.is_empty() {
        value["region"]["snippet"] = json!({ "text": occurrence.snippet });
    }
    value
}

fn related(at: usize, occurrence: &Occurrence) -> Value {
    let commit = occurrence
        .commit
        .as_ref()
        .map_or(String::new(), |commit| format!(" in commit {}", commit.id));
    json!({ "id": at + 1, "message": { "text": format!("The same secret{commit}.") }, "physicalLocation": physical(occurrence, false) })
}

fn notification(gap: &Gap) -> Value {
    json!({
        "level": "warning",
        "message": { "text": format!("Not scanned: {}: {}", gap.place, gap.detail) },
        "properties": { "kind": gap.kind },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.5",
        Severity::Medium => "6.0",
        Severity::Low => "3.0",
    }
}

/// `yousign-api-key` as `YousignApiKey`, the form SARIF wants for names.
fn camel_case(id: &str) -> String {
    id.split('-')
        .map(|word| word[..word.len().min(1)].to_ascii_uppercase() + &word[word.len().min(1)..])
        .collect()
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stay_within_githubs_limits() {
        for results in [0_usize, 1, 5_000, 5_001, 100_000, 100_001, 500_000] {
            let size = part_size(results);
            assert!((SHOWN_PER_RUN..=TAKEN_PER_RUN).contains(&size), "{results}: {size}");
            assert!(results.div_ceil(size) <= RUNS, "{results}: {size}");
        }
    }
}
