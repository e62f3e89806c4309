//! `.signleakignore`: one line per secret, keyed by its SHA-256, without line numbers, so that it survives moved lines
//! and merges as a union.

use std::sync::atomic::Ordering;

use globset::Glob;

use super::Day;
use super::entry::Entry;
use super::entry::Judge;
use super::entry::Key;
use super::entry::Subject;
use crate::finding::Suppression;
use crate::secret::Fingerprint;

/// A line that cannot be read. Nothing is ignored by halves: the scan does not start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}:{line}: {message}")]
pub struct IgnoreError {
    name: String,
    line: usize,
    message: String,
}

impl IgnoreError {
    pub(super) fn new(name: &str, line: usize, message: String) -> Self {
        Self { name: name.to_owned(), line, message }
    }
}

/// The secrets that do not count.
#[derive(Debug, Default)]
pub struct IgnoreFile {
    name: String,
    pub(super) kind: &'static str,
    entries: Vec<Entry>,
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
            entries.push(entry.map_err(|message| {
                let remedy = "a line is `sha256:<64 hex digits> [rule=…] [path=…] [until=YYYY-MM-DD] [reason=\"…\"]`; correct it or take it out";
                IgnoreError::new(name, at + 1, format!("{message}; {remedy}"))
            })?);
        }
        Ok(Self::of(name, "ignore_file", entries))
    }

    pub(super) fn of(name: &str, kind: &'static str, entries: Vec<Entry>) -> Self {
        Self { name: name.to_owned(), kind, entries }
    }

    /// The entry by which a finding does not count.
    #[must_use]
    pub fn matching(&self, subject: &Subject<'_>, judge: &Judge) -> Option<Suppression> {
        // All are asked, so that each knows whether it is of use.
        let matching = self.entries.iter().filter(|entry| entry.matches(subject, judge));
        let entry = matching.fold(None, |first, entry| first.or(Some(entry)))?;
        Some(Suppression {
            kind: self.kind.to_owned(),
            place: format!("{}:{}", self.name, entry.line),
            reason: entry.reason.clone(),
            until: entry.until.as_ref().map(ToString::to_string),
        })
    }

    /// The lines that nothing matched.
    pub fn unused_lines(&self) -> impl Iterator<Item = usize> {
        let unused = self.entries.iter().filter(|entry| !entry.is_used.load(Ordering::Relaxed));
        unused.map(|entry| entry.line)
    }

    /// The lines that no longer hold.
    pub fn expired_lines(&self, today: &Day) -> impl Iterator<Item = usize> {
        let expired = self
            .entries
            .iter()
            .filter(move |entry| entry.until.as_ref().is_some_and(|until| until < today));
        expired.map(|entry| entry.line)
    }

    /// How messages call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether an entry can only be judged with a key.
    #[must_use]
    pub fn needs_hmac_key(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.key, Key::Hmac(_)))
    }
}

fn parse_line(content: &str, line: usize) -> Result<Entry, String> {
    let (key, attributes) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
    let hash = |hex| {
        Fingerprint::from_hex(hex).ok_or_else(|| "the hash is not 64 hexadecimal digits".to_owned())
    };
    let key = match key.split_once(':') {
        Some(("sha256", hex)) => Key::Sha256(hash(hex)?),
        Some(("hmac", hex)) => Key::Hmac(hash(hex)?),
        _ => return Err(format!("`{key}` does not begin with `sha256:` or `hmac:`")),
    };
    let mut entry = Entry::new(line, key);
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
    use crate::blob::BlobPath;
    use crate::secret::Secret;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("valid")
    }

    #[test]
    fn entries_match_by_hash_rule_path_and_day() {
        let secret = Secret::new(b"invented");
        let fingerprint = secret.fingerprint();
        let text = format!(
            "# why\n\nsha256:{fingerprint} rule=r path=a/** until=2026-12-01 reason=\"a test\"\n"
        );
        let file = IgnoreFile::parse(&text, "f").expect("valid");
        let matches = |rule: &str, path: &str, today: &str| {
            let path = BlobPath::new(path.as_bytes());
            let subject =
                Subject { secret: &secret, rule_id: rule, path: &path, line: 1, commit: None };
            let judge = Judge { today: day(today), hmac_key: None };
            file.matching(&subject, &judge).is_some()
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
