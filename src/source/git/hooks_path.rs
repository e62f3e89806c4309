//! Where git looks for hooks: `core.hooksPath`, or the `hooks` folder of the repository.

use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel};

use super::repo::Repo;

/// The setting that moves hooks elsewhere.
const SETTING: &str = "core.hooksPath";

/// The folder whose hooks git runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksFolder {
    /// The folder; it need not exist.
    pub path: PathBuf,
    /// Whether `core.hooksPath` names it.
    pub is_configured: bool,
}

impl Repo {
    /// The folder whose hooks git runs in this repository. `global` is read in the place of the user's own configuration, as
    /// `GIT_CONFIG_GLOBAL` asks.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn hooks_folder(&self, global: Option<&Path>) -> Result<HooksFolder, git2::Error> {
        let mut config = self.git2()?.config()?;
        if let Some(global) = global {
            config.add_file(global, ConfigLevel::Global, true)?;
        }
        let Some(configured) = hooks_path(&config)? else {
            return Ok(HooksFolder { path: self.common_dir.join("hooks"), is_configured: false });
        };
        let base = self.work_dir.as_ref().unwrap_or(&self.git_dir);
        Ok(HooksFolder { path: base.join(configured), is_configured: true })
    }
}

/// What the user's own configuration, or `file`, says about the folder of hooks.
///
/// # Errors
/// When it cannot be read.
pub fn global_hooks_path(file: &Path) -> Result<Option<PathBuf>, git2::Error> {
    if file.exists() { hooks_path(&Config::open(file)?) } else { Ok(None) }
}

/// Writes, or with `None` takes out, the folder of hooks in a configuration file.
///
/// # Errors
/// When it cannot be written.
pub fn set_global_hooks_path(file: &Path, folder: Option<&str>) -> Result<(), git2::Error> {
    let mut config = Config::open(file)?;
    match folder {
        Some(folder) => config.set_str(SETTING, folder),
        None => config.remove(SETTING),
    }
}

fn hooks_path(config: &Config) -> Result<Option<PathBuf>, git2::Error> {
    match config.get_path(SETTING) {
        Ok(path) if path.as_os_str().is_empty() => Ok(None),
        Ok(path) => Ok(Some(path)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
