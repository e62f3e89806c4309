//! Annotations for GitHub Actions: one workflow command a finding, which shows it beside its line. Whatever comes from
//! the scanned repository is escaped, so that no file name can end a command or start one.

use std::io;

use super::Context;
use super::escape::terminal;
use super::words;
use crate::finding::Finding;
use crate::finding::ScanReport;
use crate::finding::Severity;

/// Writes the annotations, the worst first (GitHub shows ten of a level for each step), and a line for the log.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in report.unsuppressed() {
        out.write_all(annotation(finding, context).as_bytes())?;
    }
    for (kind, count) in report.coverage.gap_counts() {
        let title = property(&format!("Not scanned: {count} × {}", words::gap_name(kind)));
        let listed = report.coverage.gaps().filter(|gap| gap.kind == kind);
        let lines: Vec<String> = listed
            .map(|gap| format!("{}: {}", terminal(&gap.place), terminal(&gap.detail)))
            .collect();
        writeln!(out, "::warning title={title}::{}", message(&lines))?;
    }
    let stale: Vec<String> =
        words::stale(report).map(|line| terminal(&line).into_owned()).collect();
    if !stale.is_empty() {
        writeln!(out, "::notice title=Suppressions that do nothing::{}", message(&stale))?;
    }
    writeln!(out, "signleak: {}", words::verdict(report))
}

fn annotation(finding: &Finding, context: &Context<'_>) -> String {
    let mut properties = vec![];
    if let Some(first) = finding.occurrences.first() {
        let region = first.region;
        if !first.path.as_bytes().is_empty() {
            properties.push(format!("file={}", property(&first.path.to_string())));
            properties.push(format!("line={},endLine={}", region.line, region.end_line));
            // GitHub takes columns only within one line.
            if region.line == region.end_line {
                properties.push(format!("col={},endColumn={}", region.column, region.end_column));
            }
        }
    }
    properties.push(format!("title={}", property(context.title(finding))));
    let level = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "notice",
    };
    format!("::{level} {}::{}\n", properties.join(","), message(&lines(finding, context)))
}

/// What the annotation says, line by line.
fn lines(finding: &Finding, context: &Context<'_>) -> Vec<String> {
    let mut lines = vec![words::headline(finding, context)];
    if finding.is_leak() {
        lines.push(words::secret(finding));
    }
    lines.extend(words::standing(finding));
    let commit = finding.occurrences.first().and_then(|first| first.commit.as_ref());
    lines.extend(commit.map(|commit| format!("introduced by commit {}", commit.id)));
    if let [_, further @ ..] = finding.occurrences.as_slice()
        && !further.is_empty()
    {
        lines.push(format!(
            "and in {}",
            words::counted(further.len() as u64, "more place", "more places")
        ));
    }
    lines.extend(words::reasons(finding).map(|reason| format!("because {}", terminal(reason))));
    let remedy =
        context.rule(&finding.rule_id).map(|rule| rule.remedy.as_slice()).unwrap_or_default();
    lines.extend(remedy.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)));
    lines
}

/// Escapes the text of a command.
fn message(lines: &[String]) -> String {
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    message(&[terminal(text).into_owned()]).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command_or_starts_one() {
        assert_eq!(property("a,b:c%\r\n::error::x"), "a%2Cb%3Ac%25\\u{d}\\u{a}%3A%3Aerror%3A%3Ax");
        assert_eq!(
            message(&["50%".to_owned(), "::add-mask::x".to_owned()]),
            "50%25%0A::add-mask::x"
        );
    }
}
