//! Scans only what a range of commits introduces: each commit's tree is compared with the trees of all its parents, and
//! equal subtrees are never entered, so that the cost follows the range.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use rayon::prelude::*;
use thiserror::Error;

use super::object::{Commit, Mode, ObjectKind, tree_entries};
use super::pack::Reader;
use super::pack::buffer::Buffer;
use super::pack::entry::EntryError;
use super::pack::traverse::{Seen, Visit as _};
use super::repo::Repo;
use super::revisions;
use super::sift::{SiftState, Sifter, read_each};
use super::sifted::{Kept, Sifted};
use super::store::{note_promised, report};
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::coverage::GapKind;

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
    #[error("the range cannot be walked: {0}; git fsck tells what is missing")]
    Walk(String),
    /// A shallow clone's history ends inside of the range.
    #[error(
        "the history of this shallow clone ends at {0}, inside of the range; run git fetch --unshallow"
    )]
    Shallow(BlobId),
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

/// Paths at which the contents of one tree are followed in one commit; all of them hold the same.
const PATHS_PER_TREE: usize = 64;

/// Scans a range.
pub(crate) fn sift(
    repo: &Repo,
    sifter: &Sifter<'_>,
    spec: &RangeSpec,
    coverage: &mut Coverage,
) -> Result<Sifted, RangeError> {
    let commits = commits(repo, spec, coverage)?;
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
        let seen = Seen { id: id.as_bytes(), kind, is_copy: false, is_last: true, stored: (0, 0) };
        if hinted.contains(&id) {
            sifter.force(state, Kept { kind, id }, bytes, true);
        }
        sifter.whole(state, &seen, bytes);
    });
    for state in states {
        coverage.merge(state.coverage);
        sifted.objects.extend(state.kept);
    }
    sifted.objects.sort_unstable();
    places.retain(|place| {
        sifted.objects.binary_search(&Kept { kind: ObjectKind::Blob, id: place.id }).is_ok()
    });
    sifted.places = Some(places);
    sifted.sort();
    Ok(sifted)
}

/// Collects what one commit introduces, and looks at its message.
fn introduce(sifter: &Sifter<'_>, id: &BlobId, introduced: &mut Introduced, reader: &mut Reader) {
    let Some((commit, bytes)) = read_commit(sifter, id, &mut introduced.state, reader) else {
        note_absent(sifter, *id, &mut introduced.state.coverage);
        return;
    };
    let seen = Seen {
        id: id.as_bytes(),
        kind: ObjectKind::Commit,
        is_copy: false,
        is_last: true,
        stored: (0, 0),
    };
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
    let mut visits: HashMap<(BlobId, Vec<BlobId>, bool), usize> = HashMap::new();
    while let Some((tree, others, path, is_hinted)) = stack.pop() {
        if others.contains(&tree) {
            continue;
        }
        // Folders of the same folders of the same folders make more paths than anybody could walk.
        let visits = visits.entry((tree, others.clone(), is_hinted)).or_default();
        *visits += 1;
        if *visits > PATHS_PER_TREE {
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
) -> Option<(Commit, std::sync::Arc<Buffer>)> {
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
) -> Option<std::sync::Arc<Buffer>> {
    match sifter.store.read(id, reader)? {
        Ok(object) => (object.kind == ObjectKind::Tree).then_some(object.bytes),
        Err(error) => {
            report(&mut state.coverage, id.as_bytes(), &error);
            None
        }
    }
}

/// Lists the commits of a range.
fn commits(
    repo: &Repo,
    spec: &RangeSpec,
    coverage: &mut Coverage,
) -> Result<Vec<BlobId>, RangeError> {
    let walked = |error: git2::Error| RangeError::Walk(error.message().to_owned());
    let git = repo.git2().map_err(walked)?;
    if let RangeSpec::Commits(revisions) = spec {
        let ids = revisions.iter().map(|revision| find(&git, revision));
        return ids.map(|id| Ok(own(id?))).collect();
    }
    let (tips, hidden) = ends_of(&git, spec)?;
    let shallow = repo.shallow_ends();
    let ids = if shallow.is_empty() {
        let mut hidden = hidden;
        if let RangeSpec::Symmetric { .. } = spec {
            // Unrelated histories have no common base: then all of both is scanned.
            let bases = git.merge_bases(tips[0], tips[1]);
            hidden.extend(bases.iter().flat_map(|bases| bases.iter()));
        }
        revisions::between(&git, &tips, &hidden).map_err(walked)?
    } else {
        let reach = |from: &[git2::Oid]| revisions::ancestors(&git, from, &shallow).map_err(walked);
        let mut hidden = reach(&hidden)?;
        if let RangeSpec::Symmetric { .. } = spec {
            hidden = &reach(&tips[..1])? & &reach(&tips[1..])?;
        }
        let reached = revisions::shallow(&git, &tips, &hidden, &shallow).map_err(walked)?;
        for end in &reached.ends {
            note_end(&git, spec, *end, coverage)?;
        }
        reached.ids.into_iter().collect()
    };
    let is_wanted = |id: &git2::Oid| match spec {
        RangeSpec::Since(since) => Ok(git.find_commit(*id)?.time().seconds() >= *since),
        _ => Ok(true),
    };
    let mut commits = vec![];
    for id in ids {
        if is_wanted(&id).map_err(walked)? {
            commits.push(own(id));
        }
    }
    commits.sort_unstable();
    Ok(commits)
}

/// What a range reaches from, and what it leaves out.
fn ends_of(
    git: &git2::Repository,
    spec: &RangeSpec,
) -> Result<(Vec<git2::Oid>, Vec<git2::Oid>), RangeError> {
    let walked = |error: git2::Error| RangeError::Walk(error.message().to_owned());
    let named = |pattern: &str| -> Result<Vec<git2::Oid>, git2::Error> {
        let refs = git.references_glob(pattern)?;
        let commits = refs.filter_map(|name| Some(name.ok()?.peel_to_commit().ok()?.id()));
        Ok(commits.collect())
    };
    Ok(match spec {
        RangeSpec::Commits(_) => (vec![], vec![]),
        RangeSpec::Between { from, to } => (vec![find(git, to)?], vec![find(git, from)?]),
        RangeSpec::Symmetric { left, right } => (vec![find(git, left)?, find(git, right)?], vec![]),
        RangeSpec::Pushed { tips, known } => {
            let mut ids = vec![];
            for tip in tips {
                let id = git2::Oid::from_str(tip).map_err(walked)?;
                let object = git.find_object(id, None).map_err(walked)?;
                ids.extend(object.peel_to_commit().map(|commit| commit.id()));
            }
            let mut hidden = vec![];
            for known in known {
                if known.starts_with("refs/") {
                    hidden.extend(named(known).map_err(walked)?);
                } else {
                    hidden.extend(find(git, known));
                }
            }
            (ids, hidden)
        }
        RangeSpec::Since(_) => {
            let mut tips = named("refs/*").map_err(walked)?;
            // An unborn HEAD reaches nothing.
            tips.extend(find(git, "HEAD"));
            (tips, vec![])
        }
    })
}

fn find(git: &git2::Repository, revision: &str) -> Result<git2::Oid, RangeError> {
    let object = git.revparse_single(revision).and_then(|object| object.peel_to_commit());
    object.map(|commit| commit.id()).map_err(|error| RangeError::Revision {
        revision: revision.to_owned(),
        message: error.message().to_owned(),
    })
}

fn own(id: git2::Oid) -> BlobId {
    BlobId::from_bytes(id.as_bytes()).expect("an id has 20 or 32 bytes")
}

/// Says that a range goes on behind the end of a shallow history. What lies behind it is older, which is a gap only for those
/// who ask for what is still older.
fn note_end(
    git: &git2::Repository,
    spec: &RangeSpec,
    end: git2::Oid,
    coverage: &mut Coverage,
) -> Result<(), RangeError> {
    let RangeSpec::Since(since) = spec else { return Err(RangeError::Shallow(own(end))) };
    let time = git.find_commit(end).map(|commit| commit.time().seconds());
    if time.map_err(|error| RangeError::Walk(error.message().to_owned()))? >= *since {
        let detail = "a shallow clone: its history ends here, inside of the range; run git fetch --unshallow";
        coverage.gap(GapKind::Shallow, end.to_string(), detail);
    }
    Ok(())
}
