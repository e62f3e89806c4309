//! Scans only what a range of commits introduces: each commit's tree is compared with the trees of all its parents, and
//! equal subtrees are never entered, so that the cost follows the range.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rayon::prelude::*;
use thiserror::Error;

use super::object::{Commit, Mode, ObjectKind, tree_entries};
use super::pack::Reader;
use super::pack::entry::EntryError;
use super::pack::traverse::{Seen, Visit as _};
use super::repo::Repo;
use super::sift::{Kept, SiftState, Sifted, Sifter, read_each};
use super::store::{note_promised, report};
use crate::blob::BlobId;
use crate::coverage::Coverage;

/// Which commits are scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeSpec {
    /// `A..B`: what `B` reaches and `A` does not. An empty end means `HEAD`.
    Between {
        /// The end that is left out.
        from: String,
        /// The end that is scanned.
        to: String,
    },
    /// `A...B`: what only one of both reaches.
    Symmetric {
        /// One end.
        left: String,
        /// The other end.
        right: String,
    },
    /// Commits of all refs since this time, in seconds since 1970.
    Since(i64),
    /// Exactly these commits.
    Commits(Vec<String>),
    /// What `tips` reach and `known` does not: what a push brings. Tips that are no commits are left out; `known` are
    /// revisions, or patterns of refs such as `refs/remotes/origin/*`.
    Pushed {
        /// What is brought.
        tips: Vec<String>,
        /// What is there already; what this repository does not hold counts for nothing.
        known: Vec<String>,
    },
}

impl RangeSpec {
    /// Parses `A..B`, `A...B`, or one revision, which stands for that commit alone.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let end = |end: &str| if end.is_empty() { "HEAD".to_owned() } else { end.to_owned() };
        if let Some((left, right)) = text.split_once("...") {
            return Self::Symmetric { left: end(left), right: end(right) };
        }
        match text.split_once("..") {
            Some((from, to)) => Self::Between { from: end(from), to: end(to) },
            None => Self::Commits(vec![text.to_owned()]),
        }
    }
}

/// Why a range cannot be scanned.
#[derive(Debug, Error)]
pub enum RangeError {
    /// A revision names no commit.
    #[error("`{revision}` names no commit: {message}")]
    Revision {
        /// What was asked for.
        revision: String,
        /// What git2 says.
        message: String,
    },
    /// The commits cannot be walked.
    #[error("the range cannot be walked: {0}; if the clone is shallow, run git fetch --unshallow")]
    Walk(String),
}

/// A kept object and where the range introduces it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RangePlace {
    pub(crate) id: BlobId,
    pub(crate) path: Vec<u8>,
    pub(crate) commit: BlobId,
}

/// What the commits of a range introduce.
#[derive(Default)]
struct Introduced {
    places: Vec<RangePlace>,
    /// Paths whose parts pass the sieve.
    hinted: BTreeSet<BlobId>,
    state: SiftState,
}

/// Scans a range.
pub(crate) fn sift(
    repo: &Repo,
    sifter: &Sifter<'_>,
    spec: &RangeSpec,
    coverage: &mut Coverage,
) -> Result<Sifted, RangeError> {
    let commits = commits(repo, spec)?;
    let parts: Vec<Introduced> = commits
        .par_iter()
        .fold(
            || (Introduced::default(), Reader::new()),
            |(mut introduced, mut reader), commit| {
                introduce(sifter, commit, &mut introduced, &mut reader);
                (introduced, reader)
            },
        )
        .map(|(introduced, _)| introduced)
        .collect();
    let mut sifted = Sifted::default();
    let mut places = vec![];
    let mut hinted = BTreeSet::new();
    for part in parts {
        places.extend(part.places);
        hinted.extend(part.hinted);
        coverage.merge(part.state.coverage);
        sifted.objects.extend(part.state.kept);
    }
    let ids: BTreeSet<BlobId> = places.iter().map(|place| place.id).collect();
    if sifter.checks_entries {
        ids.iter().for_each(|id| note_absent(sifter, *id, coverage));
    }
    let states = read_each(sifter, ids.into_iter().collect(), |state, id, kind, bytes| {
        let seen = Seen { id: id.as_bytes(), kind, is_copy: false, stored: (0, 0) };
        if hinted.contains(&id) {
            sifter.force(state, id, kind, bytes);
        }
        sifter.whole(state, &seen, bytes);
    });
    for state in states {
        coverage.merge(state.coverage);
        sifted.objects.extend(state.kept);
    }
    sifted.objects.sort_unstable();
    sifted.objects.dedup();
    places.retain(|place| {
        sifted.objects.binary_search(&Kept { kind: ObjectKind::Blob, id: place.id }).is_ok()
    });
    places.sort_unstable();
    places.dedup();
    sifted.places = Some(places);
    Ok(sifted)
}

/// Collects what one commit introduces, and looks at its message.
fn introduce(sifter: &Sifter<'_>, id: &BlobId, introduced: &mut Introduced, reader: &mut Reader) {
    let Some((commit, bytes)) = read_commit(sifter, id, &mut introduced.state, reader) else {
        note_absent(sifter, *id, &mut introduced.state.coverage);
        return;
    };
    let seen = Seen { id: id.as_bytes(), kind: ObjectKind::Commit, is_copy: false, stored: (0, 0) };
    sifter.whole(&mut introduced.state, &seen, &bytes);
    // Without a parent, or one of its trees, more counts as introduced, so nothing is lost.
    let parents: Vec<BlobId> = commit
        .parents
        .iter()
        .filter_map(|parent| {
            Some(read_commit(sifter, parent, &mut introduced.state, reader)?.0.tree)
        })
        .collect();
    let mut stack = vec![(commit.tree, parents, vec![], false)];
    while let Some((tree, others, path, is_hinted)) = stack.pop() {
        if others.contains(&tree) {
            continue;
        }
        let Some(bytes) = read_tree(sifter, &tree, &mut introduced.state, reader) else {
            note_absent(sifter, tree, &mut introduced.state.coverage);
            continue;
        };
        let others: Vec<_> = others
            .iter()
            .filter_map(|id| read_tree(sifter, id, &mut introduced.state, reader))
            .collect();
        let known: Vec<BTreeMap<&[u8], &[u8]>> = others
            .iter()
            .map(|tree| {
                tree_entries(tree, sifter.store.hash_len)
                    .map(|entry| (entry.name, entry.id))
                    .collect()
            })
            .collect();
        for entry in tree_entries(&bytes, sifter.store.hash_len) {
            let before: Vec<&[u8]> =
                known.iter().filter_map(|known| known.get(entry.name).copied()).collect();
            let Some(child) = BlobId::from_bytes(entry.id).filter(|_| !before.contains(&entry.id))
            else {
                continue;
            };
            let mut path: Vec<u8> = path.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name);
            let is_hinted = is_hinted || sifter.sieve.may_match(entry.name);
            match entry.mode {
                Mode::Tree => {
                    let before = before.into_iter().filter_map(BlobId::from_bytes).collect();
                    stack.push((child, before, path, is_hinted));
                }
                Mode::Blob => {
                    introduced.places.push(RangePlace { id: child, path, commit: *id });
                    if is_hinted {
                        introduced.hinted.insert(child);
                    }
                }
                Mode::Submodule => {}
            }
        }
    }
}

/// Notes an object of the range that is not here; a damaged one has been noted when it was read.
fn note_absent(sifter: &Sifter<'_>, id: BlobId, coverage: &mut Coverage) {
    if sifter.store.contains(id.as_bytes()) {
        return;
    }
    if sifter.checks_entries {
        note_promised(coverage, id);
    } else {
        report(coverage, id.as_bytes(), &EntryError::Missing);
    }
}

fn read_commit(
    sifter: &Sifter<'_>,
    id: &BlobId,
    state: &mut SiftState,
    reader: &mut Reader,
) -> Option<(Commit, std::sync::Arc<Vec<u8>>)> {
    match sifter.store.read(id, reader)? {
        Ok(object) => Some((Commit::parse(&object.bytes)?, object.bytes)),
        Err(error) => {
            report(&mut state.coverage, id.as_bytes(), &error);
            None
        }
    }
}

fn read_tree(
    sifter: &Sifter<'_>,
    id: &BlobId,
    state: &mut SiftState,
    reader: &mut Reader,
) -> Option<std::sync::Arc<Vec<u8>>> {
    match sifter.store.read(id, reader)? {
        Ok(object) => (object.kind == ObjectKind::Tree).then_some(object.bytes),
        Err(error) => {
            report(&mut state.coverage, id.as_bytes(), &error);
            None
        }
    }
}

/// Lists the commits of a range.
fn commits(repo: &Repo, spec: &RangeSpec) -> Result<Vec<BlobId>, RangeError> {
    let walked = |error: git2::Error| RangeError::Walk(error.message().to_owned());
    let git = repo.git2().map_err(walked)?;
    let find = |revision: &str| {
        let error = |error: git2::Error| RangeError::Revision {
            revision: revision.to_owned(),
            message: error.message().to_owned(),
        };
        let object = git.revparse_single(revision).map_err(error)?;
        Ok(object.peel_to_commit().map_err(error)?.id())
    };
    let mut walk = git.revwalk().map_err(walked)?;
    let mut since = i64::MIN;
    match spec {
        RangeSpec::Commits(revisions) => {
            let ids: Vec<git2::Oid> =
                revisions.iter().map(|revision| find(revision)).collect::<Result<_, _>>()?;
            return Ok(ids.iter().filter_map(|id| BlobId::from_bytes(id.as_bytes())).collect());
        }
        RangeSpec::Between { from, to } => {
            walk.push(find(to)?).map_err(walked)?;
            walk.hide(find(from)?).map_err(walked)?;
        }
        RangeSpec::Symmetric { left, right } => {
            let (left, right) = (find(left)?, find(right)?);
            walk.push(left).map_err(walked)?;
            walk.push(right).map_err(walked)?;
            // Unrelated histories have no common base: then all of both is scanned.
            for base in git.merge_bases(left, right).map(|bases| bases.to_vec()).unwrap_or_default()
            {
                walk.hide(base).map_err(walked)?;
            }
        }
        RangeSpec::Pushed { tips, known } => {
            for tip in tips {
                let id = git2::Oid::from_str(tip).map_err(walked)?;
                let object = git.find_object(id, None).map_err(walked)?;
                if let Ok(commit) = object.peel_to_commit() {
                    walk.push(commit.id()).map_err(walked)?;
                }
            }
            for known in known {
                match known.starts_with("refs/") {
                    true => walk.hide_glob(known).map_err(walked)?,
                    false => find(known).map_or(Ok(()), |id| walk.hide(id)).map_err(walked)?,
                }
            }
        }
        RangeSpec::Since(time) => {
            since = *time;
            walk.push_glob("*").map_err(walked)?;
            // An unborn HEAD reaches nothing.
            let _unborn = walk.push_head();
        }
    }
    let mut commits = vec![];
    for id in walk {
        let id = id.map_err(walked)?;
        let time = if since == i64::MIN {
            0
        } else {
            git.find_commit(id).map_err(walked)?.time().seconds()
        };
        if time >= since {
            commits.extend(BlobId::from_bytes(id.as_bytes()));
        }
    }
    commits.sort_unstable();
    Ok(commits)
}
