//! One target: its files, its repository's history, or a text.

use std::path::Path;
use std::path::PathBuf;

use rayon::prelude::*;

use super::Options;
use super::Run;
use super::ScanError;
use super::Target;
use super::lock;
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::provenance::Origin;
use crate::provenance::Provenance;
use crate::sieve::Sieve;
use crate::source::Piece;
use crate::source::git::OpenOptions;
use crate::source::git::Repo;
use crate::source::git::Staged;
use crate::source::pieces;
use crate::source::worktree;
use crate::source::worktree::WalkOptions;
use crate::source::worktree::WorktreeFile;

/// A target's name for people.
pub(super) fn display(target: &Target) -> String {
    match target {
        Target::Path(path) => path.display().to_string(),
        Target::Text(_) => "-".to_owned(),
        Target::Staged(_) => "the index".to_owned(),
        Target::History(repo) => repo.git_dir().display().to_string(),
        Target::Texts(texts) => {
            let origin =
                texts.first().and_then(|(place, _)| serde_json::to_value(place.origin).ok());
            origin.and_then(|origin| Some(origin.as_str()?.replace('_', " "))).unwrap_or_default()
        }
    }
}

/// Whether `path` or a folder above it holds a `.git`, so that no repository there means a damaged one.
fn has_git_folder(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real.ancestors().any(|folder| std::fs::symlink_metadata(folder.join(".git")).is_ok())
}

/// The folder to which the paths of a target are relative, and its repository if it is in one.
pub(super) fn place(target: &Target, options: &Options) -> Option<(PathBuf, Option<Repo>)> {
    let Target::Path(path) = target else { return None };
    let parent = || path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = if path.is_dir() { path } else { parent().unwrap_or(Path::new(".")) };
    let open = OpenOptions { trust_owner: options.trust_owner || !options.history };
    let repo = Repo::discover(folder, &open).ok().flatten();
    let base = repo.as_ref().and_then(Repo::work_dir).unwrap_or(folder).to_owned();
    Some((base, repo))
}

/// What is done with a blob that was seen in some places.
pub(super) type Look<'l> = dyn Fn(Piece<'_>, &[Provenance]) + Sync + 'l;

impl Run<'_> {
    /// Hands every blob of a target to `look`, and gives back the repositories whose histories are to
    /// be scanned: its own and those of its submodules.
    pub(super) fn visit(
        &self,
        target: &Target,
        sieve: &dyn Sieve,
        look: &Look<'_>,
    ) -> Result<Vec<Repo>, ScanError> {
        let path = match target {
            Target::Path(path) => path,
            Target::Text(text) => {
                let place = Provenance::plain(Origin::Stdin, BlobPath::new(b"stdin"));
                self.text(text, &place, look);
                return Ok(vec![]);
            }
            Target::Staged(staged) => {
                let read = |at| self.staged(staged, at, look);
                if target.is_little() {
                    (0..staged.len()).for_each(read);
                } else {
                    (0..staged.len()).into_par_iter().for_each(read);
                }
                return Ok(vec![]);
            }
            Target::History(repo) => return Ok(vec![repo.clone()]),
            Target::Texts(texts) => {
                texts.iter().for_each(|(place, text)| self.text(text, place, look));
                return Ok(vec![]);
            }
        };
        if std::fs::symlink_metadata(path).is_err() {
            return Err(ScanError::Missing { place: display(target) });
        }
        let repo = self.open(path).unwrap_or_else(|error| {
            self.fail(path, error);
            None
        });
        if self.options.worktree && repo.as_ref().is_none_or(|repo| repo.work_dir().is_some()) {
            self.observer.phase(&format!("reading the files of {}", display(target)));
            let base = repo.as_ref().and_then(Repo::work_dir).unwrap_or(path);
            self.walk((path, base), sieve, look)?;
        }
        let modules = repo.as_ref().filter(|_| self.options.range.is_none());
        let modules = modules.map(|repo| repo.submodules(&mut lock(&self.coverage)));
        if !self.options.history {
            return Ok(vec![]);
        }
        if repo.is_none() && !self.options.worktree && lock(&self.failed).is_none() {
            return Err(ScanError::NoRepository { place: display(target) });
        }
        Ok(repo.into_iter().chain(modules.into_iter().flatten()).collect())
    }

    /// Hands a text that was already read to `look`.
    fn text(&self, text: &[u8], place: &Provenance, look: &Look<'_>) {
        pieces(text).for_each(|piece| look(piece, std::slice::from_ref(place)));
        let mut coverage = lock(&self.coverage);
        coverage.files += 1;
        coverage.file_bytes += text.len() as u64;
    }

    /// Hands the staged file number `at` to `look`.
    fn staged(&self, staged: &Staged, at: usize, look: &Look<'_>) {
        let mut coverage = Coverage::default();
        staged.visit(at, self.options.max_blob_size, &mut coverage, &mut |file| {
            let place = Provenance {
                blob_id: file.id,
                ..Provenance::plain(Origin::Index, file.path.clone())
            };
            pieces(file.bytes).for_each(|piece| look(piece, std::slice::from_ref(&place)));
        });
        lock(&self.coverage).merge(coverage);
    }

    /// Opens the repository that contains `path`; without history a broken one does not matter.
    fn open(&self, path: &Path) -> Result<Option<Repo>, ScanError> {
        let options =
            OpenOptions { trust_owner: self.options.trust_owner || !self.options.history };
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
        };
        match Repo::discover(folder, &options) {
            Ok(None) if self.options.history && has_git_folder(path) => {
                Err(ScanError::Broken { place: path.display().to_string() })
            }
            Ok(repo) => Ok(repo),
            Err(_) if !self.options.history => Ok(None),
            Err(source) => Err(ScanError::Open { place: path.display().to_string(), source }),
        }
    }

    /// Hands the files below `root` to `look`.
    fn walk(
        &self,
        (root, base): (&Path, &Path),
        sieve: &dyn Sieve,
        look: &Look<'_>,
    ) -> Result<(), ScanError> {
        let options = WalkOptions {
            include_ignored: self.options.include_ignored,
            max_blob_size: self.options.max_blob_size,
            exclude: self.options.exclude.clone(),
            stop: self.options.stop.clone(),
        };
        let visit = || {
            |file: WorktreeFile<'_>| {
                look(file.text, &[Provenance::plain(Origin::Worktree, file.path)]);
            }
        };
        worktree::walk((root, base), sieve, &options, visit, &self.coverage)
            .map_err(|source| ScanError::Walk { place: root.display().to_string(), source })
    }
}
