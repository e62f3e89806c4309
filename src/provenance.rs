//! Where a blob was seen: in the working tree, in a commit, in a message. Filled in by `source`, read by `report`.

use serde::Deserialize;
use serde::Serialize;

use crate::blob::{BlobId, BlobPath};

/// Kind of place a blob came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A file of the working tree.
    Worktree,
    /// Standard input.
    Stdin,
    /// A member of an archive.
    Archive,
    /// The git index.
    Index,
    /// A blob of the git history.
    History,
    /// A commit's message, author or committer.
    CommitMessage,
    /// An annotated tag's message.
    TagMessage,
    /// A git note.
    Note,
    /// The name of a branch, tag or other ref.
    RefName,
    /// A reflog's message.
    Reflog,
    /// The name of a file or folder.
    FileName,
}

/// How a git object can still be reached. Ordered from the most to the least visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachability {
    /// From a branch, a tag or another ref.
    Reachable,
    /// From the stash only.
    Stash,
    /// From a reflog only.
    Reflog,
    /// From nowhere: it stays until git prunes it.
    Dangling,
}

/// A commit, as far as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommitInfo {
    /// The commit's id.
    pub id: BlobId,
    /// Author as `Name <address>`.
    pub author: String,
    /// Author date, RFC 3339 in the author's own offset.
    pub date: String,
}

/// How long and how widely a blob has been exposed in history.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Exposed {
    /// The newest commit that still holds it; `None` when no commit does.
    pub last_commit: Option<CommitInfo>,
    /// Whether the commit that `HEAD` names holds it.
    pub in_head: bool,
    /// Refs whose tip holds it, full names, sorted, at most 20.
    pub refs: Vec<String>,
    /// All refs whose tip holds it, counted also past the 20.
    pub ref_count: usize,
    /// Whole days from the introducing commit to the commit that removed it, or to the newest commit of the repository.
    pub days: Option<u32>,
    /// Commits that introduced it independently of each other, the one that is reached best and the oldest first, at most 20.
    pub introduced: Vec<CommitInfo>,
    /// All of them, counted also past the 20.
    pub introduced_count: usize,
    /// The newest commit that took it away while one of its parents had it here.
    pub removed: Option<CommitInfo>,
    /// The path under which the parents of the introducing commit had it and the commit has it no more.
    pub renamed_from: Option<BlobPath>,
    /// Whether the working tree has it here, unchanged.
    pub in_worktree: bool,
}

/// One place where a blob was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    /// Kind of place.
    pub origin: Origin,
    /// Path, or the ref's name, or empty where there is neither.
    pub path: BlobPath,
    /// Git object that holds the bytes.
    pub blob_id: Option<BlobId>,
    /// Commit that introduced it (for messages: the commit itself).
    pub commit: Option<CommitInfo>,
    /// How git still reaches it; `None` outside of history.
    pub reachability: Option<Reachability>,
    /// How long and where it can be seen; `None` outside of history.
    /// In a box, since it is large and most places have none.
    pub exposed: Option<Box<Exposed>>,
}

impl Provenance {
    /// A place outside of any history.
    #[must_use]
    pub fn plain(origin: Origin, path: BlobPath) -> Self {
        Self { origin, path, blob_id: None, commit: None, reachability: None, exposed: None }
    }
}
