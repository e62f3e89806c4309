//! Detection judged against labelled files: what must be found is, where it stands, and nothing else is.
//!
//! Every sitting has fresh random values. `SIGNLEAK_SEED` repeats one.

#![expect(
    clippy::unwrap_used,
    clippy::use_debug,
    reason = "a harness for tests: what cannot fail may panic, and its report is for developers"
)]

mod filler;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

const POLICY: &str = "yousign-policy-";

#[derive(Deserialize)]
struct Labels<T> {
    leak: Vec<T>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "lowercase")]
enum Difficulty {
    Easy,
    Medium,
    Hard,
}

/// One occurrence of a value in a file of the dev set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DevLabel {
    file: String,
    rule: String,
    sha256: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    environment: Option<String>,
    exposure: Option<String>,
    difficulty: Difficulty,
}

/// One leaked value in a template of the judge set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeLabel {
    file: String,
    rule: String,
    value: String,
    environment: Option<String>,
    difficulty: Difficulty,
}

/// What must be found.
struct Expected {
    file: String,
    rule: String,
    sha256: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    environment: Option<String>,
    exposure: Option<String>,
    difficulty: Difficulty,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    rule_id: String,
    environment: Option<String>,
    exposure: Option<String>,
    secret: FoundSecret,
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct FoundSecret {
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Occurrence {
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    environment: Option<String>,
    exposure: Option<String>,
}

/// Hits and failures of one sitting. Its text never holds a value.
#[derive(Default)]
struct Verdict {
    /// Found and all, by difficulty.
    recall: BTreeMap<Difficulty, (usize, usize)>,
    alarms: usize,
    text: String,
    misplaced: String,
}

impl Verdict {
    fn totals(&self) -> (usize, usize) {
        self.recall.values().fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
    }

    fn report(&self, seed: u64) -> String {
        let (found, all) = self.totals();
        let mut text =
            format!("SIGNLEAK_SEED={seed}: {found} of {all} found, {} false alarms\n", self.alarms);
        for (difficulty, (found, all)) in &self.recall {
            writeln!(text, "  {difficulty:?}: {found} of {all}").unwrap();
        }
        text + &self.text + &self.misplaced
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a sitting is repeated by its seed")]
    let given = std::env::var("SIGNLEAK_SEED");
    given.map_or_else(
        |_| rand::rng().random(),
        |text| text.parse().expect("SIGNLEAK_SEED is a number"),
    )
}

#[expect(clippy::disallowed_methods, reason = "our own fixtures are small")]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn labels<T: for<'de> Deserialize<'de>>(path: &Path) -> Vec<T> {
    let text = String::from_utf8(read(path)).unwrap();
    toml::from_str::<Labels<T>>(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .leak
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file below `root`, as a path with forward slashes.
fn files(root: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name();
    let files =
        entries.into_iter().map(|entry| entry.unwrap()).filter(|entry| entry.file_type().is_file());
    files
        .map(|file| file.path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect()
}

fn write(root: &Path, file: &str, bytes: &[u8]) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Makes `root` a repository that tracks all its files, for the rules that ask what git knows.
fn track(root: &Path) {
    let repository = git2::Repository::init(root).unwrap();
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::FORCE, None).unwrap();
    index.write().unwrap();
}

fn scan(root: &Path) -> Report {
    let output = Command::new(env!("CARGO_BIN_EXE_signleak"))
        .args(["scan", "--no-history", "--no-repo-config", "--format", "json"])
        .arg(root)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("no JSON report ({error}), {}: {errors}", output.status)
    })
}

/// Whether the reported `path` is `file` or a member of the archive `file`.
fn is_at(path: &str, file: &str) -> bool {
    let path = path.replace('\\', "/");
    path.match_indices(file).any(|(at, _)| {
        let starts = at == 0 || path.as_bytes()[at - 1] == b'/';
        let rest = &path[at + file.len()..];
        starts
            && (rest.is_empty()
                || (is_archive(file) && rest.starts_with(['!', '/', ':', '#', '>', ' ', '('])))
    })
}

fn is_archive(file: &str) -> bool {
    [".gz", ".zip", ".tar", ".tgz", ".jar", ".docx", ".xlsx", ".apk", ".whl"]
        .iter()
        .any(|end| file.ends_with(end))
}

/// The expected rows of one leak: the same value, by the same rule, in the same file.
type Leak<'a> = (&'a str, &'a str, Option<&'a str>);

fn judge(root: &Path, expected: &[Expected]) -> Verdict {
    let report = scan(root);
    let mut verdict = Verdict::default();
    let mut leaks: BTreeMap<Leak<'_>, Vec<&Expected>> = BTreeMap::new();
    for row in expected {
        leaks.entry((&row.file, &row.rule, row.sha256.as_deref())).or_default().push(row);
    }
    for (leak, rows) in &leaks {
        let hits = hits(&report, leak);
        let count = verdict.recall.entry(rows[0].difficulty).or_default();
        count.1 += 1;
        if hits.is_empty() {
            writeln!(verdict.text, "  missed: {} {} ({:?})", leak.0, leak.1, rows[0].difficulty)
                .unwrap();
            continue;
        }
        count.0 += 1;
        for row in rows {
            if let Some(wrong) = misplaced(row, &hits) {
                writeln!(verdict.misplaced, "  {}: {} {wrong}", row.file, row.rule).unwrap();
            }
        }
    }
    let known: BTreeSet<&Leak<'_>> = leaks.keys().collect();
    for found in report.findings.iter().filter(|found| !found.rule_id.starts_with(POLICY)) {
        for place in &found.occurrences {
            let wanted = known.iter().any(|(file, rule, hash)| {
                *rule == found.rule_id
                    && *hash == found.secret.sha256.as_deref()
                    && is_at(&place.path, file)
            });
            if !wanted {
                verdict.alarms += 1;
                let line = place.line.unwrap_or_default();
                let path = place.path.trim_start_matches(root.to_str().unwrap());
                writeln!(verdict.text, "  false alarm: {path}:{line} {}", found.rule_id).unwrap();
            }
        }
    }
    verdict
}

fn hits<'r>(report: &'r Report, (file, rule, hash): &Leak<'_>) -> Vec<(&'r Found, &'r Occurrence)> {
    let same = report.findings.iter().filter(|found| {
        found.rule_id == *rule && (hash.is_none() || found.secret.sha256.as_deref() == *hash)
    });
    same.flat_map(|found| found.occurrences.iter().map(move |place| (found, place)))
        .filter(|(_, place)| is_at(&place.path, file))
        .collect()
}

/// What is said wrongly about an expected occurrence, if anything.
fn misplaced(row: &Expected, hits: &[(&Found, &Occurrence)]) -> Option<String> {
    let place = |(_, hit): &&(&Found, &Occurrence)| {
        row.line.is_none_or(|line| hit.line == Some(line))
            && row.column.is_none_or(|column| hit.column == Some(column))
    };
    let Some((found, hit)) = hits.iter().find(place) else {
        let seen: Vec<_> = hits
            .iter()
            .map(|(_, hit)| (hit.line.unwrap_or_default(), hit.column.unwrap_or_default()))
            .collect();
        return Some(format!("stands at {:?}:{:?}, reported at {seen:?}", row.line, row.column));
    };
    let differs = |wanted: &Option<String>, own: &Option<String>, all: &Option<String>| {
        let said = own.as_ref().or(all.as_ref());
        match (wanted, said) {
            (Some(wanted), said) if said != Some(wanted) => {
                Some(format!("is {wanted}, reported as {said:?}"))
            }
            _ => None,
        }
    };
    differs(&row.environment, &hit.environment, &found.environment)
        .or_else(|| differs(&row.exposure, &hit.exposure, &found.exposure))
}

/// The value that starts at `line` and `column` of `text` and has the labelled hash, if it stands there plainly.
fn plain_value<'t>(text: &'t str, label: &DevLabel) -> Option<&'t str> {
    let line = text.lines().nth(label.line? - 1)?;
    let start = line.char_indices().nth(label.column? - 1)?.0;
    let rest = &line[start..];
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).filter(|end| *end >= 8);
    let hash = label.sha256.as_deref()?;
    ends.map(|end| &rest[..end]).find(|value| sha256(value.as_bytes()) == hash)
}

/// A fresh value of the same shape: runs of letters and digits that look drawn are drawn again.
fn redraw(value: &str, rng: &mut StdRng) -> String {
    let runs = regex::Regex::new("~2F|[0-9A-Za-z]+").unwrap();
    runs.replace_all(value, |run: &regex::Captures<'_>| {
        let run = &run[0];
        let has = |test: fn(&u8) -> bool| run.as_bytes().iter().any(test);
        let (upper, lower, digit) =
            (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase), has(u8::is_ascii_digit));
        if run.len() >= 4
            && digit
            && run.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            template::random(rng, "0123456789abcdef", run.len())
        } else if run.len() >= 4 && upper && lower && digit {
            template::mixed(rng, run.len())
        } else {
            run.to_owned()
        }
    })
    .into_owned()
}

/// Copies the dev set to `root` with fresh values wherever they stand plainly, and says what must be found there.
fn rekey(root: &Path, rng: &mut StdRng) -> Vec<Expected> {
    let source = fixtures();
    let mut rows: BTreeMap<String, Vec<DevLabel>> = BTreeMap::new();
    for label in labels::<DevLabel>(&source.join("labels.toml")) {
        rows.entry(label.file.clone()).or_default().push(label);
    }
    let mut expected = Vec::new();
    for file in files(&source) {
        if !["leaks/", "clean/", "policy/"].iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        let mut bytes = read(&source.join(&file));
        let mut labels = rows.remove(&file).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let plain = |label: &DevLabel| {
                Some((label.sha256.clone()?, plain_value(text, label)?.to_owned()))
            };
            let values: BTreeMap<String, String> = labels.iter().filter_map(plain).collect();
            // A value that also stands encoded keeps its hash only if no copy is changed.
            let rows_plain = labels
                .iter()
                .filter(|label| label.sha256.is_some())
                .all(|label| plain(label).is_some());
            let mut text = text.to_owned();
            for (hash, value) in values.iter().filter(|_| rows_plain) {
                let fresh = redraw(value, rng);
                text = text.replace(value, &fresh);
                let fresh = sha256(fresh.as_bytes());
                for label in labels.iter_mut().filter(|label| label.sha256.as_ref() == Some(hash)) {
                    label.sha256 = Some(fresh.clone());
                }
            }
            bytes = text.into_bytes();
        }
        write(root, &file, &bytes);
        expected.extend(labels.into_iter().map(|label| Expected {
            file: label.file,
            rule: label.rule,
            sha256: label.sha256,
            line: label.line,
            column: label.column,
            environment: label.environment,
            exposure: label.exposure,
            difficulty: label.difficulty,
        }));
    }
    assert!(rows.is_empty(), "labels of missing files: {:?}", rows.keys());
    expected
}

/// Fills the templates of `set` into `root` and says what must be found there.
fn fill(set: &str, root: &Path, rng: &mut StdRng) -> Vec<Expected> {
    let source = fixtures().join(set);
    let mut rows: BTreeMap<String, Vec<JudgeLabel>> = BTreeMap::new();
    for label in labels::<JudgeLabel>(&source.join("labels.toml")) {
        rows.entry(label.file.clone()).or_default().push(label);
    }
    let mut expected = Vec::new();
    for file in files(&source).into_iter().filter(|file| file != "labels.toml") {
        let template = String::from_utf8(read(&source.join(&file))).unwrap();
        let filled = template::fill(&template, rng);
        write(root, &file, &filled.bytes);
        for label in rows.remove(&file).unwrap_or_default() {
            let value = filled
                .values
                .get(&label.value)
                .unwrap_or_else(|| panic!("{file} has no {}", label.value));
            expected.push(Expected {
                file: label.file,
                rule: label.rule,
                sha256: Some(sha256(value.as_bytes())),
                line: None,
                column: None,
                environment: label.environment,
                exposure: None,
                difficulty: label.difficulty,
            });
        }
    }
    assert!(rows.is_empty(), "labels of missing files: {:?}", rows.keys());
    expected
}

/// Every template fills, every label names a value of it, and no placeholder of ours is left over.
#[test]
fn judge_templates_fill() {
    let root = tempfile::tempdir().unwrap();
    let expected = fill("judge", root.path(), &mut StdRng::seed_from_u64(1));
    assert!(expected.len() >= 90, "{} labels", expected.len());
    let left =
        regex::Regex::new(r"\{\{(v3|hex|hexN|uuid|b62|let|ref|filler|b64text|cut|wrap|encoding)\b")
            .unwrap();
    for file in files(root.path()) {
        let text = String::from_utf8_lossy(&read(&root.path().join(&file))).into_owned();
        assert!(!left.is_match(&text), "{file} holds an unfilled placeholder");
    }
}

/// Every label of the dev set names a value that stands in its file, apart from encoded ones.
#[test]
fn dev_labels_point_at_their_values() {
    let labels = labels::<DevLabel>(&fixtures().join("labels.toml"));
    let plain = labels.iter().filter(|label| {
        let bytes = read(&fixtures().join(&label.file));
        std::str::from_utf8(&bytes).is_ok_and(|text| plain_value(text, label).is_some())
    });
    let plain = plain.count();
    assert!(
        plain * 10 >= labels.len() * 7,
        "{plain} of {} labels stand where they say",
        labels.len()
    );
}

#[test]
fn dev_set_is_judged_right() {
    let seed = seed();
    let root = tempfile::tempdir().unwrap();
    let expected = rekey(root.path(), &mut StdRng::seed_from_u64(seed));
    track(root.path());
    let verdict = judge(root.path(), &expected);
    let (found, all) = verdict.totals();
    assert!(
        found == all && verdict.alarms == 0 && verdict.misplaced.is_empty(),
        "{}",
        verdict.report(seed)
    );
}

#[test]
fn judge_set_reaches_its_aim() {
    let seed = seed();
    let root = tempfile::tempdir().unwrap();
    let expected = fill("judge", root.path(), &mut StdRng::seed_from_u64(seed));
    let verdict = judge(root.path(), &expected);
    let (found, all) = verdict.totals();
    println!("{}", verdict.report(seed));
    let recalled = found * 100 >= all * 99;
    let precise = found * 100 >= (found + verdict.alarms) * 99;
    assert!(recalled && precise, "{}", verdict.report(seed));
}

/// Shapes that were once judged wrongly.
#[test]
fn mended_shapes_are_judged_right() {
    let seed = seed();
    let root = tempfile::tempdir().unwrap();
    let expected = fill("mended", root.path(), &mut StdRng::seed_from_u64(seed));
    let verdict = judge(root.path(), &expected);
    let (found, all) = verdict.totals();
    assert!(found == all && verdict.alarms == 0, "{}", verdict.report(seed));
}
