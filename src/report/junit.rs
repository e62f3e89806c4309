//! `JUnit` XML for CI systems that show test results: a finding is a failed test, a suppressed one a skipped test, and what
//! was not scanned a test in error. It satisfies the schemas of Ant and of Jenkins, which differ.

use std::io;

use super::Context;
use super::escape::xml;
use super::words;
use crate::coverage::Gap;
use crate::finding::Finding;
use crate::finding::ScanReport;

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let tally = report.tally();
    let failures = tally.leaks + tally.policy;
    let errors = report.coverage.gap_counts().count();
    let clean = usize::from(report.findings.is_empty() && errors == 0);
    let tests = report.findings.len() + errors + clean;
    let tool = context.tool;
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, "<testsuites>")?;
    writeln!(
        out,
        r#"  <testsuite name="{}" id="0" package="{0}" hostname="localhost" timestamp="{}" time="0" tests="{tests}" failures="{failures}" errors="{errors}" skipped="{}">"#,
        xml(tool.name),
        xml(context.time.started),
        tally.suppressed
    )?;
    writeln!(out, "    <properties>")?;
    let targets = report.targets.join(", ");
    for (name, value) in
        [("version", tool.version), ("targets", &targets), ("summary", &words::verdict(report))]
    {
        writeln!(out, r#"      <property name="{name}" value="{}"/>"#, xml(value))?;
    }
    writeln!(out, "    </properties>")?;
    if clean > 0 {
        writeln!(out, r#"    <testcase classname="signleak" name="nothing found" time="0"/>"#)?;
    }
    for finding in &report.findings {
        case(finding, context, out)?;
    }
    for (kind, count) in report.coverage.gap_counts() {
        let listed: Vec<&Gap> = report.coverage.gaps().filter(|gap| gap.kind == kind).collect();
        gaps(&format!("{count} × {}", words::gap_name(kind)), &listed, out)?;
    }
    let stale: Vec<String> = words::stale(report).map(|line| xml(&line)).collect();
    if stale.is_empty() {
        writeln!(out, "    <system-out/>")?;
    } else {
        writeln!(out, "    <system-out>{}</system-out>", stale.join("\n"))?;
    }
    writeln!(out, "    <system-err/>\n  </testsuite>\n</testsuites>")
}

fn case(finding: &Finding, context: &Context<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let place = finding.occurrences.first().map(words::place).unwrap_or_default();
    let headline = words::headline(finding, context);
    writeln!(
        out,
        r#"    <testcase classname="{}" name="{}" time="0">"#,
        xml(&finding.rule_id),
        xml(&place)
    )?;
    if let Some(suppression) = &finding.suppression {
        let reason = suppression.reason.as_deref().unwrap_or("no reason given");
        let message = format!("suppressed by {}: {reason}", suppression.place);
        writeln!(out, r#"      <skipped message="{}"/>"#, xml(&message))?;
    } else {
        let mut lines = vec![words::secret(finding)];
        lines.extend(words::standing(finding));
        lines.extend(words::reasons(finding).map(|reason| format!("because {reason}")));
        lines.extend(finding.occurrences.iter().map(|place| format!("at {}", words::place(place))));
        let text: Vec<_> = lines.iter().map(|line| xml(line)).collect();
        writeln!(
            out,
            r#"      <failure type="{}" message="{}">{}</failure>"#,
            words::name(finding.severity),
            xml(&headline),
            text.join("\n")
        )?;
    }
    writeln!(out, "    </testcase>")
}

fn gaps(name: &str, listed: &[&Gap], out: &mut dyn io::Write) -> io::Result<()> {
    let lines: Vec<String> =
        listed.iter().map(|gap| xml(&format!("{}: {}", gap.place, gap.detail))).collect();
    let name = xml(&format!("not scanned: {name}"));
    writeln!(out, r#"    <testcase classname="coverage" name="{name}" time="0">"#)?;
    writeln!(
        out,
        r#"      <error type="not scanned" message="{name}">{}</error>"#,
        lines.join("\n")
    )?;
    writeln!(out, "    </testcase>")
}
