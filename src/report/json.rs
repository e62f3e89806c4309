//! JSON for programs: one object, or one finding a line. `docs/report.schema.json` describes both.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::Context;
use crate::coverage::Coverage;
use crate::coverage::Gap;
use crate::coverage::GapKind;
use crate::finding::Finding;
use crate::finding::ScanReport;
use crate::finding::Severity;

/// Version of the format; grows when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'r> {
    schema_version: u32,
    tool: Tool,
    targets: &'r [String],
    coverage: CoverageView<'r>,
    summary: Summary,
    findings: &'r [Finding],
}

#[derive(Serialize)]
struct LastLine<'r> {
    schema_version: u32,
    tool: Tool,
    targets: &'r [String],
    coverage: CoverageView<'r>,
    summary: Summary,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
}

#[derive(Serialize)]
struct CoverageView<'r> {
    complete: bool,
    files: u64,
    file_bytes: u64,
    objects: u64,
    blobs: u64,
    commits: u64,
    object_bytes: u64,
    refs: u64,
    gap_counts: BTreeMap<GapKind, u64>,
    gaps: Vec<&'r Gap>,
}

#[derive(Serialize)]
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
    let view = Report {
        schema_version: SCHEMA_VERSION,
        tool: tool(context),
        targets: &report.targets,
        coverage: coverage(&report.coverage),
        summary: summary(&report.findings),
        findings: &report.findings,
    };
    serde_json::to_writer_pretty(&mut *out, &view)?;
    out.write_all(b"\n")
}

/// Writes one finding a line, and a last line with all the rest.
pub(super) fn write_lines(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, finding)?;
        out.write_all(b"\n")?;
    }
    let last = LastLine {
        schema_version: SCHEMA_VERSION,
        tool: tool(context),
        targets: &report.targets,
        coverage: coverage(&report.coverage),
        summary: summary(&report.findings),
    };
    serde_json::to_writer(&mut *out, &last)?;
    out.write_all(b"\n")
}

fn tool(context: &Context<'_>) -> Tool {
    let tool = context.tool;
    Tool { name: tool.name, version: tool.version, information_uri: tool.information_uri }
}

fn coverage(coverage: &Coverage) -> CoverageView<'_> {
    CoverageView {
        complete: coverage.is_complete(),
        files: coverage.files,
        file_bytes: coverage.file_bytes,
        objects: coverage.objects,
        blobs: coverage.blobs,
        commits: coverage.commits,
        object_bytes: coverage.object_bytes,
        refs: coverage.refs,
        gap_counts: coverage.gap_counts().collect(),
        gaps: coverage.gaps().collect(),
    }
}

fn summary(findings: &[Finding]) -> Summary {
    let counted: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.is_leak() && finding.suppression.is_none())
        .collect();
    let mut by_severity = BTreeMap::new();
    let mut by_rule = BTreeMap::new();
    for finding in &counted {
        *by_severity.entry(finding.severity).or_default() += 1;
        *by_rule.entry(finding.rule_id.clone()).or_default() += 1;
    }
    Summary {
        findings: counted.len(),
        policy: findings
            .iter()
            .filter(|finding| !finding.is_leak() && finding.suppression.is_none())
            .count(),
        suppressed: findings.iter().filter(|finding| finding.suppression.is_some()).count(),
        by_severity,
        by_rule,
    }
}
