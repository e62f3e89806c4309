//! Reads git's index: versions 2 to 4, ids of 20 or 32 bytes, split and sparse ones. Only what tells content apart is kept.

use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::super::mapped::Mapped;
use super::cache_tree::CacheTree;
use super::split::Link;
use crate::blob::BlobId;

/// Mode of an entry that names a commit of a submodule.
const SUBMODULE: u32 = 0o160_000;
/// Mode of an entry that stands for a whole folder, in a sparse index.
const FOLDER: u32 = 0o040_000;
/// Signature, version, number of entries.
const HEADER: usize = 12;
/// Times, device, mode, owner and size before the id; the mode stands in the middle.
const STAT: usize = 40;
const MODE_AT: usize = 24;
/// Flags of an entry: further flags follow, and which side of a conflict it is.
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
/// Further flags: to be added later.
const INTENDED: u16 = 0x2000;

/// Why an index cannot be read.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The file is not readable.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It starts otherwise.
    #[error("it is no index of git")]
    Header,
    /// Its version is unknown.
    #[error("its version {0} is not known")]
    Version(u32),
    /// It is cut short, or claims what is not there.
    #[error("it is damaged")]
    Damaged,
    /// Its entries do not stand in git's order.
    #[error("its entries are out of order")]
    Order,
    /// It cannot be understood without an extension that is unknown.
    #[error("it needs the extension `{0}`, which is not known")]
    Extension(String),
    /// The shared part of a split index.
    #[error("the shared index {} that it builds upon: {source}", path.display())]
    Shared {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Self>,
    },
}

/// The entries, in git's order.
pub(crate) struct Index {
    /// The entries' paths, one after the other.
    names: Vec<u8>,
    entries: Vec<Entry>,
    /// The trees that git would write for the folders, as far as it remembers them.
    pub(super) tree: Option<CacheTree>,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where its path stands among the names.
    pub(super) name: Range<usize>,
    pub(crate) id: BlobId,
    mode: u32,
    /// 0, or the side of a conflict: 1 base, 2 ours, 3 theirs.
    stage: u16,
    is_intended: bool,
}

impl Entry {
    /// The same entry under another name.
    pub(super) fn named(&self, name: Range<usize>) -> Self {
        Self { name, ..self.clone() }
    }

    /// Whether it names a submodule's commit.
    pub(super) fn is_submodule(&self) -> bool {
        self.mode == SUBMODULE
    }

    /// Whether it stands for a whole folder.
    pub(super) fn is_folder(&self) -> bool {
        self.mode == FOLDER
    }

    /// Whether it holds content that would be committed, or of a conflict either side's. One that is only intended to be
    /// added is not committed; one that names a submodule's commit brings none.
    pub(super) fn is_content(&self) -> bool {
        self.mode != SUBMODULE && !self.is_intended && self.stage != 1
    }
}

impl Index {
    /// Reads the index at `path`; `git_dir` holds the shared part of a split one. Where there is none, nothing is staged.
    pub(crate) fn read(path: &Path, git_dir: &Path, hash_len: usize) -> Result<Self, IndexError> {
        match Mapped::open(path) {
            Ok(data) => {
                let (mut index, link) = Self::parse(&data, hash_len)?;
                if let Some(link) = link {
                    let path = git_dir.join(link.file_name());
                    let shared = Mapped::open(&path)
                        .map_err(IndexError::from)
                        .and_then(|data| Self::parse(&data, hash_len))
                        .and_then(|(shared, _)| link.join(shared, &mut index));
                    shared.map_err(|source| IndexError::Shared { path, source: source.into() })?;
                }
                if index.is_sorted() { Ok(index) } else { Err(IndexError::Order) }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::empty()),
            Err(error) => Err(error.into()),
        }
    }

    /// Joins entries, whatever their order, with the names that they stand for.
    pub(super) fn of(names: Vec<u8>, entries: Vec<Entry>, tree: Option<CacheTree>) -> Self {
        let mut index = Self { names, entries, tree };
        let names = &index.names;
        index.entries.sort_by(|a, b| {
            (&names[a.name.clone()], a.stage).cmp(&(&names[b.name.clone()], b.stage))
        });
        index
    }

    /// The names and the entries.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<Entry>) {
        (self.names, self.entries)
    }

    /// The entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The path of an entry.
    pub(crate) fn name(&self, entry: &Entry) -> &[u8] {
        &self.names[entry.name.clone()]
    }

    /// The entry at `path` that is in no conflict.
    pub(super) fn find(&self, path: &[u8]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| self.key(entry).cmp(&(path, 0))).ok()?;
        Some(&self.entries[at])
    }

    fn empty() -> Self {
        Self { names: vec![], entries: vec![], tree: None }
    }

    fn key(&self, entry: &Entry) -> (&[u8], u16) {
        (self.name(entry), entry.stage)
    }

    fn is_sorted(&self) -> bool {
        self.entries.is_sorted_by(|a, b| self.key(a) < self.key(b))
    }

    fn parse(data: &[u8], hash_len: usize) -> Result<(Self, Option<Link>), IndexError> {
        if !data.starts_with(b"DIRC") {
            return Err(IndexError::Header);
        }
        let version = be32(data, 4).ok_or(IndexError::Damaged)?;
        if !(2..=4).contains(&version) {
            return Err(IndexError::Version(version));
        }
        let count = be32(data, 8).ok_or(IndexError::Damaged)? as usize;
        let end = data.len().checked_sub(hash_len).ok_or(IndexError::Damaged)?;
        let data = &data[..end];
        if count > data.len() / (STAT + hash_len) {
            return Err(IndexError::Damaged);
        }
        let mut index =
            Self { names: Vec::with_capacity(data.len() / 2), entries: vec![], tree: None };
        index.entries.reserve_exact(count);
        let mut at = HEADER;
        for _ in 0..count {
            at = index.entry(data, at, version, hash_len).ok_or(IndexError::Damaged)?;
        }
        let rest = data.get(at..).ok_or(IndexError::Damaged)?;
        let link = index.extensions(rest, hash_len)?;
        Ok((index, link))
    }

    /// Reads the entry at `at`; returns where the next one starts.
    fn entry(&mut self, data: &[u8], at: usize, version: u32, hash_len: usize) -> Option<usize> {
        let mode = be32(data, at + MODE_AT)?;
        let id = BlobId::from_bytes(data.get(at + STAT..at + STAT + hash_len)?)?;
        let mut next = at + STAT + hash_len;
        let flags = be16(data, next)?;
        next += 2;
        let mut is_intended = false;
        if flags & EXTENDED != 0 {
            is_intended = be16(data, next)? & INTENDED != 0;
            next += 2;
        }
        let start = self.names.len();
        if version == 4 {
            let last = self.entries.last().map_or(0..0, |entry| entry.name.clone());
            let dropped = usize::try_from(varint(data, &mut next)?).ok()?;
            let kept = last.len().checked_sub(dropped)?;
            // Shared beginnings add up, so a small file could name a lot.
            if start > data.len().checked_mul(64)? {
                return None;
            }
            self.names.extend_from_within(last.start..last.start + kept);
        }
        let rest = data.get(next..)?;
        let length = memchr::memchr(0, rest)?;
        self.names.extend_from_slice(&rest[..length]);
        next += length + 1;
        if version < 4 {
            next = at + (next - at).next_multiple_of(8);
        }
        let stage = (flags & STAGE) >> 12;
        self.entries.push(Entry { name: start..self.names.len(), id, mode, stage, is_intended });
        (next <= data.len()).then_some(next)
    }

    /// Reads the extensions. Those whose name begins with a capital may be passed over.
    fn extensions(&mut self, mut rest: &[u8], hash_len: usize) -> Result<Option<Link>, IndexError> {
        let mut link = None;
        while !rest.is_empty() {
            let size = be32(rest, 4).ok_or(IndexError::Damaged)? as usize;
            let data = rest[8..].get(..size).ok_or(IndexError::Damaged)?;
            match &rest[..4] {
                b"TREE" => self.tree = CacheTree::parse(data, hash_len),
                b"link" => link = Link::parse(data, hash_len).ok_or(IndexError::Damaged)?,
                // Announces entries that stand for folders, and holds nothing.
                b"sdir" => {}
                name if name[0].is_ascii_uppercase() => {}
                name => return Err(IndexError::Extension(name.escape_ascii().to_string())),
            }
            rest = &rest[8 + size..];
        }
        Ok(link)
    }
}

/// Reads a number as version 4 writes it, and packs their offsets.
fn varint(data: &[u8], at: &mut usize) -> Option<u64> {
    let mut next = || {
        let byte = *data.get(*at)?;
        *at += 1;
        Some(byte)
    };
    let mut byte = next()?;
    let mut value = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = next()?;
        value = value.checked_add(1)?.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
    }
    Some(value)
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
