//! Writes a finished scan in one format or another, and reads JSON reports back. Sees findings only, never a secret.

mod csv;
mod cure;
pub mod escape;
mod exposure;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod line_hash;
mod markdown;
mod merge;
mod read;
mod sarif;
mod sheet;
mod text;
mod words;

use std::io;
use std::str::FromStr;
use std::time::Duration;

use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::Severity;

pub use exposure::since;
pub use line_hash::line_hashes;
pub use merge::merge;
pub use read::ReadError;
pub use read::read;

/// The tool as reports name it.
#[derive(Clone, Copy, Debug)]
pub struct ToolInfo {
    /// Name of the program.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Where its documentation is.
    pub information_uri: &'static str,
}

/// A rule as reports describe it.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// Id of the rule.
    pub id: String,
    /// One line.
    pub title: String,
    /// What the value allows.
    pub description: String,
    /// What to do, in order.
    pub remedy: Vec<String>,
    /// The worst severity of its findings.
    pub severity: Severity,
    /// Where to read more.
    pub help_uri: String,
}

/// Everything a report needs beside the scan itself.
pub struct Context<'c> {
    /// The tool.
    pub tool: ToolInfo,
    /// All rules, each id once.
    pub rules: &'c [RuleInfo],
    /// Whether to colour (text only).
    pub color: bool,
    /// How long it took; shown in text only, so that equal input gives equal reports.
    pub elapsed: Option<Duration>,
    /// Line hash of an occurrence in a file that exists, by GitHub's algorithm (SARIF only).
    pub line_hash: &'c dyn Fn(&Occurrence) -> Option<String>,
    /// When the run was, for the formats that must say so.
    pub time: RunTime<'c>,
    /// The repository and version that was scanned, if it is known (SARIF only).
    pub version: Option<VersionInfo<'c>>,
}

impl Context<'_> {
    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&RuleInfo> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// What a finding is, in one line: the title of its rule.
    #[must_use]
    pub fn title<'f>(&'f self, finding: &'f Finding) -> &'f str {
        self.rule(&finding.rule_id).map_or(&finding.rule_id, |rule| &rule.title)
    }
}

/// A version of a repository as reports name it.
#[derive(Clone, Copy, Debug)]
pub struct VersionInfo<'c> {
    /// Where the repository comes from, without credentials.
    pub repository_uri: &'c str,
    /// The commit.
    pub revision: &'c str,
    /// The branch.
    pub branch: Option<&'c str>,
}

/// When a run began and ended: UTC, `YYYY-MM-DDThh:mm:ss`. GitLab's and `JUnit`'s schemas require it; no other format holds
/// a time, so that equal input gives equal reports.
#[derive(Clone, Copy, Debug)]
pub struct RunTime<'c> {
    /// The beginning.
    pub started: &'c str,
    /// The end.
    pub finished: &'c str,
}

/// A report's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A page for a browser, in one file.
    Html,
    /// SARIF 2.1.0 as GitHub code scanning takes it.
    Sarif,
    /// Annotations for GitHub Actions.
    Github,
    /// GitLab's secret detection report.
    Gitlab,
    /// `JUnit` XML.
    Junit,
    /// One row a place, for spreadsheets.
    Csv,
    /// For job summaries and comments.
    Markdown,
    /// The cure sheet as text. Like the next one it is no format of a scan, and so not in [`Format::ALL`].
    Cure,
    /// The cure sheet as Markdown.
    CureMarkdown,
}

impl Format {
    /// Every format of a scan with its name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("html", Self::Html),
        ("sarif", Self::Sarif),
        ("github", Self::Github),
        ("gitlab", Self::Gitlab),
        ("junit", Self::Junit),
        ("csv", Self::Csv),
        ("markdown", Self::Markdown),
    ];
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("there is no format `{name}`; the formats are {}", names.join(", "))
        })
    }
}

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(
    format: Format,
    report: &ScanReport,
    context: &Context<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, context, out),
        Format::Json => json::write(report, context, out),
        Format::Jsonl => json::write_lines(report, context, out),
        Format::Html => html::write(report, context, out),
        Format::Sarif => sarif::write(report, context, out),
        Format::Github => github::write(report, context, out),
        Format::Gitlab => gitlab::write(report, context, out),
        Format::Junit => junit::write(report, context, out),
        Format::Csv => csv::write(report, context, out),
        Format::Markdown => markdown::write(report, context, out),
        Format::Cure => sheet::write_text(report, context, out),
        Format::CureMarkdown => sheet::write_markdown(report, context, out),
    }
}
