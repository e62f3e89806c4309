//! What the fuzzers of `fuzz/` call, by the names of their targets; their seeds and all that they have found are replayed by
//! this module's test. Not part of the interface: only the feature `fuzzing` and tests compile it.

mod http;
mod views;

use std::sync::LazyLock;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::decode::Limits;
use crate::detect::Detector;
use crate::detect::KnownKey;
use crate::finding::Severity;
use crate::report;
use crate::report::Format;
use crate::rule::RuleSet;
use crate::secret::Secret;
use crate::sieve::Sieve as _;
use crate::source::git::fuzzing as git;
use crate::suppress;
use crate::suppress::Day;
use crate::suppress::IgnoreFile;

/// A name and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 20] = [
    ("pack_entry", git::pack_entry),
    ("pack_index", git::pack_index),
    ("pack_files", git::pack_files),
    ("pack_forest", git::pack_forest),
    ("delta", git::delta),
    ("buffer", git::buffer),
    ("loose_object", git::loose_object),
    ("object", git::object),
    ("git_folder", git::git_folder),
    ("staged_index", git::staged_index),
    ("views", views::any),
    ("archives", views::archives),
    ("source_map", views::source_map),
    ("round_trip", views::round_trip),
    ("detect", detect),
    ("links", links),
    ("rules", rules),
    ("ignore_files", ignore_files),
    ("reports", reports),
    ("http_answer", http::answer),
];

/// Little enough that one input takes no time.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    max_depth: 3,
    max_expansion: 1 << 20,
    max_members: 64,
    ..Limits::default()
});

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| {
    Detector::new(RuleSet::built_in().expect("the built-in rules are valid"), LIMITS.clone())
});

/// Runs the target with this name.
///
/// # Panics
/// If there is none, and on what the target looks for.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    target(data);
}

/// Any document: places lie in it, and what the sieve or the first look at a history rejects holds no candidate.
fn detect(data: &[u8]) {
    let path = BlobPath::new(b"notes.txt");
    let candidates = DETECTOR.candidates(data, &path, &mut Coverage::default());
    for candidate in &candidates {
        let region = candidate.region;
        assert!((region.line, region.column) <= (region.end_line, region.end_column));
        let value = String::from_utf8_lossy(candidate.secret.expose()).into_owned();
        assert!(
            candidate.kind != crate::finding::Kind::Leak || !candidate.snippet.contains(&value)
        );
    }
    let leaks = candidates.iter().any(|candidate| candidate.kind == crate::finding::Kind::Leak);
    assert!(!leaks || DETECTOR.may_hold(data, false));
    let sieve = DETECTOR.prefilter();
    if !sieve.may_match(data) && !sieve.is_opaque(&data[..data.len().min(512)]) {
        let explained = DETECTOR.explain(data, &path);
        assert!(explained.iter().all(|value| value.confidence.is_none()));
    }
}

/// What stands in a signature link, in a URL with a key, and in an endpoint's URL.
fn links(data: &[u8]) {
    for before in
        ["https://yousign.app/signatures/", "curl https://api.yousign.app/v3/users?k=", ""]
    {
        detect(&[before.as_bytes(), data].concat());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    drop(KnownKey::parse(text));
    http::endpoint(text);
}

/// A rule file, and a document read by its rules.
fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut rules = RuleSet::built_in().expect("the built-in rules are valid");
    if rules.add(text, "rules.toml").is_ok() {
        let detector = Detector::new(rules, LIMITS.clone());
        let path = BlobPath::new(b"a.env");
        drop(detector.candidates(data, &path, &mut Coverage::default()));
    }
}

/// Ignore files of all scanners, baselines, and comments.
fn ignore_files(data: &[u8]) {
    let today = Day::of_unix_time(0);
    let value = Secret::new(b"value").fingerprint();
    let middle = data.len() / 2;
    drop(suppress::inline_allow(data, middle, &value, &today));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let readers = [
        IgnoreFile::parse,
        IgnoreFile::gitleaks_ignore,
        IgnoreFile::betterleaks_ignore,
        IgnoreFile::ggshield,
        IgnoreFile::baseline,
    ];
    for file in readers.iter().filter_map(|read| read(text, "file").ok()) {
        assert!(file.unused_lines().all(|line| line <= text.lines().count().max(1)));
        let _ = file.expired_lines(&today).count();
    }
}

/// A report of ours: it is read, merged with itself and written in every format; JSON of it reads as the same report.
fn reports(data: &[u8]) {
    let Ok(read) = report::read(data) else { return };
    let merged = report::merge(vec![read.clone(), read.clone()]);
    let rule = report::RuleInfo {
        id: "yousign-api-key".to_owned(),
        title: "a title".to_owned(),
        description: "a description".to_owned(),
        remedy: vec!["a step".to_owned()],
        severity: Severity::Low,
        help_uri: "https://docs.example".to_owned(),
    };
    let context = report::Context {
        tool: report::ToolInfo {
            name: "signleak",
            version: "0",
            information_uri: "https://docs.example",
        },
        rules: &[rule],
        color: false,
        elapsed: None,
        line_hash: &|_| None,
        time: report::RunTime { started: "2026-01-01T00:00:00", finished: "2026-01-01T00:00:00" },
        version: None,
    };
    let write = |format, report| {
        let mut out = vec![];
        report::write(format, report, &context, &mut out).expect("into memory");
        out
    };
    for format in Format::ALL
        .map(|(_, format)| format)
        .into_iter()
        .chain([Format::Cure, Format::CureMarkdown])
    {
        let written = write(format, &merged);
        let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t');
        assert!(!written.iter().any(is_control), "{format:?}");
    }
    for format in [Format::Json, Format::Jsonl] {
        let again = report::read(&write(format, &read)).expect("our own report");
        assert_eq!(again, read);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every seed, and every input that has once shown a mistake.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is kept is small")]
    fn seeds_and_crashes_do_no_harm() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for (name, target) in TARGETS {
            target(b"");
            let mut seeds = 0;
            for folder in ["seeds", "crashes"] {
                let Ok(files) = std::fs::read_dir(fuzz.join(folder).join(name)) else { continue };
                for file in files {
                    let path = file.expect("readable").path();
                    let data = std::fs::read(&path).expect("readable");
                    eprintln!("{}", path.display());
                    target(&data);
                    seeds += usize::from(folder == "seeds");
                }
            }
            assert!(seeds > 0, "{name} has no seed");
        }
    }
}
