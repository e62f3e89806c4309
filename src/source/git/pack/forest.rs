//! The delta forest of a pack: which entries are made from which, in arrays of 28 bytes per object.

use rayon::prelude::*;

use super::Pack;
use super::entry::{EntryError, EntryKind};

/// No entry.
const NONE: u32 = u32::MAX;

/// An entry that has no place in the forest.
#[derive(Debug)]
pub(crate) struct Damaged {
    /// Position in the index.
    pub(crate) position: u32,
    /// Why.
    pub(crate) error: EntryError,
}

/// Entries by offset, and for each the entries that are deltas against it.
pub(crate) struct Forest {
    offsets: Vec<u64>,
    positions: Vec<u32>,
    child_starts: Vec<u32>,
    children: Vec<u32>,
    /// Entries of the subtree below an entry, itself included; an estimate where a base stands behind its delta.
    weights: Vec<u32>,
    roots: Vec<u32>,
    /// Whether a base stands behind its delta, so that weights are estimates.
    has_forward_links: bool,
    end: u64,
}

impl Forest {
    /// Sorts out a pack. Entries that cannot be read are returned beside the forest.
    pub(crate) fn of(pack: &Pack) -> (Self, Vec<Damaged>) {
        let mut damaged = vec![];
        let (offsets, positions) = by_offset(pack, &mut damaged);
        let mut forest = Self {
            offsets,
            positions,
            child_starts: vec![],
            children: vec![],
            weights: vec![],
            roots: vec![],
            has_forward_links: false,
            end: pack.end(),
        };
        let parents: Vec<Result<u32, EntryError>> = (0..forest.len())
            .into_par_iter()
            .with_min_len(1024)
            .map(|entry| forest.parent(pack, entry))
            .collect();
        let mut links = Vec::with_capacity(parents.len());
        for (entry, parent) in (0_u32..).zip(parents) {
            links.push(match parent {
                Ok(NONE) | Err(EntryError::Base) => {
                    forest.roots.push(entry);
                    NONE
                }
                Ok(parent) => parent,
                Err(error) => {
                    damaged.push(Damaged { position: forest.position(entry), error });
                    NONE
                }
            });
        }
        forest.link(&links);
        (forest, damaged)
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.offsets.len()).expect("an index counts its objects in 32 bits")
    }

    /// Entries that hold whole objects, and deltas whose base the index does not name.
    pub(crate) fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Deltas against `entry`.
    pub(crate) fn children(&self, entry: u32) -> &[u32] {
        let at = entry as usize;
        &self.children[self.child_starts[at] as usize..self.child_starts[at + 1] as usize]
    }

    /// Entries below `entry`, itself included.
    pub(crate) fn weight(&self, entry: u32) -> u32 {
        self.weights[entry as usize]
    }

    /// Position of `entry` in the index.
    pub(crate) fn position(&self, entry: u32) -> u32 {
        self.positions[entry as usize]
    }

    /// Start and end of `entry` in the pack.
    pub(crate) fn range(&self, entry: u32) -> (u64, u64) {
        let at = entry as usize;
        (self.offsets[at], self.offsets.get(at + 1).copied().unwrap_or(self.end))
    }

    /// Calls `see` for everything below `entry`, itself left out.
    pub(crate) fn descendants(&self, entry: u32, mut see: impl FnMut(u32)) {
        let mut stack = self.children(entry).to_vec();
        while let Some(entry) = stack.pop() {
            see(entry);
            stack.extend_from_slice(self.children(entry));
        }
    }

    /// Whether the roots lead to every entry, as far as the weights tell.
    pub(crate) fn is_whole(&self) -> bool {
        !self.has_forward_links
            && self.roots.iter().map(|&root| u64::from(self.weight(root))).sum::<u64>()
                == u64::from(self.len())
    }

    /// Entries that no root leads to: deltas that go round in a circle, and what stands on damaged entries.
    pub(crate) fn unreached(&self) -> Vec<u32> {
        let mut reached = vec![false; self.offsets.len()];
        for &root in &self.roots {
            reached[root as usize] = true;
            self.descendants(root, |entry| reached[entry as usize] = true);
        }
        (0..self.len()).filter(|&entry| !reached[entry as usize]).collect()
    }

    fn parent(&self, pack: &Pack, entry: u32) -> Result<u32, EntryError> {
        let (start, end) = self.range(entry);
        let base = match pack.entry(start, end)?.kind {
            EntryKind::Whole(_) => return Ok(NONE),
            EntryKind::OffsetDelta(offset) => Some(offset),
            EntryKind::IdDelta(id) => {
                pack.index.find(id).and_then(|position| pack.index.offset(position))
            }
        };
        let base =
            base.and_then(|base| self.offsets.binary_search(&base).ok()).ok_or(EntryError::Base)?;
        Ok(u32::try_from(base).unwrap_or(NONE))
    }

    /// Turns the links to bases into lists of children.
    fn link(&mut self, parents: &[u32]) {
        let count = parents.len();
        let mut starts = vec![0_u32; count + 1];
        for &parent in parents.iter().filter(|&&parent| parent != NONE) {
            starts[parent as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut children = vec![0_u32; starts[count] as usize];
        let mut cursors = starts.clone();
        let mut weights = vec![1_u32; count];
        // Bases mostly stand before their deltas, so that from the back each weight is complete when it is passed on.
        for (entry, &parent) in parents.iter().enumerate().rev() {
            if parent != NONE {
                self.has_forward_links |= parent as usize >= entry;
                let cursor = &mut cursors[parent as usize];
                children[*cursor as usize] = u32::try_from(entry).unwrap_or(NONE);
                *cursor += 1;
                weights[parent as usize] = weights[parent as usize].saturating_add(weights[entry]);
            }
        }
        (self.child_starts, self.children, self.weights) = (starts, children, weights);
    }
}

/// Returns offsets in rising order with the positions of their objects.
fn by_offset(pack: &Pack, damaged: &mut Vec<Damaged>) -> (Vec<u64>, Vec<u32>) {
    let mut pairs = Vec::with_capacity(pack.index.count() as usize);
    for position in 0..pack.index.count() {
        match pack.index.offset(position) {
            Some(offset) => pairs.push((offset, position)),
            None => damaged.push(Damaged { position, error: EntryError::Outside }),
        }
    }
    pairs.par_sort_unstable();
    // Two objects cannot stand at one place: the index is wrong about one of them.
    for pair in pairs.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        damaged.extend(
            pair.iter().map(|&(_, position)| Damaged { position, error: EntryError::Shared }),
        );
    }
    pairs.into_iter().unzip()
}
