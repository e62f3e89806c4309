//! Small file helpers: mapping, and reading with a limit.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// Largest administrative file (refs, reflogs, `alternates`) that is read whole.
pub(crate) const TEXT_LIMIT: u64 = 256 << 20;

/// Files above this size are mapped where that is possible.
const LARGE: u64 = 1 << 20;

/// Maps a whole file.
pub(crate) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    #[expect(unsafe_code, reason = "packs are far larger than what should be copied into memory")]
    // SAFETY: the mapping is read-only and git never changes a pack, index or object in place: it writes new ones and renames
    // them. A file cut short by somebody else during the run raises SIGBUS, as it does in git itself.
    unsafe {
        Mmap::map(&file)
    }
}

/// The bytes of a file of at most `limit` bytes: in memory, or mapped if it is large.
pub(crate) fn content(path: &Path, limit: u64) -> io::Result<Content> {
    let size = std::fs::metadata(path)?.len();
    if size <= LARGE {
        read(path, limit).map(Content::Read)
    } else if size <= limit {
        map(path).map(Content::Mapped)
    } else {
        Err(io::Error::other("larger than the limit"))
    }
}

/// What [`content`] returns.
pub(crate) enum Content {
    Read(Vec<u8>),
    Mapped(Mmap),
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
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = vec![];
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > limit {
        return Err(io::Error::other("larger than the limit"));
    }
    Ok(bytes)
}
