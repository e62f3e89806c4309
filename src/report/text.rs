//! Text for people: what was found, where, why we think so, and what to do next.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use anstyle::AnsiColor;
use anstyle::Style;

use super::Context;
use super::escape::terminal;
use super::words;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::Severity;
use crate::provenance::Origin;

/// Places of one finding that are shown in full.
const SHOWN_PLACES: usize = 5;
/// Gaps of one kind that are shown.
const SHOWN_GAPS: usize = 5;

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let paint = Paint { color: context.color };
    for finding in report.unsuppressed() {
        out.write_all(finding_text(finding, context, paint).as_bytes())?;
    }
    out.write_all(help_text(report, context, paint).as_bytes())?;
    out.write_all(gaps_text(report, paint).as_bytes())?;
    for line in words::stale(report) {
        writeln!(out, "note: {}", terminal(&line))?;
    }
    out.write_all(summary_text(report, context, paint).as_bytes())
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn gutter(self, text: &str) -> String {
        self.with(Style::new().bold().fg_color(Some(AnsiColor::Blue.into())), text)
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Critical | Severity::High => AnsiColor::Red,
            Severity::Medium => AnsiColor::Yellow,
            Severity::Low => AnsiColor::Cyan,
        };
        self.with(Style::new().bold().fg_color(Some(color.into())), text)
    }
}

fn finding_text(finding: &Finding, context: &Context<'_>, paint: Paint) -> String {
    let level = if finding.is_leak() { words::name(finding.severity) } else { "policy".to_owned() };
    let head = paint.severity(finding.severity, &format!("{level}[{}]", finding.rule_id));
    let headline = paint.bold(&format!(": {}", words::headline(finding, context)));
    let mut text = format!("{head}{headline}\n");
    for (at, occurrence) in finding.occurrences.iter().take(SHOWN_PLACES).enumerate() {
        push_place(&mut text, occurrence, at == 0, paint);
    }
    let hidden = finding.occurrences.len().saturating_sub(SHOWN_PLACES);
    if hidden > 0 {
        push_note(&mut text, paint, &format!("and {hidden} more places; --format json lists all"));
    }
    if finding.is_leak() {
        push_note(&mut text, paint, &words::secret(finding));
    }
    for line in words::standing(finding) {
        push_note(&mut text, paint, &line);
    }
    for reason in words::reasons(finding) {
        push_note(&mut text, paint, &format!("because: {}", terminal(reason)));
    }
    text.push('\n');
    text
}

/// What to do, once for each rule that found something.
fn help_text(report: &ScanReport, context: &Context<'_>, paint: Paint) -> String {
    let mut text = String::new();
    let found: BTreeSet<&str> =
        report.unsuppressed().map(|finding| finding.rule_id.as_str()).collect();
    for rule in context.rules.iter().filter(|rule| found.contains(rule.id.as_str())) {
        if rule.remedy.is_empty() {
            continue;
        }
        let head = paint.bold("what to do");
        let _written = writeln!(text, "{head}[{}]: in this order", rule.id);
        for (at, step) in rule.remedy.iter().enumerate() {
            words::wrap(&mut text, &format!("   {}. ", at + 1), step);
        }
        text.push('\n');
    }
    text
}

/// One place: `--> path:line:column`, the line, and what history tells.
fn push_place(text: &mut String, occurrence: &Occurrence, is_first: bool, paint: Paint) {
    let region = occurrence.region;
    let arrow = paint.gutter(if is_first { "-->" } else { ":::" });
    let mut line = format!("  {arrow} {}", terminal(&words::place(occurrence)));
    if !matches!(occurrence.origin, Origin::Worktree | Origin::Stdin | Origin::Archive) {
        let _written = write!(line, " ({})", words::origin(occurrence.origin));
    }
    text.push_str(&line);
    text.push('\n');
    if is_first {
        let number = region.line.to_string();
        let blank = " ".repeat(number.len());
        let bar = paint.gutter("|");
        let snippet = terminal(occurrence.snippet.trim_end()).into_owned();
        let _written = write!(text, " {blank} {bar}\n {} {bar} {snippet}\n", paint.gutter(&number));
        if let Some(at) = snippet.find("********") {
            let before = snippet[..at].chars().count();
            let _written = writeln!(
                text,
                " {blank} {bar} {}{}",
                " ".repeat(before),
                paint.severity(Severity::High, "^^^^^^^^")
            );
        }
    }
    if let Some(original) = &occurrence.original {
        let place = words::original(original);
        push_note(text, paint, &format!("before the build: {}", terminal(&place)));
    }
    push_history(text, occurrence, paint);
}

fn push_history(text: &mut String, occurrence: &Occurrence, paint: Paint) {
    if let Some(commit) = &occurrence.commit {
        let id = commit.id.to_string();
        let note = format!(
            "commit {}, {}, {}",
            &id[..id.len().min(12)],
            terminal(&commit.author),
            terminal(&commit.date)
        );
        push_note(text, paint, &note);
    }
    for beginning in occurrence.exposed.as_deref().into_iter().flat_map(words::beginnings) {
        push_note(text, paint, &terminal(&beginning));
    }
    let reach = occurrence.reachability.map(words::name);
    let exposed = occurrence.exposed.as_ref().map(|exposed| {
        let days = exposed
            .days
            .map_or(String::new(), |days| format!(", exposed for {}", words::days(days)));
        let head = match (exposed.in_head, exposed.in_worktree) {
            (true, true) => ", still in HEAD and in the working tree",
            (true, false) => ", still in HEAD",
            (false, true) => ", still in the working tree",
            (false, false) => "",
        };
        let refs = if exposed.ref_count == 0 {
            String::new()
        } else {
            format!(", in {}", words::counted(exposed.ref_count as u64, "ref", "refs"))
        };
        format!("{head}{refs}{days}")
    });
    if let Some(reach) = reach {
        push_note(text, paint, &format!("{reach}{}", exposed.unwrap_or_default()));
    }
}

fn push_note(text: &mut String, paint: Paint, note: &str) {
    let _written = writeln!(text, "   {} {note}", paint.gutter("="));
}

fn gaps_text(report: &ScanReport, paint: Paint) -> String {
    let mut text = String::new();
    for (kind, count) in report.coverage.gap_counts() {
        let head = paint.severity(Severity::Medium, "not scanned");
        let _written = writeln!(
            text,
            "{head}{}",
            paint.bold(&format!(": {count} × {}", words::gap_name(kind)))
        );
        for gap in report.coverage.gaps().filter(|gap| gap.kind == kind).take(SHOWN_GAPS) {
            push_note(
                &mut text,
                paint,
                &format!("{}: {}", terminal(&gap.place), terminal(&gap.detail)),
            );
        }
        text.push('\n');
    }
    text
}

fn summary_text(report: &ScanReport, context: &Context<'_>, paint: Paint) -> String {
    let is_clean = report.tally().leaks == 0;
    let severity = if is_clean { Severity::Low } else { Severity::High };
    let head = paint.severity(severity, &words::found(report));
    let time = context
        .elapsed
        .map_or(String::new(), |elapsed| format!(" in {:.2} s", elapsed.as_secs_f64()));
    let complete =
        if report.coverage.is_complete() { "" } else { "; NOT everything was scanned, see above" };
    format!("{head}: scanned {}{time}{complete}\n", words::scanned(report))
}
