//! The pass of attribution over commits, tags and trees. A tree that is stored as a delta is read as a change of another
//! tree, so that a wide folder costs no more than what changed in it, in time as in memory.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::super::object::{Commit, Mode, ObjectKind, TreeEntry, tag_target, tree_entries};
use super::super::pack::delta::Delta;
use super::super::pack::entry::EntryError;
use super::super::pack::traverse::{Base, Seen, Visit};
use super::super::sift::{SiftState, Sifter};
use super::super::sifted::Sifted;
use super::super::store::Store;
use super::changes::{Bounds, Changes, bounds};
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::provenance::Origin;

/// No tree.
const NONE: u32 = u32::MAX;
/// Set in a link's name: it leads to a target.
const IS_TARGET: u32 = 1 << 31;
/// Set in a depth: an earlier pack holds the tree too.
const IS_COPY: u32 = 1 << 31;

/// What is looked for in trees: ids, in a set that says no at once in most cases.
pub(crate) struct Targets {
    ids: Vec<BlobId>,
    numbers: HashMap<BlobId, u32>,
    /// One bit for each pair of first bytes.
    filter: Box<[u64; 1024]>,
}

impl Targets {
    /// The blobs that were kept, and what kept names name.
    pub(crate) fn of(sifted: &Sifted) -> Self {
        let blobs = sifted.objects.iter().filter(|kept| kept.kind == ObjectKind::Blob);
        let names = sifted.texts.iter().filter(|text| text.origin == Origin::FileName);
        let ids = blobs.map(|kept| kept.id).chain(names.filter_map(|text| text.id));
        Self::new(ids.collect())
    }

    fn new(ids: BTreeSet<BlobId>) -> Self {
        let mut filter = Box::new([0; 1024]);
        for id in &ids {
            let (word, bit) = slot(id.as_bytes());
            filter[word] |= bit;
        }
        let numbers = ids.iter().copied().zip(0..).collect();
        Self { ids: ids.into_iter().collect(), numbers, filter }
    }

    /// The number of `id` if it is looked for.
    fn find(&self, id: &[u8]) -> Option<u32> {
        let (word, bit) = slot(id);
        if self.filter[word] & bit == 0 {
            return None;
        }
        self.numbers.get(&BlobId::from_bytes(id)?).copied()
    }
}

fn slot(id: &[u8]) -> (usize, u64) {
    (usize::from(id[0]) * 4 + usize::from(id[1] >> 6), 1 << (id[1] & 63))
}

/// Numbers objects: the packs' positions one after the other, then loose objects.
pub(crate) struct Numbering<'a> {
    store: &'a Store,
    starts: Vec<u32>,
}

impl<'a> Numbering<'a> {
    /// Numbers the objects of a store.
    pub(crate) fn of(store: &'a Store) -> Self {
        let mut starts = vec![0_u32];
        let counts = store.packs.iter().map(|pack| pack.index.count());
        let loose =
            store.loose.iter().map(|folder| u32::try_from(folder.ids().len()).unwrap_or(u32::MAX));
        for count in counts.chain(loose) {
            starts.push(starts.last().copied().unwrap_or(0).saturating_add(count));
        }
        Self { store, starts }
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> u32 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The head of the id of the object with this number.
    pub(crate) fn head(&self, number: u32) -> IdHead {
        let part = self.starts.partition_point(|&start| start <= number) - 1;
        let position = number - self.starts[part];
        match self.store.packs.get(part) {
            Some(pack) => id_head(pack.index.id(position)),
            None => {
                let folder = &self.store.loose[part - self.store.packs.len()];
                id_head(folder.ids()[position as usize].as_bytes())
            }
        }
    }

    /// The number of the copy that is seen.
    fn stored(&self, seen: &Seen<'_>) -> u32 {
        self.starts[seen.stored.0].saturating_add(seen.stored.1)
    }
}

/// The first eight bytes of an id. No two trees of a repository share them but by an attack on its hash.
pub(crate) type IdHead = [u32; 2];

/// The head of an id.
pub(crate) fn id_head(id: &[u8]) -> IdHead {
    [0, 4].map(|at| u32::from_be_bytes([id[at], id[at + 1], id[at + 2], id[at + 3]]))
}

/// An entry of a tree that leads to a tree or a target. Trees are named by their ids, since looking up the number of each would
/// take longer than reading it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// Head of a tree's id, or number of a target.
    leads: IdHead,
    /// Where the name starts, and the mark of targets. The name ends with a NUL.
    name: u32,
}

impl Link {
    /// What it leads to: a target's number, or the head of a tree's id.
    pub(crate) fn leads(&self) -> Result<u32, IdHead> {
        if self.name & IS_TARGET == 0 { Err(self.leads) } else { Ok(self.leads[0]) }
    }
}

/// A tree: another one without some links and with others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) tree: u32,
    base: u32,
    depth: u32,
    start: u32,
    middle: u32,
    end: u32,
}

impl Node {
    /// The tree it is made from; without one all its links are added.
    pub(crate) fn base(&self) -> Option<u32> {
        (self.base != NONE).then_some(self.base)
    }

    /// Whether another number stands for the same tree.
    pub(crate) fn is_copy(&self) -> bool {
        self.depth & IS_COPY != 0
    }
}

/// The trees of a store.
#[derive(Default)]
pub(crate) struct Trees {
    /// Each behind the one it is made from.
    pub(crate) nodes: Vec<Node>,
    links: Vec<Link>,
    names: Vec<u8>,
    /// Nodes that have links, in the order of those.
    by_start: Vec<u32>,
}

impl Trees {
    /// Links that a tree has and its base has not.
    pub(crate) fn added(&self, node: &Node) -> &[Link] {
        &self.links[node.start as usize..node.middle as usize]
    }

    /// Links that its base has and the tree has not.
    pub(crate) fn removed(&self, node: &Node) -> &[Link] {
        &self.links[node.middle as usize..node.end as usize]
    }

    /// For each link that leads on, the tree that gains it (`true`) or loses it.
    pub(crate) fn owners(&self, leads_on: impl Fn(&Link) -> bool + Sync) -> Vec<(u32, bool)> {
        let links = self.links.par_iter().enumerate().with_min_len(1 << 14);
        let at: Vec<usize> = links.filter(|(_, link)| leads_on(link)).map(|(at, _)| at).collect();
        let owner = |&at: &usize| {
            let next = self
                .by_start
                .partition_point(|&node| self.nodes[node as usize].start as usize <= at);
            let node = &self.nodes[*self.by_start[..next].last()? as usize];
            Some((node.tree, at < node.middle as usize))
        };
        at.par_iter().filter_map(owner).collect()
    }

    /// The name of a link.
    pub(crate) fn name(&self, link: &Link) -> &[u8] {
        let bytes = &self.names[(link.name & !IS_TARGET) as usize..];
        &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())]
    }

    /// Prepares [`Self::owners`], when all nodes are in order.
    fn index(&mut self) {
        let nodes = &self.nodes;
        let mut by_start: Vec<u32> = (0..len(nodes))
            .filter(|&at| nodes[at as usize].start < nodes[at as usize].end)
            .collect();
        by_start.par_sort_unstable_by_key(|&at| nodes[at as usize].start);
        self.by_start = by_start;
    }

    /// Adds what another worker has read. What would need more than 32 bits is left out: its places are not named.
    fn append(&mut self, other: Self) {
        let (links, names) = (len(&self.links), len(&self.names));
        if names.saturating_add(len(&other.names)) >= IS_TARGET {
            return;
        }
        self.names.extend(other.names);
        self.links.extend(
            other.links.iter().map(|link| Link { leads: link.leads, name: link.name + names }),
        );
        self.nodes.extend(other.nodes.iter().map(|node| Node {
            start: node.start + links,
            middle: node.middle + links,
            end: node.end + links,
            ..*node
        }));
    }
}

fn len<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// A tag object, and what it marks.
pub(crate) type Tag = (BlobId, BlobId, ObjectKind);

/// What the pass has found.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) commits: Vec<(BlobId, Commit)>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) trees: Trees,
    pub(crate) targets: Vec<BlobId>,
}

impl Links {
    /// Reads all links of a store, and on the way looks for copies in what it reads.
    pub(crate) fn read(
        store: &Store,
        numbering: &Numbering<'_>,
        targets: &Targets,
        copies: Option<&Sifter<'_>>,
    ) -> (Self, SiftState) {
        let finder = LinkFinder { numbering, targets, hash_len: store.hash_len, copies };
        let mut links = Self { targets: targets.ids.clone(), ..Self::default() };
        let mut copied = SiftState::default();
        // Damage was reported by the pass that sifted.
        for state in store.traverse(&finder, &mut Coverage::default()) {
            links.commits.extend(state.links.commits);
            links.tags.extend(state.links.tags);
            links.trees.append(state.links.trees);
            copied.kept.extend(state.copied.kept);
            copied.hints.extend(state.copied.hints);
        }
        links.commits.par_sort_unstable_by_key(|(id, _)| *id);
        links.commits.dedup_by_key(|(id, _)| *id);
        links.tags.sort_unstable();
        links.tags.dedup();
        links.trees.nodes.par_sort_unstable_by_key(|node| (node.depth & !IS_COPY, node.tree));
        links.trees.index();
        (links, copied)
    }
}

struct LinkFinder<'a> {
    numbering: &'a Numbering<'a>,
    targets: &'a Targets,
    hash_len: usize,
    copies: Option<&'a Sifter<'a>>,
}

/// What one worker has read.
#[derive(Default)]
struct LinkState {
    links: Links,
    copied: SiftState,
    changes: Changes,
}

/// What is known about a tree by those that are made from it.
struct TreeMark {
    tree: u32,
    depth: u32,
    bounds: Bounds,
}

impl LinkFinder<'_> {
    /// Notes a tree; returns its number and its depth in the chain of deltas.
    fn note<'e>(
        &self,
        links: &mut Trees,
        seen: &Seen<'_>,
        base: Option<&TreeMark>,
        added: &'e [u8],
        removed: impl Iterator<Item = &'e [u8]>,
    ) -> (u32, u32) {
        let tree = self.numbering.stored(seen);
        let depth = base.map_or(0, |base| base.depth + 1);
        let start = len(&links.links);
        tree_entries(added, self.hash_len).for_each(|entry| self.link(links, &entry));
        let middle = len(&links.links);
        for bytes in removed {
            tree_entries(bytes, self.hash_len).for_each(|entry| self.link(links, &entry));
        }
        links.nodes.push(Node {
            tree,
            base: base.map_or(NONE, |base| base.tree),
            depth: if seen.is_copy { depth | IS_COPY } else { depth },
            start,
            middle,
            end: len(&links.links),
        });
        (tree, depth)
    }

    /// Looks for copies in the names of entries.
    fn hints(&self, copied: &mut SiftState, entries: &[u8]) {
        if let Some(sifter) = self.copies.filter(|sifter| sifter.sieve.may_match(entries)) {
            sifter.entries(copied, entries);
        }
    }

    fn link(&self, trees: &mut Trees, entry: &TreeEntry<'_>) {
        let target = self.targets.find(entry.id);
        let tree = (entry.mode == Mode::Tree).then(|| id_head(entry.id));
        if target.is_none() && tree.is_none() {
            return;
        }
        let name = len(&trees.names);
        if name >= IS_TARGET {
            return;
        }
        trees.names.extend_from_slice(entry.name);
        trees.names.push(0);
        let target = target.map(|target| Link { leads: [target, 0], name: name | IS_TARGET });
        trees.links.extend(target.into_iter().chain(tree.map(|leads| Link { leads, name })));
    }
}

impl Visit for LinkFinder<'_> {
    type State = LinkState;
    type Mark = Option<TreeMark>;

    fn state(&self) -> LinkState {
        LinkState::default()
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind != ObjectKind::Blob
    }

    fn delta(
        &self,
        LinkState { links, copied, changes }: &mut LinkState,
        seen: &Seen<'_>,
        base: &Base<Self::Mark>,
        delta: &Delta<'_>,
    ) -> Option<Self::Mark> {
        let mark = base.mark.as_ref()?;
        changes.read(&base.bytes, &mark.bounds, delta, self.hash_len, !seen.is_last)?;
        let removed = changes.removed.iter().map(|range| &base.bytes[range.clone()]);
        self.hints(copied, &changes.added);
        let (tree, depth) = self.note(&mut links.trees, seen, Some(mark), &changes.added, removed);
        Some(Some(TreeMark { tree, depth, bounds: std::mem::take(&mut changes.bounds) }))
    }

    fn whole(
        &self,
        LinkState { links, copied, .. }: &mut LinkState,
        seen: &Seen<'_>,
        bytes: &[u8],
    ) -> Self::Mark {
        if seen.kind == ObjectKind::Tree {
            self.hints(copied, bytes);
            let (tree, depth) = self.note(&mut links.trees, seen, None, bytes, std::iter::empty());
            let bounds = if seen.is_last { None } else { bounds(bytes, self.hash_len) };
            return Some(TreeMark { tree, depth, bounds: bounds? });
        }
        if let Some(sifter) = self.copies {
            sifter.scan(copied, seen, bytes);
        }
        let id = BlobId::from_bytes(seen.id).filter(|_| !seen.is_copy)?;
        if seen.kind == ObjectKind::Commit {
            links.commits.extend(Commit::parse(bytes).map(|commit| (id, commit)));
        } else {
            links.tags.extend(tag_target(bytes).map(|(target, kind)| (id, target, kind)));
        }
        None
    }

    fn damaged(&self, _state: &mut Self::State, _seen: &Seen<'_>, _error: &EntryError) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_each_tree_stays_small() {
        assert_eq!(size_of::<Node>(), 24);
        assert_eq!(size_of::<Link>(), 12);
    }
}
