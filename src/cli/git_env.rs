//! What git tells the programs that it calls, in its environment variables.

use std::env;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;

/// The repository that git speaks of, or else the one of the current folder, with the objects of a push that is being received.
pub(crate) fn repo(trust_owner: bool) -> anyhow::Result<Repo> {
    let repo = match path("GIT_DIR") {
        Some(git_dir) => {
            let work_dir = path("GIT_WORK_TREE").or_else(|| Some(PathBuf::from(".")));
            Repo::at(&git_dir, work_dir.filter(|_| !is_bare(&git_dir)))?
        }
        None => discover(Path::new("."), trust_owner)?,
    };
    let mut objects: Vec<PathBuf> = path("GIT_OBJECT_DIRECTORY").into_iter().collect();
    if let Some(alternates) = env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
        objects.extend(env::split_paths(&alternates).filter(|path| !path.as_os_str().is_empty()));
    }
    Ok(repo.with_objects(objects))
}

/// The repository that contains `path`.
pub(crate) fn discover(path: &Path, trust_owner: bool) -> anyhow::Result<Repo> {
    let name = path.display();
    match Repo::discover(path, &OpenOptions { trust_owner })
        .with_context(|| format!("{name}: cannot open the git repository"))?
    {
        Some(repo) => Ok(repo),
        None => bail!("{name}: is not in a git repository; run `git init`, or go to one"),
    }
}

/// The index that git asks its hooks to look at: a temporary one in `git commit -a` and `git commit FILE`.
pub(crate) fn index_file() -> Option<PathBuf> {
    path("GIT_INDEX_FILE")
}

/// The file that takes the place of the user's own configuration.
pub(crate) fn global_config() -> Option<PathBuf> {
    path("GIT_CONFIG_GLOBAL").filter(|path| path.as_path() != Path::new("/dev/null"))
}

/// The user's own configuration file, there or not.
pub(crate) fn user_config() -> anyhow::Result<PathBuf> {
    if let Some(file) = path("GIT_CONFIG_GLOBAL") {
        return Ok(file);
    }
    let home = path("HOME").or_else(|| path("USERPROFILE")).context("HOME is not set")?;
    let (plain, xdg) = (home.join(".gitconfig"), config_home(&home).join("git/config"));
    Ok(if !plain.exists() && xdg.exists() { xdg } else { plain })
}

/// The folder of our own configuration.
pub(crate) fn own_config_folder() -> anyhow::Result<PathBuf> {
    let home = path("HOME").or_else(|| path("USERPROFILE")).context("HOME is not set")?;
    Ok(config_home(&home).join("signleak"))
}

fn config_home(home: &Path) -> PathBuf {
    path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"))
}

/// A variable that holds a path.
fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Whether a git folder has no working tree beside it, as far as its name tells: git calls hooks of a bare repository in it.
fn is_bare(git_dir: &Path) -> bool {
    git_dir == Path::new(".")
}
