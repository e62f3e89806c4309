//! Ignore files and baselines of other scanners. What names a line and not a secret hides whatever comes to stand there, so it is
//! honoured as its owner wrote it and said so in the report.

use std::collections::BTreeMap;

use globset::Glob;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde_json::Value;

use super::entry::Entry;
use super::entry::Key;
use super::ignore_file::IgnoreError;
use super::ignore_file::IgnoreFile;
use crate::secret::Fingerprint;
use crate::secret::Secret;
use crate::secret::hex_byte;

/// What is said of an entry that is bound to a line.
const BY_LINE: &str = "bound to a line, not to the secret";

impl IgnoreFile {
    /// Reads `.gitleaksignore`: `[commit:]path:rule-id:line`.
    ///
    /// # Errors
    /// At the first line of another form.
    pub fn gitleaks_ignore(text: &str, name: &str) -> Result<Self, IgnoreError> {
        each_line(text, name, |line| {
            let remedy = "a line is `[commit:]path:rule-id:line`";
            let mut parts = line.rsplitn(3, ':');
            let (number, rule, rest) = (parts.next(), parts.next(), parts.next());
            let (Some(number), Some(_), Some(rest)) = (number, rule, rest) else {
                return Err(remedy.to_owned());
            };
            let number = number.parse().map_err(|_| remedy.to_owned())?;
            let (commit, path) = match rest.split_once(':') {
                Some((commit, path)) if is_hex(commit, 40) => (Some(commit.to_owned()), path),
                _ => (None, rest),
            };
            Ok(Key::Line { commit, path: path.to_owned(), line: number })
        })
    }

    /// Reads `.betterleaksignore`: one SHA-256 of a secret a line, or a line as gitleaks writes it.
    ///
    /// # Errors
    /// At the first line of another form.
    pub fn betterleaks_ignore(text: &str, name: &str) -> Result<Self, IgnoreError> {
        each_line(text, name, |line| {
            Fingerprint::from_hex(line).map(Key::Sha256).ok_or_else(|| {
                "a line is the SHA-256 of a secret, 64 hexadecimal digits".to_owned()
            })
        })
    }

    /// Reads `ignored_matches` of ggshield's configuration: SHA-256 of secrets.
    ///
    /// # Errors
    /// Never: what is no such hash is about something else.
    pub fn ggshield(text: &str, name: &str) -> Result<Self, IgnoreError> {
        let mut entries = vec![];
        for (at, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches("- ");
            let value =
                line.strip_prefix("match:").unwrap_or(line).trim().trim_matches(['"', '\'']);
            let hash = Fingerprint::from_hex(value);
            entries.extend(hash.map(|hash| Entry::new(at + 1, Key::Sha256(hash))));
        }
        Ok(Self::of(name, "ignore_file", entries))
    }

    /// Reads any baseline: our lines, our JSON report, a gitleaks report, or a detect-secrets baseline.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn baseline(text: &str, name: &str) -> Result<Self, IgnoreError> {
        if !text.trim_start().starts_with(['{', '[']) {
            let mut lines = Self::parse(text, name)?;
            lines.kind = "baseline";
            return Ok(lines);
        }
        let json = |error: serde_json::Error| {
            IgnoreError::new(
                name,
                error.line(),
                format!("no baseline: {error}; write it again with `signleak baseline create`"),
            )
        };
        let value: Value = serde_json::from_str(text).map_err(json)?;
        let entries = if value.is_array() {
            let leaks: Vec<GitleaksLeak> = serde_json::from_str(text).map_err(json)?;
            leaks.into_iter().map(GitleaksLeak::entry).collect()
        } else if value.get("results").is_some() {
            let baseline: DetectSecrets = serde_json::from_str(text).map_err(json)?;
            baseline.entries()
        } else if value.get("findings").is_some() {
            let report: OwnReport = serde_json::from_str(text).map_err(json)?;
            let hashes = report.findings.into_iter().map(|finding| finding.secret.sha256);
            hashes.map(|hash| Entry::new(1, Key::Sha256(hash))).collect()
        } else {
            let message = "is no baseline of signleak, gitleaks or detect-secrets; write one with `signleak baseline create`";
            return Err(IgnoreError::new(name, 1, message.to_owned()));
        };
        Ok(Self::of(name, "baseline", entries))
    }
}

/// One leak in a report of gitleaks.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GitleaksLeak {
    file: String,
    start_line: u32,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    commit: String,
}

impl GitleaksLeak {
    /// Bound to the secret if the report shows it, and to its line if the report was redacted.
    fn entry(self) -> Entry {
        if !self.secret.is_empty() && self.secret != "REDACTED" && !self.secret.ends_with("...") {
            return Entry::new(1, Key::Sha256(Secret::new(self.secret.as_bytes()).fingerprint()));
        }
        let commit = Some(self.commit).filter(|commit| !commit.is_empty());
        by_line(1, Key::Line { commit, path: self.file, line: self.start_line })
    }
}

/// SHA-1 of secrets by file.
#[derive(Deserialize)]
struct DetectSecrets {
    results: BTreeMap<String, Vec<DetectedSecret>>,
}

#[derive(Deserialize)]
struct DetectedSecret {
    #[serde(deserialize_with = "sha1")]
    hashed_secret: [u8; 20],
}

impl DetectSecrets {
    fn entries(self) -> Vec<Entry> {
        let of_file = |(path, secrets): (String, Vec<DetectedSecret>)| {
            let path = Glob::new(&globset::escape(&path)).ok().map(|glob| glob.compile_matcher());
            let entry = move |secret: DetectedSecret| {
                let key = Key::Sha1(secret.hashed_secret);
                Entry { path: path.clone(), ..Entry::new(1, key) }
            };
            secrets.into_iter().map(entry)
        };
        self.results.into_iter().flat_map(of_file).collect()
    }
}

/// What a baseline needs of our own report.
#[derive(Deserialize)]
struct OwnReport {
    findings: Vec<ReportedFinding>,
}

#[derive(Deserialize)]
struct ReportedFinding {
    secret: ReportedSecret,
}

#[derive(Deserialize)]
struct ReportedSecret {
    sha256: Fingerprint,
}

fn each_line(
    text: &str,
    name: &str,
    read: impl Fn(&str) -> Result<Key, String>,
) -> Result<IgnoreFile, IgnoreError> {
    let mut entries = vec![];
    for (at, line) in text.lines().enumerate() {
        let content = line.split_once(" #").map_or(line, |(content, _)| content).trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let key = read(content).map_err(|message| {
            IgnoreError::new(name, at + 1, format!("`{content}` cannot be read; {message}"))
        })?;
        entries.push(by_line(at + 1, key));
    }
    Ok(IgnoreFile::of(name, "ignore_file", entries))
}

fn by_line(line: usize, key: Key) -> Entry {
    let reason = matches!(key, Key::Line { .. }).then(|| BY_LINE.to_owned());
    Entry { reason, ..Entry::new(line, key) }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn sha1<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 20], D::Error> {
    let hex = String::deserialize(deserializer)?;
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(hex_byte).collect();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| D::Error::custom("`hashed_secret` is a SHA-1 of 40 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::BlobPath;
    use crate::suppress::Day;
    use crate::suppress::Judge;
    use crate::suppress::Subject;

    fn allows(file: &IgnoreFile, value: &str, path: &str, line: u32) -> bool {
        let (secret, path) = (Secret::new(value.as_bytes()), BlobPath::new(path.as_bytes()));
        let judge = Judge { today: Day::of_unix_time(0), hmac_key: None };
        let subject = Subject { secret: &secret, rule_id: "r", path: &path, line, commit: None };
        file.matching(&subject, &judge).is_some()
    }

    #[test]
    fn other_scanners_files_are_read() {
        let lines =
            IgnoreFile::gitleaks_ignore("# x\na/b.env:generic-api-key:3\n", "f").expect("valid");
        assert!(allows(&lines, "v", "a/b.env", 3) && !allows(&lines, "v", "a/b.env", 4));
        let hash = Secret::new(b"value").fingerprint();
        let better = IgnoreFile::betterleaks_ignore(&format!("{hash}\n"), "f").expect("valid");
        assert!(allows(&better, "value", "x", 1) && !allows(&better, "other", "x", 1));
        let yaml = format!("secret:\n  ignored_matches:\n    - name: a\n      match: {hash}\n");
        assert!(allows(&IgnoreFile::ggshield(&yaml, "f").expect("valid"), "value", "x", 1));
        // The SHA-1 of `value`, as `printf value | sha1sum` prints it.
        let detect = "{\"results\":{\"a.env\":[{\"type\":\"x\",\"hashed_secret\":\"f32b67c7e26342af42efabc674d441dca0a281c5\",\"line_number\":1}]}}";
        let detect = IgnoreFile::baseline(detect, "f").expect("valid");
        assert!(allows(&detect, "value", "a.env", 9) && !allows(&detect, "value", "b.env", 1));
        let gitleaks = "[{\"RuleID\":\"x\",\"File\":\"a.env\",\"StartLine\":2,\"Secret\":\"value\"},{\"File\":\"b.env\",\"StartLine\":5,\"Secret\":\"REDACTED\"}]";
        let gitleaks = IgnoreFile::baseline(gitleaks, "f").expect("valid");
        assert!(allows(&gitleaks, "value", "moved", 7) && allows(&gitleaks, "any", "b.env", 5));
        assert!(!allows(&gitleaks, "any", "a.env", 2));
    }

    #[test]
    fn a_malformed_one_is_told_with_file_line_and_remedy() {
        for (error, parts) in [
            (IgnoreFile::gitleaks_ignore("\nnonsense", "f"), ["f:2: ", "[commit:]path"]),
            (IgnoreFile::betterleaks_ignore("12", "f"), ["f:1: ", "64 hexadecimal"]),
            (IgnoreFile::baseline("{\n\"results\": ", "f"), ["f:2: ", "signleak baseline create"]),
            (IgnoreFile::baseline("{}", "f"), ["f:1: ", "signleak baseline create"]),
            (IgnoreFile::baseline("{\"findings\": 3}", "f"), ["f:1: ", "signleak baseline create"]),
            (
                IgnoreFile::baseline("{\n\"results\": []}", "f"),
                ["f:2: ", "signleak baseline create"],
            ),
            (
                IgnoreFile::baseline("{\"results\": {\"a\": [{\"hashed_secret\": \"12\"}]}}", "f"),
                ["f:1: ", "40 hexadecimal"],
            ),
        ] {
            let error = error.expect_err("malformed").to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
