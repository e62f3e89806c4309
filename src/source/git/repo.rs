//! Opens a repository. Objects, refs, reflogs and configuration are read by our own code, so that formats git2 does not know
//! (SHA-256) are scanned too, and nothing that a repository names elsewhere is read.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::config::Config;
use super::discover;
use super::files;
use super::object::{ObjectKind, hex_id, message_text};
use super::pack::Reader;
use super::store::Store;
use crate::blob::BlobId;
use crate::coverage::Coverage;

/// Why a repository cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody else owns it, as with git's `safe.directory`.
    #[error(
        "{path} belongs to another user; its configuration is not trusted (pass trust_owner, or own it)"
    )]
    Owner {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// It is damaged or uses an unknown format.
    #[error("{path} cannot be opened as a git repository: {message}")]
    Broken {
        /// The path that was asked for.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Refs are kept in a way this program cannot read.
    #[error("{path} keeps its refs in the format `{format}`, which is not supported")]
    RefFormat {
        /// The path that was asked for.
        path: PathBuf,
        /// Name of the format.
        format: String,
    },
}

/// How a repository is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Opens also what another user owns. Nothing of a repository is ever executed, so this is safe for scanning.
    pub trust_owner: bool,
}

/// A git repository: normal, bare or mirror, linked worktree or submodule.
#[derive(Clone, Debug)]
pub struct Repo {
    pub(crate) git_dir: PathBuf,
    pub(crate) common_dir: PathBuf,
    pub(crate) work_dir: Option<PathBuf>,
    pub(crate) hash_len: usize,
    /// Whether objects may be missing because a remote promised them.
    pub(crate) is_partial: bool,
    /// Whether folders of other users are read, too.
    pub(crate) trust_owner: bool,
    /// Object folders beside its own, such as the quarantine of a push that is being received.
    pub(crate) more_objects: Vec<PathBuf>,
    /// Where it stands in the repository that was asked for, with a slash at the end; empty if it is that one.
    pub(crate) prefix: Vec<u8>,
}

impl Repo {
    /// Finds the repository that contains `path`; `None` if there is none.
    ///
    /// # Errors
    /// The repository is there but cannot be used; see [`OpenError`].
    pub fn discover(path: &Path, options: &OpenOptions) -> Result<Option<Self>, OpenError> {
        let start = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        let Some(found) = discover::find(start) else { return Ok(None) };
        if !options.trust_owner && !discover::is_trusted(&found) {
            return Err(OpenError::Owner { path: path.to_owned() });
        }
        let repo = Self::open(path, found.git_dir, found.work_dir)?;
        Ok(Some(Self { trust_owner: options.trust_owner, ..repo }))
    }

    /// Opens the repository whose git folder is already known, as git tells its hooks.
    ///
    /// # Errors
    /// There is none, or it cannot be used; see [`OpenError`].
    pub fn at(git_dir: &Path, work_dir: Option<PathBuf>) -> Result<Self, OpenError> {
        Self::open(git_dir, git_dir.to_owned(), work_dir)
    }

    /// Reads objects from these folders, too.
    #[must_use]
    pub fn with_objects(mut self, folders: Vec<PathBuf>) -> Self {
        self.more_objects = folders;
        self
    }

    /// The root of the working tree; a bare repository has none.
    #[must_use]
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// The `.git` folder; for a linked worktree its own part of it.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The folder that holds the objects and refs; equal to the git folder except in a linked worktree.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The repository's own configuration.
    pub(crate) fn config(&self) -> Config {
        Config::read(&self.common_dir.join("config")).unwrap_or_default()
    }

    /// The repository as git2 sees it. Opened bare, so that git2 does not ask once more whose it is.
    pub(crate) fn git2(&self) -> Result<git2::Repository, git2::Error> {
        // git2 reads what the configuration includes, and would wait at a FIFO for ever.
        let included = self.config().includes(&self.common_dir);
        if let Some(path) = included.iter().find(|path| path.exists() && !path.is_file()) {
            let message = format!("its configuration includes {}, no file", path.display());
            return Err(git2::Error::from_str(&message));
        }
        let git = git2::Repository::open_bare(&self.git_dir)?;
        for objects in &self.more_objects {
            git.odb()?.add_disk_alternate(&objects.to_string_lossy())?;
        }
        Ok(git)
    }

    /// Reads one object again: a blob's bytes, or of a commit or tag the text that is scanned.
    #[must_use]
    pub fn read_text(&self, id: &BlobId) -> Option<Vec<u8>> {
        let store = Store::of(self, &mut Coverage::default());
        let object = store.read(id, &mut Reader::new())?.ok()?;
        Some(match object.kind {
            ObjectKind::Commit | ObjectKind::Tag => message_text(&object.bytes),
            ObjectKind::Blob | ObjectKind::Tree => object.bytes.to_vec(),
        })
    }

    /// The commits whose parents a shallow clone left out, sorted.
    pub(crate) fn shallow_ends(&self) -> Vec<BlobId> {
        let text = files::read(&self.common_dir.join("shallow"), files::TEXT_LIMIT);
        let text = text.unwrap_or_default();
        let mut ends: Vec<_> = text.split(|&byte| byte == b'\n').filter_map(hex_id).collect();
        ends.sort_unstable();
        ends
    }

    fn open(asked: &Path, git_dir: PathBuf, work_dir: Option<PathBuf>) -> Result<Self, OpenError> {
        let common_dir = discover::common_dir(&git_dir);
        let broken = |message: String| OpenError::Broken { path: asked.to_owned(), message };
        if !has_valid_head(&git_dir) {
            return Err(broken("its HEAD is missing or damaged; `git fsck` tells more".to_owned()));
        }
        let config = Config::read(&common_dir.join("config")).map_err(broken)?;
        let format = config.get("extensions.refstorage").unwrap_or_default();
        if !format.is_empty() && format != "files" {
            return Err(OpenError::RefFormat { path: asked.to_owned(), format: format.to_owned() });
        }
        let hash_len = match config.get("extensions.objectformat").unwrap_or_default() {
            "" | "sha1" => 20,
            "sha256" => 32,
            other => return Err(broken(format!("unknown object format `{other}`"))),
        };
        let is_partial = config.has_promisor();
        Ok(Self {
            git_dir,
            common_dir,
            work_dir,
            hash_len,
            is_partial,
            trust_owner: false,
            more_objects: vec![],
            prefix: vec![],
        })
    }
}

/// Whether `HEAD` names a ref or an object.
fn has_valid_head(git_dir: &Path) -> bool {
    let Ok(head) = files::read(&git_dir.join("HEAD"), 4096) else { return false };
    let head = head.trim_ascii();
    head.starts_with(b"ref:") || head.len() >= 40 && head.iter().all(u8::is_ascii_hexdigit)
}
