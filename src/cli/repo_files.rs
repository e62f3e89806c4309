//! The files by which a scanned repository speaks for itself: ignore files and configuration. They are read from where the
//! scanned content is, so that what is staged or pushed is judged by what is staged or pushed with it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use signleak::scan::Target;
use signleak::source::git::Repo;
use signleak::source::git::Staged;

use super::input;
use super::render;

/// Files larger than this are refused.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Where the files are read.
#[derive(Debug)]
pub(crate) enum RepoFiles {
    /// In a folder.
    Folder(PathBuf),
    /// In the index.
    Index(Arc<Staged>),
    /// In the trees of these commits.
    Commits(Repo, Vec<String>),
}

/// One file.
#[derive(Debug)]
pub(crate) struct RepoFile {
    /// How messages call it.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) text: String,
}

impl RepoFiles {
    /// Where a target speaks for itself; the history of an open repository does so nowhere.
    pub(crate) fn of(target: &Target) -> Option<Self> {
        match target {
            Target::Path(path) => Some(Self::Folder(render::root(path))),
            Target::Text(_) => Some(Self::Folder(PathBuf::from("."))),
            Target::Staged(staged) => Some(Self::Index(Arc::clone(staged))),
            Target::History(_) | Target::Texts(_) => None,
        }
    }

    /// The file with this name, wherever it is there.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Vec<RepoFile>> {
        let found = match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let shown = shown(folder, name);
                let bytes = path
                    .is_file()
                    .then(|| input::read_capped(&path, MAX_FILE))
                    .transpose()
                    .with_context(|| format!("cannot read {shown}"))?;
                vec![(shown, bytes)]
            }
            Self::Index(staged) => {
                vec![(format!("{name} (staged)"), staged.content(name)?)]
            }
            Self::Commits(repo, commits) => commits
                .iter()
                .map(|id| {
                    let bytes = repo
                        .file_at(id, name)
                        .with_context(|| format!("cannot read {name} of {id}"))?;
                    Ok((format!("{name} of {}", &id[..id.len().min(12)]), bytes))
                })
                .collect::<anyhow::Result<_>>()?,
        };
        found
            .into_iter()
            .filter_map(|(name, bytes)| Some((name, bytes?)))
            .map(|(name, bytes)| {
                let text = String::from_utf8(bytes)
                    .with_context(|| format!("{name} is not UTF-8; save it as UTF-8"))?;
                Ok(RepoFile { name, text })
            })
            .collect()
    }
}

/// The file as messages and reports call it: by its path in the repository that we are in, or from here, since a path of this
/// machine means nothing to whoever reads a report elsewhere.
fn shown(folder: &Path, name: &str) -> String {
    let here = Path::new(".").canonicalize().ok();
    let places = here.zip(folder.canonicalize().ok());
    let path = match &places {
        Some((here, folder)) if here.starts_with(folder) => PathBuf::from(name),
        Some((here, folder)) => folder.strip_prefix(here).unwrap_or(folder).join(name),
        None => folder.join(name),
    };
    path.display().to_string()
}
