//! `.signleakignore`: one line per secret, keyed by its SHA-256, without line numbers, so that it survives moved lines
//! and merges as a union.

use globset::Glob;
use globset::GlobMatcher;

use super::Day;
use crate::blob::BlobPath;
use crate::secret::Fingerprint;

/// A line that cannot be read. Nothing is ignored by halves: the scan does not start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{name}:{line}: {message}; a line is `sha256:<64 hex digits> [rule=…] [path=…] [until=YYYY-MM-DD] [reason=\"…\"]`"
)]
pub struct IgnoreError {
    name: String,
    line: usize,
    message: String,
}

/// The secrets that do not count.
#[derive(Debug, Default)]
pub struct IgnoreFile {
    name: String,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    fingerprint: Fingerprint,
    rule: Option<String>,
    path: Option<GlobMatcher>,
    until: Option<Day>,
    reason: Option<String>,
}

/// A line that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// File and line.
    pub place: String,
    /// Reason given there.
    pub reason: Option<String>,
    /// The last day on which it holds.
    pub until: Option<Day>,
}

impl IgnoreFile {
    /// Reads a file's text; `name` stands in messages.
    ///
    /// # Errors
    /// At the first line that is neither an entry, nor a comment, nor blank.
    pub fn parse(text: &str, name: &str) -> Result<Self, IgnoreError> {
        let mut entries = vec![];
        for (at, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let entry = parse_line(content, at + 1);
            entries.push(entry.map_err(|message| IgnoreError {
                name: name.to_owned(),
                line: at + 1,
                message,
            })?);
        }
        Ok(Self { name: name.to_owned(), entries })
    }

    /// The entry by which a secret at `path` does not count on the day `today`.
    #[must_use]
    pub fn matching(
        &self,
        fingerprint: &Fingerprint,
        rule_id: &str,
        path: &BlobPath,
        today: &Day,
    ) -> Option<Match> {
        let entry = self.entries.iter().find(|entry| {
            entry.fingerprint == *fingerprint
                && entry.rule.as_ref().is_none_or(|rule| rule == rule_id)
                && entry.path.as_ref().is_none_or(|glob| glob.is_match(path.to_string()))
                && entry.until.as_ref().is_none_or(|until| today <= until)
        })?;
        Some(Match {
            place: format!("{}:{}", self.name, entry.line),
            reason: entry.reason.clone(),
            until: entry.until.clone(),
        })
    }
}

fn parse_line(content: &str, line: usize) -> Result<Entry, String> {
    let (key, attributes) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
    let hex = key
        .strip_prefix("sha256:")
        .ok_or_else(|| format!("`{key}` does not begin with `sha256:`"))?;
    let fingerprint = Fingerprint::from_hex(hex)
        .ok_or_else(|| "the hash is not 64 hexadecimal digits".to_owned())?;
    let mut entry = Entry { line, fingerprint, rule: None, path: None, until: None, reason: None };
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, value) =
            rest.split_once('=').ok_or_else(|| format!("`{rest}` is no `name=value`"))?;
        let (value, behind) = take_value(value)?;
        match name {
            "rule" => entry.rule = Some(value),
            "path" => {
                entry.path = Some(
                    Glob::new(&value).map_err(|error| format!("path: {error}"))?.compile_matcher(),
                );
            }
            "until" => {
                entry.until = Some(
                    Day::parse(&value)
                        .ok_or_else(|| format!("until: `{value}` is no YYYY-MM-DD"))?,
                );
            }
            "reason" => entry.reason = Some(value),
            _ => return Err(format!("`{name}` is none of rule, path, until and reason")),
        }
        rest = behind.trim_start();
    }
    Ok(entry)
}

/// Splits a value, quoted or not, from what follows.
fn take_value(text: &str) -> Result<(String, &str), String> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted
            .split_once('"')
            .map(|(value, rest)| (value.to_owned(), rest))
            .ok_or_else(|| "a quote is not closed".to_owned()),
        None => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            Ok((text[..end].to_owned(), &text[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("valid")
    }

    #[test]
    fn entries_match_by_hash_rule_path_and_day() {
        let fingerprint = Secret::new(b"invented").fingerprint();
        let text = format!(
            "# why\n\nsha256:{fingerprint} rule=r path=a/** until=2026-12-01 reason=\"a test\"\n"
        );
        let file = IgnoreFile::parse(&text, "f").expect("valid");
        let matches = |rule: &str, path: &str, today: &str| {
            file.matching(&fingerprint, rule, &BlobPath::new(path.as_bytes()), &day(today))
                .is_some()
        };
        assert!(matches("r", "a/b/c", "2026-12-01"));
        assert!(!matches("r", "a/b/c", "2026-12-02"));
        assert!(!matches("q", "a/b/c", "2026-12-01"));
        assert!(!matches("r", "b", "2026-12-01"));
    }

    #[test]
    fn a_bad_line_is_told_with_its_place() {
        for (text, part) in [
            ("abc", "does not begin with"),
            ("sha256:12", "not 64"),
            (&format!("sha256:{} x=1", "0".repeat(64)), "none of rule"),
            (&format!("sha256:{} until=soon", "0".repeat(64)), "no YYYY-MM-DD"),
            (&format!("sha256:{} reason=\"open", "0".repeat(64)), "not closed"),
        ] {
            let error =
                IgnoreFile::parse(&format!("\n{text}"), "file").expect_err("invalid").to_string();
            assert!(error.starts_with("file:2: ") && error.contains(part), "{error}");
        }
    }
}
