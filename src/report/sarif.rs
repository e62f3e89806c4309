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
use crate::coverage::Gap;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::Severity;
use crate::finding::Validation;

/// Results that GitHub takes in one run.
const RESULTS_PER_RUN: usize = 25_000;
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
    let mut parts: Vec<&[&Finding]> = findings.chunks(RESULTS_PER_RUN).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let runs: Vec<Value> =
        parts.iter().enumerate().map(|(number, part)| run(number, part, report, context)).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    let log: Sarif = serde_json::from_value(log)?;
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn run(number: usize, findings: &[&Finding], report: &ScanReport, context: &Context<'_>) -> Value {
    let tool = context.tool;
    let rules: Vec<Value> = context.rules.iter().map(|info| rule(info, context)).collect();
    let indices: BTreeMap<&str, usize> =
        context.rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
    let results: Vec<Value> =
        findings.iter().filter_map(|finding| result(finding, &indices, context)).collect();
    let notifications: Vec<Value> = report.coverage.gaps().map(notification).collect();
    let mut invocation = json!({ "executionSuccessful": true });
    if !notifications.is_empty() {
        invocation["toolExecutionNotifications"] = Value::from(notifications);
    }
    json!({
        "tool": { "driver": {
            "name": tool.name,
            "fullName": format!("{} {}", tool.name, tool.version),
            "semanticVersion": tool.version,
            "version": tool.version,
            "informationUri": tool.information_uri,
            "rules": rules,
        }},
        "automationDetails": { "id": format!("{}/{number}", tool.name) },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The root of the scanned repository, or the scanned folder." } } },
        "invocations": [invocation],
        "results": results,
        "properties": report.live_check.as_ref().map_or(json!({}), |check| json!({ "liveCheck": check })),
    })
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
