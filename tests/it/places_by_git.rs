//! A key in every kind of place of a history is found, with the commit and the label that git itself tells.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Sandbox, fixtures, stderr};

/// What git says about the objects of a repository.
struct ByGit {
    repo: PathBuf,
    reachable: BTreeSet<String>,
    stashed: BTreeSet<String>,
    logged: BTreeSet<String>,
    unreachable: String,
}

impl ByGit {
    fn of(repo: &Path) -> Self {
        let words = |text: String| -> BTreeSet<String> {
            text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
        };
        let mut of_stash = vec!["rev-list".to_owned(), "--objects".to_owned()];
        if git(repo, &["for-each-ref", "refs/stash"]).is_empty() {
            of_stash.push("HEAD".to_owned());
        } else {
            of_stash.extend(words(git(repo, &["rev-list", "--walk-reflogs", "refs/stash"])));
        }
        let of_stash: Vec<&str> = of_stash.iter().map(String::as_str).collect();
        let named = ["rev-list", "--objects", "--exclude=refs/stash", "--all", "HEAD"];
        Self {
            repo: repo.to_owned(),
            reachable: words(git(repo, &named)),
            stashed: words(git(repo, &of_stash)),
            logged: words(git(repo, &["rev-list", "--objects", "--all", "--reflog"])),
            unreachable: git(repo, &["fsck", "--unreachable", "--no-reflogs", "--no-progress"]),
        }
    }

    fn label(&self, id: &str) -> &'static str {
        let sets =
            [(&self.reachable, "reachable"), (&self.stashed, "stash"), (&self.logged, "reflog")];
        let known = sets.into_iter().find(|(set, _)| set.contains(id)).map(|(_, label)| label);
        known.unwrap_or_else(|| {
            assert!(self.unreachable.contains(id), "git does not know {id}");
            "dangling"
        })
    }

    /// Whether `commit` brings `blob` to `path`, against each of its parents.
    fn introduces(&self, commit: &str, blob: &str, path: &str) -> bool {
        let log =
            ["-c", "core.quotePath=off", "log", "-1", "-m", "--raw", "--no-abbrev", "--no-renames"];
        let find = format!("--find-object={blob}");
        let raw = git(&self.repo, &[&log[..], &[&find, "--format=", commit, "--"]].concat());
        let parents = git(&self.repo, &["rev-list", "--parents", "-1", commit]);
        let brought = raw.lines().filter(|line| {
            let columns: Vec<&str> = line.split([' ', '\t']).collect();
            columns.get(3) == Some(&blob) && line.ends_with(&format!("\t{path}"))
        });
        brought.count() == (parents.split(' ').count() - 1).max(1)
    }

    fn holds_key(&self, kind: &str, id: &str, key: &str) -> bool {
        git(&self.repo, &["cat-file", kind, id]).contains(key)
    }
}

fn git(repo: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(repo)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A line of what the script prints.
struct Planted<'a> {
    key: &'a str,
    origin: &'a str,
    path: &'a str,
    label: &'a str,
    commit: &'a str,
}

impl<'a> Planted<'a> {
    fn parse(line: &'a str) -> Self {
        let columns: Vec<&str> = line.split('\t').collect();
        let [key, origin, path, label, commit] = columns[..] else {
            panic!("five columns: {line}")
        };
        Self { key, origin, path, label, commit }
    }

    /// Whether git agrees with what is reported.
    fn is_confirmed(&self, git_says: &ByGit, place: &Value) -> bool {
        let blob = place["blob_id"].as_str().unwrap_or_default();
        let (path, commit) = (self.path, self.commit);
        match self.origin {
            "history" if commit == "-" => git_says.label(blob) == self.label,
            "history" => {
                git_says.introduces(commit, blob, path) && git_says.label(commit) == self.label
            }
            "index" => git(&git_says.repo, &["ls-files", "-s", path]).contains(blob),
            "commit_message" => {
                git_says.holds_key("commit", commit, self.key)
                    && git_says.label(commit) == self.label
            }
            "tag_message" => git_says.holds_key("tag", path, self.key),
            "note" => git(&git_says.repo, &["notes", "show", path]).contains(self.key),
            "ref_name" => git(&git_says.repo, &["rev-parse", path]) == commit,
            "reflog" => git(&git_says.repo, &["reflog", "show", path]).contains(self.key),
            "file_name" => {
                let names = ["diff-tree", "-r", "-t", "--root", "--name-only", commit];
                git(&git_says.repo, &names).lines().any(|name| name == path)
            }
            origin => panic!("{origin}"),
        }
    }
}

#[test]
fn every_place_is_reported_as_git_itself_tells_it() {
    let sandbox = Sandbox::new();
    let repo = sandbox.path().join("repo");
    let script = format!("{}/repos/places.sh", fixtures());
    let built = Command::new("sh").arg(script).arg(&repo).output().expect("sh runs");
    assert!(built.status.success(), "{}", stderr(&built));
    let manifest = String::from_utf8(built.stdout).expect("UTF-8");
    let (report, _) = sandbox.json(&["scan", "repo", "--history-only"]);
    assert_eq!(report["coverage"]["gap_counts"], serde_json::json!({}), "{}", report["coverage"]);
    let findings = report["findings"].as_array().expect("findings");
    const MODULE: &str = "sub/module/";
    let (whole, module) = (ByGit::of(&repo), ByGit::of(&repo.join(MODULE)));
    let mut wrong = vec![];
    for line in manifest.lines() {
        let planted = Planted::parse(line);
        let hash = sha256(planted.key);
        let finding = findings.iter().find(|finding| finding["secret"]["sha256"] == hash.as_str());
        let places = finding.and_then(|finding| finding["occurrences"].as_array()).cloned();
        let places = places.unwrap_or_default();
        let shown = planted.path.replace(planted.key, "********");
        let place = places.iter().find(|place| {
            place["origin"] == planted.origin
                && place["path"] == shown
                && place["reachability"].as_str().unwrap_or("-") == planted.label
                && place["commit"]["id"].as_str().unwrap_or("-") == planted.commit
        });
        let (git_says, planted) = match planted.path.strip_prefix(MODULE) {
            Some(path) => (&module, Planted { path, ..planted }),
            None => (&whole, planted),
        };
        let is_right = place.is_some_and(|place| {
            planted.is_confirmed(git_says, place) && points_at(&git_says.repo, place, planted.key)
        });
        if !is_right {
            wrong.push(format!("{line}: {places:#?}"));
        }
    }
    assert!(manifest.lines().count() >= 55);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the text at an occurrence's line and column is the key, for what git can print.
fn points_at(repo: &Path, place: &Value, key: &str) -> bool {
    let (Some(id), Some("history" | "index")) =
        (place["blob_id"].as_str(), place["origin"].as_str())
    else {
        return true;
    };
    let mut command = Command::new("git");
    let blob = command.args(["cat-file", "blob", id]).current_dir(repo).output().expect("git runs");
    let number =
        |name: &str| usize::try_from(place[name].as_u64().expect("a number")).expect("small") - 1;
    let text = match blob.stdout.strip_prefix(b"\xff\xfe") {
        Some(wide) => String::from_utf8_lossy(wide).replace('\0', ""),
        None => String::from_utf8_lossy(&blob.stdout).replace("\r\n", "\n"),
    };
    let line = text.split('\n').nth(number("line")).expect("the line is there");
    let at: String = line.chars().skip(number("column")).collect();
    // The mark at the start of UTF-16 is a character of its own to some, and to others none.
    at.starts_with(key) || blob.stdout.starts_with(b"\xff\xfe") && line.contains(key)
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
