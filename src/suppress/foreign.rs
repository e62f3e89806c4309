//! Ignore files and baselines of other scanners. What names a line and not a secret hides whatever comes to stand there, so it is
//! honoured as its owner wrote it and said so in the report.

use globset::Glob;
use serde::Deserialize;
use serde_json::Value;

use super::entry::Entry;
use super::entry::Key;
use super::ignore_file::IgnoreError;
use super::ignore_file::IgnoreFile;
use crate::secret::Fingerprint;
use crate::secret::Secret;

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
            detect_secrets(&value)
        } else if value.get("findings").is_some() {
            own_report(&value)
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
fn detect_secrets(value: &Value) -> Vec<Entry> {
    let mut entries = vec![];
    for (path, secrets) in value["results"].as_object().into_iter().flatten() {
        for secret in secrets.as_array().into_iter().flatten() {
            let Some(hash) = secret["hashed_secret"].as_str().and_then(sha1) else { continue };
            let path = Glob::new(&globset::escape(path)).ok().map(|glob| glob.compile_matcher());
            entries.push(Entry { path, ..Entry::new(1, Key::Sha1(hash)) });
        }
    }
    entries
}

fn own_report(value: &Value) -> Vec<Entry> {
    let findings = value["findings"].as_array().into_iter().flatten();
    let hashes =
        findings.filter_map(|finding| Fingerprint::from_hex(finding["secret"]["sha256"].as_str()?));
    hashes.map(|hash| Entry::new(1, Key::Sha256(hash))).collect()
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

fn sha1(hex: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    if !is_hex(hex, 40) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
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
        ] {
            let error = error.expect_err("malformed").to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
