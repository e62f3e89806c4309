//! The second pass of attribution: under which paths each root tree holds what is looked for.
//!
//! Paths are shared lists of names from the front, and trees with equal content share their list of places, so that a file
//! that stands still in a thousand commits costs one entry.

use std::collections::{BTreeMap, HashMap};

use super::super::object::{Mode, ObjectKind, tree_entries};
use super::super::pack::delta::Delta;
use super::super::pack::entry::EntryError;
use super::super::pack::traverse::{Base, Seen, Visit};
use super::super::store::Store;
use super::links::{Numbering, Targets};
use crate::blob::BlobId;
use crate::coverage::Coverage;

/// Places of one object that are followed in one tree.
const PLACES_PER_TREE: usize = 64;

/// An object at a path: number of a target and of a path.
pub(crate) type Place = (u32, u32);

/// A list of places, shared by all trees that have the same ones. List 0 is empty.
pub(crate) type ListId = u32;

/// What an entry leads to. Targets that are trees themselves are both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leads {
    Tree(u32),
    Target(BlobId),
}

type Edge = (u32, Box<[u8]>, Leads);

/// All places of all trees.
pub(crate) struct Paths {
    /// Name and rest of each path.
    cells: Vec<(u32, Option<u32>)>,
    names: Vec<Box<[u8]>>,
    pub(crate) targets: Vec<BlobId>,
    pub(crate) lists: Vec<Vec<Place>>,
    of_tree: HashMap<u32, ListId>,
    /// Trees that no other of these trees holds.
    pub(crate) tops: Vec<u32>,
}

impl Paths {
    /// Reads the names in the trees that hold targets.
    pub(crate) fn read(
        store: &Store,
        numbering: &Numbering<'_>,
        targets: &Targets,
        holds: &[bool],
    ) -> Self {
        let reader = EdgeReader { numbering, targets, holds, hash_len: store.hash_len };
        let mut edges: Vec<Edge> =
            store.traverse(&reader, &mut Coverage::default()).into_iter().flatten().collect();
        edges.sort_unstable();
        edges.dedup();
        Builder::build(&edges)
    }

    /// The places in a tree.
    pub(crate) fn list(&self, tree: u32) -> ListId {
        self.of_tree.get(&tree).copied().unwrap_or(0)
    }

    /// A path's bytes.
    pub(crate) fn path(&self, mut path: u32) -> Vec<u8> {
        let mut bytes = vec![];
        loop {
            let (name, rest) = self.cells[path as usize];
            bytes.extend_from_slice(&self.names[name as usize]);
            let Some(rest) = rest else { return bytes };
            bytes.push(b'/');
            path = rest;
        }
    }

    /// The last name of a path.
    pub(crate) fn last_name(&self, mut path: u32) -> &[u8] {
        loop {
            let (name, rest) = self.cells[path as usize];
            let Some(rest) = rest else { return &self.names[name as usize] };
            path = rest;
        }
    }
}

struct Builder<'a> {
    edges: &'a [Edge],
    paths: Paths,
    name_ids: HashMap<&'a [u8], u32>,
    cell_ids: HashMap<(u32, Option<u32>), u32>,
    target_ids: HashMap<BlobId, u32>,
    list_ids: HashMap<Vec<Place>, ListId>,
}

impl<'a> Builder<'a> {
    fn build(edges: &'a [Edge]) -> Paths {
        let mut spans = BTreeMap::new();
        let mut is_top = BTreeMap::new();
        let mut start = 0;
        for same in edges.chunk_by(|a, b| a.0 == b.0) {
            spans.insert(same[0].0, start..start + same.len());
            is_top.entry(same[0].0).or_insert(true);
            start += same.len();
            for (_, _, leads) in same {
                if let Leads::Tree(child) = leads {
                    is_top.insert(*child, false);
                }
            }
        }
        let paths = Paths {
            cells: vec![],
            names: vec![],
            targets: vec![],
            lists: vec![vec![]],
            of_tree: HashMap::new(),
            tops: is_top.iter().filter(|(_, is_top)| **is_top).map(|(tree, _)| *tree).collect(),
        };
        let mut builder = Self {
            edges,
            paths,
            name_ids: HashMap::new(),
            cell_ids: HashMap::new(),
            target_ids: HashMap::new(),
            list_ids: HashMap::from([(vec![], 0)]),
        };
        for &tree in spans.keys() {
            // Children first, without recursion: a tree is met a second time when all below it is done.
            let mut stack = vec![tree];
            while let Some(&tree) = stack.last() {
                let Some(span) =
                    spans.get(&tree).filter(|_| !builder.paths.of_tree.contains_key(&tree))
                else {
                    stack.pop();
                    continue;
                };
                let before = stack.len();
                // Trees cannot hold themselves unless ids collide; the length check ends even that.
                if before <= spans.len() {
                    for (_, _, leads) in &edges[span.clone()] {
                        if let Leads::Tree(child) = leads
                            && spans.contains_key(child)
                            && !builder.paths.of_tree.contains_key(child)
                        {
                            stack.push(*child);
                        }
                    }
                }
                if stack.len() == before {
                    stack.pop();
                    builder.finish(tree, span.clone());
                }
            }
        }
        builder.paths
    }

    /// Makes the list of a tree whose children are done.
    fn finish(&mut self, tree: u32, span: std::ops::Range<usize>) {
        let edges = self.edges;
        let mut list: Vec<Place> = vec![];
        for (_, name, leads) in &edges[span] {
            let name = self.name(name);
            match leads {
                Leads::Target(id) => {
                    let (target, path) = (self.target(*id), self.cell(name, None));
                    list.push((target, path));
                }
                Leads::Tree(child) => {
                    let below = self.paths.list(*child) as usize;
                    for at in 0..self.paths.lists[below].len() {
                        let (target, rest) = self.paths.lists[below][at];
                        let path = self.cell(name, Some(rest));
                        list.push((target, path));
                    }
                }
            }
        }
        list.sort_unstable();
        let mut bounded: Vec<Place> = Vec::with_capacity(list.len());
        for same in list.chunk_by(|a, b| a.0 == b.0) {
            bounded.extend_from_slice(&same[..same.len().min(PLACES_PER_TREE)]);
        }
        let next = u32::try_from(self.paths.lists.len()).unwrap_or(0);
        let id = *self.list_ids.entry(bounded).or_insert_with_key(|list| {
            self.paths.lists.push(list.clone());
            next
        });
        self.paths.of_tree.insert(tree, id);
    }

    fn name(&mut self, name: &'a [u8]) -> u32 {
        let names = &mut self.paths.names;
        *self.name_ids.entry(name).or_insert_with(|| push(names, name.into()))
    }

    fn cell(&mut self, name: u32, rest: Option<u32>) -> u32 {
        let cells = &mut self.paths.cells;
        *self.cell_ids.entry((name, rest)).or_insert_with(|| push(cells, (name, rest)))
    }

    fn target(&mut self, id: BlobId) -> u32 {
        let targets = &mut self.paths.targets;
        *self.target_ids.entry(id).or_insert_with(|| push(targets, id))
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> u32 {
    list.push(item);
    u32::try_from(list.len() - 1).expect("git counts objects in 32 bits")
}

struct EdgeReader<'a> {
    numbering: &'a Numbering<'a>,
    targets: &'a Targets,
    holds: &'a [bool],
    hash_len: usize,
}

impl Visit for EdgeReader<'_> {
    type State = Vec<Edge>;

    fn state(&self) -> Vec<Edge> {
        vec![]
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind == ObjectKind::Tree
    }

    fn delta(
        &self,
        _state: &mut Vec<Edge>,
        seen: &Seen<'_>,
        _base: &Base,
        _delta: &Delta<'_>,
    ) -> Option<bool> {
        match self.numbering.find(seen.id) {
            Some(tree) if self.holds[tree as usize] => None,
            _ => Some(false),
        }
    }

    fn whole(&self, edges: &mut Vec<Edge>, seen: &Seen<'_>, bytes: &[u8]) -> bool {
        let Some(tree) = self.numbering.find(seen.id).filter(|&tree| self.holds[tree as usize])
        else {
            return false;
        };
        for entry in tree_entries(bytes, self.hash_len) {
            if self.targets.contains(entry.id)
                && let Some(id) = BlobId::from_bytes(entry.id)
            {
                edges.push((tree, entry.name.into(), Leads::Target(id)));
            }
            if entry.mode == Mode::Tree
                && let Some(child) =
                    self.numbering.find(entry.id).filter(|&child| self.holds[child as usize])
            {
                edges.push((tree, entry.name.into(), Leads::Tree(child)));
            }
        }
        false
    }

    fn damaged(&self, _state: &mut Vec<Edge>, _seen: &Seen<'_>, _error: &EntryError) {}
}
