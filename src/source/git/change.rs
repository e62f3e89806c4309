//! Which commits a push, a merge request or a merge queue brings: from the ids that a CI system names to a range that is
//! really there. A checkout that is too shallow to hold the range is an error, never an empty range.

use std::collections::BTreeSet;

use git2::Oid;
use git2::Repository;
use thiserror::Error;

use super::files;
use super::range::RangeSpec;
use super::repo::Repo;

/// Files that list shallow commits and are larger than this are not read.
const MAX_SHALLOW: u64 = 64 << 20;

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
        let ends = self.shallow_ends();
        if ends.is_empty() {
            let mut walk = git.revwalk()?;
            walk.push(tip)?;
            base.map_or(Ok(()), |base| walk.hide(base))?;
            let commits = walk.collect::<Result<Vec<Oid>, _>>()?.len();
            let hidden = base.iter().map(Oid::to_string).collect();
            let spec = RangeSpec::Pushed { tips: vec![tip.to_string()], known: hidden };
            return Ok(ChangeRange { spec, commits, known });
        }
        // git2 cannot walk past the end of a shallow history, so it is walked by hand.
        let hidden = base.map_or(Ok(BTreeSet::new()), |base| {
            ancestors(&git, base, &|id| Ok(ends.contains(&id)))
        })?;
        let commits = ancestors(&git, tip, &|id| match hidden.contains(&id) {
            false if ends.contains(&id) => Err(ChangeError::Shallow { id: id.to_string() }),
            is_known => Ok(is_known),
        })?;
        let ids: Vec<String> = commits.difference(&hidden).map(Oid::to_string).collect();
        Ok(ChangeRange { commits: ids.len(), spec: RangeSpec::Commits(ids), known })
    }

    /// The commits whose parents a shallow clone left out.
    fn shallow_ends(&self) -> BTreeSet<Oid> {
        let text = files::read(&self.common_dir.join("shallow"), MAX_SHALLOW).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
    }
}

/// The commits that `from` reaches, itself included; `ends_at` says behind which of them nothing is walked.
fn ancestors(
    git: &Repository,
    from: Oid,
    ends_at: &dyn Fn(Oid) -> Result<bool, ChangeError>,
) -> Result<BTreeSet<Oid>, ChangeError> {
    let mut reached = BTreeSet::from([from]);
    let mut pending = vec![from];
    while let Some(id) = pending.pop() {
        if !ends_at(id)? {
            let commit = git.find_commit(id)?;
            pending.extend(commit.parent_ids().filter(|parent| reached.insert(*parent)));
        }
    }
    Ok(reached)
}
