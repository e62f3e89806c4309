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
#[derive(Clone, Copy)]
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
        let (places, drawers) = by_offset(pack, &mut damaged);
        let parents: Vec<u32> = (0..places.len() - 1)
            .into_par_iter()
            .with_min_len(1024)
            .map(|entry| parent(pack, (&places, &drawers), entry).unwrap_or(LOST))
            .collect();
        let mut roots = vec![];
        for (entry, &link) in (0_u32..).zip(&parents) {
            if link == NONE {
                roots.push(entry);
            } else if link == LOST
                && let Err(error) = parent(pack, (&places, &drawers), entry as usize)
            {
                damaged.push(Damaged { position: places[entry as usize].position, error });
            }
        }
        let mut forest =
            Self { places, children: vec![], weights: vec![], roots, has_forward_links: false };
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

    /// Turns the links to bases into lists of children, in rising order.
    fn link(&mut self, parents: &[u32]) {
        let count = parents.len();
        for &parent in parents.iter().filter(|&&parent| parent < LOST) {
            self.places[parent as usize].children += 1;
        }
        // Where an entry's children end; filled from the back, that becomes where they start.
        let mut end = 0;
        for place in &mut self.places {
            end += place.children;
            place.children = end;
        }
        let mut children = vec![0_u32; end as usize];
        let mut weights = vec![1_u32; count];
        // Bases mostly stand before their deltas, so that from the back each weight is complete when it is passed on.
        for (entry, &parent) in parents.iter().enumerate().rev() {
            if parent < LOST {
                let entry = u32::try_from(entry).unwrap_or(NONE);
                self.has_forward_links |= parent >= entry;
                let start = &mut self.places[parent as usize].children;
                *start -= 1;
                children[*start as usize] = entry;
                let weight = weights[entry as usize];
                weights[parent as usize] = weights[parent as usize].saturating_add(weight);
            }
        }
        (self.children, self.weights) = (children, weights);
    }
}

/// The base of an entry, among the places of all entries and the end of the last; [`NONE`] if it has none here.
fn parent(
    pack: &Pack,
    (places, drawers): (&[Place], &Drawers),
    entry: usize,
) -> Result<u32, EntryError> {
    if let Some(next) = places.get(entry + AHEAD) {
        pack.fetch_ahead(next.offset);
    }
    let base = match pack.entry(places[entry].offset, places[entry + 1].offset)?.kind {
        EntryKind::Whole(_) => None,
        EntryKind::OffsetDelta(offset) => Some(offset),
        EntryKind::IdDelta(id) => {
            pack.index.find(id).and_then(|position| pack.index.offset(position))
        }
    };
    Ok(base.and_then(|base| drawers.find(places, base)).unwrap_or(NONE))
}

/// Where to put and to look for an offset among many: a search through all of them would wait for memory at each step.
struct Drawers {
    /// Where each drawer starts among the entries in rising order, and where the last one ends.
    starts: Vec<u32>,
    bits: u32,
}

impl Drawers {
    /// Entries of a drawer, as long as the pack is even.
    const EACH: u64 = 8;

    /// Makes empty drawers for so many entries of a pack that ends at `end`.
    fn of(end: u64, count: u32) -> Self {
        let each = (end / u64::from(count).max(1)).saturating_mul(Self::EACH);
        let bits = each.max(1).ilog2();
        let drawers = usize::try_from(end >> bits).expect("no more than twice as many as entries");
        Self { starts: vec![0; drawers + 2], bits }
    }

    /// The drawer of `offset`; a damaged index may name any.
    fn drawer(&self, offset: u64) -> usize {
        usize::try_from(offset >> self.bits).unwrap_or(usize::MAX).min(self.starts.len() - 2)
    }

    /// Brings entries, each an offset and a position, into the order of the offsets, with `last` behind them.
    fn fill(
        &mut self,
        entries: impl Iterator<Item = (u64, u32)> + Clone,
        last: Place,
    ) -> Vec<Place> {
        for (offset, _) in entries.clone() {
            let drawer = self.drawer(offset);
            self.starts[drawer] += 1;
        }
        // Where each drawer ends; as it is filled from there on downwards, that becomes where it starts.
        let mut end = 0;
        for start in &mut self.starts {
            end += *start;
            *start = end;
        }
        let mut places = vec![last; end as usize + 1];
        for (offset, position) in entries {
            let drawer = self.drawer(offset);
            let start = &mut self.starts[drawer];
            *start -= 1;
            places[*start as usize] = Place { offset, position, children: 0 };
        }
        sort_each(&self.starts, &mut places[..end as usize]);
        places
    }

    /// The entry that begins at `offset`, among the places that the drawers were filled with.
    fn find(&self, places: &[Place], offset: u64) -> Option<u32> {
        let drawer = self.drawer(offset);
        let (first, end) = (self.starts[drawer], self.starts[drawer + 1]);
        let places = &places[first as usize..end as usize];
        let found = places.binary_search_by_key(&offset, |place| place.offset).ok()?;
        Some(first + u32::try_from(found).ok()?)
    }
}

/// Brings each drawer into order.
fn sort_each(starts: &[u32], places: &mut [Place]) {
    /// As many drawers are one task.
    const TASK: usize = 4096;
    let drawers = starts.len() - 1;
    if drawers > TASK {
        let (left, right) = places.split_at_mut((starts[drawers / 2] - starts[0]) as usize);
        let sort = |starts, places| move || sort_each(starts, places);
        rayon::join(sort(&starts[..=drawers / 2], left), sort(&starts[drawers / 2..], right));
        return;
    }
    for pair in starts.windows(2) {
        let drawer = (pair[0] - starts[0]) as usize..(pair[1] - starts[0]) as usize;
        places[drawer].sort_unstable_by_key(|place| (place.offset, place.position));
    }
}

/// Returns the places of all entries in rising order, and behind them the end of the last.
fn by_offset(pack: &Pack, damaged: &mut Vec<Damaged>) -> (Vec<Place>, Drawers) {
    /// Stands for an offset that the index does not have.
    const NOWHERE: u64 = u64::MAX;
    let damage = |error: fn() -> EntryError| move |position| Damaged { position, error: error() };
    // Once: where somebody cuts the index short meanwhile, what is read a second time is not the same.
    let offset = |position| pack.index.offset(position).unwrap_or(NOWHERE);
    let offsets: Vec<u64> = (0..pack.index.count()).map(offset).collect();
    let entries = offsets.iter().copied().zip(0_u32..);
    let outside = entries.clone().filter(|&(offset, _)| offset == NOWHERE);
    damaged.extend(outside.map(|(_, position)| position).map(damage(|| EntryError::Outside)));
    let entries = entries.filter(|&(offset, _)| offset != NOWHERE);
    let mut drawers = Drawers::of(pack.end(), pack.index.count());
    let places = drawers.fill(entries, Place { offset: pack.end(), position: 0, children: 0 });
    // Two objects cannot stand at one place: the index is wrong about one of them.
    let known = &places[..places.len() - 1];
    let shared = known.windows(2).filter(|pair| pair[0].offset == pair[1].offset);
    let positions = shared.flat_map(|pair| [pair[0].position, pair[1].position]);
    damaged.extend(positions.map(damage(|| EntryError::Shared)));
    (places, drawers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn drawers_bring_into_order_and_find_what_a_search_finds(
            known in proptest::collection::hash_set(prop_oneof![0_u64..400, any::<u64>()], 0..60),
            end in prop_oneof![0_u64..400, any::<u64>()],
            sought in prop_oneof![0_u64..400, any::<u64>()],
        ) {
            let mut drawers = Drawers::of(end, known.len() as u32);
            prop_assert!(drawers.starts.len() <= known.len() + 3);
            let entries = known.iter().copied().zip(0_u32..);
            let last = Place { offset: end, position: u32::MAX, children: 0 };
            let places = drawers.fill(entries.clone(), last);
            let mut sorted: Vec<(u64, u32)> = entries.collect();
            sorted.sort_unstable();
            let found: Vec<_> = places.iter().map(|place| (place.offset, place.position)).collect();
            prop_assert_eq!(&found, &[&sorted[..], &[(end, u32::MAX)]].concat());
            for offset in known.iter().copied().chain([sought, end]) {
                let expected = sorted.binary_search_by_key(&offset, |&(offset, _)| offset);
                prop_assert_eq!(drawers.find(&places, offset), expected.ok().map(|at| at as u32));
            }
        }
    }

    /// A pass that asks whether a base stands before all that is made from it looks at the first alone.
    #[test]
    fn deltas_are_in_rising_order_also_before_their_base() {
        let mut forest = Forest {
            places: vec![Place { offset: 0, position: 0, children: 0 }; 5],
            children: vec![],
            weights: vec![],
            roots: vec![1],
            has_forward_links: false,
        };
        forest.link(&[1, NONE, 1, 1]);
        assert_eq!(forest.children(1), [0, 2, 3]);
        assert!([0, 2, 3].iter().all(|&entry| forest.children(entry).is_empty()));
        assert!(forest.has_forward_links);
    }
}
