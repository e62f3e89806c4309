//! Opens files that somebody else may replace at any time.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

/// What is done about a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The file that it names is opened.
    Follow,
    /// It is refused, since it may have taken the place of a file that was there a moment ago.
    Refuse,
}

/// Opens a regular file, and nothing else: a device may never end. The look comes after the opening, so that nothing can
/// change in between.
pub(crate) fn regular(path: &Path, link: Link) -> io::Result<File> {
    let file = open(path, link)?;
    check_regular(&file)?;
    Ok(file)
}

/// What is known of a file, if it is a regular one.
pub(crate) fn check_regular(file: &File) -> io::Result<Metadata> {
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok(metadata) } else { Err(io::Error::other("not a regular file")) }
}

/// Opens a file to read; a FIFO gives nothing instead of waiting for a writer for ever.
pub(crate) fn open(path: &Path, link: Link) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let refuse = if link == Link::Refuse { libc::O_NOFOLLOW } else { 0 };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | refuse);
    }
    #[cfg(not(unix))]
    let _has_no_counterpart = link;
    options.open(path)
}

/// Goes on to where a file holds bytes again, or to its end; returns how many bytes, all of them zero, were passed over.
/// Where the system cannot tell, it stays.
pub(crate) fn skip_hole(file: &mut File) -> io::Result<u64> {
    let from = file.stream_position()?;
    let data = data_from(file, from).unwrap_or(from).max(from);
    file.seek(SeekFrom::Start(data))?;
    Ok(data - from)
}

#[cfg(target_os = "linux")]
fn data_from(file: &File, from: u64) -> Option<u64> {
    use std::os::fd::AsRawFd as _;
    let from = libc::off64_t::try_from(from).ok()?;
    #[expect(unsafe_code, reason = "the standard library knows no holes")]
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and no memory is handed over.
    let data = unsafe { libc::lseek64(file.as_raw_fd(), from, libc::SEEK_DATA) };
    let is_over = || io::Error::last_os_error().raw_os_error() == Some(libc::ENXIO);
    match u64::try_from(data) {
        Ok(data) => Some(data),
        Err(_) if is_over() => file.metadata().ok().map(|metadata| metadata.len()),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn data_from(_file: &File, _from: u64) -> Option<u64> {
    None
}
