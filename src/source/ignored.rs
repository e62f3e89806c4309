//! Which files of a tree are left out by its ignore files. They are read here and not by the walk, since a `.gitignore` may be
//! a FIFO, a device, or a link out of the tree: what is no regular file counts as if it were not there, as in git.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::git::exclude_file;
use super::open::{Link, regular};

/// Larger ignore files are not read.
const LIMIT: u64 = 4 << 20;

/// What the ignore files of a tree leave out in one of its folders.
#[derive(Clone)]
pub(crate) struct Ignored {
    /// The folder, as patterns are compared with it.
    real: PathBuf,
    level: Arc<Level>,
    /// The user's own patterns, which count in repositories.
    global: Arc<Gitignore>,
    is_in_repo: bool,
    has_patterns: bool,
}

/// Which of the names that matter here stand in a folder.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    dot_git: bool,
    dot_gitignore: bool,
    dot_ignore: bool,
}

impl Listed {
    const ANY: Self = Self { dot_git: true, dot_gitignore: true, dot_ignore: true };

    /// Looks for them among all names of a folder.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n OsStr>) -> Self {
        let mut listed = Self::default();
        for name in names {
            // Some file systems find a name in any letter case.
            listed.dot_git |= name.eq_ignore_ascii_case(".git");
            listed.dot_gitignore |= name.eq_ignore_ascii_case(".gitignore");
            listed.dot_ignore |= name.eq_ignore_ascii_case(".ignore");
        }
        listed
    }
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

impl Ignored {
    /// Reads the ignore files above `root` as far as they belong to its repository.
    pub(crate) fn new(root: &Path) -> Self {
        let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut folders: Vec<&Path> = real.ancestors().collect();
        let top = folders.iter().position(|folder| is_top(folder));
        folders.truncate(top.map_or(1, |top| top + 1));
        let above = folders[1..].iter().rev();
        let level = above.fold(Arc::default(), |above, folder| level(folder, &above, Listed::ANY));
        let global = Arc::new(Gitignore::global().0);
        Self { real, level, global, is_in_repo: false, has_patterns: false }.reckoned()
    }

    /// What counts in a folder of this one as far as it is known here.
    pub(crate) fn below(&self, name: &OsStr) -> Self {
        let mut below = self.clone();
        below.real.push(name);
        below
    }

    /// Reads the ignore files of the folder itself.
    pub(crate) fn enter(self, listed: Listed) -> Self {
        if listed == Listed::default() {
            return self;
        }
        let level = level(&self.real, &self.level, listed);
        Self { level, ..self }.reckoned()
    }

    fn reckoned(self) -> Self {
        let is_in_repo = self.level.is_in_repo();
        let has_patterns = self.level.has_patterns() || is_in_repo && !self.global.is_empty();
        Self { is_in_repo, has_patterns, ..self }
    }

    /// Whether something in the folder is left out.
    pub(crate) fn holds(&mut self, name: &OsStr, is_dir: bool) -> bool {
        if !self.has_patterns {
            return false;
        }
        self.real.push(name);
        let is_ignored = self.matches(is_dir);
        self.real.pop();
        is_ignored
    }

    /// Whether the patterns leave out what the path leads to.
    fn matches(&self, is_dir: bool) -> bool {
        let (path, level) = (&self.real, &self.level);
        level
            .find(|level| level.own.as_ref(), true, path, is_dir)
            .or_else(|| level.find(|level| level.git.as_ref(), false, path, is_dir))
            .or_else(|| level.find(|level| level.exclude.as_ref(), false, path, is_dir))
            .unwrap_or_else(|| self.is_in_repo && self.global.matched(path, is_dir).is_ignore())
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
fn level(folder: &Path, above: &Arc<Level>, listed: Listed) -> Arc<Level> {
    let is_top = listed.dot_git && is_top(folder);
    let own = listed.dot_ignore.then(|| read(&folder.join(".ignore"), folder)).flatten();
    let has_git = listed.dot_gitignore && (is_top || above.is_in_repo());
    let git = has_git.then(|| read(&folder.join(".gitignore"), folder)).flatten();
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
