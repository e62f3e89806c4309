//! Reads the configuration of a repository by itself. What it includes is not read, and nothing in it is ever run or
//! followed: only what tells how objects and refs are stored, and where they come from, counts.

use std::path::Path;
use std::path::PathBuf;

use super::files;

/// Larger files are refused.
const LIMIT: u64 = 16 << 20;

/// The settings of one file, in its order: their full names, and what they are set to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config(Vec<(String, String)>);

impl Config {
    /// Reads the file at `path`; where there is none, nothing is set.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        match files::read(path, LIMIT) {
            Ok(text) => Self::parse(&String::from_utf8_lossy(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("its configuration cannot be read: {error}")),
        }
    }

    /// The last value of a setting. Names are in small letters, but for the middle part.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a remote has promised the objects that are not here.
    pub(crate) fn has_promisor(&self) -> bool {
        let is_promisor = |name: &str| name.starts_with("remote.") && name.ends_with(".promisor");
        self.get("extensions.partialclone").is_some()
            || self.0.iter().any(|(name, _)| is_promisor(name))
    }

    /// The files that git would read beside this one, as far as they are named by a path from the root or from `folder`.
    pub(crate) fn includes(&self, folder: &Path) -> Vec<PathBuf> {
        let is_include = |name: &str| {
            name == "include.path" || name.starts_with("includeif.") && name.ends_with(".path")
        };
        let included = self.0.iter().filter(|(name, _)| is_include(name));
        included.map(|(_, path)| folder.join(path)).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut settings = vec![];
        let mut section = None;
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let wrong = || format!("its configuration is damaged in line {number}");
            let mut line = line.trim();
            if let Some(rest) = line.strip_prefix('[') {
                let (name, rest) = header(rest).ok_or_else(wrong)?;
                section = Some(name);
                line = rest.trim_start();
            }
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let (name, value) = line.split_once('=').unwrap_or((line, "true"));
            let name = name.trim_end();
            let is_name = |text: &str| {
                text.starts_with(|letter: char| letter.is_ascii_alphabetic())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let section = section.as_ref().filter(|_| is_name(name)).ok_or_else(wrong)?;
            let mut value = value.to_owned();
            while value.ends_with('\\') && !value.ends_with("\\\\") {
                value.pop();
                value.push_str(lines.next().map_or("", |(line, _)| line));
            }
            settings.push((format!("{section}.{}", name.to_ascii_lowercase()), plain(&value)));
        }
        Ok(Self(settings))
    }
}

/// Reads `section "name"]` or `section]`; returns the name and what stands behind it.
fn header(text: &str) -> Option<(String, &str)> {
    let name = text.split(['"', ']']).next()?;
    let rest = &text[name.len()..];
    let section = name.trim().to_ascii_lowercase();
    if let Some(rest) = rest.strip_prefix(']') {
        return Some((section, rest));
    }
    let mut part = String::new();
    let mut letters = rest.strip_prefix('"')?.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = rest[at + 2..].trim_start().strip_prefix(']')?;
                return Some((format!("{section}.{part}"), rest));
            }
            '\\' => part.push(letters.next()?.1),
            letter => part.push(letter),
        }
    }
    None
}

/// A value without quotes, escapes and comment, and without the blanks before that.
fn plain(value: &str) -> String {
    let (mut plain, mut is_quoted, mut kept) = (String::new(), false, 0);
    let mut letters = value.trim().chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => break,
            '\\' => plain.extend(letters.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                other => other,
            })),
            letter => plain.push(letter),
        }
        if is_quoted || !letter.is_whitespace() {
            kept = plain.len();
        }
    }
    plain.truncate(kept);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_reads_them() {
        let text = "# c\n[core]\n\tbare = false ; no\n[Extensions]\n objectFormat = sha256\n[remote \"a \\\"b\\\".C\"]\n\
                    url = \"https://x.example/#y\" # z\n promisor\n[include] path = a\\\n/b\n[includeIf \"gitdir:x\"]\npath = ../c\n";
        let config = Config::parse(text).expect("valid");
        assert_eq!(config.get("core.bare"), Some("false"));
        assert_eq!(config.get("extensions.objectformat"), Some("sha256"));
        assert_eq!(config.get("remote.a \"b\".C.url"), Some("https://x.example/#y"));
        assert!(config.has_promisor());
        let included = config.includes(Path::new("/f"));
        assert_eq!(included, [Path::new("/f/a/b"), Path::new("/f/../c")]);
    }

    #[test]
    fn damage_names_its_line() {
        for text in ["[[[", "x = 1", "[a]\n\n= 1", "[a \"b", "[a]\n\u{0}"] {
            assert!(Config::parse(text).is_err(), "{text:?}");
        }
    }
}
