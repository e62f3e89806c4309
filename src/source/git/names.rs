//! Refs, pseudo-refs and reflogs, of the repository and of its linked worktrees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::files;
use super::object::hex_id;
use super::repo::Repo;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::coverage::GapKind;

/// Refs that git leaves behind for an unfinished or undone operation.
const PSEUDO: [&str; 7] = [
    "ORIG_HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_HEAD",
    "AUTO_MERGE",
];

/// Refs that name refs are followed this deep, as in git.
const REF_DEPTH: usize = 5;

/// One line of a reflog.
pub(crate) struct LogLine {
    /// The ref's full name.
    pub(crate) name: Vec<u8>,
    pub(crate) old: Option<BlobId>,
    pub(crate) new: Option<BlobId>,
    /// Who and why: everything but the ids.
    pub(crate) text: Vec<u8>,
}

/// Everything that names objects.
pub(crate) struct Names {
    /// Full name and target of each ref, sorted.
    pub(crate) refs: Vec<(Vec<u8>, BlobId)>,
    /// What the `HEAD`s of the repository and of its worktrees name; the repository's own first.
    pub(crate) heads: Vec<BlobId>,
    /// What `HEAD` names.
    pub(crate) head: Option<BlobId>,
    /// Targets of pseudo-refs: reachable only as long as an operation is unfinished.
    pub(crate) pseudo: Vec<BlobId>,
    pub(crate) log: Vec<LogLine>,
    /// Commits whose parents a shallow clone does not hold.
    pub(crate) shallow: Vec<BlobId>,
}

impl Names {
    /// Reads all names. What cannot be read becomes a gap.
    pub(crate) fn read(repo: &Repo, coverage: &mut Coverage) -> Self {
        let mut refs = BTreeMap::new();
        packed_refs(&repo.common_dir, &mut refs);
        let mut folders = vec![repo.common_dir.clone()];
        if let Ok(worktrees) = std::fs::read_dir(repo.common_dir.join("worktrees")) {
            let mut linked: Vec<PathBuf> =
                worktrees.filter_map(|entry| Some(entry.ok()?.path())).collect();
            linked.sort();
            folders.extend(linked);
        }
        folders.iter().for_each(|folder| loose_refs(folder, &mut refs, coverage));
        let head = resolve(&repo.git_dir.join("HEAD"), &refs);
        let heads = head
            .into_iter()
            .chain(folders.iter().filter_map(|dir| resolve(&dir.join("HEAD"), &refs)))
            .collect();
        let pseudo = folders.iter().flat_map(|dir| PSEUDO.map(|name| dir.join(name)));
        let pseudo = pseudo.filter_map(|path| resolve(&path, &refs)).collect();
        let mut log = vec![];
        folders.iter().for_each(|folder| read_logs(folder, &mut log, coverage));
        let shallow = repo.shallow_ends();
        Self { refs: refs.into_iter().collect(), heads, head, pseudo, log, shallow }
    }
}

/// What `HEAD` names.
pub(crate) enum Head {
    Commit(BlobId),
    /// A branch without a commit.
    Unborn,
}

/// Follows `HEAD` alone, without reading all names; `None` if it is damaged.
pub(crate) fn head(repo: &Repo) -> Option<Head> {
    let mut text = files::read(&repo.git_dir.join("HEAD"), 4096).ok()?;
    for _ in 0..REF_DEPTH {
        let Some(name) = text.trim_ascii().strip_prefix(b"ref:") else {
            return hex_id(text.trim_ascii()).map(Head::Commit);
        };
        let name = std::str::from_utf8(name.trim_ascii()).ok()?;
        if !name.starts_with("refs/") || name.split('/').any(|part| part == "..") {
            return None;
        }
        let folders = [&repo.git_dir, &repo.common_dir];
        let loose = folders.iter().find_map(|folder| files::read(&folder.join(name), 4096).ok());
        text = match loose {
            Some(text) => text,
            None => {
                let mut refs = BTreeMap::new();
                packed_refs(&repo.common_dir, &mut refs);
                return Some(
                    refs.get(name.as_bytes()).map_or(Head::Unborn, |id| Head::Commit(*id)),
                );
            }
        };
    }
    None
}

fn packed_refs(common_dir: &Path, refs: &mut BTreeMap<Vec<u8>, BlobId>) {
    for (hex, name) in packed_lines(&packed_file(common_dir)) {
        if let Some(id) = hex_id(hex) {
            refs.insert(name.to_vec(), id);
        }
    }
}

fn packed_file(common_dir: &Path) -> Vec<u8> {
    files::read(&common_dir.join("packed-refs"), files::TEXT_LIMIT).unwrap_or_default()
}

/// Id and name in each line.
fn packed_lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let space = memchr::memchr(b' ', line)?;
        Some((&line[..space], line[space + 1..].trim_ascii_end()))
    })
}

/// Reads the ref files of a git folder; they win over packed refs. Links between refs add nothing that has a name.
fn loose_refs(git_dir: &Path, refs: &mut BTreeMap<Vec<u8>, BlobId>, coverage: &mut Coverage) {
    for path in files_below(&git_dir.join("refs")) {
        let Ok(text) = files::read(&path, 4096) else {
            coverage.gap(GapKind::Unreadable, path.display().to_string(), "the ref cannot be read");
            continue;
        };
        if let Some(id) = hex_id(text.trim_ascii()) {
            refs.insert(name_of(&path, git_dir), id);
        }
    }
}

fn read_logs(git_dir: &Path, log: &mut Vec<LogLine>, coverage: &mut Coverage) {
    let folder = git_dir.join("logs");
    for path in files_below(&folder) {
        let name = name_of(&path, &folder);
        let text = match files::read(&path, files::TEXT_LIMIT) {
            Ok(text) => text,
            Err(error) => {
                coverage.gap(
                    GapKind::Unreadable,
                    path.display().to_string(),
                    format!("the reflog: {error}"),
                );
                continue;
            }
        };
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let mut words = line.splitn(3, |&byte| byte == b' ');
            let mut id = || {
                words
                    .next()
                    .and_then(hex_id)
                    .filter(|id| id.as_bytes().iter().any(|&byte| byte != 0))
            };
            let (old, new) = (id(), id());
            let text = words.next().unwrap_or(line).to_vec();
            log.push(LogLine { name: name.clone(), old, new, text });
        }
    }
}

/// Resolves a file that holds an id or `ref: name`.
fn resolve(path: &Path, refs: &BTreeMap<Vec<u8>, BlobId>) -> Option<BlobId> {
    let text = files::read(path, 4096).ok()?;
    let text = text.trim_ascii();
    match text.strip_prefix(b"ref:") {
        Some(name) => refs.get(name.trim_ascii()).copied(),
        None => hex_id(text),
    }
}

fn files_below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    walk.filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
}

fn name_of(path: &Path, folder: &Path) -> Vec<u8> {
    let name = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = name.iter().map(std::ffi::OsStr::as_encoded_bytes).collect();
    parts.join(&b'/')
}
