//! Reads one pack entry: its header, and its compressed bytes.

use thiserror::Error;

use super::super::object::ObjectKind;
use super::buffer::Buffer;
use super::inflater::Inflater;

/// Largest object that is unpacked. Larger ones become a gap in the coverage.
pub(crate) const OBJECT_LIMIT: u64 = 4 << 30;

/// Deflate cannot shrink by more than this, so a larger claim is a lie.
const DEFLATE_RATIO: u64 = 1032;

/// Why an entry cannot be read.
#[derive(Debug, Error)]
pub(crate) enum EntryError {
    #[error("its entry lies outside of the pack")]
    Outside,
    #[error("its entry header is damaged")]
    Header,
    #[error("it claims {0} bytes, which is more than fits")]
    Size(u64),
    #[error("its compressed bytes are damaged")]
    Deflate,
    #[error("the index has it where another object stands, too")]
    Shared,
    #[error("its delta is damaged")]
    Delta,
    #[error("its delta base is missing")]
    Base,
    #[error("it is not here; run git fsck")]
    Missing,
    #[error("its deltas go round in a circle")]
    Cycle,
    #[error("memory is not enough for its {0} bytes")]
    Memory(u64),
    #[error(
        "its pack unpacks to more than the limit, as a bomb does; --max-expansion raises the limit"
    )]
    Expansion,
    #[error("it cannot be read: {0}")]
    Io(String),
}

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind<'a> {
    /// A whole object.
    Whole(ObjectKind),
    /// A delta against the entry at this offset.
    OffsetDelta(u64),
    /// A delta against the object with this id.
    IdDelta(&'a [u8]),
}

/// A parsed header and the bytes behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: EntryKind<'a>,
    /// Bytes after inflation.
    pub(crate) size: u64,
    /// Compressed bytes; more may follow.
    pub(crate) deflated: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Parses the entry that starts at `offset` and ends at or before `end`.
    pub(crate) fn parse(
        data: &'a [u8],
        offset: u64,
        end: u64,
        hash_len: usize,
    ) -> Result<Self, EntryError> {
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        let (start, end) = range.ok_or(EntryError::Outside)?;
        let bytes = data.get(start..end).ok_or(EntryError::Outside)?;
        let mut at = 0;
        let first = next(bytes, &mut at)?;
        let mut size = u64::from(first & 15);
        let mut shift = 4;
        let mut byte = first;
        while byte & 0x80 != 0 {
            byte = next(bytes, &mut at)?;
            if shift > 57 {
                return Err(EntryError::Header);
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        let kind = match (first >> 4) & 7 {
            1 => EntryKind::Whole(ObjectKind::Commit),
            2 => EntryKind::Whole(ObjectKind::Tree),
            3 => EntryKind::Whole(ObjectKind::Blob),
            4 => EntryKind::Whole(ObjectKind::Tag),
            6 => EntryKind::OffsetDelta(base_offset(bytes, &mut at, offset)?),
            7 => {
                let id = bytes.get(at..at + hash_len).ok_or(EntryError::Header)?;
                at += hash_len;
                EntryKind::IdDelta(id)
            }
            _ => return Err(EntryError::Header),
        };
        Ok(Self { kind, size, deflated: &bytes[at..] })
    }

    /// Inflates the entry into `out`, whose former content is lost.
    pub(crate) fn inflate(
        &self,
        inflater: &mut Inflater,
        out: &mut Buffer,
    ) -> Result<(), EntryError> {
        let compressed = self.deflated.len() as u64;
        if self.size > OBJECT_LIMIT || self.size > compressed.saturating_mul(DEFLATE_RATIO) {
            return Err(EntryError::Size(self.size));
        }
        let size = out.resize(self.size)?;
        match inflater.inflate(self.deflated, out) {
            Ok(written) if written == size => Ok(()),
            _ => Err(EntryError::Deflate),
        }
    }
}

fn next(bytes: &[u8], at: &mut usize) -> Result<u8, EntryError> {
    let byte = *bytes.get(*at).ok_or(EntryError::Header)?;
    *at += 1;
    Ok(byte)
}

/// Reads the distance to the base and returns the base's offset.
fn base_offset(bytes: &[u8], at: &mut usize, offset: u64) -> Result<u64, EntryError> {
    let mut byte = next(bytes, at)?;
    let mut distance = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = next(bytes, at)?;
        distance = distance
            .checked_add(1)
            .and_then(|distance| distance.checked_mul(128))
            .and_then(|distance| distance.checked_add(u64::from(byte & 0x7f)))
            .ok_or(EntryError::Header)?;
    }
    match offset.checked_sub(distance) {
        Some(base) if distance > 0 => Ok(base),
        _ => Err(EntryError::Header),
    }
}
