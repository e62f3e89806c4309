//! Reading small files and standard input, never more than a limit.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_capped(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_stream_capped(File::open(path)?, limit)
}

/// Reads a stream of at most `limit` bytes.
pub(crate) fn read_stream_capped(stream: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    stream.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("is larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}
