//! Files of a working tree: a parallel walk that honours ignore files and never leaves its root.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;

use ignore::DirEntry;
use ignore::WalkBuilder;
use ignore::WalkState;

use super::ignored::{Folder, Ignored};
use super::open::{Link, regular, skip_hole};
use super::pieces::{PIECE, Piece, WHOLE, passed};
use crate::blob::{BlobPath, HEAD_BYTES, Sieve, is_zero};
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::location::line_ends;
use crate::stop::Stop;

/// Bytes of one file that are read at most, in case it never ends; holes are not read.
const ENDLESS: u64 = 64 << 30;
/// Bytes that are read before a file's size is asked for, since most files end before; the longer ones pass the sieve in
/// pieces of this size, which stay in the processor's cache.
const FIRST: usize = 128 << 10;
/// A thread's buffer that grew beyond this is given back.
const KEPT_BUFFER: usize = 8 << 20;

/// How a tree is walked.
#[derive(Clone, Debug, Default)]
pub struct WalkOptions {
    /// Whether files that ignore files exclude are visited.
    pub include_ignored: bool,
    /// Threads; 0 means one per core.
    pub threads: usize,
    /// Files larger than this are left out and counted as gaps; `None` visits all.
    pub max_blob_size: Option<u64>,
    /// Files that are never visited.
    pub exclude: Vec<PathBuf>,
    /// When to leave the rest.
    pub stop: Stop,
}

/// Why a tree cannot be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The root does not exist or cannot be read.
    #[error("{place}: cannot be read; check that it exists and that you may read it")]
    Root {
        /// The root.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A file, or one piece of a large one.
pub struct WorktreeFile<'a> {
    /// Path relative to the base of the walk.
    pub path: BlobPath,
    /// What it holds.
    pub text: Piece<'a>,
}

/// Visits every file under `root`, or `root` itself, in parallel. Paths are relative to `base` where they can be.
/// A file or folder that cannot be read becomes a gap. Large files are visited only if the sieve lets them through.
///
/// # Errors
/// When `root` itself cannot be read.
pub fn walk<V: FnMut(WorktreeFile<'_>) + Send>(
    (root, base): (&Path, &Path),
    sieve: &dyn Sieve,
    options: &WalkOptions,
    make_visitor: impl Fn() -> V + Sync,
    coverage: &Mutex<Coverage>,
) -> Result<(), WalkError> {
    let metadata = std::fs::metadata(root).map_err(|source| root_error(root, source))?;
    let ignored = (!options.include_ignored).then(|| Ignored::below(root));
    let walk = Walk { root, base: Base::new(root, base), sieve, options, ignored };
    if !metadata.is_dir() {
        let mut seen = Coverage::default();
        walk.visit_file(root, metadata.is_file(), (&mut vec![], &mut make_visitor()), &mut seen);
        merge(coverage, seen);
        return Ok(());
    }
    std::fs::read_dir(root).map_err(|source| root_error(root, source))?;
    let walk = &walk;
    let make_visitor = &make_visitor;
    walk.builder().build_parallel().run(|| {
        let mut worker = Worker {
            walk,
            visitor: make_visitor(),
            buffer: vec![],
            seen: Coverage::default(),
            coverage,
            folder: None,
        };
        let stop = &walk.options.stop;
        Box::new(move |entry| if stop.is_due() { WalkState::Quit } else { worker.entry(entry) })
    });
    Ok(())
}

fn root_error(root: &Path, source: io::Error) -> WalkError {
    WalkError::Root { place: root.display().to_string(), source }
}

fn merge(coverage: &Mutex<Coverage>, seen: Coverage) {
    coverage.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(seen);
}

/// One thread of a walk; what it has seen is added to the total when it ends.
struct Worker<'w, V> {
    walk: &'w Walk<'w>,
    visitor: V,
    buffer: Vec<u8>,
    seen: Coverage,
    coverage: &'w Mutex<Coverage>,
    /// The folder of the last entry.
    folder: Option<Folder>,
}

impl<V: FnMut(WorktreeFile<'_>)> Worker<'_, V> {
    fn entry(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        match entry {
            Ok(entry) if self.is_ignored(&entry) => return WalkState::Skip,
            Ok(entry) => self.visit(&entry),
            Err(error) => {
                let (kind, hint) = if is_loop(&error) {
                    (GapKind::Symlink, "the folder links back to one above it")
                } else {
                    (GapKind::Unreadable, "give read permission or exclude it")
                };
                self.seen.gap(kind, place_of(&error), format!("{error}; {hint}"));
            }
        }
        WalkState::Continue
    }

    fn is_ignored(&mut self, entry: &DirEntry) -> bool {
        let Some(ignored) = self.walk.ignored.as_ref().filter(|_| entry.depth() > 0) else {
            return false;
        };
        let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
        ignored.holds(&mut self.folder, entry.path(), is_dir)
    }

    fn visit(&mut self, entry: &DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() || kind.is_symlink() && entry.depth() > 0 {
            return;
        }
        let path = entry.path();
        if self.walk.options.exclude.iter().any(|excluded| excluded == path) {
            return;
        }
        let reading = (&mut self.buffer, &mut self.visitor);
        self.walk.visit_file(path, kind.is_file(), reading, &mut self.seen);
    }
}

impl<V> Drop for Worker<'_, V> {
    fn drop(&mut self) {
        merge(self.coverage, std::mem::take(&mut self.seen));
    }
}

/// What all threads of a walk share.
struct Walk<'w> {
    root: &'w Path,
    base: Base,
    sieve: &'w dyn Sieve,
    options: &'w WalkOptions,
    /// What ignore files leave out, unless they are not to count.
    ignored: Option<Ignored>,
}

impl Walk<'_> {
    fn builder(&self) -> WalkBuilder {
        let mut builder = WalkBuilder::new(self.root);
        builder.standard_filters(false).follow_links(false).threads(self.options.threads);
        builder.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
        builder
    }

    /// Reads one file and hands it to the visitor.
    fn visit_file<V: FnMut(WorktreeFile<'_>)>(
        &self,
        path: &Path,
        is_file: bool,
        (buffer, visitor): (&mut Vec<u8>, &mut V),
        seen: &mut Coverage,
    ) {
        let name = self.base.relative(path);
        // Opening a FIFO would wait for a writer.
        if !is_file && !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            let detail = "is a FIFO, socket or device and was not opened";
            seen.gap(GapKind::NotAFile, name.to_string(), detail);
            return;
        }
        if let Err(error) = self.read_file(path, &name, (buffer, visitor), seen) {
            seen.gap(
                GapKind::Unreadable,
                name.to_string(),
                format!("{error}; give read permission or exclude it"),
            );
        }
        if buffer.capacity() > KEPT_BUFFER {
            *buffer = vec![];
        }
    }

    fn read_file<V: FnMut(WorktreeFile<'_>)>(
        &self,
        path: &Path,
        name: &BlobPath,
        (buffer, visitor): (&mut Vec<u8>, &mut V),
        seen: &mut Coverage,
    ) -> io::Result<()> {
        let limit = self.options.max_blob_size.unwrap_or(u64::MAX);
        let link = if path == self.root { Link::Follow } else { Link::Refuse };
        let mut file = regular(path, link)?;
        buffer.resize(FIRST, 0);
        let mut filled = fill(&mut file, buffer, 0)?;
        let size = if filled < buffer.len() { filled as u64 } else { file.metadata()?.len() };
        if size > limit {
            seen.gap(
                GapKind::TooLarge,
                name.to_string(),
                "is larger than --max-blob-size; raise the limit to scan it",
            );
            return Ok(());
        }
        seen.files += 1;
        if filled == buffer.len() {
            if let Some(bytes) = self.passed_over(&mut file, name, buffer)? {
                seen.file_bytes += bytes;
                return Ok(());
            }
            file.rewind()?;
            // Archives cannot be read in pieces; of texts a piece is enough in memory.
            let is_opaque = self.sieve.is_opaque(&buffer[..HEAD_BYTES]);
            if size > if is_opaque { WHOLE } else { PIECE } as u64 {
                buffer.clear();
                return self.read_pieces(&mut file, name, (buffer, visitor), seen);
            }
            buffer.resize(FIRST.max(usize::try_from(size).unwrap_or(WHOLE)) + 1, 0);
            filled = fill(&mut file, buffer, 0)?;
        }
        while filled == buffer.len() {
            if filled >= WHOLE {
                return self.read_pieces(&mut file, name, (buffer, visitor), seen);
            }
            buffer.resize(2 * filled, 0);
            filled = fill(&mut file, buffer, filled)?;
        }
        seen.file_bytes += filled as u64;
        visitor(WorktreeFile { path: name.clone(), text: Piece::from(&buffer[..filled]) });
        Ok(())
    }

    /// Passes a long file through the sieve, beginning with its first bytes in `buffer`; returns its length if there is
    /// nothing to look at.
    fn passed_over(
        &self,
        file: &mut File,
        name: &BlobPath,
        buffer: &mut [u8],
    ) -> io::Result<Option<u64>> {
        if self.sieve.may_match(name.as_bytes()) || self.sieve.is_opaque(&buffer[..HEAD_BYTES]) {
            return Ok(None);
        }
        let margin = self.sieve.longest_form().min(buffer.len() / 2);
        let mut total = buffer.len() as u64;
        let mut holes = 0;
        let mut filled = buffer.len();
        loop {
            let bytes = &buffer[..filled];
            let is_zero = is_zero(bytes);
            let is_over = total > ENDLESS || self.options.stop.is_due();
            if !is_zero && self.sieve.may_match(bytes) || is_over {
                return Ok(None);
            }
            if filled < buffer.len() {
                return Ok(Some(total + holes));
            }
            if is_zero {
                holes += skip_hole(file)?;
            }
            buffer.copy_within(filled - margin.., 0);
            filled = fill(file, buffer, margin)?;
            total += (filled - margin) as u64;
        }
    }

    /// Reads a large file piece by piece, beginning with what the buffer holds already; pieces of nothing but zeros (sparse
    /// files) are passed over.
    fn read_pieces<V: FnMut(WorktreeFile<'_>)>(
        &self,
        file: &mut File,
        name: &BlobPath,
        (buffer, visitor): (&mut Vec<u8>, &mut V),
        seen: &mut Coverage,
    ) -> io::Result<()> {
        let mut lines_before = 0_u32;
        let mut total = buffer.len() as u64;
        let mut holes = 0;
        loop {
            let wanted = PIECE.saturating_sub(buffer.len()) as u64;
            let read = file.take(wanted).read_to_end(buffer)? as u64;
            total += read;
            if is_zero(buffer) {
                holes += skip_hole(file)?;
            } else {
                let text = Piece { bytes: buffer, lines_before };
                visitor(WorktreeFile { path: name.clone(), text });
            }
            if read < wanted {
                break;
            }
            if total > ENDLESS || self.options.stop.is_due() {
                let detail = "is longer than the scan may take; what comes after {} was not read";
                let detail = detail.replace("{}", &format!("{} MiB", total >> 20));
                seen.gap(GapKind::Limit, name.to_string(), detail);
                break;
            }
            let passed = passed(buffer);
            lines_before = lines_before.saturating_add(line_ends(&buffer[..passed]));
            buffer.drain(..passed);
        }
        seen.file_bytes += total + holes;
        Ok(())
    }
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

/// Turns paths of the walk into paths relative to the base.
struct Base {
    /// The root's bytes, as the walk's paths begin.
    root: Vec<u8>,
    /// The root relative to the base, with a slash at its end; empty if it is the base.
    prefix: Vec<u8>,
}

impl Base {
    fn new(root: &Path, base: &Path) -> Self {
        let below = || {
            root.canonicalize()
                .ok()?
                .strip_prefix(base.canonicalize().ok()?)
                .ok()
                .map(Path::to_owned)
        };
        let mut prefix = path_bytes(&below().unwrap_or_default()).into_owned();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        // The paths below `.` lose its mark, too.
        let root = path_bytes(root).into_owned();
        Self { root: if root == b"." { vec![] } else { root }, prefix }
    }

    /// The path relative to the base; a file that is its own base keeps its name.
    fn relative(&self, path: &Path) -> BlobPath {
        let bytes = path_bytes(path);
        let below = bytes.strip_prefix(self.root.as_slice()).unwrap_or(&bytes);
        let relative = [self.prefix.as_slice(), below.strip_prefix(b"/").unwrap_or(below)].concat();
        match relative.strip_suffix(b"/").unwrap_or(&relative) {
            b"" => {
                BlobPath::new(&path_bytes(Path::new(path.file_name().unwrap_or(path.as_os_str()))))
            }
            relative => BlobPath::new(relative),
        }
    }
}

/// A path's bytes with `/` between its parts.
#[cfg(unix)]
fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    Cow::Borrowed(bytes.strip_prefix(b"./").unwrap_or(bytes))
}

/// A path's bytes with `/` between its parts.
#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    Cow::Owned(path.to_string_lossy().replace('\\', "/").into_bytes())
}

fn is_loop(error: &ignore::Error) -> bool {
    match error {
        ignore::Error::Loop { .. } => true,
        ignore::Error::WithPath { err, .. } | ignore::Error::WithDepth { err, .. } => is_loop(err),
        _ => false,
    }
}

/// The path an error is about.
fn place_of(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => path.display().to_string(),
        ignore::Error::WithDepth { err, .. } => place_of(err),
        ignore::Error::Loop { child, .. } => child.display().to_string(),
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_base_however_the_root_is_written() {
        let relative = |root: &str, base: &str, path: &Path| {
            Base::new(Path::new(root), Path::new(base)).relative(path).to_string()
        };
        for (root, base, shown) in [
            (".", ".", ".env"),
            ("./", ".", ".env"),
            ("src", ".", "src/.env"),
            ("./src", ".", "src/.env"),
            ("src/", ".", "src/.env"),
            ("src", "src", ".env"),
            ("src/cli/", "src", "cli/.env"),
            (env!("CARGO_MANIFEST_DIR"), ".", ".env"),
            (".", env!("CARGO_MANIFEST_DIR"), ".env"),
        ] {
            assert_eq!(relative(root, base, &Path::new(root).join(".env")), shown, "{root} {base}");
        }
        for (root, base, shown) in
            [("src/lib.rs", ".", "src/lib.rs"), ("src/lib.rs", "src/lib.rs", "lib.rs")]
        {
            assert_eq!(relative(root, base, Path::new(root)), shown, "{root} {base}");
        }
    }
}
