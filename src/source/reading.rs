//! Reads the files of a tree one after the other: whole if they are small, else in pieces, and handed on only if the sieve lets
//! them through.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::path::Path;

use memmap2::MmapMut;

use super::open::{Link, check_regular, open, skip_hole};
use super::pieces::{PIECE, Piece, WHOLE, passed};
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::location::Start;
use crate::sieve::{HEAD_BYTES, Sieve, is_zero};
use crate::stop::Stop;

/// Bytes of one file that are read at most, in case it never ends; holes are not read.
const ENDLESS: u64 = 64 << 30;
/// Bytes that are read before a file's size is asked for, since most files end before; the longer ones pass the sieve in
/// pieces of this size, which stay in the processor's cache.
const FIRST: usize = 128 << 10;
/// Files above this size are read into memory of their own, which is given back.
const KEPT_BUFFER: usize = 8 << 20;

/// A file, or one piece of a large one.
pub struct WorktreeFile<'a> {
    /// Path relative to the base of the walk.
    pub path: BlobPath,
    /// What it holds.
    pub text: Piece<'a>,
}

/// What one thread reads with.
pub(super) struct Reader<'r, V> {
    pub(super) sieve: &'r dyn Sieve,
    /// Larger files are left out.
    pub(super) limit: u64,
    pub(super) stop: &'r Stop,
    pub(super) visitor: V,
    pub(super) buffer: Vec<u8>,
    /// What was read, and what was not.
    pub(super) seen: Coverage,
}

impl<V: FnMut(WorktreeFile<'_>)> Reader<'_, V> {
    /// Reads the file at `path`, which reports call `name`, and hands it to the visitor.
    pub(super) fn file(&mut self, path: &Path, link: Link, name: &[u8]) {
        if let Err(error) = self.read(path, link, name) {
            let detail = format!("{error}; give read permission or exclude it");
            self.gap(GapKind::Unreadable, name, detail);
        }
    }

    /// Counts something that was not read.
    pub(super) fn gap(&mut self, kind: GapKind, name: &[u8], detail: impl Into<String>) {
        self.seen.gap(kind, BlobPath::new(name).to_string(), detail);
    }

    fn visit(&mut self, name: &[u8], text: Piece<'_>) {
        (self.visitor)(WorktreeFile { path: BlobPath::new(name), text });
    }

    fn read(&mut self, path: &Path, link: Link, name: &[u8]) -> io::Result<()> {
        let mut file = open(path, link)?;
        self.buffer.resize(FIRST, 0);
        let mut filled = fill(&mut file, &mut self.buffer, 0)?;
        let is_short = filled < FIRST;
        // What is no regular file gives nothing, an error, or no end.
        let size = if is_short && filled > 0 { filled as u64 } else { check_regular(&file)?.len() };
        if size > self.limit {
            let detail = "is larger than --max-blob-size; raise the limit to scan it";
            self.gap(GapKind::TooLarge, name, detail);
            return Ok(());
        }
        self.seen.files += 1;
        let is_opaque = self.sieve.is_opaque(&self.buffer[..filled.min(HEAD_BYTES)]);
        if !is_opaque
            && !self.sieve.may_match(name)
            && let Some(bytes) = self.passed_over(&mut file, filled)?
        {
            self.seen.file_bytes += bytes;
            return Ok(());
        }
        if !is_short {
            file.rewind()?;
            // Archives cannot be read in pieces; of texts a piece is enough in memory.
            let whole = if is_opaque { WHOLE } else { PIECE };
            let length = usize::try_from(size).ok().filter(|size| *size < whole);
            let length = length.map_or(PIECE, |size| size + 1);
            if length > KEPT_BUFFER {
                return self.read_large(&mut file, length, name);
            }
            self.buffer.resize(FIRST.max(length), 0);
            filled = fill(&mut file, &mut self.buffer, 0)?;
        }
        if filled == self.buffer.len() {
            // It grew meanwhile.
            file.rewind()?;
            return self.read_large(&mut file, PIECE, name);
        }
        self.seen.file_bytes += filled as u64;
        let text = Piece::from(&self.buffer[..filled]);
        (self.visitor)(WorktreeFile { path: BlobPath::new(name), text });
        Ok(())
    }

    /// Passes a file through the sieve, beginning with what the buffer holds already; returns its length if there is nothing
    /// to look at.
    fn passed_over(&mut self, file: &mut File, mut filled: usize) -> io::Result<Option<u64>> {
        let buffer = &mut self.buffer;
        let margin = self.sieve.longest_form().min(buffer.len() / 2);
        let mut total = filled as u64;
        let mut holes = 0;
        loop {
            let bytes = &buffer[..filled];
            if self.sieve.may_match(bytes) {
                return Ok(None);
            }
            if filled < buffer.len() {
                return Ok(Some(total + holes));
            }
            if total > ENDLESS || self.stop.is_due() {
                return Ok(None);
            }
            if is_zero(bytes) {
                holes += skip_hole(file)?;
            }
            buffer.copy_within(filled - margin.., 0);
            filled = fill(file, buffer, margin)?;
            total += (filled - margin) as u64;
        }
    }

    /// Reads a large file in pieces of at most `length` bytes; pieces of nothing but zeros (sparse files) are passed over.
    fn read_large(&mut self, file: &mut File, length: usize, name: &[u8]) -> io::Result<()> {
        let mut memory = large_memory(length)?;
        let mut start = Start::default();
        let (mut filled, mut total, mut holes) = (0, 0_u64, 0);
        loop {
            let before = filled;
            filled = fill(file, &mut memory, filled)?;
            total += (filled - before) as u64;
            let bytes = &memory[..filled];
            if is_zero(bytes) {
                holes += skip_hole(file)?;
            } else {
                self.visit(name, Piece { bytes, start });
            }
            if filled < memory.len() {
                break;
            }
            if total > ENDLESS || self.stop.is_due() {
                let read = total >> 20;
                let detail = format!(
                    "is longer than the scan may take; what comes after {read} MiB was not read"
                );
                self.gap(GapKind::Limit, name, detail);
                break;
            }
            let passed = passed(&memory);
            start = start.behind(&memory[..passed]);
            memory.copy_within(passed.., 0);
            filled -= passed;
        }
        self.seen.file_bytes += total + holes;
        Ok(())
    }
}

/// Memory of its own, in large pages where the system has such: nothing is zeroed twice, and few pages fault.
fn large_memory(length: usize) -> io::Result<MmapMut> {
    let memory = MmapMut::map_anon(length)?;
    #[cfg(target_os = "linux")]
    let _or_small_ones = memory.advise(memmap2::Advice::HugePage);
    Ok(memory)
}

/// Reads until the buffer is full or the file ends; returns how much of the buffer is filled.
fn fill(file: &mut File, buffer: &mut [u8], mut filled: usize) -> io::Result<usize> {
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
