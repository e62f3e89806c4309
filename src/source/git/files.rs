//! Small file helpers: reading with a limit.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Deref;
use std::path::Path;

use super::mapped::Mapped;
use crate::source::open::{Link, regular};

/// Largest administrative file (refs, reflogs, `alternates`) that is read whole.
pub(crate) const TEXT_LIMIT: u64 = 256 << 20;

/// Files above this size are mapped where that is possible.
const LARGE: u64 = 1 << 20;

/// The bytes of a file of at most `limit` bytes: in memory, or mapped if it is large.
pub(crate) fn content(path: &Path, limit: u64) -> io::Result<Content> {
    let size = std::fs::metadata(path)?.len();
    if size <= LARGE {
        read(path, limit).map(Content::Read)
    } else if size <= limit {
        Mapped::open(path).map(Content::Mapped)
    } else {
        Err(io::Error::other("larger than the limit"))
    }
}

/// What [`content`] returns.
pub(crate) enum Content {
    Read(Vec<u8>),
    Mapped(Mapped),
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = regular(path, Link::Follow)?;
    let mut bytes = vec![];
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > limit {
        return Err(io::Error::other("larger than the limit"));
    }
    Ok(bytes)
}

/// Reads at most the last `length` bytes of a file.
pub(crate) fn read_end(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut file = regular(path, Link::Follow)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(length)))?;
    let mut bytes = vec![];
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
