//! From links to places: under which paths each tree holds what is looked for.
//!
//! A tree that differs from its base in nothing that matters shares its set of links, trees with equal content share
//! their list of places, and paths share their ends: a file that stands still in a thousand commits costs one entry.

use std::collections::{HashMap, HashSet};

use super::links::{IdHead, Link, Node, Numbering, Trees, id_head};
use crate::blob::BlobId;

/// Places of one object that are followed in one tree.
const PLACES_PER_TREE: usize = 64;

/// An object at a path: number of a target and of a path.
pub(crate) type Place = (u32, u32);

/// A list of places, shared by all trees that have the same ones. List 0 is empty.
pub(crate) type ListId = u32;

/// The links of a tree that lead to targets: number of the name, and where to. Set 0 is empty.
type Set = Vec<(u32, u32)>;

/// All places of all trees.
pub(crate) struct Paths {
    /// Name and rest of each path.
    cells: Vec<(u32, Option<u32>)>,
    names: Vec<Box<[u8]>>,
    pub(crate) targets: Vec<BlobId>,
    pub(crate) lists: Vec<Vec<Place>>,
    set_of_tree: Vec<u32>,
    list_of_set: Vec<ListId>,
    /// Numbers of the trees that hold targets.
    numbers: HashMap<IdHead, u32>,
    /// Trees that hold targets and that no other of these trees holds.
    pub(crate) tops: Vec<u32>,
}

impl Paths {
    /// Works out the places in the trees of a store.
    pub(crate) fn of(trees: &Trees, numbering: &Numbering<'_>, targets: Vec<BlobId>) -> Self {
        let count = numbering.len();
        let Holding { holds, numbers } = Holding::of(trees, numbering);
        let sets = Sets::of(trees, count, &holds, &numbers);
        let mut is_held = vec![false; count as usize];
        for (_, leads) in sets.sets.iter().flatten().filter(|(_, leads)| *leads < count) {
            is_held[*leads as usize] = true;
        }
        let tops = trees.nodes.iter().filter(|node| {
            holds[node.tree as usize] && !node.is_copy() && !is_held[node.tree as usize]
        });
        let mut tops: Vec<u32> = tops.map(|node| node.tree).collect();
        tops.sort_unstable();
        let paths = Self {
            cells: vec![],
            names: sets.names,
            targets,
            lists: vec![vec![]],
            set_of_tree: sets.of_tree,
            list_of_set: vec![],
            numbers,
            tops,
        };
        Builder::new(paths, &sets.sets, count).build()
    }

    /// The number of a tree that holds targets.
    pub(crate) fn find(&self, tree: &BlobId) -> Option<u32> {
        self.numbers.get(&id_head(tree.as_bytes())).copied()
    }

    /// The places in a tree.
    pub(crate) fn list(&self, tree: u32) -> ListId {
        self.list_of_set[self.set_of_tree[tree as usize] as usize]
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

/// The trees that hold a target, directly or below.
struct Holding {
    holds: Vec<bool>,
    numbers: HashMap<IdHead, u32>,
}

impl Holding {
    /// One round for each level of folders: what a tree holds is what its base holds, without the removed and with the
    /// added links.
    fn of(trees: &Trees, numbering: &Numbering<'_>) -> Self {
        let count = numbering.len() as usize;
        let mut holding = Self { holds: vec![false; count], numbers: HashMap::new() };
        let mut changes = vec![0_i32; count];
        let mut held = vec![0_i32; count];
        // In the first round targets are what is newly held.
        let mut owners = trees.owners(|link| link.leads().is_ok());
        loop {
            for (tree, is_added) in owners {
                changes[tree as usize] += if is_added { 1 } else { -1 };
            }
            let mut fresh = Heads::default();
            for node in &trees.nodes {
                let tree = node.tree as usize;
                held[tree] = changes[tree] + node.base().map_or(0, |base| held[base as usize]);
                if held[tree] > 0 && !holding.holds[tree] {
                    holding.holds[tree] = true;
                    // The original of a copy is held by the same trees in the same round.
                    if !node.is_copy() {
                        let head = numbering.head(node.tree);
                        holding.numbers.entry(head).or_insert(node.tree);
                        fresh.insert(head);
                    }
                }
            }
            if fresh.heads.is_empty() {
                return holding;
            }
            owners = trees.owners(|link| link.leads().is_err_and(|head| fresh.contains(&head)));
        }
    }
}

/// A set of heads of ids that says no at once in most cases.
struct Heads {
    heads: HashSet<IdHead>,
    filter: Vec<u64>,
}

impl Heads {
    const BITS: u32 = 20;

    fn insert(&mut self, head: IdHead) {
        let (word, bit) = Self::slot(&head);
        self.filter[word] |= bit;
        self.heads.insert(head);
    }

    fn contains(&self, head: &IdHead) -> bool {
        let (word, bit) = Self::slot(head);
        self.filter[word] & bit != 0 && self.heads.contains(head)
    }

    fn slot(head: &IdHead) -> (usize, u64) {
        let slot = head[0] >> (32 - Self::BITS);
        (slot as usize / 64, 1 << (slot % 64))
    }
}

impl Default for Heads {
    fn default() -> Self {
        Self { heads: HashSet::new(), filter: vec![0; 1 << (Self::BITS - 6)] }
    }
}

/// The links that matter, of each tree.
struct Sets {
    sets: Vec<Set>,
    of_tree: Vec<u32>,
    names: Vec<Box<[u8]>>,
}

impl Sets {
    fn of(trees: &Trees, count: u32, holds: &[bool], tree_numbers: &HashMap<IdHead, u32>) -> Self {
        let mut sets = Self { sets: vec![vec![]], of_tree: vec![0; count as usize], names: vec![] };
        let mut names: HashMap<&[u8], u32> = HashMap::new();
        let leads = |link: &Link| match link.leads() {
            Ok(target) => Some(count + target),
            Err(head) => tree_numbers.get(&head).copied(),
        };
        for node in &trees.nodes {
            let inherited = node.base().map_or(0, |base| sets.of_tree[base as usize]);
            sets.of_tree[node.tree as usize] = if holds[node.tree as usize] {
                let mut number = |link: &Link| {
                    let name = trees.name(link);
                    *names.entry(name).or_insert_with(|| push(&mut sets.names, name.into()))
                };
                changed(trees, node, &sets.sets[inherited as usize], &mut |links| {
                    let links = links.iter().filter_map(|link| Some((link, leads(link)?)));
                    links.map(|(link, leads)| (number(link), leads)).collect()
                })
                .map_or(inherited, |set| push(&mut sets.sets, set))
            } else {
                0
            };
        }
        sets
    }
}

/// The set of a tree, if it is not its base's.
fn changed(
    trees: &Trees,
    node: &Node,
    inherited: &Set,
    read: &mut dyn FnMut(&[Link]) -> Set,
) -> Option<Set> {
    let (added, removed) = (read(trees.added(node)), read(trees.removed(node)));
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let mut set = inherited.clone();
    for link in removed {
        if let Ok(at) = set.binary_search(&link) {
            set.remove(at);
        }
    }
    set.extend(added);
    set.sort_unstable();
    Some(set)
}

/// Makes the lists of places, those of the trees below first.
struct Builder<'a> {
    sets: &'a [Set],
    count: u32,
    paths: Paths,
    lists: Vec<Option<ListId>>,
    cell_ids: HashMap<(u32, Option<u32>), u32>,
    list_ids: HashMap<Vec<Place>, ListId>,
}

impl<'a> Builder<'a> {
    fn new(paths: Paths, sets: &'a [Set], count: u32) -> Self {
        let mut lists = vec![None; sets.len()];
        lists[0] = Some(0);
        let list_ids = HashMap::from([(vec![], 0)]);
        Self { sets, count, paths, lists, cell_ids: HashMap::new(), list_ids }
    }

    fn build(mut self) -> Paths {
        for set in 0..self.sets.len() {
            // Without recursion: a set is met a second time when all below it is done.
            let mut stack = vec![set];
            while let Some(&set) = stack.last() {
                let before = stack.len();
                // Trees cannot hold themselves unless ids collide; the length check ends even that.
                if self.lists[set].is_none() && before <= self.sets.len() {
                    let below = self.sets[set].iter().filter_map(|(_, leads)| self.below(*leads));
                    stack.extend(below.filter(|&below| self.lists[below].is_none()));
                }
                if stack.len() == before {
                    stack.pop();
                    if self.lists[set].is_none() {
                        let list = self.list(set);
                        self.lists[set] = Some(list);
                    }
                }
            }
        }
        self.paths.list_of_set = self.lists.iter().map(|list| list.unwrap_or(0)).collect();
        self.paths
    }

    /// The set of the tree that a link leads to.
    fn below(&self, leads: u32) -> Option<usize> {
        (leads < self.count).then(|| self.paths.set_of_tree[leads as usize] as usize)
    }

    /// Makes the list of a set, all below it being done.
    fn list(&mut self, set: usize) -> ListId {
        let mut list: Vec<Place> = vec![];
        for &(name, leads) in &self.sets[set] {
            let Some(below) = self.below(leads) else {
                let path = self.cell(name, None);
                list.push((leads - self.count, path));
                continue;
            };
            let below = self.lists[below].unwrap_or(0) as usize;
            for at in 0..self.paths.lists[below].len() {
                let (target, rest) = self.paths.lists[below][at];
                let path = self.cell(name, Some(rest));
                list.push((target, path));
            }
        }
        list.sort_unstable();
        let mut bounded: Vec<Place> = Vec::with_capacity(list.len());
        for same in list.chunk_by(|a, b| a.0 == b.0) {
            bounded.extend_from_slice(&same[..same.len().min(PLACES_PER_TREE)]);
        }
        let lists = &mut self.paths.lists;
        *self.list_ids.entry(bounded).or_insert_with_key(|list| push(lists, list.clone()))
    }

    fn cell(&mut self, name: u32, rest: Option<u32>) -> u32 {
        let cells = &mut self.paths.cells;
        *self.cell_ids.entry((name, rest)).or_insert_with(|| push(cells, (name, rest)))
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> u32 {
    list.push(item);
    u32::try_from(list.len() - 1).expect("git counts objects in 32 bits")
}
