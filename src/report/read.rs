//! Reads JSON and JSONL reports back, so that they can be converted and merged. A report comes from anywhere: what
//! cannot be one is refused with its place.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::json::Document;
use super::json::SCHEMA_VERSION;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::finding::is_rule_id;

/// Why a text is no report. Lines and columns start at 1.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not JSON.
    #[error(
        "{line}:{column}: no JSON: {message}; a report is written by `signleak scan --format json`"
    )]
    Syntax {
        /// Line of the error.
        line: usize,
        /// Column of the error.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It is JSON, but something in it is not as in a report.
    #[error(
        "{line}:{column}: {message}; the file was changed, write it again with `signleak scan --format json`"
    )]
    Content {
        /// Line of the error.
        line: usize,
        /// Column of the error, where it is known.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A later version wrote it.
    #[error(
        "{line}:1: has schema_version {found}, and this program reads {SCHEMA_VERSION} and older; use the signleak that wrote it, or a newer one"
    )]
    Newer {
        /// Line of the report's start.
        line: usize,
        /// The version it names.
        found: u32,
    },
    /// It ends before the last line of a JSONL report, or is empty.
    #[error(
        "{line}:1: ends without the line that tells what was scanned, so findings may be missing; write it again with `signleak scan`"
    )]
    CutOff {
        /// The last line.
        line: usize,
    },
}

/// What tells a report, a finding and a last line apart.
#[derive(Deserialize)]
struct Head {
    schema_version: Option<u32>,
    rule_id: Option<IgnoredAny>,
}

/// Reads a JSON or JSONL report.
///
/// # Errors
/// The text is no report that this version can read; see [`ReadError`].
pub fn read(text: &[u8]) -> Result<ScanReport, ReadError> {
    let mut findings = vec![];
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    loop {
        let start = skip_space(text, values.byte_offset());
        let line = line_of(text, start);
        match values.next() {
            None => return Err(ReadError::CutOff { line }),
            Some(Err(error)) => {
                let (line, column) = (error.line(), error.column());
                return Err(ReadError::Syntax { line, column, message: without_place(&error) });
            }
            Some(Ok(_)) => {}
        }
        let value = &text[start..values.byte_offset()];
        let head: Head = parse(value, line)?;
        match head {
            Head { schema_version: Some(found), .. } if found > SCHEMA_VERSION => {
                return Err(ReadError::Newer { line, found });
            }
            Head { schema_version: Some(_), .. } => {
                let document: Document<'_> = parse(value, line)?;
                let end = values.byte_offset();
                if values.next().is_some() {
                    let line = line_of(text, skip_space(text, end));
                    let message = "something follows the report's end".to_owned();
                    return Err(ReadError::Content { line, column: 1, message });
                }
                return finish(document, findings, line);
            }
            Head { rule_id: Some(_), .. } => findings.push(parse::<Finding>(value, line)?),
            Head { .. } => {
                let message = "has no `schema_version`, so it is no report of signleak".to_owned();
                return Err(ReadError::Content { line, column: 1, message });
            }
        }
    }
}

/// Joins the lines before with the report or last line, and checks what types cannot.
fn finish(
    document: Document<'_>,
    mut findings: Vec<Finding>,
    line: usize,
) -> Result<ScanReport, ReadError> {
    findings.extend(document.findings.map(std::borrow::Cow::into_owned).unwrap_or_default());
    let targets = document.targets.into_owned();
    let is_place = |place: &Occurrence| {
        let region = place.region;
        let (start, end) = ((region.line, region.column), (region.end_line, region.end_column));
        region.line > 0 && region.column > 0 && start <= end && place.target < targets.len()
    };
    for finding in &findings {
        // Ids are shown as they are, on terminals, too.
        if !is_rule_id(&finding.rule_id) {
            let message =
                "a `rule_id` holds more than letters, digits, `-`, `_` and `.`".to_owned();
            return Err(ReadError::Content { line, column: 1, message });
        }
        if finding.occurrences.is_empty() || !finding.occurrences.iter().all(is_place) {
            let message =
                format!("a place of the finding {} is none in a target", finding.secret.sha256);
            return Err(ReadError::Content { line, column: 1, message });
        }
    }
    findings.sort_by(Finding::compare);
    Ok(ScanReport {
        targets,
        findings,
        coverage: document.coverage.into_owned(),
        live_check: document.live_check.map(std::borrow::Cow::into_owned),
        stale_suppressions: document.stale_suppressions.into_owned(),
    })
}

/// Parses one value that starts on line `first`.
fn parse<T: DeserializeOwned>(value: &[u8], first: usize) -> Result<T, ReadError> {
    serde_json::from_slice(value).map_err(|error| ReadError::Content {
        line: first + error.line().saturating_sub(1),
        column: error.column().max(1),
        message: without_place(&error),
    })
}

/// The error's text without the place that `serde_json` adds, which counts from the value's start.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn skip_space(text: &[u8], from: usize) -> usize {
    let rest = &text[from.min(text.len())..];
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn line_of(text: &[u8], offset: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text[..offset.min(text.len())]).count()
}
