//! Packs: mapped files, random access by position, and one pass over every object in delta order.

pub(crate) mod buffer;
pub(crate) mod delta;
pub(crate) mod entry;
pub(crate) mod forest;
pub(crate) mod index;
pub(crate) mod traverse;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libdeflater::Decompressor;
use memmap2::Mmap;
use thiserror::Error;

use self::buffer::Buffer;
use self::delta::Delta;
use self::entry::{Entry, EntryError, EntryKind};
use self::index::{Index, IndexError};
use super::files;
use super::object::ObjectKind;

const HEADER: u64 = 12;

/// Why a pack cannot be used.
#[derive(Debug, Error)]
pub(crate) enum PackError {
    #[error("the pack's index: {0}")]
    Index(#[from] IndexError),
    #[error("cannot map the pack: {0}")]
    Map(#[from] std::io::Error),
    #[error("this is not a pack of version 2 or 3")]
    Header,
}

/// A mapped pack and its index.
pub(crate) struct Pack {
    pub(crate) index: Index,
    pub(crate) path: PathBuf,
    pub(crate) hash_len: usize,
    data: Mmap,
}

impl Pack {
    /// Maps the pack that belongs to the index at `index_path`.
    pub(crate) fn open(index_path: &Path, hash_len: usize) -> Result<Self, PackError> {
        let index = Index::open(index_path, hash_len)?;
        let path = index_path.with_extension("pack");
        let data = files::map(&path)?;
        let version = data.get(4..8);
        if !data.starts_with(b"PACK")
            || (version != Some(&[0, 0, 0, 2]) && version != Some(&[0, 0, 0, 3]))
        {
            return Err(PackError::Header);
        }
        Ok(Self { index, path, hash_len, data })
    }

    /// Whether the pack ends with the checksum that its index remembers.
    pub(crate) fn fits_index(&self) -> bool {
        self.data.ends_with(self.index.pack_checksum())
    }

    /// Offset behind the last entry.
    pub(crate) fn end(&self) -> u64 {
        (self.data.len() as u64).saturating_sub(self.hash_len as u64).max(HEADER)
    }

    /// Parses the entry at `offset` that ends at or before `end`.
    pub(crate) fn entry(&self, offset: u64, end: u64) -> Result<Entry<'_>, EntryError> {
        Entry::parse(&self.data, offset, end, self.hash_len)
    }

    /// Tells this pack from others that are mapped at the same time.
    fn key(&self) -> usize {
        self.data.as_ptr().addr()
    }

    /// Reads the object at `position` of the index.
    pub(crate) fn read(&self, position: u32, reader: &mut Reader) -> Result<Object, EntryError> {
        let offset = self.index.offset(position).ok_or(EntryError::Outside)?;
        let mut chain = vec![];
        let mut at = offset;
        let mut object = loop {
            if let Some(object) = reader.recall(self.key(), at) {
                break object;
            }
            let entry = self.entry(at, self.end())?;
            let base = match entry.kind {
                EntryKind::Whole(kind) => {
                    let mut bytes = Buffer::default();
                    entry.inflate(&mut reader.inflater, &mut bytes)?;
                    let object = Object { kind, bytes: Arc::new(bytes) };
                    reader.remember(self.key(), at, &object);
                    break object;
                }
                EntryKind::OffsetDelta(base) => base,
                EntryKind::IdDelta(id) => {
                    let position = self.index.find(id).ok_or(EntryError::Base)?;
                    self.index.offset(position).ok_or(EntryError::Outside)?
                }
            };
            // More steps than objects must pass one twice.
            if chain.len() > self.index.count() as usize {
                return Err(EntryError::Cycle);
            }
            chain.push((at, entry));
            at = base;
        };
        let mut delta = Buffer::default();
        for (at, entry) in chain.into_iter().rev() {
            entry.inflate(&mut reader.inflater, &mut delta)?;
            let mut bytes = Buffer::default();
            Delta::parse(&delta, object.bytes.len())?.apply(&object.bytes, &mut bytes)?;
            object = Object { kind: object.kind, bytes: Arc::new(bytes) };
            reader.remember(self.key(), at, &object);
        }
        Ok(object)
    }
}

/// An object in memory.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    pub(crate) bytes: Arc<Buffer>,
}

/// What random access needs: an inflater, and the objects read last, since one is often the base of the next.
pub(crate) struct Reader {
    pub(crate) inflater: Decompressor,
    recent: HashMap<(usize, u64), Object>,
    recent_bytes: usize,
}

impl Reader {
    const RECENT_BYTES: usize = 32 << 20;

    /// Makes a reader without memory of former reads.
    pub(crate) fn new() -> Self {
        Self { inflater: Decompressor::new(), recent: HashMap::new(), recent_bytes: 0 }
    }

    fn recall(&self, pack: usize, offset: u64) -> Option<Object> {
        self.recent.get(&(pack, offset)).cloned()
    }

    fn remember(&mut self, pack: usize, offset: u64, object: &Object) {
        if object.bytes.len() > Self::RECENT_BYTES / 4 {
            return;
        }
        if self.recent_bytes > Self::RECENT_BYTES {
            self.recent.clear();
            self.recent_bytes = 0;
        }
        self.recent_bytes += object.bytes.len();
        self.recent.insert((pack, offset), object.clone());
    }
}
