//! Bytes of one object. Huge ones stand in a mapped file without a name, so that the system can take their memory back.

use std::fs::File;
use std::io::Read as _;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use super::entry::EntryError;

/// Objects above this size stand in a file. A fuzzer shall get there more often than once in a second.
pub(crate) const HUGE: usize = if cfg!(feature = "fuzzing") { 32 << 10 } else { 32 << 20 };

/// A byte buffer that is filled anew again and again.
#[derive(Debug)]
pub(crate) enum Buffer {
    /// In memory, with the number of bytes in use.
    Small(Vec<u8>, usize),
    /// In a file, likewise.
    Huge(MmapMut, usize),
}

impl Buffer {
    /// Makes it exactly `size` bytes long without zeroing what it already holds.
    pub(crate) fn resize(&mut self, size: u64) -> Result<usize, EntryError> {
        let wanted = usize::try_from(size).map_err(|_| EntryError::Size(size))?;
        match self {
            Self::Huge(map, used) if wanted > HUGE && map.len() >= wanted => *used = wanted,
            _ if wanted > HUGE => {
                *self = map(wanted).map_or_else(Self::default, |map| Self::Huge(map, wanted));
            }
            Self::Huge(..) => *self = Self::default(),
            Self::Small(..) => {}
        }
        if let Self::Small(bytes, used) = self {
            if wanted > bytes.len() {
                let more = wanted - bytes.len();
                bytes.try_reserve_exact(more).map_err(|_| EntryError::Memory(size))?;
                bytes.resize(wanted, 0);
            }
            *used = wanted;
        }
        Ok(wanted)
    }

    /// Bytes of memory that it holds on to.
    pub(crate) fn capacity(&self) -> usize {
        match self {
            Self::Small(bytes, _) => bytes.capacity(),
            Self::Huge(map, _) => map.len(),
        }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::Small(vec![], 0)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Small(bytes, used) => &bytes[..*used],
            Self::Huge(map, used) => &map[..*used],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Small(bytes, used) => &mut bytes[..*used],
            Self::Huge(map, used) => &mut map[..*used],
        }
    }
}

/// Maps a file that nobody else can open. `None` where there is no room for it: then memory has to do.
fn map(size: usize) -> Option<MmapMut> {
    let mut file = tempfile::tempfile().ok()?;
    reserve(&mut file, size as u64).ok()?;
    #[expect(unsafe_code, reason = "a huge object shall not have to stay in memory")]
    // SAFETY: the file has no name, so nobody else changes or shortens it.
    unsafe { MmapMut::map_mut(&file) }.ok()
}

/// Gives a file its length and its room on the disk, so that a full disk is an error here and not a signal later.
fn reserve(file: &mut File, size: u64) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let length = libc::off64_t::try_from(size).map_err(std::io::Error::other)?;
        #[expect(
            unsafe_code,
            reason = "the standard library can only write zeros, which takes as long again"
        )]
        // SAFETY: the descriptor is open for as long as `file` is borrowed, and no memory is handed over.
        let done = unsafe { libc::fallocate64(file.as_raw_fd(), 0, 0, length) };
        if done == 0 {
            return Ok(());
        }
    }
    // Not every file system can.
    std::io::copy(&mut std::io::repeat(0).take(size), file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_and_shrinks_over_the_limit_and_back() {
        let mut buffer = Buffer::default();
        for size in [10, HUGE + 1, HUGE + 7, HUGE + 3, 5, 2 * HUGE, 0] {
            buffer.resize(size as u64).expect("there is room");
            assert_eq!(buffer.len(), size);
            assert_eq!(matches!(buffer, Buffer::Huge(..)), size > HUGE);
            buffer.fill(7);
        }
    }
}
