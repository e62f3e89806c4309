//! The index against `HEAD`: what a commit made now would add. The working tree and the history are never read, so the cost
//! follows the change.

mod cache_tree;
mod compare;
mod index;
mod split;

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::files;
use super::lfs;
use super::lookup::Lookup;
use super::names::{self, Head};
use super::object::{Commit, ObjectKind};
use super::pack::Reader;
use super::pack::entry::EntryError;
use super::repo::Repo;
use crate::blob::{BlobId, BlobPath};
use crate::coverage::Coverage;
use crate::coverage::GapKind;

use compare::Comparison;
pub(super) use index::Index;
pub use index::IndexError;

/// Why the index cannot be scanned.
#[derive(Debug, Error)]
pub enum StagedError {
    /// The index cannot be read.
    #[error(
        "the index {} cannot be read: {source}; `git status` tells whether git can, and `git read-tree HEAD` makes a new one",
        path.display()
    )]
    Index {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: IndexError,
    },
    /// What `HEAD` names cannot be told.
    #[error("HEAD is damaged; `git fsck` tells more")]
    Head,
    /// An object is missing or damaged that the comparison needs.
    #[error("the object {id} cannot be read: {reason}; `git fsck` tells more")]
    Object {
        /// Its id.
        id: BlobId,
        /// Why.
        reason: String,
    },
}

impl StagedError {
    fn object(id: &BlobId, error: &EntryError) -> Self {
        Self::Object { id: *id, reason: error.to_string() }
    }
}

/// The paths of the submodules that a repository's index names.
pub(crate) fn submodule_paths(repo: &Repo) -> Result<Vec<Vec<u8>>, IndexError> {
    let index = Index::read(&repo.git_dir.join("index"), &repo.git_dir, repo.hash_len)?;
    let entries = index.entries().iter().filter(|entry| entry.is_submodule());
    Ok(entries.map(|entry| index.name(entry).to_vec()).collect())
}

impl Repo {
    /// The files that git tracks; `None` if the index cannot be read.
    #[must_use]
    pub fn tracked(&self) -> Option<Tracked> {
        Index::read(&self.git_dir.join("index"), &self.git_dir, self.hash_len).ok().map(Tracked)
    }
}

/// The files that git tracks.
pub struct Tracked(Index);

impl Tracked {
    /// Whether the file at `path` is one.
    #[must_use]
    pub fn holds(&self, path: &[u8]) -> bool {
        self.0.find(path).is_some()
    }
}

/// What is staged: the entries of the index that `HEAD` does not hold in the same way.
pub struct Staged {
    index: Index,
    objects: Lookup,
    lfs: PathBuf,
    changes: Vec<Change>,
}

/// A staged file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    path: BlobPath,
    id: BlobId,
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
    /// When one of them cannot be read.
    pub fn read(repo: &Repo, index: Option<&Path>) -> Result<Self, StagedError> {
        let path = index.map_or_else(|| repo.git_dir.join("index"), Path::to_owned);
        let index = Index::read(&path, &repo.git_dir, repo.hash_len)
            .map_err(|source| StagedError::Index { path, source })?;
        let objects = Lookup::of(repo);
        let head = match names::head(repo).ok_or(StagedError::Head)? {
            Head::Commit(id) => Some(tree_of(&id, &objects)?),
            Head::Unborn => None,
        };
        let changes = Comparison::run(&index, &objects, head, repo.hash_len)?;
        Ok(Self { index, objects, lfs: repo.common_dir.join("lfs/objects"), changes })
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
        let Some(entry) = self.index.find(path.as_bytes()) else { return Ok(None) };
        let read = self.objects.read_kind(&entry.id, ObjectKind::Blob, &mut Reader::new());
        let object = read.map_err(|error| StagedError::object(&entry.id, &error))?;
        Ok(Some(object.bytes.to_vec()))
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
        let bytes = match self.objects.read_kind(id, ObjectKind::Blob, &mut Reader::new()) {
            Ok(object) => object.bytes,
            Err(error) => {
                let detail = format!("the staged content cannot be read: {error}");
                return coverage.gap(GapKind::MissingObject, path.to_string(), detail);
            }
        };
        if limit.is_some_and(|limit| bytes.len() as u64 > limit) {
            let detail = "is larger than --max-blob-size; raise the limit to scan it";
            return coverage.gap(GapKind::TooLarge, path.to_string(), detail);
        }
        coverage.files += 1;
        coverage.file_bytes += bytes.len() as u64;
        see(StagedFile { path, id: Some(*id), bytes: &bytes });
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
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("changes", &self.changes).finish_non_exhaustive()
    }
}

/// The tree of a commit.
fn tree_of(commit: &BlobId, objects: &Lookup) -> Result<BlobId, StagedError> {
    let object = objects.read_kind(commit, ObjectKind::Commit, &mut Reader::new());
    let object = object.map_err(|error| StagedError::object(commit, &error))?;
    let commit = Commit::parse(&object.bytes)
        .ok_or_else(|| StagedError::object(commit, &EntryError::Header))?;
    Ok(commit.tree)
}
