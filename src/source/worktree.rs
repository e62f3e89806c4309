//! Files of a working tree: a parallel walk that honours ignore files and never leaves its root.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::FileType;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;

use super::ignored::{Ignored, Listed};
use super::open::Link;
use super::reading::Reader;
pub use super::reading::WorktreeFile;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::sieve::Sieve;
use crate::stop::Stop;

/// Files of one folder that a thread reads before it looks for other work.
const FILES_PER_TASK: usize = 64;

/// How a tree is walked.
#[derive(Clone, Debug, Default)]
pub struct WalkOptions {
    /// Whether files that ignore files exclude are visited.
    pub include_ignored: bool,
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

/// Visits every file under `root`, or `root` itself, with the threads of the current pool. Paths are relative to `base` where
/// they can be. A file or folder that cannot be read becomes a gap. Files that the sieve does not let through are not visited.
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
    let root_error = |source| WalkError::Root { place: root.display().to_string(), source };
    let kind = std::fs::metadata(root).map_err(root_error)?.file_type();
    let make_reader = || Reader {
        sieve,
        limit: options.max_blob_size.unwrap_or(u64::MAX),
        stop: &options.stop,
        visitor: make_visitor(),
        buffer: vec![],
        seen: Coverage::default(),
    };
    let walk = Walk { options, make_reader, idle: Mutex::default() };
    let name = name_below(root, base);
    if kind.is_dir() {
        let ignored = (!options.include_ignored).then(|| Ignored::new(root));
        let folder = Folder { path: root.to_owned(), name: as_folder(name), ignored };
        let entries = folder.list().map_err(root_error)?;
        rayon::scope(|scope| walk.entries(scope, folder, entries));
    } else {
        walk.with_reader(|reader| walk.file(reader, (root, Link::Follow), &name, kind));
    }
    let mut coverage = coverage.lock().unwrap_or_else(PoisonError::into_inner);
    let idle = walk.idle.into_inner().unwrap_or_else(PoisonError::into_inner);
    idle.into_iter().for_each(|reader| coverage.merge(reader.seen));
    Ok(())
}

/// What all threads of a walk share.
struct Walk<'w, V, M> {
    options: &'w WalkOptions,
    make_reader: M,
    /// What no thread reads with just now.
    idle: Mutex<Vec<Reader<'w, V>>>,
}

impl<'w, V: FnMut(WorktreeFile<'_>) + Send, M: Fn() -> Reader<'w, V> + Sync> Walk<'w, V, M> {
    fn with_reader(&self, read: impl FnOnce(&mut Reader<'w, V>)) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = idle().pop();
        let mut reader = reader.unwrap_or_else(&self.make_reader);
        read(&mut reader);
        idle().push(reader);
    }

    fn folder<'s>(&'s self, scope: &Scope<'s>, folder: Folder) {
        if self.options.stop.is_due() {
            return;
        }
        match folder.list() {
            Ok(entries) => self.entries(scope, folder, entries),
            Err(error) => self.unreadable(&folder, &error),
        }
    }

    fn unreadable(&self, folder: &Folder, error: &io::Error) {
        let place = folder.path.display().to_string();
        let detail = format!("{error}; give read permission or exclude it");
        self.with_reader(|reader| reader.seen.gap(GapKind::Unreadable, place, detail));
    }

    /// Hands what lies in a folder to the threads.
    fn entries<'s>(&'s self, scope: &Scope<'s>, mut folder: Folder, entries: Vec<Entry>) {
        let listed = Listed::of(entries.iter().flatten().map(|(name, _)| name.as_os_str()));
        folder.ignored = folder.ignored.map(|ignored| ignored.enter(listed));
        let mut files = vec![];
        for entry in entries {
            let (name, kind) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(&folder, &error);
                    continue;
                }
            };
            let is_ignored = |ignored: &mut Ignored| ignored.holds(&name, kind.is_dir());
            if name == ".git" || folder.ignored.as_mut().is_some_and(is_ignored) {
                continue;
            }
            if kind.is_dir() {
                let below = folder.below(&name);
                scope.spawn(move |scope| self.folder(scope, below));
            } else if !kind.is_symlink() {
                files.push((name, kind));
            }
        }
        let all = Arc::new((folder, files));
        for start in (FILES_PER_TASK..all.1.len()).step_by(FILES_PER_TASK) {
            let all = Arc::clone(&all);
            scope.spawn(move |_| self.files(&all.0, &all.1[start..]));
        }
        self.files(&all.0, &all.1);
    }

    /// Reads the first files of a folder.
    fn files(&self, folder: &Folder, files: &[(OsString, FileType)]) {
        let (mut path, mut name) = (folder.path.join(""), folder.name.clone());
        self.with_reader(|reader| {
            for (file, kind) in files.iter().take(FILES_PER_TASK) {
                if self.options.stop.is_due() {
                    return;
                }
                path.push(file);
                name.extend_from_slice(&path_bytes(Path::new(file)));
                self.file(reader, (&path, Link::Refuse), &name, *kind);
                name.truncate(folder.name.len());
                path.pop();
            }
        });
    }

    fn file(
        &self,
        reader: &mut Reader<'w, V>,
        (path, link): (&Path, Link),
        name: &[u8],
        kind: FileType,
    ) {
        if self.options.exclude.iter().any(|excluded| excluded == path) {
            return;
        }
        if kind.is_file() {
            reader.file(path, link, name);
        } else {
            // Opening a FIFO would wait for a writer.
            let detail = "is a FIFO, socket or device and was not opened";
            reader.gap(GapKind::NotAFile, name, detail);
        }
    }
}

/// A folder that is to be read.
struct Folder {
    path: PathBuf,
    /// Its path relative to the base, with a slash at its end; empty if it is the base.
    name: Vec<u8>,
    /// What its ignore files leave out, unless they are not to count.
    ignored: Option<Ignored>,
}

/// A name in a folder, and what bears it.
type Entry = io::Result<(OsString, FileType)>;

impl Folder {
    fn list(&self) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<std::fs::DirEntry>| {
            entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)))
        };
        Ok(std::fs::read_dir(&self.path)?.map(entry).collect())
    }

    fn below(&self, name: &OsString) -> Self {
        Self {
            path: self.path.join(name),
            name: [&self.name, &*path_bytes(Path::new(name)), b"/"].concat(),
            ignored: self.ignored.as_ref().map(|ignored| ignored.below(name)),
        }
    }
}

/// A walk's root relative to its base; if it is the base, empty for a folder and its name for a file.
fn name_below(root: &Path, base: &Path) -> Vec<u8> {
    let canonical = (root.canonicalize(), base.canonicalize());
    let below = match &canonical {
        (Ok(root), Ok(base)) => root.strip_prefix(base).unwrap_or(Path::new("")),
        _ => Path::new(""),
    };
    let is_named = !below.as_os_str().is_empty() || root.is_dir();
    let below = if is_named { below } else { root.file_name().map_or(root, Path::new) };
    path_bytes(below).into_owned()
}

/// The path with a slash at its end, unless it is empty.
fn as_folder(mut name: Vec<u8>) -> Vec<u8> {
    if !name.is_empty() {
        name.push(b'/');
    }
    name
}

/// A path's bytes with `/` between its parts.
#[cfg(unix)]
fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    Cow::Borrowed(path.as_os_str().as_bytes())
}

/// A path's bytes with `/` between its parts.
#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    Cow::Owned(path.to_string_lossy().replace('\\', "/").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_base_however_the_root_is_written() {
        let here = env!("CARGO_MANIFEST_DIR");
        for (root, base, name) in [
            (".", ".", ""),
            ("./", ".", ""),
            ("src", ".", "src"),
            ("./src", ".", "src"),
            ("src/", ".", "src"),
            ("src", "src", ""),
            ("src/cli/", "src", "cli"),
            (here, ".", ""),
            (".", here, ""),
            ("src/lib.rs", ".", "src/lib.rs"),
            ("src/lib.rs", "src/lib.rs", "lib.rs"),
        ] {
            let below = name_below(Path::new(root), Path::new(base));
            assert_eq!(String::from_utf8_lossy(&below), name, "{root} {base}");
        }
    }
}
