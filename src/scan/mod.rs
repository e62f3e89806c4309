//! The pipeline: targets to blobs, blobs to candidates, candidates to findings. One call makes one report.

mod findings;
mod history;
mod mask;
mod originals;
mod policies;
mod reread;
mod suppressions;
mod target;
mod trace;
mod validations;

use std::cell::OnceCell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::detect::Detector;
use crate::detect::KnownKey;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::ScanReport;
use crate::finding::Validations;
use crate::provenance::Provenance;
use crate::source::Piece;
use crate::source::git::RangeSpec;
use crate::source::git::Repo;
use crate::source::git::Staged;
use crate::stop::Stop;
use crate::suppress;
use crate::suppress::InlineAllow;

use findings::Findings;
pub use reread::reread;
pub use suppressions::Suppressions;
use trace::Proven;
pub use validations::apply;

/// What to scan and how.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// Whether files are scanned.
    pub worktree: bool,
    /// Whether the git history is scanned.
    pub history: bool,
    /// Only what this range introduces, instead of the whole history.
    pub range: Option<RangeSpec>,
    /// Whether ignored files are scanned too.
    pub include_ignored: bool,
    /// Blobs larger than this many bytes are left out and counted as gaps; `None` scans all.
    pub max_blob_size: Option<u64>,
    /// Whether a repository that belongs to another user is opened.
    pub trust_owner: bool,
    /// Whether the hashes of git objects are checked.
    pub verify_objects: bool,
    /// Findings below this are left out.
    pub min_confidence: Confidence,
    /// Files that are never scanned, such as the report being written.
    pub exclude: Vec<PathBuf>,
    /// Threads of the file walk; 0 means one per core.
    pub threads: usize,
    /// Secrets that their owner searches, whatever stands around them.
    pub known_keys: Vec<KnownKey>,
    /// Bytes that the deltas of a small pack may unpack to, if that is more than the default.
    pub max_expansion: u64,
    /// When to leave the rest.
    pub stop: Stop,
}

/// As many staged files are read by one thread.
const FEW_FILES: usize = 32;

/// What the user asked for.
#[derive(Clone, Debug)]
pub enum Target {
    /// A file, a folder or a repository.
    Path(PathBuf),
    /// Text that was read from standard input.
    Text(Vec<u8>),
    /// What is staged for the next commit.
    Staged(Arc<Staged>),
    /// The history of a repository that is already open.
    History(Repo),
    /// Texts that were already read, such as a commit message, with their places.
    Texts(Vec<(Provenance, Vec<u8>)>),
}

impl Target {
    /// Whether it is so little that starting threads would take longer than reading it.
    #[must_use]
    pub fn is_little(&self) -> bool {
        matches!(self, Self::Staged(staged) if staged.len() <= FEW_FILES)
            || matches!(self, Self::Texts(_))
    }

    /// Whether there may rightly be nothing in it.
    fn may_be_empty(&self) -> bool {
        matches!(self, Self::Staged(_) | Self::History(_) | Self::Texts(_))
    }
}

/// Something that stops the scan of a target.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// There is no such file or folder.
    #[error(
        "{place}: no such file or folder; check the path, `signleak scan` without one scans the current folder"
    )]
    Missing {
        /// The path.
        place: String,
    },
    /// Its repository cannot be opened.
    #[error("{place}: cannot open the git repository; --no-history scans the files alone")]
    Open {
        /// The path.
        place: String,
        /// Why.
        #[source]
        source: crate::source::git::OpenError,
    },
    /// There is a `.git` but no repository in it.
    #[error(
        "{place}: its .git is damaged; repair it (git fsck), or scan the files alone with --no-history"
    )]
    Broken {
        /// The path.
        place: String,
    },
    /// Its history cannot be read.
    #[error("{place}: cannot read the git history")]
    History {
        /// The path.
        place: String,
        /// Why.
        #[source]
        source: crate::source::git::SiftError,
    },
    /// The places of what its history holds cannot be found.
    #[error("{place}: cannot tell where in the git history a finding stands")]
    Attribute {
        /// The path.
        place: String,
        /// Why.
        #[source]
        source: crate::source::git::AttributeError,
    },
    /// Its files cannot be listed.
    #[error("{place}: cannot read the files")]
    Walk {
        /// The path.
        place: String,
        /// Why.
        #[source]
        source: crate::source::worktree::WalkError,
    },
    /// A history was asked for and there is none.
    #[error("{place}: is not in a git repository, so there is no history to scan")]
    NoRepository {
        /// The path.
        place: String,
    },
    /// No commit was there to scan.
    #[error("nothing was scanned: no commit of {place} is in the range")]
    EmptyRange {
        /// The targets.
        place: String,
    },
    /// Nothing was there to scan.
    #[error(
        "nothing was scanned: {place} holds no file that is not ignored; --ignored scans those too"
    )]
    Empty {
        /// The targets.
        place: String,
    },
}

/// Hears about the progress of a scan.
pub trait Observer: Sync {
    /// A new phase begins, such as "reading the history of DIR".
    fn phase(&self, name: &str);
}

/// An observer that does nothing.
pub struct Silent;

impl Observer for Silent {
    fn phase(&self, _name: &str) {}
}

/// Scans all targets. Findings come in a fixed order, whatever the number of threads.
///
/// # Errors
/// When a target is missing, or nothing at all was scanned. Everything else that was not scanned is
/// in the report's coverage.
pub fn scan(
    targets: &[Target],
    detector: &Detector,
    options: &Options,
    suppressions: &Suppressions,
    observer: &dyn Observer,
) -> Result<ScanReport, ScanError> {
    let gathered = gather(targets, detector, options, suppressions, observer)?;
    Ok(gathered.report(suppressions, Validations::default()))
}

/// Scans all targets and keeps the secrets, so that they can be checked live before the report redacts them.
///
/// # Errors
/// Those of [`scan`].
pub fn gather<'r>(
    targets: &[Target],
    detector: &'r Detector,
    options: &Options,
    suppressions: &Suppressions,
    observer: &dyn Observer,
) -> Result<Gathered<'r>, ScanError> {
    let run = Run {
        detector,
        options,
        suppressions,
        observer,
        found: Mutex::new(vec![]),
        suspects: Mutex::default(),
        coverage: Mutex::new(Coverage::default()),
        failed: Mutex::default(),
    };
    let mut histories = vec![];
    for (number, target) in targets.iter().enumerate() {
        let look = |text: Piece<'_>, places: &[Provenance]| run.look(text, places, number);
        for repo in run.visit(target, detector.prefilter(), &look)? {
            histories.push(run.sift(repo, number)?);
        }
    }
    run.trace(targets, histories)?;
    let names: Vec<String> = targets.iter().map(target::display).collect();
    let mut coverage = into_inner(run.coverage);
    if let Some(cause) = options.stop.cause() {
        let detail = format!("the scan was stopped before its end, since {cause}");
        coverage.gap(GapKind::Limit, names.join(", "), detail);
    }
    if let Some(error) = into_inner(run.failed).filter(|_| coverage.is_empty()) {
        return Err(error);
    }
    if coverage.is_empty() && coverage.is_complete() && !targets.iter().any(Target::may_be_empty) {
        let place = names.join(", ");
        return Err(match options.range {
            Some(_) => ScanError::EmptyRange { place },
            None => ScanError::Empty { place },
        });
    }
    let mut findings = Findings::new(detector.rules(), options.min_confidence);
    let mut found = into_inner(run.found);
    originals::find(&mut found, targets, options, detector);
    policies::add(&mut found, targets, options, detector.rules());
    suppressions::refuse_ambiguous(&mut found);
    for sighting in found {
        findings.add(sighting);
    }
    findings.rank();
    Ok(Gathered { targets: names, findings, coverage })
}

/// What a scan has found, before it is redacted.
pub struct Gathered<'r> {
    targets: Vec<String>,
    findings: Findings<'r>,
    coverage: Coverage,
}

impl Gathered<'_> {
    /// One candidate for each leaked secret that will be reported, suppressed or not; in a fixed order.
    #[must_use]
    pub fn leaks(&self) -> Vec<Candidate> {
        self.findings.leaks()
    }

    /// Redacts and judges what was found; `validations` come from a live check, or are empty.
    #[must_use]
    pub fn report(self, suppressions: &Suppressions, validations: Validations) -> ScanReport {
        let (rules, mask) = (self.findings.rules(), self.findings.mask());
        let mut report = ScanReport {
            targets: self.targets,
            findings: self.findings.finish(suppressions, &mask),
            coverage: self.coverage,
            live_check: None,
            stale_suppressions: vec![],
        };
        mask.coverage(&mut report.coverage);
        report.stale_suppressions = suppressions.stale();
        apply(&mut report, rules, validations);
        report
    }
}

/// A candidate and one place where its blob was seen.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    candidate: Candidate,
    provenance: Provenance,
    target: usize,
    inline: Option<InlineAllow>,
}

/// The state of one scan.
struct Run<'a> {
    detector: &'a Detector,
    options: &'a Options,
    suppressions: &'a Suppressions,
    observer: &'a dyn Observer,
    found: Mutex<Vec<Sighting>>,
    /// What looks like a sure secret in a history whose paths are not known yet.
    suspects: Mutex<Proven>,
    coverage: Mutex<Coverage>,
    /// The first repository that could not be opened.
    failed: Mutex<Option<ScanError>>,
}

impl Run<'_> {
    /// Notes a repository that cannot be opened, so that what else there is gets scanned.
    fn fail(&self, path: &Path, error: ScanError) {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        let detail = format!("{error}{}", source.unwrap_or_default());
        lock(&self.coverage).gap(GapKind::Repository, path.display().to_string(), detail);
        lock(&self.failed).get_or_insert(error);
    }

    /// Looks for candidates in one blob that was seen in `places`, each of which may give its path as a hint.
    fn look(&self, text: Piece<'_>, places: &[Provenance], target: usize) {
        let mut coverage = Coverage::default();
        let mut last: Option<(&BlobPath, Vec<Candidate>)> = None;
        let mut sightings = vec![];
        let lines = LineStarts::of(text);
        for place in places {
            let candidates = match &last {
                Some((path, candidates)) if **path == place.path => candidates.clone(),
                _ => spared(&mut coverage, &place.path, |coverage| {
                    self.detector.candidates(text.bytes, &place.path, coverage)
                })
                .unwrap_or_default(),
            };
            sightings.extend(
                candidates
                    .iter()
                    .map(|candidate| self.sighting(&lines, candidate.clone(), place, target)),
            );
            last = Some((&place.path, candidates));
        }
        if !coverage.is_complete() {
            lock(&self.coverage).merge(coverage);
        }
        if !sightings.is_empty() {
            lock(&self.found).append(&mut sightings);
        }
    }
}

impl Run<'_> {
    /// Joins a candidate with its place and the comment that may allow it.
    fn sighting(
        &self,
        lines: &LineStarts<'_>,
        mut candidate: Candidate,
        place: &Provenance,
        target: usize,
    ) -> Sighting {
        let text = lines.text;
        let offset = || lines.offset(candidate.region.line);
        let inline = (self.suppressions.inline && candidate.member.is_none())
            .then(|| {
                let (value, today) =
                    (candidate.secret.fingerprint(), &self.suppressions.judge.today);
                suppress::inline_allow(text.bytes, offset(), &value, today)
            })
            .flatten();
        if candidate.member.is_none() {
            candidate.region = candidate.region.behind(text.start);
        }
        Sighting { candidate, provenance: place.clone(), target, inline }
    }
}

/// Where the lines of a text begin, found when the first value asks for it.
struct LineStarts<'t> {
    text: Piece<'t>,
    /// Of all lines but the first.
    starts: OnceCell<Vec<usize>>,
}

impl<'t> LineStarts<'t> {
    fn of(text: Piece<'t>) -> Self {
        Self { text, starts: OnceCell::new() }
    }

    /// Where the line with this 1-based number begins.
    fn offset(&self, line: u32) -> usize {
        let bytes = self.text.bytes;
        let is_end = |at: &usize| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
        let starts = self.starts.get_or_init(|| {
            let ends = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_end);
            ends.map(|at| at + 1).collect()
        });
        line.checked_sub(2).and_then(|at| starts.get(at as usize).copied()).unwrap_or(0)
    }
}

/// Does what reads the document at `path`, which anybody may have written. A mistake of ours in there costs this document and
/// not the scan.
fn spared<T>(
    coverage: &mut Coverage,
    path: &BlobPath,
    read: impl FnOnce(&mut Coverage) -> T,
) -> Option<T> {
    // What was counted until then stays true, and the reader is done.
    let read = catch_unwind(AssertUnwindSafe(|| read(coverage)));
    if read.is_err() {
        let detail = "the scanner failed on it, which is a mistake in signleak; please report it";
        coverage.gap(GapKind::Failure, path.to_string(), detail);
    }
    read.ok()
}

/// Takes a lock; what a worker that panicked has left in it is whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_makes_the_scanner_panic_is_told_and_costs_nothing_else() {
        let mut coverage = Coverage::default();
        let path = BlobPath::new(b"bad.js");
        let none: [u8; 0] = [];
        let read = |coverage: &mut Coverage| {
            coverage.files += 1;
            none[coverage.files as usize]
        };
        assert_eq!(spared(&mut coverage, &path, read), None);
        assert_eq!(spared(&mut coverage, &path, |_| 1), Some(1));
        let gaps: Vec<_> = coverage.gaps().collect();
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].kind, gaps[0].place.as_str()), (GapKind::Failure, "bad.js"));
        assert_eq!(coverage.files, 1);
    }
}
