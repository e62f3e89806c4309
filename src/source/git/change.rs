//! Which commits a push, a merge request or a merge queue brings: from the ids that a CI system names to a range that is
//! really there. A checkout that is too shallow to hold the range is an error, never an empty range.

use git2::Oid;
use thiserror::Error;

use super::range::RangeSpec;
use super::repo::Repo;
use super::revisions as walk;

/// What a CI system says about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The newest commit, or a tag of it.
    pub tip: String,
    /// What was there before: ids or full names of refs, the first one that is here counts. With none of them here the whole
    /// history of the tip is the change.
    pub known: Vec<String>,
}

/// A change as this checkout holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRange {
    /// The range to scan.
    pub spec: RangeSpec,
    /// Commits in it.
    pub commits: usize,
    /// Which of the known revisions it begins at.
    pub known: Option<String>,
}

/// Why a change cannot be scanned.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The newest commit is not in this checkout.
    #[error("the commit {id} is not in this checkout")]
    Missing {
        /// Its id.
        id: String,
    },
    /// History ends inside of the range.
    #[error("the history of this checkout ends at {id}, before the change begins")]
    Shallow {
        /// The commit at which it ends.
        id: String,
    },
    /// git2 cannot read it.
    #[error("the commits cannot be read: {0}")]
    Git(#[from] git2::Error),
}

impl Repo {
    /// Finds the range of a change.
    ///
    /// # Errors
    /// The checkout does not hold all of it; see [`ChangeError`].
    pub fn change(&self, change: &Change) -> Result<ChangeRange, ChangeError> {
        let git = self.git2()?;
        let commit = |revision: &str| {
            let object = git.revparse_single(revision).ok()?;
            object.peel_to_commit().ok().map(|commit| commit.id())
        };
        let missing = || ChangeError::Missing { id: change.tip.clone() };
        let tip = commit(&change.tip).ok_or_else(missing)?;
        let base = change.known.iter().find_map(|known| Some((known, commit(known)?)));
        let known = base.map(|(known, _)| known.clone());
        let base = base.map(|(_, id)| id);
        let hidden: Vec<Oid> = base.into_iter().collect();
        let ends = self.shallow_ends();
        if ends.is_empty() {
            let commits = walk::between(&git, &[tip], &hidden)?.len();
            let known_ids = hidden.iter().map(Oid::to_string).collect();
            let spec = RangeSpec::Pushed { tips: vec![tip.to_string()], known: known_ids };
            return Ok(ChangeRange { spec, commits, known });
        }
        let hidden = walk::ancestors(&git, &hidden, &ends)?;
        let commits = walk::shallow(&git, &[tip], &hidden, &ends)?;
        if let Some(id) = commits.ends.first() {
            return Err(ChangeError::Shallow { id: id.to_string() });
        }
        let ids: Vec<String> = commits.ids.iter().map(Oid::to_string).collect();
        Ok(ChangeRange { commits: ids.len(), spec: RangeSpec::Commits(ids), known })
    }
}
