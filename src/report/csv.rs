//! CSV for spreadsheets: one row for each place of each finding, then one for each listed gap. No cell is a formula.

use std::io;

use super::Context;
use super::escape::terminal;
use super::words;
use crate::coverage::Gap;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::StaleSuppression;
use crate::finding::Validation;

const HEADER: [&str; 25] = [
    "record",
    "rule_id",
    "severity",
    "confidence",
    "environment",
    "exposure",
    "validation",
    "revocation",
    "suppressed_by",
    "sha256",
    "redacted",
    "length",
    "target",
    "path",
    "line",
    "column",
    "end_line",
    "end_column",
    "origin",
    "reachability",
    "commit",
    "author",
    "date",
    "in_head",
    "detail",
];

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    _context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut rows =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    rows.write_record(HEADER)?;
    for finding in &report.findings {
        for occurrence in &finding.occurrences {
            rows.write_record(row(finding, occurrence, report).map(|cell| harmless(&cell)))?;
        }
    }
    for gap in report.coverage.gaps() {
        rows.write_record(gap_row(gap).map(|cell| harmless(&cell)))?;
    }
    for stale in &report.stale_suppressions {
        rows.write_record(stale_row(stale).map(|cell| harmless(&cell)))?;
    }
    rows.flush()
}

fn row(finding: &Finding, occurrence: &Occurrence, report: &ScanReport) -> [String; HEADER.len()] {
    let region = occurrence.region;
    let commit = occurrence.commit.as_ref();
    let reasons: Vec<&str> = words::reasons(finding).collect();
    [
        words::name(finding.kind),
        finding.rule_id.clone(),
        words::name(finding.severity),
        words::name(finding.confidence),
        words::name(finding.environment),
        words::name(finding.exposure),
        validation(finding.validation).to_owned(),
        finding.revocation.as_ref().map(|receipt| words::name(receipt.status)).unwrap_or_default(),
        finding.suppression.as_ref().map(|by| by.place.clone()).unwrap_or_default(),
        finding.secret.sha256.to_string(),
        finding.secret.redacted.clone(),
        finding.secret.length.to_string(),
        report.targets.get(occurrence.target).cloned().unwrap_or_default(),
        occurrence.path.to_string(),
        region.line.to_string(),
        region.column.to_string(),
        region.end_line.to_string(),
        region.end_column.to_string(),
        words::name(occurrence.origin),
        occurrence.reachability.map(words::name).unwrap_or_default(),
        commit.map(|commit| commit.id.to_string()).unwrap_or_default(),
        commit.map(|commit| commit.author.clone()).unwrap_or_default(),
        commit.map(|commit| commit.date.clone()).unwrap_or_default(),
        occurrence.exposed.as_ref().map(|exposed| exposed.in_head.to_string()).unwrap_or_default(),
        reasons.join("; "),
    ]
}

fn gap_row(gap: &Gap) -> [String; HEADER.len()] {
    let mut row = [const { String::new() }; HEADER.len()];
    "not scanned".clone_into(&mut row[0]);
    row[1] = words::name(gap.kind);
    row[13].clone_from(&gap.place);
    row[HEADER.len() - 1].clone_from(&gap.detail);
    row
}

fn stale_row(stale: &StaleSuppression) -> [String; HEADER.len()] {
    let mut row = [const { String::new() }; HEADER.len()];
    "stale suppression".clone_into(&mut row[0]);
    row[13].clone_from(&stale.place);
    row[HEADER.len() - 1].clone_from(&stale.detail);
    row
}

fn validation(validation: Validation) -> &'static str {
    match validation {
        Validation::Unchecked => "unchecked",
        Validation::Refused => "refused",
        Validation::Unknown { .. } => "unknown",
        Validation::Active { .. } => "active",
    }
}

/// Keeps a spreadsheet from reading a cell as a formula, by the apostrophe that marks text.
fn harmless(cell: &str) -> String {
    let shown = terminal(cell);
    let is_formula = shown.starts_with(['=', '+', '-', '@', '\t', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{shown}") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_a_command() {
        assert_eq!(harmless("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(harmless("@SUM(1)"), "'@SUM(1)");
        assert_eq!(harmless("＝1+1"), "'＝1+1");
        assert_eq!(harmless("a=b\r\n"), "a=b\\u{d}\\u{a}");
    }
}
