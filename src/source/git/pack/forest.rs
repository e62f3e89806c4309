//! The delta forest of a pack: which entries are made from which, in arrays of 28 bytes per object.

use rayon::prelude::*;

use super::Pack;
use super::ahead;
use super::entry::{EntryError, EntryKind};

/// No base: a root.
const NONE: u32 = u32::MAX;
/// A base that is not known, since the entry is damaged.
const LOST: u32 = NONE - 1;

/// So many entries further the next one is asked for while one is read.
const AHEAD: usize = 8;

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
    /// The entries, and one that ends the last.
    places: Vec<Place>,
    children: Vec<u32>,
    /// Entries of the subtree below an entry, itself included; an estimate where a base stands behind its delta.
    weights: Vec<u32>,
    roots: Vec<u32>,
    /// Whether a base stands behind its delta, so that weights are estimates.
    has_forward_links: bool,
}

/// Where an entry stands. All in one, since a pass meets the entries in no order that a processor could foresee.
struct Place {
    /// In the pack.
    offset: u64,
    /// In the index.
    position: u32,
    /// Among the children, where its own start.
    children: u32,
}

impl Forest {
    /// Sorts out a pack. Entries that cannot be read are returned beside the forest.
    pub(crate) fn of(pack: &Pack) -> (Self, Vec<Damaged>) {
        let mut damaged = vec![];
        let (offsets, positions) = by_offset(pack, &mut damaged);
        let drawers = Drawers::of(&offsets);
        let parents: Vec<u32> = (0..positions.len())
            .into_par_iter()
            .with_min_len(1024)
            .map(|entry| parent(pack, (&offsets, &drawers), entry).unwrap_or(LOST))
            .collect();
        let mut roots = vec![];
        for (entry, &link) in (0_u32..).zip(&parents) {
            if link == NONE {
                roots.push(entry);
            } else if link == LOST
                && let Err(error) = parent(pack, (&offsets, &drawers), entry as usize)
            {
                damaged.push(Damaged { position: positions[entry as usize], error });
            }
        }
        let place = |(offset, position)| Place { offset, position, children: 0 };
        let mut forest = Self {
            places: offsets.into_iter().zip(positions.into_iter().chain([0])).map(place).collect(),
            children: vec![],
            weights: vec![],
            roots,
            has_forward_links: false,
        };
        forest.link(&parents);
        (forest, damaged)
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.places.len() - 1).expect("an index counts its objects in 32 bits")
    }

    /// Entries that hold whole objects, and deltas whose base the index does not name.
    pub(crate) fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Deltas against `entry`.
    pub(crate) fn children(&self, entry: u32) -> &[u32] {
        let at = entry as usize;
        &self.children[self.places[at].children as usize..self.places[at + 1].children as usize]
    }

    /// Entries below `entry`, itself included.
    pub(crate) fn weight(&self, entry: u32) -> u32 {
        self.weights[entry as usize]
    }

    /// Position of `entry` in the index.
    pub(crate) fn position(&self, entry: u32) -> u32 {
        self.places[entry as usize].position
    }

    /// Start and end of `entry` in the pack.
    pub(crate) fn range(&self, entry: u32) -> (u64, u64) {
        let at = entry as usize;
        (self.places[at].offset, self.places[at + 1].offset)
    }

    /// Has what is known of `entry` brought near.
    pub(crate) fn fetch_ahead(&self, entry: u32) {
        ahead::fetch_ahead(&self.places[entry as usize]);
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
        let mut reached = vec![false; self.len() as usize];
        for &root in &self.roots {
            reached[root as usize] = true;
            self.descendants(root, |entry| reached[entry as usize] = true);
        }
        (0..self.len()).filter(|&entry| !reached[entry as usize]).collect()
    }

    /// Turns the links to bases into lists of children.
    fn link(&mut self, parents: &[u32]) {
        let count = parents.len();
        let mut starts = vec![0_u32; count + 1];
        for &parent in parents.iter().filter(|&&parent| parent < LOST) {
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
            if parent < LOST {
                self.has_forward_links |= parent as usize >= entry;
                let cursor = &mut cursors[parent as usize];
                children[*cursor as usize] = u32::try_from(entry).unwrap_or(NONE);
                *cursor += 1;
                weights[parent as usize] = weights[parent as usize].saturating_add(weights[entry]);
            }
        }
        for (place, start) in self.places.iter_mut().zip(starts) {
            place.children = start;
        }
        (self.children, self.weights) = (children, weights);
    }
}

/// The base of an entry, among the offsets of all entries and the end of the last; [`NONE`] if it has none here.
fn parent(
    pack: &Pack,
    (offsets, drawers): (&[u64], &Drawers),
    entry: usize,
) -> Result<u32, EntryError> {
    if let Some(&next) = offsets.get(entry + AHEAD) {
        pack.fetch_ahead(next);
    }
    let base = match pack.entry(offsets[entry], offsets[entry + 1])?.kind {
        EntryKind::Whole(_) => None,
        EntryKind::OffsetDelta(offset) => Some(offset),
        EntryKind::IdDelta(id) => {
            pack.index.find(id).and_then(|position| pack.index.offset(position))
        }
    };
    let known = &offsets[..offsets.len() - 1];
    Ok(base.and_then(|base| drawers.find(known, base)).unwrap_or(NONE))
}

/// Where to look for an offset among many: a search through all of them would wait for memory at each step.
struct Drawers {
    /// How many entries begin before each multiple of `1 << bits` bytes.
    before: Vec<u32>,
    bits: u32,
}

impl Drawers {
    /// Entries of a drawer, as long as the pack is even.
    const EACH: u64 = 8;

    /// Prepares the offsets of entries in rising order, behind which that of the pack's end may stand.
    fn of(offsets: &[u64]) -> Self {
        // A damaged index may name any offset, and there shall be no more drawers than entries.
        let furthest = offsets.iter().rev().take(2).max().copied().unwrap_or(0);
        let each = (furthest / offsets.len().max(1) as u64).saturating_mul(Self::EACH);
        let bits = each.max(1).ilog2();
        let mut before = vec![];
        for (entry, &offset) in (0_u32..).zip(offsets) {
            while before.len() as u64 <= offset >> bits {
                before.push(entry);
            }
        }
        Self { before, bits }
    }

    /// The entry that begins at `offset`, among `known`.
    fn find(&self, known: &[u64], offset: u64) -> Option<u32> {
        let drawer = usize::try_from(offset >> self.bits).ok()?;
        let first = *self.before.get(drawer)? as usize;
        let end = self.before.get(drawer + 1).map_or(known.len(), |&end| end as usize);
        let found = known.get(first..end.min(known.len()))?.binary_search(&offset).ok()?;
        u32::try_from(first + found).ok()
    }
}

/// Returns the offsets of all entries in rising order with the end of the last, and the positions of their objects.
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
    let (mut offsets, positions): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    offsets.push(pack.end());
    (offsets, positions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn drawers_find_what_a_search_finds(
            mut known in proptest::collection::vec(prop_oneof![0_u64..400, any::<u64>()], 0..60),
            end in prop_oneof![0_u64..400, any::<u64>()],
            sought in prop_oneof![0_u64..400, any::<u64>()],
        ) {
            known.sort_unstable();
            known.dedup();
            let offsets = [&known[..], &[end]].concat();
            let drawers = Drawers::of(&offsets);
            prop_assert!(drawers.before.len() <= 2 * offsets.len());
            for offset in known.iter().copied().chain([sought, end]) {
                let expected = known.binary_search(&offset).ok().map(|at| at as u32);
                prop_assert_eq!(drawers.find(&known, offset), expected);
            }
        }
    }
}
