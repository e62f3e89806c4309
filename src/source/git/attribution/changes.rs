//! Reads a tree's delta as a change of entries, without looking at those that stay.

use std::ops::Range;

use super::super::object::split_entry;
use super::super::pack::delta::{Delta, Step};

/// Where the entries of a tree start, and behind the last one its end.
pub(crate) type Bounds = Vec<u32>;

/// What a delta takes from a tree and adds to it; filled anew for one delta after another.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Bytes of the base whose entries are gone, in rising order.
    pub(crate) removed: Vec<Range<usize>>,
    /// New entries, one after the other.
    pub(crate) added: Vec<u8>,
    /// Bounds of the tree that the delta makes, if they are asked for.
    pub(crate) bounds: Bounds,
    /// Bytes since the last entry that was settled.
    pending: Vec<u8>,
    /// Entries of the base that were copied, by number.
    kept: Vec<Range<usize>>,
}

/// The bounds of a whole tree; `None` if it is damaged.
pub(crate) fn bounds(tree: &[u8], hash_len: usize) -> Option<Bounds> {
    let mut bounds = vec![0];
    let mut at = 0;
    while at < tree.len() {
        at += split_entry(&tree[at..], hash_len)?.1;
        bounds.push(u32::try_from(at).ok()?);
    }
    Some(bounds)
}

impl Changes {
    /// Reads the delta of a tree whose base has these bounds; `needs_bounds` asks for those of the tree that it makes. `None`
    /// where its copies do not keep to whole entries: then the tree itself has to be read.
    pub(crate) fn read(
        &mut self,
        base: &[u8],
        bounds: &[u32],
        delta: &Delta<'_>,
        hash_len: usize,
        needs_bounds: bool,
    ) -> Option<()> {
        self.removed.clear();
        self.added.clear();
        self.bounds.clear();
        self.pending.clear();
        self.kept.clear();
        if needs_bounds {
            self.bounds.reserve(bounds.len());
        }
        let mut reading = Reading { base, bounds, hash_len, needs_bounds, end: 0, made: self };
        for step in delta.steps() {
            match step {
                Step::Insert { .. } => reading.made.pending.extend_from_slice(step.bytes(base)),
                Step::Copy { start, len } => reading.copy(start, start + len)?,
            }
        }
        reading.settle()?;
        reading.finish()
    }
}

struct Reading<'a> {
    base: &'a [u8],
    bounds: &'a [u32],
    hash_len: usize,
    needs_bounds: bool,
    /// Length of what is settled.
    end: u32,
    made: &'a mut Changes,
}

impl Reading<'_> {
    fn copy(&mut self, start: usize, end: usize) -> Option<()> {
        let first = self.bounds.partition_point(|&bound| (bound as usize) < start);
        let behind = self.bounds.partition_point(|&bound| bound as usize <= end);
        if first == behind {
            self.made.pending.extend_from_slice(&self.base[start..end]);
            return Some(());
        }
        let last = behind - 1;
        let (from, to) = (self.bounds[first], self.bounds[last]);
        self.made.pending.extend_from_slice(&self.base[start..from as usize]);
        self.settle()?;
        let settled = self.end;
        if self.needs_bounds {
            let kept = &self.bounds[first..last];
            self.made.bounds.extend(kept.iter().map(|bound| bound - from + settled));
        }
        self.end = settled.checked_add(to - from)?;
        if first < last {
            self.made.kept.push(first..last);
        }
        self.made.pending.extend_from_slice(&self.base[to as usize..end]);
        Some(())
    }

    /// Reads what is pending as whole entries.
    fn settle(&mut self) -> Option<()> {
        let mut at = 0;
        while at < self.made.pending.len() {
            if self.needs_bounds {
                self.made.bounds.push(self.end);
            }
            let (_, len) = split_entry(&self.made.pending[at..], self.hash_len)?;
            self.end = self.end.checked_add(u32::try_from(len).ok()?)?;
            at += len;
        }
        let Changes { added, pending, .. } = &mut *self.made;
        added.append(pending);
        Some(())
    }

    fn finish(self) -> Option<()> {
        if self.needs_bounds {
            self.made.bounds.push(self.end);
        }
        let Changes { kept, removed, .. } = self.made;
        kept.sort_unstable_by_key(|kept| (kept.start, kept.end));
        let mut next = 0;
        for kept in kept {
            if kept.start < next {
                // An entry that stands twice: no tree that git makes.
                return None;
            }
            removed.extend(bytes_of(self.bounds, next..kept.start));
            next = kept.end;
        }
        removed.extend(bytes_of(self.bounds, next..self.bounds.len() - 1));
        Some(())
    }
}

/// The bytes of some entries, if there are any.
fn bytes_of(bounds: &[u32], entries: Range<usize>) -> Option<Range<usize>> {
    let bytes = bounds[entries.start] as usize..bounds[entries.end] as usize;
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::source::git::object::tree_entries;

    /// A tree of entries given by name and first byte of the id.
    fn tree(entries: &BTreeMap<u8, u8>) -> Vec<u8> {
        let mut bytes = vec![];
        for (name, id) in entries {
            bytes.extend_from_slice(b"40000 ");
            bytes.extend_from_slice(&vec![b'a' + name % 26; 1 + usize::from(name / 26)]);
            bytes.push(0);
            bytes
                .extend((0..20).map(|at: u8| {
                    name.wrapping_mul(7) ^ id.wrapping_mul(29) ^ at.wrapping_mul(13)
                }));
        }
        bytes
    }

    /// A delta as an encoder makes it: runs of at least four equal bytes, taken from anywhere, are copied.
    fn delta(base: &[u8], made: &[u8]) -> Vec<u8> {
        let size = |len: usize| {
            vec![
                u8::try_from(len & 127).expect("7 bits") | 128,
                u8::try_from(len >> 7).expect("short"),
            ]
        };
        let mut bytes = [size(base.len()), size(made.len())].concat();
        let mut at = 0;
        let mut inserted = vec![];
        while at < made.len() {
            let run = |start: usize| {
                base[start..]
                    .iter()
                    .zip(&made[at..])
                    .take_while(|(a, b)| a == b)
                    .count()
                    .min(0xffff)
            };
            let best =
                (0..base.len()).max_by_key(|&start| run(start)).filter(|&start| run(start) >= 4);
            let Some(start) = best else {
                inserted.push(made[at]);
                at += 1;
                continue;
            };
            for chunk in inserted.chunks(127) {
                bytes.push(u8::try_from(chunk.len()).expect("at most 127"));
                bytes.extend_from_slice(chunk);
            }
            inserted.clear();
            bytes.push(0b1011_0011);
            bytes.extend(
                [start & 255, start >> 8, run(start) & 255, run(start) >> 8]
                    .map(|byte| u8::try_from(byte).expect("a byte")),
            );
            at += run(start);
        }
        for chunk in inserted.chunks(127) {
            bytes.push(u8::try_from(chunk.len()).expect("at most 127"));
            bytes.extend_from_slice(chunk);
        }
        bytes
    }

    fn entries(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        tree_entries(bytes, 20).map(|entry| (entry.name.to_vec(), entry.id.to_vec())).collect()
    }

    proptest! {
        #[test]
        fn what_is_kept_and_what_is_added_make_the_tree(
            before in proptest::collection::btree_map(0_u8..80, 0_u8..6, 0..30),
            after in proptest::collection::btree_map(0_u8..80, 0_u8..6, 0..30),
        ) {
            let (base, made) = (tree(&before), tree(&after));
            let bytes = delta(&base, &made);
            let delta = Delta::parse(&bytes, base.len()).expect("the delta is sound");
            let base_bounds = bounds(&base, 20).expect("the tree is sound");
            let read = |needs_bounds| {
                let mut changes = Changes::default();
                changes.read(&base, &base_bounds, &delta, 20, needs_bounds).map(|()| changes)
            };
            let (Some(changes), Some(without)) = (read(true), read(false)) else { return Ok(()) };
            prop_assert_eq!(&changes.bounds, &bounds(&made, 20).expect("the tree is sound"));
            prop_assert_eq!((&changes.removed, &changes.added), (&without.removed, &without.added));
            prop_assert!(without.bounds.is_empty());
            let mut left = entries(&base);
            for range in &changes.removed {
                for entry in entries(&base[range.clone()]) {
                    let at = left.iter().position(|known| *known == entry).expect("only what is there is removed");
                    left.remove(at);
                }
            }
            left.extend(entries(&changes.added));
            left.sort();
            let mut expected = entries(&made);
            expected.sort();
            prop_assert_eq!(left, expected);
        }
    }

    #[test]
    fn one_changed_entry_costs_one_entry() {
        let before: BTreeMap<u8, u8> = (0..60).map(|name| (name, 1)).collect();
        let mut after = before.clone();
        after.insert(30, 2);
        let (base, made) = (tree(&before), tree(&after));
        let bytes = delta(&base, &made);
        let delta = Delta::parse(&bytes, base.len()).expect("the delta is sound");
        let bounds = bounds(&base, 20).expect("sound");
        let mut changes = Changes::default();
        changes.read(&base, &bounds, &delta, 20, true).expect("aligned");
        assert!(entries(&changes.added).len() <= 3, "{changes:?}");
    }
}
