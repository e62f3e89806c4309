//! The index against `HEAD`: what a commit made now would add. The working tree and the history are never read, so the cost
//! follows the change.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use git2::{Delta, IndexEntry, Odb, Oid, Repository};
use thiserror::Error;

use super::files;
use super::lfs;
use super::repo::Repo;
use crate::blob::{BlobId, BlobPath};
use crate::coverage::Coverage;
use crate::coverage::GapKind;

/// Mode of an entry that names a commit of a submodule.
const SUBMODULE: u32 = 0o160_000;

/// Why the index cannot be scanned.
#[derive(Debug, Error)]
pub enum StagedError {
    /// The ids are longer than git2 knows.
    #[error(
        "the repository uses SHA-256 ids, whose index cannot be read yet; `signleak scan` reads its files and history"
    )]
    ObjectFormat,
    /// The index, or the tree it is compared with, cannot be read.
    #[error(
        "the index cannot be compared with HEAD: {0}; `git status` tells whether git can read it, and `git update-index --no-split-index` undoes a split one"
    )]
    Git(#[from] git2::Error),
}

/// What is staged: the entries of the index that `HEAD` does not hold in the same way.
pub struct Staged {
    repo: Mutex<Repository>,
    lfs: PathBuf,
    changes: Vec<Change>,
}

/// A staged file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    path: BlobPath,
    id: Oid,
}

/// One staged file as it is handed on.
pub struct StagedFile<'a> {
    /// Path in the repository.
    pub path: &'a BlobPath,
    /// Its object; `None` for the content behind a Git LFS pointer.
    pub id: Option<BlobId>,
    /// What would be committed.
    pub bytes: &'a [u8],
}

impl Staged {
    /// Compares the index with `HEAD`; `index` is read instead of the repository's own, as git asks of its hooks.
    ///
    /// # Errors
    /// When git2 can read neither.
    pub fn read(repo: &Repo, index: Option<&Path>) -> Result<Self, StagedError> {
        if repo.hash_len != 20 {
            return Err(StagedError::ObjectFormat);
        }
        let git = repo.git2()?;
        if let Some(index) = index {
            git.set_index(&mut git2::Index::open(index)?)?;
        }
        let changes = changes(&git)?;
        Ok(Self { repo: Mutex::new(git), lfs: repo.common_dir.join("lfs/objects"), changes })
    }

    /// Number of files that would be added or changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether a commit made now would add nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What the index holds at `path`, changed or not.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn content(&self, path: &str) -> Result<Option<Vec<u8>>, StagedError> {
        let repo = self.lock();
        let Some(entry) = repo.index()?.get_path(Path::new(path), 0) else { return Ok(None) };
        Ok(Some(repo.find_blob(entry.id)?.content().to_vec()))
    }

    /// Hands staged file number `at` on. What cannot be read, or is larger than `limit`, becomes a gap.
    pub fn visit(
        &self,
        at: usize,
        limit: Option<u64>,
        coverage: &mut Coverage,
        see: &mut dyn FnMut(StagedFile<'_>),
    ) {
        let Change { path, id } = &self.changes[at];
        let bytes = match self.bytes(*id, limit) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let detail = "is larger than --max-blob-size; raise the limit to scan it";
                return coverage.gap(GapKind::TooLarge, path.to_string(), detail);
            }
            Err(error) => {
                let detail = format!("the staged content cannot be read: {}", error.message());
                return coverage.gap(GapKind::MissingObject, path.to_string(), detail);
            }
        };
        coverage.files += 1;
        coverage.file_bytes += bytes.len() as u64;
        see(StagedFile { path, id: BlobId::from_bytes(id.as_bytes()), bytes: &bytes });
        if let Some(object) = lfs::object(&bytes) {
            match files::read(&self.lfs.join(object), limit.unwrap_or(lfs::LARGEST)) {
                Ok(bytes) => {
                    coverage.file_bytes += bytes.len() as u64;
                    see(StagedFile { path, id: None, bytes: &bytes });
                }
                Err(error) => {
                    let detail =
                        format!("the content behind this Git LFS pointer was not scanned: {error}");
                    coverage.gap(GapKind::LfsPointer, path.to_string(), detail);
                }
            }
        }
    }

    /// Reads an object, unless it is larger than `limit`.
    fn bytes(&self, id: Oid, limit: Option<u64>) -> Result<Option<Vec<u8>>, git2::Error> {
        let repo = self.lock();
        let objects: Odb<'_> = repo.odb()?;
        if let Some(limit) = limit
            && objects.read_header(id)?.0 as u64 > limit
        {
            return Ok(None);
        }
        Ok(Some(objects.read(id)?.data().to_vec()))
    }

    fn lock(&self) -> MutexGuard<'_, Repository> {
        self.repo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("changes", &self.changes).finish_non_exhaustive()
    }
}

/// The entries whose content `HEAD` does not hold under their name. An entry that names a submodule's commit brings no
/// content, one that is only intended to be added is not committed, and of a conflict both sides count.
fn changes(git: &Repository) -> Result<Vec<Change>, git2::Error> {
    let index = git.index()?;
    let head = match git.head() {
        Ok(head) => Some(head.peel_to_tree()?),
        Err(error) if is_unborn(&error) => None,
        Err(error) => return Err(error),
    };
    let mut changes = BTreeSet::new();
    match head {
        None => changes.extend(index.iter().filter(is_content).map(|entry| of_entry(&entry))),
        Some(tree) => {
            let mut options = git2::DiffOptions::new();
            options.include_typechange(true).skip_binary_check(true).ignore_submodules(true);
            let diff = git.diff_tree_to_index(Some(&tree), Some(&index), Some(&mut options))?;
            for delta in diff.deltas().filter(|delta| delta.status() != Delta::Deleted) {
                let (old, new) = (delta.old_file(), delta.new_file());
                let is_submodule = u32::from(new.mode()) == SUBMODULE;
                let path = new.path_bytes().or_else(|| old.path_bytes());
                if let Some(path) = path.filter(|_| !is_submodule && new.id() != old.id()) {
                    changes.insert(Change { path: BlobPath::new(path), id: new.id() });
                }
            }
        }
    }
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let sides = [conflict.our, conflict.their];
        changes
            .extend(sides.into_iter().flatten().filter(is_content).map(|entry| of_entry(&entry)));
    }
    changes.retain(|change| !change.id.is_zero());
    Ok(changes.into_iter().collect())
}

fn is_unborn(error: &git2::Error) -> bool {
    matches!(error.code(), git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound)
}

fn is_content(entry: &IndexEntry) -> bool {
    let is_intended =
        entry.flags_extended & git2::IndexEntryExtendedFlag::INTENT_TO_ADD.bits() != 0;
    entry.mode != SUBMODULE && !is_intended
}

fn of_entry(entry: &IndexEntry) -> Change {
    Change { path: BlobPath::new(&entry.path), id: entry.id }
}
