//! The cure sheet: for each leaked secret since when and to whom it is exposed, where its copies are, and what to do in
//! which order. As text, and as Markdown whose steps can be ticked off; the HTML report holds the same.

use std::fmt::Write as _;
use std::io;

use super::Context;
use super::cure;
use super::cure::Cure;
use super::escape::terminal;
use super::exposure;
use super::exposure::Timeline;
use super::markdown::code;
use super::markdown::plain;
use super::words;
use crate::finding::Environment;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;

/// Places of one secret that are listed.
const LISTED: usize = 50;
/// Columns of a label.
const LABEL: usize = 14;

/// Writes the sheet as text.
pub(super) fn write_text(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = format!("Cure sheet: {}\n", words::found(report));
    for (at, finding) in report.leaks().enumerate() {
        let sheet = Sheet::of(finding, context);
        let _written = writeln!(text, "\n{}. {}", at + 1, terminal(&sheet.title));
        for (label, fact) in &sheet.facts {
            words::wrap(&mut text, &format!("   {label:LABEL$}"), fact);
        }
        text.push_str("   copies\n");
        for place in &sheet.places {
            words::wrap(&mut text, "     - ", &format!("{} ({})", place.at, place.notes));
        }
        if sheet.hidden > 0 {
            let _written =
                writeln!(text, "     - and {} more; the JSON report has all", sheet.hidden);
        }
        text.push_str("   what to do, in this order\n");
        for (at, step) in sheet.steps.iter().enumerate() {
            words::wrap(&mut text, &format!("     {}. ", at + 1), step);
        }
        if !sheet.limits.is_empty() {
            text.push_str("        It does not reach:\n");
        }
        for limit in &sheet.limits {
            words::wrap(&mut text, "        - ", limit);
        }
    }
    out.write_all(text.as_bytes())
}

/// Writes the sheet as Markdown.
pub(super) fn write_markdown(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = format!("# Cure sheet: {}\n", plain(&words::found(report)));
    for finding in report.leaks() {
        let sheet = Sheet::of(finding, context);
        let _written = write!(text, "\n## {}\n\n| | |\n|---|---|\n", plain(&sheet.title));
        for (label, fact) in &sheet.facts {
            let _written = writeln!(text, "| {label} | {} |", plain(fact));
        }
        text.push_str("\n**Copies**\n\n");
        for place in &sheet.places {
            let _written = writeln!(text, "- {} ({})", code(&place.at), plain(&place.notes));
        }
        if sheet.hidden > 0 {
            let _written = writeln!(text, "- and {} more; the JSON report has all", sheet.hidden);
        }
        text.push_str("\n**What to do, in this order**\n\n");
        for (at, step) in sheet.steps.iter().enumerate() {
            let _written = writeln!(text, "{}. [ ] {}", at + 1, rich(step));
        }
        if !sheet.limits.is_empty() {
            text.push_str("\n   It does not reach:\n\n");
        }
        for limit in &sheet.limits {
            let _written = writeln!(text, "   - {}", rich(limit));
        }
    }
    out.write_all(text.as_bytes())
}

/// What is said about one secret.
struct Sheet {
    title: String,
    facts: Vec<(String, String)>,
    places: Vec<Place>,
    hidden: usize,
    steps: Vec<String>,
    /// What the last step does not reach; empty where it is not needed.
    limits: Vec<String>,
}

struct Place {
    at: String,
    notes: String,
}

impl Sheet {
    fn of(finding: &Finding, context: &Context<'_>) -> Self {
        let cure = Cure::of(finding, context.rule(&finding.rule_id));
        let mut steps = cure.steps.to_vec();
        steps.extend(cure.rewrite.as_ref().map(|_| cure::REWRITE.to_owned()));
        let environment = match finding.environment {
            Environment::Unknown => String::new(),
            known => format!(", {}", words::name(known)),
        };
        let severity = words::name(finding.severity);
        let confidence = words::name(finding.confidence);
        let mut facts =
            vec![("severity".to_owned(), format!("{severity}, {confidence} confidence"))];
        facts.extend(cure::facts(finding, &Timeline::of(finding)));
        facts.push(("SHA-256".to_owned(), finding.secret.sha256.to_string()));
        Self {
            title: format!("{} {}{environment}", context.title(finding), finding.secret.redacted),
            facts,
            places: finding.occurrences.iter().take(LISTED).map(place).collect(),
            hidden: finding.occurrences.len().saturating_sub(LISTED),
            steps,
            limits: cure.rewrite.unwrap_or_default(),
        }
    }
}

fn place(occurrence: &Occurrence) -> Place {
    let commit = occurrence.commit.as_ref().map(|commit| {
        let day = exposure::day(&commit.date);
        format!("commit {} of {day} by {}", exposure::short_id(commit), commit.author)
    });
    let reach = occurrence.reachability.map(words::name);
    // A place without a path is named by its kind already.
    let has_path = !occurrence.path.as_bytes().is_empty();
    let kind = has_path.then(|| words::origin(occurrence.origin).to_owned());
    let notes: Vec<String> = kind.into_iter().chain(commit).chain(reach).collect();
    Place { at: words::place(occurrence), notes: notes.join(", ") }
}

/// Our own words, in which backticks mark code.
fn rich(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { plain(part) }).collect()
}
