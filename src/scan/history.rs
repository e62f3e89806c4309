//! The history of a repository: first what may hold a secret is kept, then the places of what was kept are named.

use rayon::prelude::*;

use super::Run;
use super::ScanError;
use super::lock;
use super::spared;
use super::target::Look;
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::detect::KnownSecrets;
use crate::finding::Confidence;
use crate::sieve::Sieve;
use crate::source::git;
use crate::source::git::Located;
use crate::source::git::Repo;
use crate::source::git::SiftOptions;
use crate::source::git::Sifted;
use crate::source::pieces;

/// A history whose objects were read once.
pub(super) struct History {
    /// Number of the target.
    pub(super) target: usize,
    repo: Repo,
    /// What was kept and not yet located.
    sifted: Sifted,
}

impl History {
    /// Whether something was kept that is not yet located.
    pub(super) fn is_pending(&self) -> bool {
        !self.sifted.is_empty()
    }
}

impl Run<'_> {
    /// Reads every object of a history and keeps what may hold a secret.
    pub(super) fn sift(&self, repo: Repo, target: usize) -> Result<History, ScanError> {
        self.observer.phase(&format!("reading the history of {}", repo.git_dir().display()));
        let options =
            SiftOptions { verify_objects: self.options.verify_objects, ..self.sift_options() };
        let mut coverage = Coverage::default();
        let keep = |bytes: &[u8], is_hinted: bool| self.keeps(bytes, is_hinted);
        let sifted = repo.sift(self.detector.prefilter(), &keep, &options, &mut coverage);
        lock(&self.coverage).merge(coverage);
        let place = || repo.git_dir().display().to_string();
        let sifted = sifted.map_err(|source| ScanError::History { place: place(), source })?;
        Ok(History { target, repo, sifted })
    }

    /// Whether bytes without a path may hold a secret. What is sure of itself even so will be traced together with the
    /// naming of places, so that the history need not be read a third time.
    fn keeps(&self, bytes: &[u8], is_hinted: bool) -> bool {
        let (mut ignored, path) = (Coverage::default(), BlobPath::default());
        let candidates = spared(&mut ignored, &path, |coverage| {
            let may_hold = self.detector.may_hold(bytes, is_hinted);
            may_hold.then(|| self.detector.candidates(bytes, &path, coverage))
        });
        // What the scanner fails on is kept, so that it is told with its path.
        let Some(candidates) = candidates.unwrap_or_else(|| Some(vec![])) else { return false };
        for candidate in candidates {
            if candidate.confidence >= Confidence::High {
                lock(&self.suspects).entry(candidate.secret.fingerprint()).or_insert(candidate);
            }
        }
        true
    }

    /// Hands what was kept, and what holds copies of what is known, to `look` with its places.
    pub(super) fn locate(
        &self,
        history: &mut History,
        known: Option<&KnownSecrets>,
        look: &Look<'_>,
    ) -> Result<(), ScanError> {
        let options = self.sift_options();
        let sifted = std::mem::take(&mut history.sifted);
        let mut coverage = Coverage::default();
        let mut see = |located: &[Located]| {
            located.par_iter().for_each(|located| {
                pieces(&located.bytes).for_each(|piece| look(piece, &located.places));
            });
        };
        let sieve = known.map(KnownSecrets::in_history);
        let holds = |bytes: &[u8], _: bool| {
            let (mut ignored, path) = (Coverage::default(), BlobPath::default());
            let copies =
                |known| spared(&mut ignored, &path, |_| self.detector.copies(known, bytes, &path));
            known.and_then(copies).is_none_or(|copies| !copies.is_empty())
        };
        let copies =
            sieve.as_ref().map(|sieve| -> (&dyn Sieve, &git::Look<'_>) { (sieve, &holds) });
        let done = history.repo.attribute(sifted, copies, &options, &mut coverage, &mut see);
        lock(&self.coverage).merge(coverage);
        let place = || history.repo.git_dir().display().to_string();
        done.map_err(|source| ScanError::Attribute { place: place(), source })
    }

    fn sift_options(&self) -> SiftOptions {
        SiftOptions {
            max_blob_size: self.options.max_blob_size,
            verify_objects: false,
            range: self.options.range.clone(),
            max_expansion: self.options.max_expansion,
            stop: self.options.stop.clone(),
        }
    }
}
