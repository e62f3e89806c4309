//! Submodules: repositories of their own, whose git folders stand in that of the repository that uses them.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::discover::is_git_dir;
use super::repo::{OpenError, OpenOptions, Repo};
use super::staged::submodule_paths;
use crate::coverage::Coverage;
use crate::coverage::GapKind;

/// Submodules of submodules are followed this deep, and names of submodules may have as many parts.
const DEPTH: usize = 16;

impl Repo {
    /// The submodules, and theirs: those that the index names and those that were used once and are still here. One that is
    /// not here is a gap.
    #[must_use]
    pub fn submodules(&self, coverage: &mut Coverage) -> Vec<Self> {
        let mut seen = BTreeSet::from([canonical(&self.git_dir)]);
        let mut found: Vec<Self> = vec![];
        let mut pending = vec![(self.clone(), 0)];
        while let Some((repo, depth)) = pending.pop() {
            for module in repo.own_submodules(coverage) {
                if depth < DEPTH && seen.insert(canonical(&module.git_dir)) {
                    found.push(module.clone());
                    pending.push((module, depth + 1));
                }
            }
        }
        found.sort_by(|a, b| (&a.prefix, &a.git_dir).cmp(&(&b.prefix, &b.git_dir)));
        found
    }

    fn own_submodules(&self, coverage: &mut Coverage) -> Vec<Self> {
        let kept = self.common_dir.join("modules");
        let trust_owner = self.trust_owner;
        let mut found = vec![];
        let named = self.work_dir.as_ref().map(|_| submodule_paths(self));
        let named = named.unwrap_or(Ok(vec![])).unwrap_or_else(|error| {
            let place = self.git_dir.join("index").display().to_string();
            coverage.gap(GapKind::Unreadable, place, format!("the index: {error}"));
            vec![]
        });
        for name in named {
            let path = PathBuf::from(String::from_utf8_lossy(&name).into_owned());
            if !path.components().all(|part| matches!(part, Component::Normal(_))) {
                continue;
            }
            let checked_out = self.work_dir.iter().map(|folder| folder.join(&path));
            let checked_out = checked_out.filter(|folder| folder.join(".git").exists());
            let opened = checked_out
                .map(|folder| Self::discover(&folder, &OpenOptions { trust_owner }))
                .find_map(Result::transpose);
            let prefix = [&self.prefix, name.as_slice(), b"/"].concat();
            let place = || String::from_utf8_lossy(&prefix[..prefix.len() - 1]).into_owned();
            if let Some(Err(error @ OpenError::Owner { .. })) = opened {
                coverage.gap(GapKind::Submodule, place(), error.to_string());
                continue;
            }
            match opened.and_then(Result::ok).or_else(|| Self::at(&kept.join(&path), None).ok()) {
                Some(repo) => found.push(Self { prefix, trust_owner, ..repo }),
                None => {
                    let detail = "is not checked out; run git submodule update --init --recursive";
                    coverage.gap(GapKind::Submodule, place(), detail);
                }
            }
        }
        let mut git_dirs = vec![];
        git_dirs_below(&kept, 0, &mut git_dirs);
        for git_dir in git_dirs {
            let name = git_dir.strip_prefix(&kept).unwrap_or(&git_dir).as_os_str();
            let prefix = [&self.prefix, name.as_encoded_bytes(), b"/"].concat();
            let opened = Self::at(&git_dir, None).ok();
            found.extend(opened.map(|repo| Self { prefix, trust_owner, ..repo }));
        }
        found
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Collects git folders; a submodule's name may have several parts, each of them a folder.
fn git_dirs_below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for path in listing.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()) {
        if is_git_dir(&path) {
            found.push(path);
        } else if depth < DEPTH {
            git_dirs_below(&path, depth + 1, found);
        }
    }
}
