//! Files of a working tree: a parallel walk that honours ignore files and never leaves its root.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use ignore::DirEntry;
use ignore::WalkBuilder;
use ignore::WalkState;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::coverage::GapKind;

/// Bytes of a large file that are looked at in one piece.
const WINDOW: usize = 64 << 20;
/// Bytes that two neighbouring pieces share, so that a value at a seam keeps its surroundings.
const OVERLAP: usize = 1 << 20;
/// Files up to this size are looked at whole.
const WHOLE: u64 = 256 << 20;
/// Bytes of one file that are read at most, in case it never ends.
const ENDLESS: u64 = 64 << 30;
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
    /// The bytes of this piece.
    pub bytes: &'a [u8],
    /// Lines before this piece.
    pub lines_before: u32,
}

/// Visits every file under `root`, or `root` itself, in parallel. Paths are relative to `base` where they can be.
/// A file or folder that cannot be read becomes a gap.
///
/// # Errors
/// When `root` itself cannot be read.
pub fn walk<V: FnMut(WorktreeFile<'_>) + Send>(
    root: &Path,
    base: &Path,
    options: &WalkOptions,
    make_visitor: impl Fn() -> V + Sync,
    coverage: &Mutex<Coverage>,
) -> Result<(), WalkError> {
    let metadata = std::fs::metadata(root).map_err(|source| root_error(root, source))?;
    let walk = Walk { root, base: Base::new(root, base), options };
    if !metadata.is_dir() {
        let mut seen = Coverage::default();
        walk.visit_file(root, &mut vec![], &mut make_visitor(), &mut seen);
        merge(coverage, seen);
        return Ok(());
    }
    std::fs::read_dir(root).map_err(|source| root_error(root, source))?;
    let walk = &walk;
    let make_visitor = &make_visitor;
    let stop = AtomicBool::new(false);
    walk.builder().build_parallel().run(|| {
        let mut worker = Worker {
            walk,
            visitor: make_visitor(),
            buffer: vec![],
            seen: Coverage::default(),
            coverage,
        };
        let stop = &stop;
        Box::new(move |entry| {
            if stop.load(Ordering::Relaxed) {
                return WalkState::Quit;
            }
            worker.entry(entry);
            WalkState::Continue
        })
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
}

impl<V: FnMut(WorktreeFile<'_>)> Worker<'_, V> {
    fn entry(&mut self, entry: Result<DirEntry, ignore::Error>) {
        match entry {
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
        self.walk.visit_file(path, &mut self.buffer, &mut self.visitor, &mut self.seen);
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
    options: &'w WalkOptions,
}

impl Walk<'_> {
    fn builder(&self) -> WalkBuilder {
        let mut builder = WalkBuilder::new(self.root);
        let honour = !self.options.include_ignored;
        builder.hidden(false).follow_links(false).threads(self.options.threads);
        builder
            .git_ignore(honour)
            .git_exclude(honour)
            .git_global(honour)
            .ignore(honour)
            .parents(honour);
        builder.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
        builder
    }

    /// Reads one file and hands it to the visitor.
    fn visit_file<V: FnMut(WorktreeFile<'_>)>(
        &self,
        path: &Path,
        buffer: &mut Vec<u8>,
        visitor: &mut V,
        seen: &mut Coverage,
    ) {
        let name = self.base.relative(path);
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
        // Opening a FIFO would wait for a writer, so the kind is asked for first.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            seen.gap(
                GapKind::NotAFile,
                name.to_string(),
                "is a FIFO, socket or device and was not opened",
            );
            return Ok(());
        }
        if self.options.max_blob_size.is_some_and(|limit| metadata.len() > limit) {
            seen.gap(
                GapKind::TooLarge,
                name.to_string(),
                "is larger than --max-blob-size; raise the limit to scan it",
            );
            return Ok(());
        }
        let mut file = File::open(path)?;
        seen.files += 1;
        if metadata.len() > WHOLE {
            return read_pieces(&mut file, name, (buffer, visitor), seen);
        }
        buffer.clear();
        buffer.reserve(usize::try_from(metadata.len()).unwrap_or(0) + 1);
        (&mut file).take(WHOLE).read_to_end(buffer)?;
        seen.file_bytes += buffer.len() as u64;
        visitor(WorktreeFile { path: name.clone(), bytes: buffer, lines_before: 0 });
        Ok(())
    }
}

/// Reads a large file piece by piece; pieces of nothing but zeros (sparse files) are passed over.
fn read_pieces<V: FnMut(WorktreeFile<'_>)>(
    file: &mut File,
    name: &BlobPath,
    (buffer, visitor): (&mut Vec<u8>, &mut V),
    seen: &mut Coverage,
) -> io::Result<()> {
    buffer.clear();
    let mut lines_before = 0_u32;
    let mut total = 0_u64;
    loop {
        let kept = buffer.len();
        let read = file.take((WINDOW - kept) as u64).read_to_end(buffer)?;
        total += read as u64;
        if read == 0 || total > ENDLESS {
            break;
        }
        if buffer.iter().any(|byte| *byte != 0) {
            visitor(WorktreeFile { path: name.clone(), bytes: buffer, lines_before });
        }
        let passed = buffer.len().saturating_sub(OVERLAP);
        let lines = memchr::memchr_iter(b'\n', &buffer[..passed]).count();
        lines_before = lines_before.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        buffer.drain(..passed);
    }
    seen.file_bytes += total;
    if total > ENDLESS {
        seen.gap(
            GapKind::Limit,
            name.to_string(),
            "does not seem to end; what comes after 64 GiB was not read",
        );
    }
    Ok(())
}

/// Turns paths of the walk into paths relative to the base.
struct Base {
    root: PathBuf,
    /// The root relative to the base; empty if it is the base.
    prefix: PathBuf,
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
        Self { root: root.to_owned(), prefix: below().unwrap_or_default() }
    }

    /// The path relative to the base; a file that is its own base keeps its name.
    fn relative(&self, path: &Path) -> BlobPath {
        let relative = self.prefix.join(path.strip_prefix(&self.root).unwrap_or(path));
        if relative.as_os_str().is_empty() {
            return BlobPath::new(&path_bytes(Path::new(
                path.file_name().unwrap_or(path.as_os_str()),
            )));
        }
        // A file as root joins an empty path, which leaves a slash at the end.
        BlobPath::new(path_bytes(&relative).strip_suffix(b"/").unwrap_or(&path_bytes(&relative)))
    }
}

/// A path's bytes with `/` between its parts.
#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().strip_prefix(b"./").unwrap_or(path.as_os_str().as_bytes()).to_vec()
}

/// A path's bytes with `/` between its parts.
#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
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
