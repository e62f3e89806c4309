//! Which files of a tree are left out by its ignore files. They are read here and not by the walk, since a `.gitignore` may be
//! a FIFO, a device, or a link out of the tree: what is no regular file counts as if it were not there, as in git.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::git::exclude_file;
use super::open::{Link, regular};

/// Larger ignore files are not read.
const LIMIT: u64 = 4 << 20;

/// The ignore files of a tree, each read when the first file beside or below it is met.
pub(crate) struct Ignored {
    root: PathBuf,
    real_root: PathBuf,
    levels: RwLock<HashMap<PathBuf, Arc<Level>>>,
    /// The user's own patterns, which count in repositories.
    global: Gitignore,
}

/// A folder with patterns; folders without share the one above.
#[derive(Default)]
struct Level {
    above: Option<Arc<Self>>,
    /// Of `.ignore`, which counts before all others.
    own: Option<Gitignore>,
    /// Of `.gitignore`.
    git: Option<Gitignore>,
    /// Of `.git/info/exclude`.
    exclude: Option<Gitignore>,
    /// Whether it is the top of a repository, above which no `.gitignore` counts.
    is_top: bool,
}

/// What counts for the files of a folder.
pub(crate) struct Folder {
    /// As the walk names it.
    path: PathBuf,
    real: PathBuf,
    level: Arc<Level>,
    is_in_repo: bool,
    has_patterns: bool,
}

impl Ignored {
    /// Reads the ignore files above `root` as far as they belong to its repository.
    pub(crate) fn below(root: &Path) -> Self {
        let real_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut folders: Vec<&Path> = real_root.ancestors().collect();
        let top = folders.iter().position(|folder| is_top(folder));
        folders.truncate(top.unwrap_or(0) + 1);
        let level =
            folders.iter().rev().fold(Arc::default(), |above, folder| level(folder, &above));
        let levels = RwLock::new(HashMap::from([(real_root.clone(), level)]));
        let global = Gitignore::global().0;
        Self { root: root.to_owned(), real_root, levels, global }
    }

    /// Whether the walk leaves a path out. `last` is the folder that the same thread has asked about before: most of a
    /// folder's files are met one after the other.
    pub(crate) fn holds(&self, last: &mut Option<Folder>, path: &Path, is_dir: bool) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let folder = match last {
            Some(folder) if folder.path.as_os_str() == parent.as_os_str() => folder,
            _ => last.insert(self.folder(parent)),
        };
        if !folder.has_patterns {
            return false;
        }
        folder.real.push(name);
        let is_ignored = self.matches(folder, is_dir);
        folder.real.pop();
        is_ignored
    }

    /// Whether the patterns that count for a folder leave out what its path leads to.
    fn matches(&self, folder: &Folder, is_dir: bool) -> bool {
        let (path, level) = (&folder.real, &folder.level);
        level
            .find(|level| level.own.as_ref(), true, path, is_dir)
            .or_else(|| level.find(|level| level.git.as_ref(), false, path, is_dir))
            .or_else(|| level.find(|level| level.exclude.as_ref(), false, path, is_dir))
            .unwrap_or_else(|| folder.is_in_repo && self.global.matched(path, is_dir).is_ignore())
    }

    fn folder(&self, path: &Path) -> Folder {
        let real = self.real_root.join(path.strip_prefix(&self.root).unwrap_or(path));
        let level = self.level(&real);
        let is_in_repo = level.is_in_repo();
        let has_patterns = level.has_patterns() || is_in_repo && !self.global.is_empty();
        Folder { path: path.to_owned(), real, level, is_in_repo, has_patterns }
    }

    fn level(&self, folder: &Path) -> Arc<Level> {
        let known = |folder: &Path| {
            self.levels.read().unwrap_or_else(PoisonError::into_inner).get(folder).cloned()
        };
        // The walk comes from above, so that mostly the folder or the one above it is known.
        let mut unknown = vec![];
        let mut found = None;
        for folder in folder.ancestors() {
            found = known(folder);
            if found.is_some() || folder == self.real_root {
                break;
            }
            unknown.push(folder);
        }
        let mut above = found.unwrap_or_default();
        for folder in unknown.into_iter().rev() {
            above = level(folder, &above);
            let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
            levels.insert(folder.to_owned(), Arc::clone(&above));
        }
        above
    }
}

impl Level {
    /// What the patterns of one kind say, those of the nearest folder first: ignored, kept, or nothing.
    fn find<'l>(
        &'l self,
        kind: impl Fn(&'l Self) -> Option<&'l Gitignore>,
        goes_on: bool,
        path: &Path,
        is_dir: bool,
    ) -> Option<bool> {
        let mut at = Some(self);
        while let Some(level) = at {
            match kind(level).map_or(Match::None, |patterns| patterns.matched(path, is_dir)) {
                Match::None => {}
                Match::Ignore(_) => return Some(true),
                Match::Whitelist(_) => return Some(false),
            }
            at = level.above.as_deref().filter(|_| goes_on || !level.is_top);
        }
        None
    }

    fn has_patterns(&self) -> bool {
        self.own.is_some()
            || self.git.is_some()
            || self.exclude.is_some()
            || self.above.as_ref().is_some_and(|above| above.has_patterns())
    }

    fn is_in_repo(&self) -> bool {
        self.is_top || self.above.as_ref().is_some_and(|above| above.is_in_repo())
    }
}

fn is_top(folder: &Path) -> bool {
    std::fs::metadata(folder.join(".git")).is_ok_and(|git| git.is_dir() || git.is_file())
}

/// The level of a folder; `.gitignore` counts in repositories only.
fn level(folder: &Path, above: &Arc<Level>) -> Arc<Level> {
    let is_top = is_top(folder);
    let own = read(&folder.join(".ignore"), folder);
    let in_repo = is_top || above.is_in_repo();
    let git = in_repo.then(|| read(&folder.join(".gitignore"), folder)).flatten();
    if own.is_none() && git.is_none() && !is_top {
        return Arc::clone(above);
    }
    let exclude = is_top.then(|| exclude_file(folder)).flatten();
    let exclude = exclude.and_then(|path| read(&path, folder));
    Arc::new(Level { above: Some(Arc::clone(above)), own, git, exclude, is_top })
}

/// Reads an ignore file, whose patterns are relative to `folder`. Patterns that are none count for nothing.
fn read(path: &Path, folder: &Path) -> Option<Gitignore> {
    let mut bytes = vec![];
    regular(path, Link::Refuse).ok()?.take(LIMIT + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > LIMIT {
        return None;
    }
    let mut builder = GitignoreBuilder::new(folder);
    let text = String::from_utf8_lossy(&bytes);
    for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
        drop(builder.add_line(None, line));
    }
    builder.build().ok().filter(|patterns| !patterns.is_empty())
}
