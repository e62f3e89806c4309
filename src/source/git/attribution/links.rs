//! The first pass of attribution: commits, tags, edges between trees, and trees that hold what is looked for.

use std::collections::HashSet;

use memchr::memmem::Finder;

use super::super::object::{Commit, ObjectKind, tag_target, tree_entries};
use super::super::pack::delta::Delta;
use super::super::pack::entry::EntryError;
use super::super::pack::traverse::{Base, Seen, Visit};
use super::super::store::Store;
use crate::blob::BlobId;
use crate::coverage::Coverage;

/// How an entry that names a tree starts.
const TREE_MODE: &[u8] = b"40000 ";

/// What is looked for in trees: ids, in a set that says no at once in most cases.
pub(crate) struct Targets {
    ids: HashSet<BlobId>,
    /// One bit for each pair of first bytes.
    filter: Box<[u64; 1024]>,
}

impl Targets {
    /// Takes the ids.
    pub(crate) fn new(ids: HashSet<BlobId>) -> Self {
        let mut filter = Box::new([0; 1024]);
        #[expect(clippy::iter_over_hash_type, reason = "setting bits commutes")]
        for id in &ids {
            let (word, bit) = slot(id.as_bytes());
            filter[word] |= bit;
        }
        Self { ids, filter }
    }

    /// Whether `id` is looked for.
    pub(crate) fn contains(&self, id: &[u8]) -> bool {
        let (word, bit) = slot(id);
        self.filter[word] & bit != 0
            && BlobId::from_bytes(id).is_some_and(|id| self.ids.contains(&id))
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
    pub(crate) fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0) as usize
    }

    /// The object's number; copies share one. `None` if it is not here.
    pub(crate) fn find(&self, id: &[u8]) -> Option<u32> {
        let packs = self.store.packs.iter().map(|pack| pack.index.find(id));
        let loose = self.store.loose.iter().map(|folder| folder.position(id));
        let found = packs
            .chain(loose)
            .zip(&self.starts)
            .find_map(|(position, start)| Some(position? + start));
        found.filter(|&number| (number as usize) < self.len())
    }
}

/// What the pass has found.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) commits: Vec<(BlobId, Commit)>,
    pub(crate) tags: Vec<(BlobId, BlobId, ObjectKind)>,
    /// Tree and a tree in it.
    pub(crate) edges: Vec<(u32, u32)>,
    /// Trees that hold a target.
    pub(crate) holders: Vec<u32>,
}

impl Links {
    /// Reads all links of a store.
    pub(crate) fn read(store: &Store, numbering: &Numbering<'_>, targets: &Targets) -> Self {
        let finder = LinkFinder {
            numbering,
            targets,
            tree_mode: Finder::new(TREE_MODE),
            hash_len: store.hash_len,
        };
        // Damage was reported by the pass that sifted.
        let mut links = Self::default();
        for state in store.traverse(&finder, &mut Coverage::default()) {
            links.commits.extend(state.commits);
            links.tags.extend(state.tags);
            links.edges.extend(state.edges);
            links.holders.extend(state.holders);
        }
        links.commits.sort_by_key(|(id, _)| *id);
        links.commits.dedup_by_key(|(id, _)| *id);
        links.tags.sort_unstable();
        links.tags.dedup();
        links
    }

    /// Marks the trees that hold a target, directly or below.
    pub(crate) fn holding(&self, count: usize) -> Vec<bool> {
        let mut holds = vec![false; count];
        self.holders.iter().for_each(|&tree| holds[tree as usize] = true);
        // One round for each level of folders.
        loop {
            let mut is_stable = true;
            for &(tree, child) in &self.edges {
                if holds[child as usize] && !holds[tree as usize] {
                    holds[tree as usize] = true;
                    is_stable = false;
                }
            }
            if is_stable {
                return holds;
            }
        }
    }
}

struct LinkFinder<'a> {
    numbering: &'a Numbering<'a>,
    targets: &'a Targets,
    tree_mode: Finder<'static>,
    hash_len: usize,
}

impl LinkFinder<'_> {
    fn tree(&self, links: &mut Links, id: &[u8], bytes: &[u8]) {
        let Some(tree) = self.numbering.find(id) else { return };
        if tree_entries(bytes, self.hash_len).any(|entry| self.targets.contains(entry.id)) {
            links.holders.push(tree);
        }
        // The mode may also turn up in an id or a name. Then the bytes behind the next NUL are still an entry's id, so that
        // no tree is passed over, and what is no tree adds a link that leads nowhere.
        let mut rest = bytes;
        while let Some(at) = self.tree_mode.find(rest) {
            rest = &rest[at + TREE_MODE.len()..];
            let Some(end) = memchr::memchr(0, rest) else { return };
            let Some(id) = rest.get(end + 1..end + 1 + self.hash_len) else { return };
            links.edges.extend(self.numbering.find(id).map(|child| (tree, child)));
            rest = &rest[end + 1 + self.hash_len..];
        }
    }
}

impl Visit for LinkFinder<'_> {
    type State = Links;

    fn state(&self) -> Links {
        Links::default()
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind != ObjectKind::Blob
    }

    fn delta(
        &self,
        _state: &mut Links,
        _seen: &Seen<'_>,
        _base: &Base,
        _delta: &Delta<'_>,
    ) -> Option<bool> {
        None
    }

    fn whole(&self, links: &mut Links, seen: &Seen<'_>, bytes: &[u8]) -> bool {
        let Some(id) = BlobId::from_bytes(seen.id).filter(|_| !seen.is_copy) else { return false };
        match seen.kind {
            ObjectKind::Tree => self.tree(links, seen.id, bytes),
            ObjectKind::Commit => {
                links.commits.extend(Commit::parse(bytes).map(|commit| (id, commit)));
            }
            ObjectKind::Tag => {
                links.tags.extend(tag_target(bytes).map(|(target, kind)| (id, target, kind)));
            }
            ObjectKind::Blob => {}
        }
        false
    }

    fn damaged(&self, _state: &mut Links, _seen: &Seen<'_>, _error: &EntryError) {}
}
