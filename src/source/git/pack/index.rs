//! Reads `.idx` files: versions 1 and 2, 64-bit offsets, ids of 20 or 32 bytes.

use std::cmp::Ordering;
use std::path::Path;

use thiserror::Error;

use super::super::mapped::Mapped;

const MAGIC: &[u8] = b"\xfftOc";
const FANOUT: usize = 256 * 4;

/// Why an index cannot be used.
#[derive(Debug, Error)]
pub(crate) enum IndexError {
    #[error("cannot map the index: {0}")]
    Map(#[from] std::io::Error),
    #[error("index version {0} is not supported")]
    Version(u32),
    #[error("the index is cut short or its table of contents is damaged")]
    Damaged,
}

/// A mapped index: ids in order, and where each object's entry starts in the pack.
pub(crate) struct Index {
    map: Mapped,
    hash_len: usize,
    count: u32,
    fanout_at: usize,
    ids_at: usize,
    stride: usize,
    offsets_at: usize,
    /// Where the table of 64-bit offsets starts; `None` in version 1.
    large_at: Option<usize>,
}

impl Index {
    /// Maps the index and checks that its tables fit in the file.
    pub(crate) fn open(path: &Path, hash_len: usize) -> Result<Self, IndexError> {
        let map = Mapped::open(path)?;
        let version =
            if map.starts_with(MAGIC) { be32(&map, 4).ok_or(IndexError::Damaged)? } else { 1 };
        let fanout_at = match version {
            1 => 0,
            2 => 8,
            other => return Err(IndexError::Version(other)),
        };
        let count = check_fanout(&map, fanout_at).ok_or(IndexError::Damaged)?;
        let objects = usize::try_from(count).map_err(|_| IndexError::Damaged)?;
        let table = fanout_at + FANOUT;
        let index = if version == 1 {
            let stride = hash_len + 4;
            Self {
                map,
                hash_len,
                count,
                fanout_at,
                ids_at: table + 4,
                stride,
                offsets_at: table,
                large_at: None,
            }
        } else {
            let offsets_at = table + objects * (hash_len + 4);
            let large_at = Some(offsets_at + objects * 4);
            Self {
                map,
                hash_len,
                count,
                fanout_at,
                ids_at: table,
                stride: hash_len,
                offsets_at,
                large_at,
            }
        };
        let tables_end = index.large_at.unwrap_or(table + objects * index.stride);
        if tables_end + 2 * hash_len > index.map.len() {
            return Err(IndexError::Damaged);
        }
        Ok(index)
    }

    /// Number of objects.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The id at `position`, which must be below [`Self::count`].
    pub(crate) fn id(&self, position: u32) -> &[u8] {
        let at = self.ids_at + position as usize * self.stride;
        &self.map[at..at + self.hash_len]
    }

    /// Where the entry of the object at `position` starts; `None` if the table of large offsets is damaged.
    pub(crate) fn offset(&self, position: u32) -> Option<u64> {
        let step = if self.large_at.is_some() { 4 } else { self.stride };
        let offset = be32(&self.map, self.offsets_at + position as usize * step)?;
        match self.large_at {
            Some(large_at) if offset & 0x8000_0000 != 0 => {
                let at = large_at + (offset & 0x7fff_ffff) as usize * 8;
                let bytes = self.map.get(at..at + 8)?;
                if at + 8 > self.map.len() - 2 * self.hash_len {
                    return None;
                }
                Some(u64::from_be_bytes(bytes.try_into().ok()?))
            }
            _ => Some(u64::from(offset)),
        }
    }

    /// Finds the position of `id`. Ids are spread evenly, so that a few guesses come close.
    pub(crate) fn find(&self, id: &[u8]) -> Option<u32> {
        if id.len() != self.hash_len {
            return None;
        }
        let first = usize::from(id[0]);
        let mut low =
            if first == 0 { 0 } else { be32(&self.map, self.fanout_at + (first - 1) * 4)? };
        let mut high = be32(&self.map, self.fanout_at + first * 4)?;
        let (key, span) = (i64::from(be32(id, 1)?), i64::from(high - low));
        // How many ids to expect between two that differ by this much.
        let expected = |difference: i64| (difference * span) >> 32;
        let mut guess = i64::from(low) + expected(key);
        // Two guesses come close; one below and one above that mostly leave a handful.
        for step in [0, 0, -8, 16] {
            guess += step;
            let Some(at) = u32::try_from(guess).ok().filter(|at| (low..high).contains(at)) else {
                continue;
            };
            match self.id(at).cmp(id) {
                Ordering::Equal => return Some(at),
                Ordering::Less => low = at + 1,
                Ordering::Greater => high = at,
            }
            if step == 0 {
                guess += expected(key - i64::from(be32(self.id(at), 1)?));
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle).cmp(id) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Whether the file has kept its length.
    pub(crate) fn is_whole(&self) -> bool {
        self.map.is_whole()
    }

    /// Whether the ids are in order and the fan-out table counts them, so that a search finds each.
    pub(crate) fn finds_all(&self) -> bool {
        let fanout = |first: usize| be32(&self.map, self.fanout_at + first * 4);
        let is_counted = |at: u32| {
            let first = usize::from(self.id(at)[0]);
            fanout(first) > Some(at) && (first == 0 || fanout(first - 1) <= Some(at))
        };
        (0..self.count).all(|at| is_counted(at) && (at == 0 || self.id(at - 1) <= self.id(at)))
    }

    /// The checksum of the pack this index belongs to.
    pub(crate) fn pack_checksum(&self) -> &[u8] {
        let end = self.map.len() - self.hash_len;
        &self.map[end - self.hash_len..end]
    }
}

/// Returns the number of objects if the fan-out table never falls.
fn check_fanout(map: &[u8], at: usize) -> Option<u32> {
    let mut last = 0;
    for slot in 0..256 {
        let next = be32(map, at + slot * 4)?;
        if next < last {
            return None;
        }
        last = next;
    }
    Some(last)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
