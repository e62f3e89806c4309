//! Packs: mapped files, random access by position, and one pass over every object in delta order.

mod ahead;
pub(crate) mod buffer;
pub(crate) mod delta;
pub(crate) mod entry;
pub(crate) mod forest;
pub(crate) mod index;
pub(crate) mod inflater;
pub(crate) mod traverse;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use self::buffer::Buffer;
use self::delta::Delta;
use self::entry::{Entry, EntryError, EntryKind};
use self::index::{Index, IndexError};
use self::inflater::Inflater;
use super::mapped::Mapped;
use super::object::ObjectKind;

const HEADER: usize = 12;

/// An entry that claims no more than this may be read on behind the end that the index names.
const SMALL_CLAIM: u64 = 1 << 20;

/// Deltas may make as many times the bytes of their pack; histories of one large file that changes a little each time come
/// to a tenth of it.
const RATIO: u64 = 20_000;
/// Deltas of small packs may make as much.
const MADE: u64 = 256 << 20;

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
    data: Mapped,
    /// Bytes that may still be made from deltas.
    left: AtomicU64,
}

impl Pack {
    /// Maps the pack that belongs to the index at `index_path`.
    pub(crate) fn open(index_path: &Path, hash_len: usize) -> Result<Self, PackError> {
        let index = Index::open(index_path, hash_len)?;
        let path = index_path.with_extension("pack");
        let data = Mapped::open(&path)?;
        let version = data.get(4..8);
        if !data.starts_with(b"PACK")
            || (version != Some(&[0, 0, 0, 2]) && version != Some(&[0, 0, 0, 3]))
        {
            return Err(PackError::Header);
        }
        let pack = Self { index, path, hash_len, data, left: AtomicU64::default() };
        pack.allow(MADE);
        Ok(pack)
    }

    /// Lets deltas make as much from now on, or what the pack's size allows.
    pub(crate) fn allow(&self, bytes: u64) {
        let fair = (self.data.len() as u64).saturating_mul(RATIO);
        self.left.store(fair.max(MADE).max(bytes), Ordering::Relaxed);
    }

    /// Accounts for `bytes` that a delta is about to make, before anything is allocated for them.
    pub(crate) fn charge(&self, bytes: u64) -> Result<(), EntryError> {
        let take = |left: u64| left.checked_sub(bytes);
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| EntryError::Expansion)
    }

    /// Whether the pack ends with the checksum that its index remembers.
    pub(crate) fn fits_index(&self) -> bool {
        self.data.ends_with(self.index.pack_checksum())
    }

    /// Whether pack and index have kept their length while they were read.
    pub(crate) fn is_whole(&self) -> bool {
        self.data.is_whole() && self.index.is_whole()
    }

    /// Offset behind the last entry. A pack that was cut short has no checksum at its end.
    pub(crate) fn end(&self) -> u64 {
        let checksum = if self.fits_index() { self.hash_len } else { 0 };
        (self.data.len() - checksum).max(HEADER) as u64
    }

    /// Parses the entry at `offset` that ends at or before `end`, unless a damaged index names an end inside of it.
    pub(crate) fn entry(&self, offset: u64, end: u64) -> Result<Entry<'_>, EntryError> {
        let parse = |end| Entry::parse(&self.data, offset, end, self.hash_len);
        parse(end).or_else(|_| parse(self.end()))
    }

    /// Has the beginning of the entry at `offset` brought near.
    pub(crate) fn fetch_ahead(&self, offset: u64) {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        if let Some(byte) = self.data.get(at) {
            ahead::fetch_ahead(byte);
        }
    }

    /// Inflates the entry that stands from `start` to `end`, unless a damaged index names an end inside of it.
    pub(crate) fn inflate(
        &self,
        (start, end): (u64, u64),
        inflater: &mut Inflater,
        out: &mut Buffer,
    ) -> Result<(), EntryError> {
        match self.entry(start, end)?.inflate(inflater, out) {
            Err(EntryError::Size(size)) if size > SMALL_CLAIM => Err(EntryError::Size(size)),
            Err(_) if end < self.end() => self.entry(start, self.end())?.inflate(inflater, out),
            done => done,
        }
    }

    /// Tells this pack from others that are mapped at the same time.
    fn key(&self) -> usize {
        self.data.as_ptr().addr()
    }

    /// Reads the object at `position` of the index.
    pub(crate) fn read(&self, position: u32, reader: &mut Reader) -> Result<Object, EntryError> {
        let offset = self.index.offset(position).ok_or(EntryError::Outside)?;
        let mut chain = vec![];
        self.follow(offset, reader, &mut chain).map_err(|error| {
            reader.failed.extend(chain.iter().map(|(at, _)| (self.key(), *at)));
            // So that the reason does not depend on what was read before.
            if chain.len() > 1 { EntryError::Base } else { error }
        })
    }

    /// Follows deltas to a whole object and applies them; what could not be read, and what is made from it, stays in `chain`.
    fn follow<'a>(
        &'a self,
        mut at: u64,
        reader: &mut Reader,
        chain: &mut Vec<(u64, Entry<'a>)>,
    ) -> Result<Object, EntryError> {
        let mut base = loop {
            if let Some(object) = reader.recall(self.key(), at) {
                break Some(object);
            }
            if !chain.is_empty() && reader.failed.contains(&(self.key(), at)) {
                return Err(EntryError::Base);
            }
            let entry = self.entry(at, self.end())?;
            chain.push((at, entry));
            // More steps than objects must pass one twice.
            if chain.len() > self.index.count() as usize + 1 {
                return Err(EntryError::Cycle);
            }
            at = match entry.kind {
                EntryKind::Whole(_) => break None,
                EntryKind::OffsetDelta(base) => base,
                EntryKind::IdDelta(id) => {
                    let position = self.index.find(id).ok_or(EntryError::Base)?;
                    self.index.offset(position).ok_or(EntryError::Outside)?
                }
            };
        };
        let mut delta = Buffer::default();
        while let Some((at, entry)) = chain.last() {
            let mut bytes = Buffer::default();
            let kind = match (entry.kind, &base) {
                (EntryKind::Whole(kind), _) => {
                    entry.inflate(&mut reader.inflater, &mut bytes)?;
                    kind
                }
                (_, Some(base)) => {
                    entry.inflate(&mut reader.inflater, &mut delta)?;
                    let delta = Delta::parse(&delta, base.bytes.len())?;
                    self.charge(delta.size)?;
                    delta.apply(&base.bytes, &mut bytes)?;
                    base.kind
                }
                (_, None) => return Err(EntryError::Base),
            };
            let object = Object { kind, bytes: Arc::new(bytes) };
            reader.remember(self.key(), *at, &object);
            base = Some(object);
            chain.pop();
        }
        base.ok_or(EntryError::Base)
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
    pub(crate) inflater: Inflater,
    recent: HashMap<(usize, u64), Object>,
    recent_bytes: usize,
    /// Entries that cannot be read, so that what is made from them is not tried in vain.
    failed: HashSet<(usize, u64)>,
}

impl Reader {
    const RECENT_BYTES: usize = 32 << 20;

    /// Makes a reader without memory of former reads.
    pub(crate) fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            recent: HashMap::new(),
            recent_bytes: 0,
            failed: HashSet::new(),
        }
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
