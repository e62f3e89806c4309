//! Walks from commits to their ancestors. git2 does it, but not past the end of a shallow history: there it is done by hand.

use std::collections::BTreeSet;

use git2::{Error, Oid, Repository};

use crate::blob::BlobId;

/// What tips reach in a shallow history.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Commits, those at which history ends among them.
    pub(crate) ids: BTreeSet<Oid>,
    /// The commits at which it ends.
    pub(crate) ends: BTreeSet<Oid>,
}

/// What `tips` reach and `hidden` do not, in a history without gaps.
pub(crate) fn between(git: &Repository, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<Oid>, Error> {
    let mut walk = git.revwalk()?;
    tips.iter().try_for_each(|tip| walk.push(*tip))?;
    hidden.iter().try_for_each(|id| walk.hide(*id))?;
    walk.collect()
}

/// What `from` reach, themselves included, as far as the history goes.
pub(crate) fn ancestors(
    git: &Repository,
    from: &[Oid],
    ends: &[BlobId],
) -> Result<BTreeSet<Oid>, Error> {
    Ok(shallow(git, from, &BTreeSet::new(), ends)?.ids)
}

/// What `tips` reach outside of `hidden`, as far as the history goes, which ends at `ends`, sorted.
pub(crate) fn shallow(
    git: &Repository,
    tips: &[Oid],
    hidden: &BTreeSet<Oid>,
    ends: &[BlobId],
) -> Result<Reached, Error> {
    let mut reached = Reached::default();
    let mut pending = tips.to_vec();
    while let Some(id) = pending.pop() {
        if hidden.contains(&id) || !reached.ids.insert(id) {
            continue;
        }
        let is_end =
            BlobId::from_bytes(id.as_bytes()).is_some_and(|id| ends.binary_search(&id).is_ok());
        if is_end {
            reached.ends.insert(id);
        } else {
            pending.extend(git.find_commit(id)?.parent_ids());
        }
    }
    Ok(reached)
}
