//! JSON for programs: one object, or one finding a line. `docs/report.schema.json` describes both.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;
use serde::Serialize;

use super::Context;
use super::escape::Json;
use crate::coverage::Coverage;
use crate::finding::Finding;
use crate::finding::LiveCheck;
use crate::finding::ScanReport;
use crate::finding::Severity;
use crate::finding::StaleSuppression;

/// Version of the format; grows when a field changes its meaning or goes away.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// A report, or without its findings the last line of a JSONL report.
#[derive(Serialize, Deserialize)]
pub(super) struct Document<'r> {
    schema_version: u32,
    tool: Tool<'r>,
    pub(super) targets: Cow<'r, [String]>,
    pub(super) coverage: Cow<'r, Coverage>,
    #[serde(default)]
    pub(super) live_check: Option<Cow<'r, LiveCheck>>,
    summary: Summary,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stale_suppressions: Cow<'r, [StaleSuppression]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) findings: Option<Cow<'r, [Finding]>>,
}

#[derive(Serialize, Deserialize)]
struct Tool<'r> {
    name: Cow<'r, str>,
    version: Cow<'r, str>,
    information_uri: Cow<'r, str>,
}

#[derive(Serialize, Deserialize)]
struct Summary {
    /// Leaks that count: neither suppressed nor a breach of policy.
    findings: usize,
    policy: usize,
    suppressed: usize,
    by_severity: BTreeMap<Severity, usize>,
    by_rule: BTreeMap<String, usize>,
}

/// Writes one object.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let findings = Some(Cow::Borrowed(report.findings.as_slice()));
    serde_json::to_writer_pretty(Json(out), &Document { findings, ..frame(report, context) })?;
    out.write_all(b"\n")
}

/// Writes one finding a line, and a last line with all the rest.
pub(super) fn write_lines(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(Json(out), finding)?;
        out.write_all(b"\n")?;
    }
    serde_json::to_writer(Json(out), &frame(report, context))?;
    out.write_all(b"\n")
}

/// Everything but the findings.
fn frame<'r>(report: &'r ScanReport, context: &Context<'_>) -> Document<'r> {
    let tool = context.tool;
    Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: tool.name.into(),
            version: tool.version.into(),
            information_uri: tool.information_uri.into(),
        },
        targets: Cow::Borrowed(&report.targets),
        coverage: Cow::Borrowed(&report.coverage),
        live_check: report.live_check.as_ref().map(Cow::Borrowed),
        summary: summary(report),
        stale_suppressions: Cow::Borrowed(&report.stale_suppressions),
        findings: None,
    }
}

fn summary(report: &ScanReport) -> Summary {
    let tally = report.tally();
    let mut by_severity = BTreeMap::new();
    let mut by_rule = BTreeMap::new();
    for finding in report.leaks() {
        *by_severity.entry(finding.severity).or_default() += 1;
        *by_rule.entry(finding.rule_id.clone()).or_default() += 1;
    }
    Summary {
        findings: tally.leaks,
        policy: tally.policy,
        suppressed: tally.suppressed,
        by_severity,
        by_rule,
    }
}
