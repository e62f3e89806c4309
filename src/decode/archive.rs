//! Members of archives and compressed files, read within limits; nothing is ever written.

use std::borrow::Cow;
use std::io;
use std::io::Cursor;
use std::io::Read;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::Decoder;
use super::sheet;
use super::sheet::Rows;
use crate::blob::BlobPath;
use crate::coverage::GapKind;

/// Members larger than this are cut off.
const MAX_MEMBER: u64 = 256 << 20;

/// Members up to this size may be compressed at any ratio.
const FREE_OF_RATIO: u64 = 1 << 20;

/// Kinds that are read, told by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Zip,
    Tar,
    Xz,
    Zstd,
    Bzip2,
}

/// The kind of archive that begins like this.
pub(super) fn kind(head: &[u8]) -> Option<Kind> {
    if head.starts_with(b"\x1f\x8b\x08") {
        Some(Kind::Gzip)
    } else if head.starts_with(b"PK\x03\x04") {
        Some(Kind::Zip)
    } else if head.starts_with(b"\xfd7zXZ\0") {
        Some(Kind::Xz)
    } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
        Some(Kind::Zstd)
    } else if matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]) {
        Some(Kind::Bzip2)
    } else if head.get(257..262) == Some(b"ustar") {
        Some(Kind::Tar)
    } else {
        None
    }
}

impl Decoder<'_> {
    /// Looks at every member of an archive; false if it cannot be unpacked whole.
    pub(super) fn archive(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        member: Option<&BlobPath>,
        depth: usize,
    ) -> bool {
        let packed = Some(bytes.len() as u64);
        let read = match kind {
            Kind::Gzip => self.stream(MultiGzDecoder::new(bytes), packed, member, depth),
            Kind::Xz => self.xz(bytes, member, depth),
            Kind::Zstd => match ruzstd::decoding::StreamingDecoder::new(bytes) {
                Ok(stream) => self.stream(stream, packed, member, depth),
                Err(error) => Err(io::Error::other(error)),
            },
            Kind::Bzip2 => self.stream(MultiBzDecoder::new(bytes), packed, member, depth),
            Kind::Tar => self.tar(bytes, member, depth),
            Kind::Zip => self.zip(bytes, member, depth),
        };
        let Err(error) = read else { return true };
        self.gap(GapKind::ArchiveUnreadable, member, &format!("cannot be unpacked whole: {error}"));
        false
    }

    /// Looks at what a compressed stream holds; its only member has no name of its own.
    fn stream(
        &mut self,
        stream: impl Read,
        packed: Option<u64>,
        member: Option<&BlobPath>,
        depth: usize,
    ) -> io::Result<()> {
        let mut content = vec![];
        let read = self.read_member(stream, packed, &mut content, member);
        let name = member.cloned().unwrap_or_else(|| BlobPath::new(b"content"));
        self.document(&content, Some(&name), depth + 1);
        read
    }

    fn xz(&mut self, bytes: &[u8], member: Option<&BlobPath>, depth: usize) -> io::Result<()> {
        let mut content = Limited { bytes: vec![], left: self.left() };
        let read = lzma_rs::xz_decompress(&mut Cursor::new(bytes), &mut content);
        self.expanded += content.bytes.len() as u64;
        let name = member.cloned().unwrap_or_else(|| BlobPath::new(b"content"));
        self.document(&content.bytes, Some(&name), depth + 1);
        read.map_err(|error| io::Error::other(format!("{error:?}")))
    }

    fn tar(&mut self, bytes: &[u8], member: Option<&BlobPath>, depth: usize) -> io::Result<()> {
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path_bytes().into_owned();
            if !self.member((entry, None), (&name, None), member, depth)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn zip(&mut self, bytes: &[u8], member: Option<&BlobPath>, depth: usize) -> io::Result<()> {
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        let mut first_error = None;
        let sheets = self.sheets(&mut archive);
        for at in 0..archive.len() {
            match archive.by_index(at) {
                Ok(file) if file.is_dir() => {}
                Ok(file) => {
                    let name = file.name_raw().to_vec();
                    let packed = Some(file.compressed_size());
                    let sheets = sheets.as_deref().filter(|_| name == sheet::STRINGS.as_bytes());
                    match self.member((file, packed), (&name, sheets), member, depth) {
                        Ok(true) => {}
                        Ok(false) => return Ok(()),
                        Err(error) => first_error = first_error.or(Some(error)),
                    }
                }
                Err(error) => first_error = first_error.or(Some(error.into())),
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Looks at one named member; false if a limit says that no more may be read.
    fn member(
        &mut self,
        (content, packed): (impl Read, Option<u64>),
        (name, sheets): (&[u8], Option<&[Rows]>),
        outer: Option<&BlobPath>,
        depth: usize,
    ) -> io::Result<bool> {
        self.members += 1;
        if self.limits.stop.is_due() {
            self.gap(GapKind::Limit, outer, super::STOPPED);
            return Ok(false);
        }
        if self.members > self.limits.max_members || self.left() == 0 {
            self.gap(
                GapKind::ArchiveLimit,
                outer,
                "holds more than the limit; what comes later was not read",
            );
            return Ok(false);
        }
        let path = outer.map_or_else(|| BlobPath::new(name), |outer| outer.member(name));
        let mut bytes = vec![];
        let read = self.read_member(content, packed, &mut bytes, Some(&path));
        let tables = match sheets {
            Some(sheets) => Rows::tables(sheets, &bytes),
            None => sheet::is_sheet(name)
                .then(|| Rows::inline(&bytes))
                .flatten()
                .map(|table| vec![table]),
        };
        match tables {
            Some(tables) => self.rows(&bytes, tables, Some(&path), depth + 1),
            None => self.document(&bytes, Some(&path), depth + 1),
        }
        read.map(|()| true)
    }

    /// What a workbook's sheets say of its strings; `None` for other archives.
    fn sheets(&mut self, archive: &mut ZipArchive<Cursor<&[u8]>>) -> Option<Vec<Rows>> {
        archive.index_for_name(sheet::STRINGS)?;
        let names = archive.file_names().flatten().filter(|name| sheet::is_sheet(name.as_bytes()));
        let sheets: Vec<String> = names.map(Cow::into_owned).collect();
        let mut rows = vec![];
        let (expanded, mut left) = (self.expanded, sheet::MAX_CELLS);
        for name in sheets {
            // What cannot be read is told of when its turn comes.
            let Ok(file) = archive.by_name(&name) else { continue };
            let mut content = vec![];
            let packed = Some(file.compressed_size());
            if self.limits.stop.is_due() {
                return None;
            }
            if self.read_member(file, packed, &mut content, None).is_ok() {
                rows.push(Rows::new(&content, &mut left));
            }
        }
        // They come once more.
        self.expanded = expanded;
        rows.into_iter().collect()
    }

    /// Reads a stream of `packed` compressed bytes up to what the limits leave.
    fn read_member(
        &mut self,
        stream: impl Read,
        packed: Option<u64>,
        content: &mut Vec<u8>,
        member: Option<&BlobPath>,
    ) -> io::Result<()> {
        let by_ratio = packed.map_or(u64::MAX, |packed| {
            packed.saturating_mul(self.limits.max_ratio).max(FREE_OF_RATIO)
        });
        let left = self.left().min(MAX_MEMBER).min(by_ratio);
        let read = stream.take(left + 1).read_to_end(content);
        if content.len() as u64 > left {
            content.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.gap(
                GapKind::ArchiveLimit,
                member,
                "unpacks to more than the limit; the rest was not read",
            );
        }
        self.expanded += content.len() as u64;
        read.map(|_| ())
    }

    /// Bytes that may still be unpacked.
    fn left(&self) -> u64 {
        self.limits.max_expansion.saturating_sub(self.expanded)
    }
}

/// A buffer that takes no more than it may.
struct Limited {
    bytes: Vec<u8>,
    left: u64,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other("unpacks to more than the limit"));
        }
        self.left -= bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
