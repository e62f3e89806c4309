//! Damage to any file of a repository: it is cut short at every length, and bits of its packs, indexes and loose objects
//! flip. What git can still read, we read; nothing is found that is not there; what is lost is told.
//!
//! `cargo test` makes a part of the cases; `SIGNLEAK_FLIPS=100000 cargo test --test it damage -- --ignored` makes every length, and as many
//! flips. A failure names its case, and `SIGNLEAK_SEED` repeats its flips.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use signleak::blob::BlobId;
use signleak::coverage::Coverage;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::Confidence;
use signleak::finding::ScanReport;
use signleak::rule::RuleSet;
use signleak::scan;
use signleak::secret::Fingerprint;
use signleak::secret::Secret;
use signleak::source::git::ObjectKind;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;
use signleak::source::git::SiftOptions;
use signleak::stop::Stop;
use signleak::suppress::Day;
use signleak::suppress::Judge;

use crate::git_places::Word;
use crate::support::Checkout;
use crate::support::key;

/// A case takes milliseconds; a machine with much other work may stand still for a minute.
const LONGEST: Duration = Duration::from_secs(600);

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| {
    Detector::new(RuleSet::built_in().expect("the built-in rules are valid"), Limits::default())
});

/// The kind and the bytes of each object.
type Objects = BTreeMap<BlobId, (ObjectKind, Vec<u8>)>;

/// A repository, and what it held before anything was damaged.
struct Patient {
    checkout: Checkout,
    objects: Objects,
    keys: BTreeMap<Fingerprint, Vec<BlobId>>,
}

impl Patient {
    /// A pack of deltas, a second pack, a multi-pack-index, loose objects, a tag, and keys in all of them.
    fn new() -> Self {
        let checkout = Checkout::unborn_with(&["--template="]);
        checkout.ok(&["config", "gc.auto", "0"]);
        let mut keys = vec![];
        let mut draw = || {
            keys.push(key());
            format!("YOUSIGN_API_KEY={}", keys[keys.len() - 1])
        };
        let mut lines: Vec<String> =
            (0..50).map(|line| format!("setting_{line} = {line}")).collect();
        for step in 0..5 {
            lines.iter_mut().filter(|line| line.starts_with("YOU")).for_each(String::clear);
            lines[step * 11] = draw();
            checkout.write("deploy/.env", lines.join("\n"));
            checkout.write(&format!("{step}.txt"), format!("step {step}\n"));
            checkout.ok(&["add", "-A"]);
            let message = if step == 2 { draw() } else { format!("step {step}") };
            checkout.ok(&["commit", "-qm", &message]);
            if step == 3 {
                checkout.ok(&["tag", "-a", "v1", "-m", &draw()]);
                checkout.ok(&["repack", "-qadf", "--depth=50"]);
            }
        }
        checkout.ok(&["repack", "-qd"]);
        checkout.ok(&["multi-pack-index", "write"]);
        checkout.write("loose.env", draw());
        checkout.ok(&["add", "-A"]);
        checkout.ok(&["commit", "-qm", "loose"]);
        checkout.ok(&["pack-refs", "--all"]);
        let mut patient = Self { checkout, objects: BTreeMap::new(), keys: BTreeMap::new() };
        let (objects, coverage) = patient.walk();
        assert!(coverage.is_complete());
        patient.objects = objects;
        assert_eq!(patient.readable().len(), patient.objects.len(), "git reads the same");
        for key in keys {
            let holders = patient
                .objects
                .iter()
                .filter(|(_, (_, bytes))| memchr::memmem::find(bytes, key.as_bytes()).is_some());
            let holders: Vec<BlobId> = holders.map(|(id, _)| *id).collect();
            assert!(!holders.is_empty());
            patient.keys.insert(Secret::new(key.as_bytes()).fingerprint(), holders);
        }
        patient
    }

    fn git_dir(&self) -> PathBuf {
        self.checkout.path().join(".git")
    }

    /// All files of the git folder.
    fn files(&self) -> Vec<PathBuf> {
        let walk = walkdir::WalkDir::new(self.git_dir()).sort_by_file_name().into_iter();
        let files =
            walk.map(|entry| entry.expect("readable")).filter(|entry| entry.file_type().is_file());
        files.map(walkdir::DirEntry::into_path).collect()
    }

    /// Every object that is read, and what is told of the rest. The id of an object that was found under a wrong one is told.
    fn walk(&self) -> (Objects, Coverage) {
        let mut coverage = Coverage::default();
        let seen = Mutex::new(BTreeMap::new());
        if let Ok(Some(repo)) = Repo::discover(&self.checkout.path(), &OpenOptions::default()) {
            let see = |id, kind, bytes: &[u8]| {
                seen.lock().expect("no panic").insert(id, (kind, bytes.to_vec()));
            };
            repo.walk(&see, &mut coverage);
        }
        (seen.into_inner().expect("no panic"), coverage)
    }

    /// Those of the objects that git can still read as they were. A multi-pack-index says once more what the indexes say; we
    /// do not read it and tell of what a damaged index hides.
    fn readable(&self) -> HashSet<BlobId> {
        let mut command = self.checkout.command("git", &self.checkout.path());
        command
            .args(["-c", "core.multiPackIndex=false", "cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut git = command.spawn().expect("git runs");
        let asked: String = self.objects.keys().map(|id| format!("{id}\n")).collect();
        // A git that gives up does not read all of it.
        drop(git.stdin.take().expect("piped").write_all(asked.as_bytes()));
        let answer = git.wait_with_output().expect("git ends").stdout;
        let is_there = |id: &&BlobId| {
            let (kind, bytes) = &self.objects[id];
            let head = format!("{id} {} {}\n", kind.name(), bytes.len());
            let whole = [head.as_bytes(), bytes, b"\n"].concat();
            memchr::memmem::find(&answer, &whole).is_some()
        };
        self.objects.keys().filter(is_there).copied().collect()
    }

    /// Whether every object has the hash that it should have.
    fn is_verified(&self) -> bool {
        let options = SiftOptions { verify_objects: true, ..SiftOptions::default() };
        let mut coverage = Coverage::default();
        let repo = Repo::discover(&self.checkout.path(), &OpenOptions::default());
        let repo = repo.expect("it opened before").expect("it was there before");
        repo.sift(&Word, &|_, _| false, &options, &mut coverage).expect("no range");
        coverage.is_complete()
    }

    /// Scans the damaged repository and compares with what it was; returns how many objects are lost.
    fn examine(&self, case: &str, is_object_file: bool) -> usize {
        let started = Instant::now();
        let (objects, coverage) = self.walk();
        let contents: HashSet<_> = objects.values().collect();
        let lost = self.objects.iter().filter(|(_, content)| !contents.contains(content));
        let lost: Vec<&BlobId> = lost.map(|(id, _)| id).collect();
        let report = scan(&[scan::Target::Path(self.checkout.path())], false);
        assert!(started.elapsed() < LONGEST, "{case}: took {:?}", started.elapsed());
        let findings = report.as_ref().map_or(&[][..], |report| &report.findings);
        let found: HashSet<Fingerprint> =
            findings.iter().map(|finding| finding.secret.sha256).collect();
        let missed = self.keys.iter().filter(|(key, _)| !found.contains(key));
        let missed: Vec<&BlobId> = missed.flat_map(|(_, ids)| ids).collect();
        let invented = found.iter().any(|key| !self.keys.contains_key(key));
        if lost.is_empty() && missed.is_empty() && !invented {
            return 0;
        }
        let count = lost.len();
        let told = match &report {
            Ok(report) => format!("{:?}", report.coverage),
            Err(error) => format!("{error:?}"),
        };
        // Flips may cancel each other out in a checksum of 32 bits; the hash tells.
        let is_told = || report.is_err() || !coverage.is_complete() || !self.is_verified();
        assert!(lost.is_empty() || is_told(), "{case}: {lost:?} are lost in silence");
        let readable = self.readable();
        for id in lost.into_iter().chain(missed) {
            assert!(!readable.contains(id), "{case}: git reads {id}, and we do not: {told}");
        }
        assert!(!invented || readable.len() < self.objects.len(), "{case}: invented; {told}");
        assert!(!is_object_file || report.is_ok(), "{case}: {told}");
        count
    }

    /// Puts `damaged` in the place of a file, examines, and puts the file back.
    fn with(&self, path: &Path, whole: &[u8], damaged: &[u8], case: &str) -> usize {
        replace(path, damaged);
        let lost = self.examine(case, path.starts_with(self.git_dir().join("objects")));
        replace(path, whole);
        lost
    }

    /// Cuts files short at every `step`th length.
    fn truncate(&self, step: usize) -> usize {
        let mut cases = 0;
        for path in self.files() {
            let whole = read(&path);
            for length in (0..whole.len()).rev().step_by(step) {
                let case = format!("{} cut to {length} of {}", path.display(), whole.len());
                self.with(&path, &whole, &whole[..length], &case);
                cases += 1;
            }
        }
        cases
    }

    /// Flips one to three bits of a pack, index or loose object, each file as often as the others.
    fn flip(&self, flips: usize) {
        let seed =
            number("SIGNLEAK_SEED").unwrap_or_else(|| rand::rng().random_range(0..usize::MAX));
        let mut random = StdRng::seed_from_u64(seed as u64);
        let is_object = |path: &PathBuf| path.starts_with(self.git_dir().join("objects"));
        let files: Vec<(PathBuf, Vec<u8>)> = self
            .files()
            .into_iter()
            .filter(is_object)
            .map(|path| (path.clone(), read(&path)))
            .collect();
        for number in 0..flips {
            let (path, whole) = &files[random.random_range(0..files.len())];
            let mut bytes = whole.clone();
            let bits: Vec<usize> = (0..random.random_range(1..=3))
                .map(|_| random.random_range(0..8 * bytes.len()))
                .collect();
            bits.iter().for_each(|bit| bytes[bit / 8] ^= 1 << (bit % 8));
            let case =
                format!("SIGNLEAK_SEED={seed}, flip {number}: {} at bits {bits:?}", path.display());
            self.with(path, whole, &bytes, &case);
        }
    }
}

/// Scans in this process, the working tree too if it is asked for, and always the history.
pub(crate) fn scan(
    targets: &[scan::Target],
    worktree: bool,
) -> Result<ScanReport, scan::ScanError> {
    scan_until(targets, worktree, Stop::default())
}

/// The same until something stops it.
pub(crate) fn scan_until(
    targets: &[scan::Target],
    worktree: bool,
    stop: Stop,
) -> Result<ScanReport, scan::ScanError> {
    let options = scan::Options {
        worktree,
        history: true,
        range: None,
        include_ignored: false,
        max_blob_size: None,
        trust_owner: false,
        verify_objects: false,
        min_confidence: Confidence::Medium,
        exclude: vec![],
        threads: 0,
        known_keys: vec![],
        max_expansion: 0,
        stop,
    };
    let judge = Judge { today: Day::of_unix_time(0), hmac_key: None };
    let suppressions =
        scan::Suppressions { ignore_files: vec![], inline: true, judge, is_whole: false };
    scan::scan(targets, &DETECTOR, &options, &suppressions, &scan::Silent)
}

/// Git's files are read-only, and ours may still be mapped: a new file takes the place.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("it was there");
    fs::write(path, bytes).expect("written");
}

#[expect(clippy::disallowed_methods, reason = "what a test wrote is small")]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("readable")
}

#[expect(clippy::disallowed_methods, reason = "asks for more cases than a test run should make")]
pub(crate) fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn files_cut_short_and_flipped_bits_lose_nothing_that_git_reads() {
    let patient = Patient::new();
    patient.examine("undamaged", true);
    patient.truncate(61);
    patient.flip(300);
}

/// The index has an object at a wrong place, inside of another's entry too, and what is made from it is read all the same.
#[test]
fn an_offset_that_points_elsewhere_loses_one_object() {
    let patient = Patient::new();
    let is_index = |path: &PathBuf| path.extension().is_some_and(|end| end == "idx");
    for path in patient.files().into_iter().filter(is_index) {
        let whole = read(&path);
        let count = u32::from_be_bytes(whole[1028..1032].try_into().expect("4 bytes")) as usize;
        let table = 1032 + 24 * count;
        let slot = |number: usize| table + 4 * number..table + 4 * number + 4;
        for moved in 0..count {
            let other = &whole[slot((moved + 1) % count)];
            for distance in [0, 3, 40, 1 << 30] {
                let wrong = u32::from_be_bytes(other.try_into().expect("4 bytes")) + distance;
                let mut index = whole.clone();
                index[slot(moved)].copy_from_slice(&wrong.to_be_bytes());
                let case = format!("{} has object {moved} at {wrong}", path.display());
                assert!(patient.with(&path, &whole, &index, &case) <= 1, "{case}");
            }
        }
    }
}

#[test]
fn an_empty_loose_object_is_told() {
    let patient = Patient::new();
    let is_loose = |path: &PathBuf| {
        path.starts_with(patient.git_dir().join("objects")) && path.extension().is_none()
    };
    for path in patient.files().into_iter().filter(is_loose) {
        let whole = read(&path);
        patient.with(&path, &whole, b"", &format!("{} is empty", path.display()));
    }
}

#[test]
#[ignore = "takes minutes"]
fn every_file_is_cut_short_at_every_length() {
    println!("{} lengths", Patient::new().truncate(1));
}

#[test]
#[ignore = "takes minutes"]
fn as_many_bits_flip_as_asked_for() {
    Patient::new().flip(number("SIGNLEAK_FLIPS").unwrap_or(100_000));
}
