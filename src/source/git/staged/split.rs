//! A split index: most entries stand in a file that several versions of the index share, and this one says which of them are
//! gone, which are others now, and which are new.

use std::ops::Range;

use super::index::be32;
use super::index::{Index, IndexError};
use crate::blob::BlobId;

/// What an index says about the shared one.
pub(super) struct Link {
    shared: BlobId,
    gone: Vec<Range<u32>>,
    replaced: Vec<Range<u32>>,
}

impl Link {
    /// Reads the extension: the shared index's id and two bitmaps. `Some(None)` says that it stands alone for now.
    pub(super) fn parse(data: &[u8], hash_len: usize) -> Option<Option<Self>> {
        let shared = BlobId::from_bytes(data.get(..hash_len)?)?;
        if shared.as_bytes().iter().all(|&byte| byte == 0) {
            return Some(None);
        }
        let mut rest = &data[hash_len..];
        let (mut gone, mut replaced) = (vec![], vec![]);
        if !rest.is_empty() {
            gone = bitmap(&mut rest)?;
            replaced = bitmap(&mut rest)?;
        }
        rest.is_empty().then_some(Some(Self { shared, gone, replaced }))
    }

    /// The shared index's file in the git folder.
    pub(super) fn file_name(&self) -> String {
        format!("sharedindex.{}", self.shared)
    }

    /// Makes the index whole: entries of the shared one that are not gone, its own in the place of replaced ones, which
    /// carry no name and come first, and then its new ones.
    pub(super) fn join(&self, shared: Index, index: &mut Index) -> Result<(), IndexError> {
        let tree = index.tree.take();
        let (mut names, mut entries) = shared.into_parts();
        let mut own = index.entries().iter();
        for at in self.replaced.iter().cloned().flatten() {
            let entry = entries.get_mut(at as usize).ok_or(IndexError::Damaged)?;
            let new = own.next().filter(|new| new.name.is_empty()).ok_or(IndexError::Damaged)?;
            *entry = new.named(entry.name.clone());
        }
        let mut is_gone = vec![false; entries.len()];
        for at in self.gone.iter().cloned().flatten() {
            *is_gone.get_mut(at as usize).ok_or(IndexError::Damaged)? = true;
        }
        let mut is_gone = is_gone.into_iter();
        entries.retain(|_| !is_gone.next().unwrap_or(false));
        for new in own {
            let start = names.len();
            names.extend_from_slice(index.name(new));
            entries.push(new.named(start..names.len()));
        }
        *index = Index::of(names, entries, tree);
        Ok(())
    }
}

/// Reads a bitmap in the form EWAH: words that are all alike are counted, others follow. Returns the bits that are set.
fn bitmap(data: &mut &[u8]) -> Option<Vec<Range<u32>>> {
    let count = be32(data, 4)? as usize;
    // The number of bits and of words, the words, and where the last marker stands.
    let taken = data.split_off(..12 + count.checked_mul(8)?)?;
    let mut words = taken[8..taken.len() - 4]
        .chunks_exact(8)
        .map_while(|word| Some(u64::from_be_bytes(word.try_into().ok()?)));
    let mut set = vec![];
    let mut at = 0_u32;
    while let Some(marker) = words.next() {
        let run = u32::try_from(marker >> 1 & 0xffff_ffff).ok()?.checked_mul(64)?;
        let end = at.checked_add(run)?;
        if marker & 1 != 0 {
            set.push(at..end);
        }
        at = end;
        for _ in 0..marker >> 33 {
            let (word, next) = (words.next()?, at.checked_add(64)?);
            set.extend(
                (at..next)
                    .zip(0..64)
                    .filter(|(_, bit)| word >> bit & 1 != 0)
                    .map(|(at, _)| at..at + 1),
            );
            at = next;
        }
    }
    Some(set)
}
