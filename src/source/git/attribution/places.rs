//! Writes the provenance of each kept object and text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::super::object::ObjectKind;
use super::super::object::{commit_info, message_text, tag_name};
use super::super::pack::Reader;
use super::super::range::RangePlace;
use super::super::repo::Repo;
use super::super::sifted::{KeptText, Sifted};
use super::super::staged::Index;
use super::super::store::Store;
use super::stats::PlaceStats;
use super::{Batch, Content, History, Kind, read, worktree};
use crate::blob::BlobId;
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::provenance::CommitInfo;
use crate::provenance::Exposed;
use crate::provenance::Origin;
use crate::provenance::Provenance;
use crate::provenance::Reachability;

/// Paths that are named for one object.
const PATHS: usize = 20;
/// Refs that are named for one place.
const REFS: usize = 20;
/// Commits that are named as having introduced one place.
const INTRODUCED: usize = 20;
const DAY: i64 = 86_400;

/// Puts together what history knows.
pub(crate) struct Scribe<'a> {
    reader: Reader,
    store: &'a Store,
    history: &'a History,
    /// Paths under which each target is known, as in the history's places.
    by_target: HashMap<BlobId, Vec<(u32, u32)>>,
    index: BTreeMap<BlobId, BTreeSet<Vec<u8>>>,
    work_dir: Option<PathBuf>,
    infos: HashMap<u32, CommitInfo>,
    /// For each commit that was kept, the tips that reach it.
    reached_by: HashMap<u32, Vec<u32>>,
}

impl<'a> Scribe<'a> {
    /// Prepares to write about `history`.
    pub(crate) fn new(
        repo: &Repo,
        store: &'a Store,
        history: &'a History,
        sifted: &Sifted,
    ) -> Self {
        let mut by_target: HashMap<BlobId, Vec<(u32, u32)>> = HashMap::new();
        for &(target, path) in history.places.keys() {
            by_target
                .entry(history.paths.targets[target as usize])
                .or_default()
                .push((target, path));
        }
        let commits = sifted.objects.iter().filter(|kept| kept.kind == ObjectKind::Commit);
        let commits: Vec<u32> = commits.filter_map(|kept| history.graph.find(&kept.id)).collect();
        Self {
            reader: Reader::new(),
            store,
            history,
            by_target,
            index: index_paths(repo),
            work_dir: repo.work_dir.as_ref().and_then(|folder| folder.canonicalize().ok()),
            infos: HashMap::new(),
            reached_by: history.graph.reaching(&commits),
        }
    }

    /// Writes down what was kept, with its places. Objects are read in the order in which they are stored.
    pub(crate) fn locate(
        mut self,
        sifted: &Sifted,
        coverage: &mut Coverage,
        batch: &mut Batch<'_>,
    ) {
        let mut objects = sifted.objects.clone();
        objects.sort_by_cached_key(|kept| (self.store.place(&kept.id), *kept));
        for kept in &objects {
            let Some(bytes) = read(self.store, &kept.id, &mut self.reader, coverage) else {
                continue;
            };
            match kept.kind {
                ObjectKind::Blob | ObjectKind::Tree => {
                    let places = self.blob(&kept.id, &bytes);
                    batch.push(Content(Kind::Object(bytes)), places);
                }
                ObjectKind::Commit => {
                    batch.push(Content::text(message_text(&bytes)), vec![self.commit(&kept.id)]);
                }
                ObjectKind::Tag => {
                    let place = self.tag(&kept.id, &bytes);
                    batch.push(Content::text(message_text(&bytes)), vec![place]);
                }
            }
        }
        for text in &sifted.texts {
            batch.push(Content::text(text.bytes.clone()), self.text(text));
        }
    }

    /// The places of a blob.
    fn blob(&mut self, id: &BlobId, bytes: &[u8]) -> Vec<Provenance> {
        let places = self.by_target.get(id).cloned().unwrap_or_default();
        let mut written = self.committed(id, &places, Origin::History);
        for place in &mut written {
            let is_here = || {
                let folder = self.work_dir.as_deref()?;
                worktree::holds(folder, place.path.as_bytes(), bytes).then_some(())
            };
            let is_here = is_here().is_some();
            place.exposed.iter_mut().for_each(|exposed| exposed.in_worktree = is_here);
        }
        if written.is_empty() {
            written = self.uncommitted(id);
        }
        written
    }

    /// The place of a commit's message.
    fn commit(&mut self, id: &BlobId) -> Provenance {
        let mut place = Provenance::plain(Origin::CommitMessage, BlobPath::default());
        place.blob_id = Some(*id);
        let graph = &self.history.graph;
        let Some(commit) = graph.find(id) else { return place };
        let tips = self.reached_by.get(&commit).into_iter().flatten();
        let (refs, ref_count) = bounded(tips.map(|&tip| graph.tips[tip as usize].0.as_slice()));
        place.reachability = Some(graph.reachability(commit));
        place.exposed = Some(Box::new(Exposed {
            last_commit: self.info(commit),
            in_head: graph.is_in_head(commit),
            refs,
            ref_count,
            days: days(graph.times[commit as usize], graph.newest()),
            introduced: self.info(commit).into_iter().collect(),
            introduced_count: 1,
            ..Exposed::default()
        }));
        place.commit = self.info(commit);
        place
    }

    /// The place of an annotated tag's message.
    fn tag(&mut self, id: &BlobId, bytes: &[u8]) -> Provenance {
        let graph = &self.history.graph;
        let mut place = Provenance::plain(Origin::TagMessage, BlobPath::new(tag_name(bytes)));
        place.blob_id = Some(*id);
        place.reachability = Some(graph.tag_reachability(id));
        let target = graph.peel(*id);
        place.commit = graph.find(&target).and_then(|commit| self.info(commit));
        place
    }

    /// The places of a name or a reflog line.
    fn text(&mut self, text: &KeptText) -> Vec<Provenance> {
        let graph = &self.history.graph;
        if text.origin == Origin::FileName {
            return self.file_name(text);
        }
        let mut place = Provenance::plain(text.origin, BlobPath::new(&text.name));
        let commit = text.id.and_then(|id| graph.find(&graph.peel(id)));
        let is_ref = text.origin == Origin::RefName;
        place.blob_id = text.id.filter(|_| is_ref);
        place.reachability =
            Some(if is_ref { Reachability::Reachable } else { Reachability::Reflog });
        place.commit = commit.and_then(|commit| self.info(commit));
        vec![place]
    }

    fn file_name(&mut self, text: &KeptText) -> Vec<Provenance> {
        let Some(id) = text.id else { return vec![] };
        let paths = &self.history.paths;
        let known = self.by_target.get(&id).map(Vec::as_slice).unwrap_or_default();
        let named: Vec<(u32, u32)> = known
            .iter()
            .copied()
            .filter(|&(_, path)| {
                paths.last_name(path) == text.name && paths.path(path).ends_with(&text.bytes)
            })
            .collect();
        let mut places = self.committed(&id, &named, Origin::FileName);
        if places.is_empty() {
            let mut place = Provenance::plain(Origin::FileName, BlobPath::new(&text.bytes));
            (place.blob_id, place.reachability) = (Some(id), Some(Reachability::Dangling));
            places.push(place);
        }
        places
    }

    /// Places that commits hold.
    fn committed(&mut self, id: &BlobId, places: &[(u32, u32)], origin: Origin) -> Vec<Provenance> {
        let history = self.history;
        let mut known: Vec<(BlobPath, &PlaceStats)> = places
            .iter()
            .map(|place| (BlobPath::new(&history.paths.path(place.1)), &history.places[place]))
            .collect();
        known.sort_by(|a, b| (a.1.reachability, &a.0).cmp(&(b.1.reachability, &b.0)));
        let days = self.exposed_days(known.iter().map(|(_, stats)| *stats));
        known.truncate(PATHS);
        known
            .into_iter()
            .map(|(path, stats)| {
                let is_note = stats.is_note
                    && origin == Origin::History
                    && stats.reachability == Reachability::Reachable;
                let exposed = self.exposed(stats, days);
                Provenance {
                    origin: if is_note { Origin::Note } else { origin },
                    path,
                    blob_id: Some(*id),
                    commit: exposed.introduced.first().cloned(),
                    reachability: Some(stats.reachability),
                    exposed: Some(Box::new(exposed)),
                }
            })
            .collect()
    }

    fn exposed(&mut self, stats: &PlaceStats, days: Option<u32>) -> Exposed {
        let History { graph, paths, .. } = self.history;
        let names = stats.tips.iter().map(|&tip| graph.tips[tip as usize].0.as_slice());
        let (refs, ref_count) = bounded(names);
        let introduced = stats.introduced.iter().take(INTRODUCED);
        let renamed_from = stats.introduced.first().and_then(|first| first.renamed_from);
        Exposed {
            last_commit: self.info(stats.newest.1),
            in_head: stats.in_head,
            refs,
            ref_count,
            days,
            introduced: introduced.filter_map(|first| self.info(first.commit)).collect(),
            introduced_count: stats.introduced.len(),
            removed: stats.removed.and_then(|(_, commit)| self.info(commit)),
            renamed_from: renamed_from.map(|path| BlobPath::new(&paths.path(path))),
            in_worktree: false,
        }
    }

    /// Days from the first commit that introduced any of the places to the last that removed one, or to the newest commit as
    /// long as a ref holds one.
    fn exposed_days<'p>(
        &self,
        places: impl Iterator<Item = &'p PlaceStats> + Clone,
    ) -> Option<u32> {
        let graph = &self.history.graph;
        let times = places
            .clone()
            .flat_map(|stats| &stats.introduced)
            .map(|introduced| graph.times[introduced.commit as usize]);
        let first = times.min()?;
        let is_held = places.clone().any(|stats| stats.in_head || !stats.tips.is_empty());
        let removed = places.filter_map(|stats| stats.removed).max().filter(|_| !is_held);
        days(first, removed.map_or_else(|| graph.newest(), |(time, _)| time))
    }

    /// Places of a blob that no commit holds: the index, a ref that names it or its tree, a tree nobody names.
    fn uncommitted(&self, id: &BlobId) -> Vec<Provenance> {
        let place = |origin, path: &[u8], reachability| {
            let mut place = Provenance::plain(origin, BlobPath::new(path));
            (place.blob_id, place.reachability) = (Some(*id), reachability);
            place
        };
        let mut places = vec![];
        for path in self.index.get(id).into_iter().flatten() {
            places.push(place(Origin::Index, path, None));
        }
        let paths = &self.history.paths;
        for (name, _) in self.history.graph.others.iter().filter(|(_, target)| target == id) {
            let mut named = place(Origin::History, b"", Some(Reachability::Reachable));
            named.exposed = Some(Box::new(named_by(name)));
            places.push(named);
        }
        for (name, list) in &self.history.loose_tops {
            for (_, path) in paths.lists[*list as usize]
                .iter()
                .filter(|(target, _)| paths.targets[*target as usize] == *id)
            {
                let reachability =
                    if name.is_some() { Reachability::Reachable } else { Reachability::Dangling };
                let mut found = place(Origin::History, &paths.path(*path), Some(reachability));
                found.exposed = name.as_deref().map(named_by).map(Box::new);
                places.push(found);
            }
        }
        if places.is_empty() {
            places.push(place(Origin::History, b"", Some(Reachability::Dangling)));
        }
        places.sort_by(|a, b| {
            (a.origin, a.reachability, &a.path).cmp(&(b.origin, b.reachability, &b.path))
        });
        places.dedup();
        places.truncate(PATHS);
        places
    }

    fn info(&mut self, commit: u32) -> Option<CommitInfo> {
        if let Some(info) = self.infos.get(&commit) {
            return Some(info.clone());
        }
        let id = self.history.graph.ids[commit as usize];
        // The finding stands without it.
        let mut ignored = Coverage::default();
        let info = commit_info(id, &read(self.store, &id, &mut self.reader, &mut ignored)?[..]);
        self.infos.insert(commit, info.clone());
        Some(info)
    }
}

/// Names the places of what a range introduces.
pub(crate) fn of_range(
    store: &Store,
    sifted: &Sifted,
    places: &[RangePlace],
    coverage: &mut Coverage,
    batch: &mut Batch<'_>,
) {
    let mut reader = Reader::new();
    for kept in &sifted.objects {
        let Some(bytes) = read(store, &kept.id, &mut reader, coverage) else { continue };
        let place = |origin, path: &[u8], commit: CommitInfo| Provenance {
            origin,
            path: BlobPath::new(path),
            blob_id: Some(kept.id),
            commit: Some(commit),
            reachability: Some(Reachability::Reachable),
            exposed: None,
        };
        if kept.kind == ObjectKind::Commit {
            let places = vec![place(Origin::CommitMessage, b"", commit_info(kept.id, &bytes))];
            batch.push(Content::text(message_text(&bytes)), places);
            continue;
        }
        let start = places.partition_point(|place| place.id < kept.id);
        let mut written = vec![];
        for known in places[start..].iter().take_while(|place| place.id == kept.id).take(PATHS) {
            let Some(bytes) = read(store, &known.commit, &mut reader, coverage) else { continue };
            written.push(place(Origin::History, &known.path, commit_info(known.commit, &bytes)));
        }
        batch.push(Content(Kind::Object(bytes)), written);
    }
}

/// Hands on what was kept when there is no time left to find its places.
pub(crate) fn unnamed(
    store: &Store,
    sifted: &Sifted,
    coverage: &mut Coverage,
    batch: &mut Batch<'_>,
) {
    let mut reader = Reader::new();
    for kept in &sifted.objects {
        let Some(bytes) = read(store, &kept.id, &mut reader, coverage) else { continue };
        let (origin, bytes) = match kept.kind {
            ObjectKind::Blob | ObjectKind::Tree => (Origin::History, Content(Kind::Object(bytes))),
            ObjectKind::Commit => (Origin::CommitMessage, Content::text(message_text(&bytes))),
            ObjectKind::Tag => (Origin::TagMessage, Content::text(message_text(&bytes))),
        };
        let place = Provenance::plain(origin, BlobPath::default());
        batch.push(bytes, vec![Provenance { blob_id: Some(kept.id), ..place }]);
    }
    for text in &sifted.texts {
        let place = Provenance::plain(text.origin, BlobPath::new(&text.name));
        batch.push(Content::text(text.bytes.clone()), vec![place]);
    }
}

/// The paths of the index entries of the repository and of its worktrees.
fn index_paths(repo: &Repo) -> BTreeMap<BlobId, BTreeSet<Vec<u8>>> {
    let mut paths: BTreeMap<BlobId, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let linked = std::fs::read_dir(repo.common_dir.join("worktrees")).into_iter().flatten();
    let linked = linked.filter_map(|entry| Some(entry.ok()?.path()));
    for folder in linked.chain([repo.common_dir.clone()]) {
        let index = Index::read(&folder.join("index"), &folder, repo.hash_len);
        let Ok(index) = index else { continue };
        for entry in index.entries() {
            paths.entry(entry.id).or_default().insert(index.name(entry).to_vec());
        }
    }
    paths
}

fn named_by(name: &[u8]) -> Exposed {
    Exposed {
        refs: vec![String::from_utf8_lossy(name).into_owned()],
        ref_count: 1,
        ..Exposed::default()
    }
}

/// Keeps the first refs of a sorted list and counts all.
fn bounded<'n>(names: impl Iterator<Item = &'n [u8]>) -> (Vec<String>, usize) {
    let mut refs = vec![];
    let mut count = 0;
    for name in names {
        count += 1;
        if refs.len() < REFS {
            refs.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    (refs, count)
}

fn days(from: i64, to: i64) -> Option<u32> {
    u32::try_from(to.saturating_sub(from).max(0) / DAY).ok()
}
