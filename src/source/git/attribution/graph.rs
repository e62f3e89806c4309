//! The graph of commits: parents, times, and from where each commit can be reached.

use std::collections::HashMap;

use rayon::prelude::*;

use super::super::names::Names;
use super::super::object::Commit;
use super::links::Tag;
use crate::blob::BlobId;
use crate::provenance::Reachability;

const FROM_REF: u8 = 1;
const FROM_NOTES: u8 = 2;
const FROM_STASH: u8 = 4;
const FROM_REFLOG: u8 = 8;
const FROM_HEAD: u8 = 16;

/// Commits by number, in the order of their ids.
pub(crate) struct Graph {
    pub(crate) ids: Vec<BlobId>,
    pub(crate) trees: Vec<BlobId>,
    pub(crate) times: Vec<i64>,
    parents: Vec<u32>,
    starts: Vec<u32>,
    /// Parents before their children.
    order: Vec<u32>,
    from: Vec<u8>,
    /// Refs that name commits, in the order of their names.
    pub(crate) tips: Vec<(Vec<u8>, u32)>,
    /// Refs that name other objects.
    pub(crate) others: Vec<(Vec<u8>, BlobId)>,
    pub(crate) head: Option<u32>,
    tags: Vec<Tag>,
    /// For each tag what it marks in the end.
    peeled: Vec<BlobId>,
    /// For each tag whether a ref names it, directly or through other tags.
    named_tags: Vec<bool>,
    logged_tags: Vec<bool>,
}

impl Graph {
    /// Builds the graph and finds out what reaches what.
    pub(crate) fn of(commits: &[(BlobId, Commit)], tags: Vec<Tag>, names: &Names) -> Self {
        let ids: Vec<BlobId> = commits.iter().map(|(id, _)| *id).collect();
        let of_commit = |(id, commit): &(BlobId, Commit)| -> Vec<u32> {
            // Parents of a shallow commit may be here, left over; history still ends for whoever clones it.
            let parents = commit.parents.iter().filter(|_| !names.shallow.contains(id));
            parents.filter_map(|parent| number(&ids, parent)).collect()
        };
        let found: Vec<Vec<u32>> = commits.par_iter().with_min_len(1024).map(of_commit).collect();
        let mut parents = vec![];
        let mut starts = vec![0];
        for found in found {
            parents.extend(found);
            starts.push(u32::try_from(parents.len()).expect("git counts objects in 32 bits"));
        }
        let mut graph = Self {
            trees: commits.iter().map(|(_, commit)| commit.tree).collect(),
            times: commits.iter().map(|(_, commit)| commit.time).collect(),
            order: vec![],
            from: vec![0; ids.len()],
            ids,
            parents,
            starts,
            tips: vec![],
            others: vec![],
            head: None,
            named_tags: vec![false; tags.len()],
            logged_tags: vec![false; tags.len()],
            tags,
            peeled: vec![],
        };
        graph.peeled = graph.peel_all();
        graph.order = graph.sort();
        graph.reach(names);
        graph
    }

    /// The commit's number.
    pub(crate) fn find(&self, id: &BlobId) -> Option<u32> {
        number(&self.ids, id)
    }

    /// Parents of a commit that are here.
    pub(crate) fn parents(&self, commit: u32) -> &[u32] {
        let at = commit as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// How a commit is reached.
    pub(crate) fn reachability(&self, commit: u32) -> Reachability {
        match self.from[commit as usize] {
            from if from & (FROM_REF | FROM_NOTES | FROM_HEAD) != 0 => Reachability::Reachable,
            from if from & FROM_STASH != 0 => Reachability::Stash,
            from if from & FROM_REFLOG != 0 => Reachability::Reflog,
            _ => Reachability::Dangling,
        }
    }

    /// Whether a commit belongs to notes only.
    pub(crate) fn is_note(&self, commit: u32) -> bool {
        let from = self.from[commit as usize];
        from & FROM_NOTES != 0 && from & (FROM_REF | FROM_HEAD) == 0
    }

    /// Whether `HEAD` reaches a commit.
    pub(crate) fn is_in_head(&self, commit: u32) -> bool {
        self.from[commit as usize] & FROM_HEAD != 0
    }

    /// How a tag object is reached.
    pub(crate) fn tag_reachability(&self, tag: &BlobId) -> Reachability {
        match self.tag(tag) {
            Some(tag) if self.named_tags[tag] => Reachability::Reachable,
            Some(tag) if self.logged_tags[tag] => Reachability::Reflog,
            _ => Reachability::Dangling,
        }
    }

    /// What a tag marks in the end, through other tags; anything else is itself.
    pub(crate) fn peel(&self, id: BlobId) -> BlobId {
        self.tag(&id).map_or(id, |tag| self.peeled[tag])
    }

    fn tag(&self, id: &BlobId) -> Option<usize> {
        self.tags.binary_search_by(|(tag, ..)| tag.cmp(id)).ok()
    }

    /// Follows each tag to its end, going no way twice, however many tags lead into it.
    fn peel_all(&self) -> Vec<BlobId> {
        let mut peeled: Vec<Option<BlobId>> = vec![None; self.tags.len()];
        for first in 0..self.tags.len() {
            let (mut way, mut at) = (vec![], first);
            let end = loop {
                if let Some(end) = peeled[at] {
                    break end;
                }
                let target = self.tags[at].1;
                way.push(at);
                // Until its end is known a tag counts as its own, which ends circles.
                peeled[at] = Some(target);
                match self.tag(&target) {
                    Some(next) => at = next,
                    None => break target,
                }
            };
            way.into_iter().for_each(|tag| peeled[tag] = Some(end));
        }
        peeled.into_iter().zip(&self.tags).map(|(end, tag)| end.unwrap_or(tag.1)).collect()
    }

    /// Marks a tag and those that it marks in turn.
    fn mark(&self, id: BlobId, marked: &mut [bool]) {
        let mut at = self.tag(&id);
        while let Some(tag) = at.filter(|&tag| !marked[tag]) {
            marked[tag] = true;
            at = self.tag(&self.tags[tag].1);
        }
    }

    /// Time of the newest commit.
    pub(crate) fn newest(&self) -> i64 {
        self.times.iter().copied().max().unwrap_or(0)
    }

    /// For each commit the numbers of the tips that reach it.
    pub(crate) fn reaching(&self, commits: &[u32]) -> HashMap<u32, Vec<u32>> {
        let mut reached_by: HashMap<u32, Vec<u32>> = HashMap::new();
        for chunk in commits.chunks(64) {
            let mut masks = vec![0_u64; self.ids.len()];
            for (bit, &commit) in chunk.iter().enumerate() {
                masks[commit as usize] |= 1 << bit;
            }
            for &commit in &self.order {
                let parents = self.parents(commit).iter();
                let above = parents.fold(0, |mask, &parent| mask | masks[parent as usize]);
                masks[commit as usize] |= above;
            }
            for (tip, (_, commit)) in (0_u32..).zip(&self.tips) {
                let reached = chunk.iter().enumerate();
                let reached = reached.filter(|(bit, _)| masks[*commit as usize] >> bit & 1 != 0);
                reached.for_each(|(_, &commit)| reached_by.entry(commit).or_default().push(tip));
            }
        }
        reached_by
    }

    /// Sorts commits so that parents come before their children.
    fn sort(&self) -> Vec<u32> {
        let count = self.ids.len();
        let mut waiting = vec![0_u32; count];
        let mut child_starts = vec![0_u32; count + 1];
        for &parent in &self.parents {
            child_starts[parent as usize + 1] += 1;
        }
        for at in 0..count {
            child_starts[at + 1] += child_starts[at];
        }
        let mut cursors = child_starts.clone();
        let mut children = vec![0_u32; self.parents.len()];
        for (at, commit) in (0_u32..).take(count).enumerate() {
            for &parent in self.parents(commit) {
                waiting[at] += 1;
                children[cursors[parent as usize] as usize] = commit;
                cursors[parent as usize] += 1;
            }
        }
        let mut order: Vec<u32> =
            (0_u32..).take(count).filter(|&commit| waiting[commit as usize] == 0).collect();
        let mut at = 0;
        while let Some(&commit) = order.get(at) {
            at += 1;
            let commit = commit as usize;
            for &child in
                &children[child_starts[commit] as usize..child_starts[commit + 1] as usize]
            {
                waiting[child as usize] -= 1;
                if waiting[child as usize] == 0 {
                    order.push(child);
                }
            }
        }
        order
    }

    fn reach(&mut self, names: &Names) {
        let mut named_tags = std::mem::take(&mut self.named_tags);
        let mut logged_tags = std::mem::take(&mut self.logged_tags);
        let mut starts: Vec<(u32, u8)> = vec![];
        for (name, id) in &names.refs {
            self.mark(*id, &mut named_tags);
            let target = self.peel(*id);
            let Some(commit) = self.find(&target) else {
                self.others.push((name.clone(), target));
                continue;
            };
            self.tips.push((name.clone(), commit));
            starts.push((commit, from_ref(name)));
        }
        self.head = names.head.and_then(|id| self.find(&id));
        starts.extend(names.heads.iter().filter_map(|id| Some((self.find(id)?, FROM_REF))));
        starts.extend(self.head.map(|head| (head, FROM_HEAD)));
        starts.extend(names.pseudo.iter().filter_map(|id| Some((self.find(id)?, FROM_REFLOG))));
        for line in &names.log {
            let from = if line.name == b"refs/stash" { FROM_STASH } else { FROM_REFLOG };
            for id in [line.old, line.new].into_iter().flatten() {
                // The old side of a stash's line is the stash below it, which has a line of its own unless it was dropped.
                self.mark(id, &mut logged_tags);
                starts.extend(self.find(&self.peel(id)).map(|commit| (commit, from)));
            }
        }
        (self.named_tags, self.logged_tags) = (named_tags, logged_tags);
        for (commit, from) in starts {
            self.spread(commit, from);
        }
    }

    /// Marks a commit and all before it.
    fn spread(&mut self, commit: u32, from: u8) {
        let mut stack = vec![commit];
        while let Some(commit) = stack.pop() {
            let at = commit as usize;
            if self.from[at] & from == from {
                continue;
            }
            self.from[at] |= from;
            let range = self.starts[at] as usize..self.starts[at + 1] as usize;
            stack.extend_from_slice(&self.parents[range]);
        }
    }
}

fn from_ref(name: &[u8]) -> u8 {
    if name == b"refs/stash" {
        FROM_STASH
    } else if name.starts_with(b"refs/notes/") {
        FROM_NOTES
    } else {
        FROM_REF
    }
}

fn number(ids: &[BlobId], id: &BlobId) -> Option<u32> {
    ids.binary_search(id).ok().and_then(|at| u32::try_from(at).ok())
}
