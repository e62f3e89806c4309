//! Loose objects: one compressed file each.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use libdeflater::DecompressionError;

use super::files;
use super::object::{ObjectKind, hex_id};
use super::pack::buffer::Buffer;
use super::pack::entry::{EntryError, OBJECT_LIMIT};
use super::pack::inflater::Inflater;
use crate::blob::BlobId;

/// Longest header: `commit `, 20 digits, NUL.
const HEADER: usize = 32;
/// Compressed objects up to this size are inflated without knowing their size.
const SMALL: usize = 64 << 10;
/// Deflate cannot shrink by more than this.
const DEFLATE_RATIO: usize = 1032;

/// Lists the ids of the loose objects below an `objects` folder, sorted.
pub(crate) fn list(objects: &Path, hash_len: usize) -> std::io::Result<Vec<BlobId>> {
    let mut ids = vec![];
    for folder in std::fs::read_dir(objects)? {
        let folder = folder?;
        let Some(prefix) =
            folder.file_name().to_str().filter(|name| name.len() == 2).map(str::to_owned)
        else {
            continue;
        };
        if !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let name = file?.file_name();
            let id = name.to_str().and_then(|rest| hex_id(format!("{prefix}{rest}").as_bytes()));
            ids.extend(id.filter(|id| id.as_bytes().len() == hash_len));
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Where the object with this id is kept below an `objects` folder.
pub(crate) fn path(objects: &Path, id: &BlobId) -> PathBuf {
    let hex = id.to_string();
    objects.join(&hex[..2]).join(&hex[2..])
}

/// Reads a loose object; returns its kind and, in `out`, its bytes.
pub(crate) fn read(
    path: &Path,
    inflater: &mut Inflater,
    out: &mut Buffer,
) -> Result<ObjectKind, EntryError> {
    let compressed =
        files::content(path, OBJECT_LIMIT).map_err(|error| EntryError::Io(error.to_string()))?;
    let (kind, size, header_len) = if compressed.len() <= SMALL {
        if compressed.is_empty() {
            return Err(EntryError::Header);
        }
        inflate_by_guess(&compressed, inflater, out)?;
        header(&out[..out.len().min(HEADER)]).ok_or(EntryError::Header)?
    } else {
        inflate_by_header(&compressed, inflater, out)?
    };
    if size.checked_add(header_len as u64) != Some(out.len() as u64) {
        return Err(EntryError::Deflate);
    }
    out.copy_within(header_len.., 0);
    out.resize(size)?;
    Ok(kind)
}

/// Inflates a small object into a buffer that is made larger until it fits: most fit at once, and setting up the streaming
/// inflater for the header alone would take longer.
fn inflate_by_guess(
    compressed: &[u8],
    inflater: &mut Inflater,
    out: &mut Buffer,
) -> Result<(), EntryError> {
    let most = compressed.len().saturating_mul(DEFLATE_RATIO);
    // Nothing inflates to more; a file may be empty, as a power failure leaves it.
    let mut guess = compressed.len().saturating_mul(4).max(256).min(most);
    loop {
        out.resize(guess as u64)?;
        match inflater.inflate(compressed, out) {
            Ok(written) => {
                out.resize(written as u64)?;
                return Ok(());
            }
            Err(DecompressionError::InsufficientSpace) if guess < most => {
                guess = guess.saturating_mul(4).min(most);
            }
            Err(_) => return Err(EntryError::Deflate),
        }
    }
}

/// Inflates an object whose header is read first, so that the buffer has the right size.
fn inflate_by_header(
    compressed: &[u8],
    inflater: &mut Inflater,
    out: &mut Buffer,
) -> Result<(ObjectKind, u64, usize), EntryError> {
    let mut head = [0; HEADER];
    let mut filled = 0;
    let mut stream = flate2::read::ZlibDecoder::new(compressed);
    while filled < HEADER {
        match stream.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(_) => return Err(EntryError::Deflate),
        }
    }
    let (kind, size, header_len) = header(&head[..filled]).ok_or(EntryError::Header)?;
    let total = size.saturating_add(header_len as u64);
    if size > OBJECT_LIMIT || total > (compressed.len() as u64).saturating_mul(DEFLATE_RATIO as u64)
    {
        return Err(EntryError::Size(size));
    }
    let wanted = out.resize(total)?;
    match inflater.inflate(compressed, out) {
        Ok(written) if written == wanted => Ok((kind, size, header_len)),
        _ => Err(EntryError::Deflate),
    }
}

/// Parses `kind size NUL`.
fn header(head: &[u8]) -> Option<(ObjectKind, u64, usize)> {
    let end = head.iter().position(|&byte| byte == 0)?;
    let text = std::str::from_utf8(&head[..end]).ok()?;
    let (kind, size) = text.split_once(' ')?;
    Some((ObjectKind::from_name(kind.as_bytes())?, size.parse().ok()?, end + 1))
}
