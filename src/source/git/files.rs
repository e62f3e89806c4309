//! Small file helpers: mapping, and reading with a limit.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use memmap2::Mmap;

/// Largest administrative file (refs, reflogs, `alternates`) that is read whole.
pub(crate) const TEXT_LIMIT: u64 = 256 << 20;

/// Maps a whole file.
pub(crate) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    #[expect(unsafe_code, reason = "packs are far larger than what should be copied into memory")]
    // SAFETY: the mapping is read-only and git never changes a pack or index in place: it writes new ones and renames
    // them. A file cut short by somebody else during the run raises SIGBUS, as it does in git itself.
    unsafe {
        Mmap::map(&file)
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
