//! Markdown for job summaries and comments: a table of findings, what to do, and what was not scanned. Text from the
//! scanned repository stands in code, where it is neither markup, nor a link, nor a mention.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use super::Context;
use super::escape::terminal;
use super::words;
use crate::finding::Finding;
use crate::finding::ScanReport;

/// Findings that are listed; a job summary has at most 1 MiB.
const LISTED: usize = 500;
/// Gaps of one kind that are listed.
const LISTED_GAPS: usize = 10;

/// Writes the report.
pub(super) fn write(
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = format!("## {}\n\n{}\n", context.tool.name, sentence(&words::verdict(report)));
    let findings: Vec<&Finding> = report.unsuppressed().collect();
    if !findings.is_empty() {
        text.push_str("\n| severity | what | where | secret | since |\n|---|---|---|---|---|\n");
        for finding in findings.iter().take(LISTED) {
            text.push_str(&row(finding, context));
        }
        let hidden = findings.len().saturating_sub(LISTED);
        if hidden > 0 {
            let _written =
                writeln!(text, "\nAnd {hidden} more; the JSON and SARIF reports list all.");
        }
        text.push_str(&remedies(&findings, context));
    }
    text.push_str(&gaps(report));
    if !report.stale_suppressions.is_empty() {
        text.push_str("\n**Suppressions that do nothing**\n\n");
        for line in words::stale(report).take(LISTED) {
            let _written = writeln!(text, "- {}", plain(&line));
        }
    }
    out.write_all(text.as_bytes())
}

fn row(finding: &Finding, context: &Context<'_>) -> String {
    let first = finding.occurrences.first();
    let place = first.map(|first| code(&words::place(first))).unwrap_or_default();
    let more = match finding.occurrences.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let secret = if finding.is_leak() { code(&finding.secret.redacted) } else { "–".to_owned() };
    let since = first.and_then(|first| first.commit.as_ref()).map_or("–".to_owned(), |commit| {
        let id = commit.id.to_string();
        format!("{} {}", code(&id[..id.len().min(12)]), code(&commit.date))
    });
    let live = if finding.validation.is_active() { ", **active now**" } else { "" };
    let severity =
        if finding.is_leak() { words::name(finding.severity) } else { "policy".to_owned() };
    format!(
        "| {severity} | {}{live} | {place}{more} | {secret} | {since} |\n",
        plain(&words::headline(finding, context)),
    )
}

/// What to do, for each rule that found something.
fn remedies(findings: &[&Finding], context: &Context<'_>) -> String {
    let mut text = String::new();
    let found: BTreeSet<&str> = findings.iter().map(|finding| finding.rule_id.as_str()).collect();
    for rule in context.rules.iter().filter(|rule| found.contains(rule.id.as_str())) {
        if !rule.remedy.is_empty() {
            let _written = writeln!(text, "\n**{}: what to do**\n", plain(&rule.title));
        }
        for (at, step) in rule.remedy.iter().enumerate() {
            let _written = writeln!(text, "{}. {}", at + 1, plain(step));
        }
    }
    text
}

fn gaps(report: &ScanReport) -> String {
    let mut text = String::new();
    for (kind, count) in report.coverage.gap_counts() {
        let _written = writeln!(text, "\n**Not scanned: {count} × {}**\n", words::gap_name(kind));
        let listed = report.coverage.gaps().filter(|gap| gap.kind == kind);
        for gap in listed.take(LISTED_GAPS) {
            let _written = writeln!(text, "- {}: {}", code(&gap.place), plain(&gap.detail));
        }
    }
    text
}

/// Text as code. Inside a code span nothing is markup, but a table has no safe way to write a backtick or a pipe there.
pub(super) fn code(text: &str) -> String {
    let shown = terminal(text);
    if shown.trim().is_empty() || shown.contains(['`', '|']) {
        format!("<code>{}</code>", plain(&shown))
    } else {
        format!("`{shown}`")
    }
}

/// Text in which nothing is markup: every character that could be one is written as its number.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in terminal(text).chars() {
        if character.is_alphanumeric() || " ,.;()/-'".contains(character) || !character.is_ascii() {
            plain.push(character);
        } else {
            let _written = write!(plain, "&#{};", u32::from(character));
        }
    }
    plain
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().iter().flat_map(|first| first.to_uppercase()).collect();
    format!("{first}{}.", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_repository_is_no_markup() {
        assert_eq!(code("a/@team/<b>.env"), "`a/@team/<b>.env`");
        assert_eq!(code("a|`b`"), "<code>a&#124;&#96;b&#96;</code>");
        assert_eq!(
            plain("<img> [x](y) *z* @me"),
            "&#60;img&#62; &#91;x&#93;(y) &#42;z&#42; &#64;me"
        );
        assert_eq!(code("a\nb"), "`a\\u{a}b`");
    }
}
