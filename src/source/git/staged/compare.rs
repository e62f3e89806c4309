//! Compares the index with the tree of `HEAD`, folder by folder. A folder whose tree the index still remembers is not entered.

use std::ops::Range;
use std::sync::Arc;

use super::super::lookup::Lookup;
use super::super::object::{Mode, ObjectKind, TreeEntry, tree_entries};
use super::super::pack::Reader;
use super::super::pack::buffer::Buffer;
use super::super::pack::entry::EntryError;
use super::cache_tree::CacheTree;
use super::index::{Entry, Index};
use super::{Change, StagedError};
use crate::blob::{BlobId, BlobPath};

/// Folders within folders, at most; what lies deeper counts as changed.
const DEPTH: usize = 1024;

/// What is needed to compare, and what differs.
pub(super) struct Comparison<'a> {
    index: &'a Index,
    objects: &'a Lookup,
    reader: Reader,
    hash_len: usize,
    changes: Vec<Change>,
}

/// What a tree holds, by name.
struct Names<'t>(Vec<(&'t [u8], Mode, BlobId)>);

impl<'t> Names<'t> {
    /// Reads a tree. It is in git's order, which is nearly the one by name.
    fn of(tree: &'t [u8], hash_len: usize) -> Self {
        let named =
            |entry: TreeEntry<'t>| Some((entry.name, entry.mode, BlobId::from_bytes(entry.id)?));
        let mut names: Vec<_> = tree_entries(tree, hash_len).filter_map(named).collect();
        names.sort_unstable_by_key(|(name, ..)| *name);
        Self(names)
    }

    fn get(&self, name: &[u8]) -> Option<(Mode, BlobId)> {
        let at = self.0.binary_search_by_key(&name, |(name, ..)| name).ok()?;
        Some((self.0[at].1, self.0[at].2))
    }

    fn blob(&self, name: &[u8]) -> Option<BlobId> {
        self.get(name).filter(|(mode, _)| *mode == Mode::Blob).map(|(_, id)| id)
    }

    fn tree(&self, name: &[u8]) -> Option<BlobId> {
        self.get(name).filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id)
    }
}

impl<'a> Comparison<'a> {
    /// The entries whose content the tree `head` does not hold under their name; all of them if there is none.
    pub(super) fn run(
        index: &'a Index,
        objects: &'a Lookup,
        head: Option<BlobId>,
        hash_len: usize,
    ) -> Result<Vec<Change>, StagedError> {
        let mut comparison =
            Self { index, objects, reader: Reader::new(), hash_len, changes: vec![] };
        let all = 0..index.entries().len();
        comparison.folder(head, (0, 0), all, index.tree.as_ref())?;
        comparison.changes.sort();
        comparison.changes.dedup();
        Ok(comparison.changes)
    }

    /// Compares the folder at `depth` whose path is `start` bytes long: its tree in `head`, and its entries.
    fn folder(
        &mut self,
        head: Option<BlobId>,
        (depth, start): (usize, usize),
        range: Range<usize>,
        known: Option<&CacheTree>,
    ) -> Result<(), StagedError> {
        if head.zip(known).is_some_and(|(id, known)| known.is(id, range.len())) {
            return Ok(());
        }
        let tree = self.tree(head)?;
        let held = Names::of(&tree, self.hash_len);
        let index = self.index;
        let mut rest = &index.entries()[range.clone()];
        while let Some((entry, after)) = rest.split_first() {
            let name = &index.name(entry)[start..];
            let Some(slash) = memchr::memchr(b'/', name).filter(|_| depth < DEPTH) else {
                if entry.is_content() && held.blob(name) != Some(entry.id) {
                    self.add(index.name(entry), entry.id);
                }
                rest = after;
                continue;
            };
            let is_below = |entry: &&Entry| index.name(entry)[start..].starts_with(&name[..=slash]);
            let count = rest.iter().take_while(is_below).count();
            let first = range.end - rest.len();
            rest = &rest[count..];
            let folder = &name[..slash];
            if entry.is_folder() {
                self.whole_folder(held.tree(folder), entry)?;
            } else {
                let known = known.and_then(|known| known.child(folder));
                let inner = (depth + 1, start + slash + 1);
                self.folder(held.tree(folder), inner, first..first + count, known)?;
            }
        }
        Ok(())
    }

    /// Compares a folder of which a sparse index holds only the tree.
    fn whole_folder(&mut self, head: Option<BlobId>, entry: &Entry) -> Result<(), StagedError> {
        let mut pending = vec![(head, entry.id, self.index.name(entry).to_vec(), 0)];
        while let Some((old, new, folder, depth)) = pending.pop() {
            if old == Some(new) {
                continue;
            }
            if depth > DEPTH {
                return Err(StagedError::object(&new, &EntryError::Cycle));
            }
            let (old, new) = (self.tree(old)?, self.tree(Some(new))?);
            let held = Names::of(&old, self.hash_len);
            for (name, mode, id) in Names::of(&new, self.hash_len).0 {
                let path = [&folder, name].concat();
                match mode {
                    Mode::Tree => {
                        let below = [path, vec![b'/']].concat();
                        pending.push((held.tree(name), id, below, depth + 1));
                    }
                    Mode::Blob if held.blob(name) != Some(id) => self.add(&path, id),
                    Mode::Blob | Mode::Submodule => {}
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &[u8], id: BlobId) {
        self.changes.push(Change { path: BlobPath::new(path), id });
    }

    /// The bytes of a tree; where there is none, of an empty one.
    fn tree(&mut self, id: Option<BlobId>) -> Result<Arc<Buffer>, StagedError> {
        let Some(id) = id else { return Ok(Arc::default()) };
        let object = self.objects.read_kind(&id, ObjectKind::Tree, &mut self.reader);
        Ok(object.map_err(|error| StagedError::object(&id, &error))?.bytes)
    }
}
