//! Where a hook goes, and what stands there now.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use signleak::report::escape;
use signleak::source::git::Repo;
use signleak::source::git::global_hooks_path;

use super::super::git_env;
use super::super::input;
use super::script;

/// Hook scripts larger than this are somebody's program and not a script.
const MAX_SCRIPT: u64 = 1 << 20;

/// A folder of hooks.
pub(super) struct Place {
    /// The folder to which scripts are written.
    pub(super) folder: PathBuf,
    /// The folder in which git looks, if husky puts its own between.
    pub(super) entry: Option<PathBuf>,
    /// Whether others share the scripts, through the repository.
    pub(super) is_shared: bool,
    /// Whether it is the folder that we made for every repository of the user.
    pub(super) is_global: bool,
    /// The repository's own folder, if `core.hooksPath` names another.
    pub(super) shadowed: Option<PathBuf>,
}

impl Place {
    /// The folder whose hooks git runs in `repo`.
    pub(super) fn of(repo: &Repo) -> anyhow::Result<Self> {
        let hooks = repo
            .hooks_folder(git_env::global_config().as_deref())
            .context("cannot read the git configuration; `git config --list` tells more")?;
        let husky = hooks.path.file_name().is_some_and(|name| name == "_")
            && hooks.path.parent().and_then(Path::file_name).is_some_and(|name| name == ".husky");
        let folder = match hooks.path.parent() {
            Some(above) if husky => above.to_owned(),
            _ => hooks.path.clone(),
        };
        Ok(Self {
            is_shared: repo.work_dir().is_some_and(|work_dir| {
                is_below(&folder, work_dir) && !is_below(&folder, repo.common_dir())
            }),
            is_global: folder == own_global()?,
            entry: husky.then(|| hooks.path.clone()),
            shadowed: hooks.is_configured.then(|| repo.common_dir().join("hooks")),
            folder,
        })
    }

    /// The folder for all repositories of this user: the one that is configured, or ours.
    pub(super) fn global() -> anyhow::Result<Self> {
        let folder = match global_folder()? {
            Some(folder) => folder,
            None => own_global()?,
        };
        let is_global = folder == own_global()?;
        Ok(Self { folder, entry: None, is_shared: false, is_global, shadowed: None })
    }

    /// The script of a hook.
    pub(super) fn file(&self, hook: &str) -> PathBuf {
        self.folder.join(hook)
    }

    /// What stands at the place of a hook.
    pub(super) fn state(&self, hook: &str) -> State {
        let file = self.file(hook);
        let Ok(bytes) = input::read_capped(&file, MAX_SCRIPT) else {
            return if file.exists() { State::Foreign } else { State::Missing };
        };
        let Ok(text) = String::from_utf8(bytes) else { return State::Foreign };
        let runs = match &self.entry {
            Some(entry) => entry.join(hook).exists(),
            None => is_executable(&file),
        };
        if !script::is_ours(&text) && !script::has_block(&text) {
            let calls_us = text.contains("signleak ");
            return if calls_us && runs { State::CallsUs } else { State::Foreign };
        }
        match script::program_of(&text) {
            _ if !runs => State::NotRun,
            Some(program) if !Path::new(&program).exists() => State::ProgramGone(program),
            _ => State::Ours,
        }
    }
}

/// What stands at the place of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    Missing,
    /// Ours, and it runs.
    Ours,
    /// Ours, but the program that it names is not there.
    ProgramGone(String),
    /// Ours, but git does not run it.
    NotRun,
    /// Somebody else's, which calls us.
    CallsUs,
    /// Somebody else's.
    Foreign,
}

impl State {
    /// What it is, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Missing => "not installed".to_owned(),
            Self::Ours => "installed".to_owned(),
            Self::CallsUs => "somebody else's, which calls signleak".to_owned(),
            Self::Foreign => "somebody else's, which does not call signleak".to_owned(),
            Self::NotRun => {
                "ours, but git does not run it: it is not executable, or husky is not set up"
                    .to_owned()
            }
            Self::ProgramGone(program) => {
                format!(
                    "ours, but {} is gone: run `signleak hook install` again",
                    escape::terminal(program)
                )
            }
        }
    }

    /// Whether git reaches us through it.
    pub(super) fn protects(&self) -> bool {
        matches!(self, Self::Ours | Self::CallsUs)
    }
}

/// The folder that we make for all repositories of the user.
pub(super) fn own_global() -> anyhow::Result<PathBuf> {
    Ok(git_env::own_config_folder()?.join("hooks"))
}

/// The folder that the user's configuration names for all repositories.
fn global_folder() -> anyhow::Result<Option<PathBuf>> {
    let file = git_env::user_config()?;
    global_hooks_path(&file).with_context(|| {
        format!("cannot read {}; repair it with `git config --global --edit`", file.display())
    })
}

/// Whether `path`, which need not exist, lies below `folder`.
fn is_below(path: &Path, folder: &Path) -> bool {
    let real = path.ancestors().find_map(|part| {
        let rest = path.strip_prefix(part).ok()?;
        Some(part.canonicalize().ok()?.join(rest))
    });
    real.zip(folder.canonicalize().ok()).is_some_and(|(path, folder)| path.starts_with(folder))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.exists()
}
