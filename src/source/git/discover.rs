//! Finds the repository that holds a folder, as git does, but trusts only its shape: `core.worktree` and `core.bare` move
//! and hide no files.

use std::path::{Path, PathBuf};

use super::files;

/// A git folder and what it belongs to.
pub(crate) struct Found {
    pub(crate) git_dir: PathBuf,
    /// The folder beside it; none if the git folder stands alone.
    pub(crate) work_dir: Option<PathBuf>,
}

/// Looks in a folder and in those above it; what only looks like a git folder is passed over.
pub(crate) fn find(start: &Path) -> Option<Found> {
    let start = start.canonicalize().ok()?;
    for folder in start.ancestors() {
        let dot_git = folder.join(".git");
        if is_git_dir(&dot_git) {
            return Some(Found { git_dir: dot_git, work_dir: Some(folder.to_owned()) });
        }
        if let Ok(text) = files::read(&dot_git, 4096) {
            let text = String::from_utf8_lossy(&text).into_owned();
            let git_dir = folder.join(text.strip_prefix("gitdir:")?.trim());
            let work_dir = Some(folder.to_owned());
            return is_git_dir(&git_dir).then_some(Found { git_dir, work_dir });
        }
        if is_git_dir(folder) {
            let work_dir = folder.parent().filter(|_| folder.ends_with(".git"));
            return Some(Found {
                git_dir: folder.to_owned(),
                work_dir: work_dir.map(Path::to_owned),
            });
        }
    }
    None
}

/// Whether a folder has the shape of a git folder.
pub(crate) fn is_git_dir(path: &Path) -> bool {
    path.join("HEAD").is_file()
        && (path.join("objects").is_dir() || path.join("commondir").is_file())
}

/// The patterns that the repository of a folder keeps to itself.
pub(crate) fn exclude_file(folder: &Path) -> Option<PathBuf> {
    let git_dir = find(folder)?.git_dir;
    Some(common_dir(&git_dir).join("info/exclude"))
}

/// The folder that a git folder shares with linked worktrees; mostly itself.
pub(crate) fn common_dir(git_dir: &Path) -> PathBuf {
    match files::read(&git_dir.join("commondir"), 4096) {
        Ok(text) => git_dir.join(String::from_utf8_lossy(&text).trim()),
        Err(_) => git_dir.to_owned(),
    }
}

/// Whether a repository is our own, or the user's configuration names it in `safe.directory`.
pub(crate) fn is_trusted(found: &Found) -> bool {
    let is_own = is_own(&found.git_dir)
        && is_own(&common_dir(&found.git_dir))
        && found.work_dir.as_deref().is_none_or(is_own);
    is_own || is_safe(found.work_dir.as_ref().unwrap_or(&found.git_dir))
}

/// Whether a folder of objects that a repository borrows is our own, the system's, or that of a repository called safe.
pub(crate) fn may_lend(objects: &Path) -> bool {
    // `objects`, the git folder, and the folder that this is in.
    is_own(objects) || owner(objects) == Some(0) || objects.ancestors().take(3).any(is_safe)
}

#[cfg(unix)]
fn is_own(path: &Path) -> bool {
    #[expect(unsafe_code, reason = "the standard library does not tell who we are")]
    // SAFETY: `geteuid` has no conditions and cannot fail.
    let own = unsafe { libc::geteuid() };
    owner(path) == Some(own)
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

/// Elsewhere git2 knows how to ask.
#[cfg(not(unix))]
fn is_own(path: &Path) -> bool {
    let opened = git2::Repository::open(path);
    !opened.is_err_and(|error| error.code() == git2::ErrorCode::Owner)
}

#[cfg(not(unix))]
fn owner(_: &Path) -> Option<u32> {
    None
}

/// Whether the user's own configuration, never the repository's, calls the folder safe. An empty value takes back all
/// before it.
fn is_safe(folder: &Path) -> bool {
    let Ok(config) = git2::Config::open_default() else { return false };
    let Ok(mut values) = config.multivar("safe.directory", None) else { return false };
    let mut is_safe = false;
    while let Some(value) = values.next() {
        let value =
            value.ok().map(|entry| String::from_utf8_lossy(entry.value_bytes()).into_owned());
        let Some(value) = value else { continue };
        is_safe = match value.as_str() {
            "" => false,
            "*" => true,
            named => match named.strip_suffix("/*") {
                Some(above) => is_safe || folder.starts_with(above) && folder != Path::new(above),
                None => is_safe || folder == Path::new(named.trim_end_matches('/')),
            },
        };
    }
    is_safe
}
