//! GitLab's secret detection report (`artifacts:reports:secret_detection`). Suppressed findings are left out and counted.

use std::io;

use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;

use super::Context;
use super::escape::Json;
use super::escape::terminal;
use super::words;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::Severity;

/// Version of the schema that the report conforms to.
const SCHEMA_VERSION: &str = "15.0.4";
/// What GitLab's own scanner names when there is no commit.
const NO_COMMIT: &str = "0000000";
/// Places of a finding that are listed.
const LISTED: usize = 50;
/// Characters that GitLab takes as a name and as a solution.
const MAX_NAME: usize = 255;
const MAX_SOLUTION: usize = 7_000;

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let tool = json!({
        "id": context.tool.name,
        "name": context.tool.name,
        "url": context.tool.information_uri,
        "version": context.tool.version,
        "vendor": { "name": context.tool.name },
    });
    let vulnerabilities: Vec<Value> =
        report.unsuppressed().filter_map(|finding| vulnerability(finding, context)).collect();
    let document = json!({
        "version": SCHEMA_VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "status": "success",
            "start_time": context.time.started,
            "end_time": context.time.finished,
            "messages": messages(report),
        },
        "vulnerabilities": vulnerabilities,
    });
    serde_json::to_writer_pretty(Json(out), &document)?;
    out.write_all(b"\n")
}

fn messages(report: &ScanReport) -> Vec<Value> {
    let gaps = report.coverage.gaps().map(|gap| {
        let text = format!("Not scanned: {}: {}", terminal(&gap.place), terminal(&gap.detail));
        json!({ "level": "warn", "value": text })
    });
    let summary = json!({ "level": "info", "value": words::verdict(report) });
    let stale = words::stale(report).map(
        |line| json!({ "level": "info", "value": format!("Suppression: {}", terminal(&line)) }),
    );
    std::iter::once(summary).chain(gaps).chain(stale).collect()
}

fn vulnerability(finding: &Finding, context: &Context<'_>) -> Option<Value> {
    let first = finding.occurrences.first()?;
    let rule = context.rule(&finding.rule_id);
    let solution: String = rule.map(|rule| rule.remedy.join(". ")).unwrap_or_default();
    let head = format!("{}; {}\n", words::headline(finding, context), words::secret(finding));
    let mut description = vec![head];
    description.extend(words::standing(finding));
    description
        .extend(words::reasons(finding).map(|reason| format!("because {}", terminal(reason))));
    Some(json!({
        "id": id(finding),
        "name": limited(context.title(finding), MAX_NAME),
        "description": description.join("\n"),
        "severity": severity(finding.severity),
        "solution": limited(&solution, MAX_SOLUTION),
        "identifiers": [
            {
                "type": "signleak_rule_id",
                "name": format!("signleak rule {}", finding.rule_id),
                "value": finding.rule_id,
            },
            {
                "type": "cwe",
                "name": "CWE-798",
                "value": "798",
                "url": "https://cwe.mitre.org/data/definitions/798.html",
            },
        ],
        "location": location(first),
        "raw_source_code_extract": terminal(&first.snippet),
        "details": { "places": {
            "name": format!("Places, {} in all", finding.occurrences.len()),
            "type": "list",
            "items": finding.occurrences.iter().take(LISTED).map(place).collect::<Vec<Value>>(),
        }},
    }))
}

fn location(occurrence: &Occurrence) -> Value {
    let commit = match &occurrence.commit {
        Some(commit) => json!({
            "sha": commit.id,
            "author": terminal(&commit.author),
            "date": terminal(&commit.date),
        }),
        None => json!({ "sha": NO_COMMIT }),
    };
    json!({
        "file": words::path(occurrence),
        "start_line": occurrence.region.line,
        "end_line": occurrence.region.end_line,
        "commit": commit,
    })
}

fn place(occurrence: &Occurrence) -> Value {
    json!({
        "type": "file-location",
        "file_name": words::path(occurrence),
        "line_start": occurrence.region.line,
        "line_end": occurrence.region.end_line,
    })
}

/// A UUID that stays the same for the secret and its rule, wherever it moves.
fn id(finding: &Finding) -> String {
    let digest = sha2::Sha256::digest(format!("{}\n{}", finding.rule_id, finding.secret.sha256));
    let mut bytes: Vec<u8> = digest.iter().take(16).copied().collect();
    // Version 8 (made by a rule of one's own) and the variant of RFC 9562.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

fn limited(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
