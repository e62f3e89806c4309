//! Ranges, ages and lists of commits mean the commits that git lists for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use rand::RngExt as _;

use crate::support::{Sandbox, key, stderr};

const FIRST: i64 = 1_600_000_000;
const DAY: i64 = 86_400;

/// Some branches and merges; each commit brings one key, in a merge also. Times do not only rise.
struct History {
    sandbox: Sandbox,
    /// The commit that brings the key with this hash.
    brings: BTreeMap<String, String>,
}

impl History {
    fn new() -> Self {
        let mut history = Self { sandbox: Sandbox::new(), brings: BTreeMap::new() };
        history.sandbox.git(&["init", "-q", "repo"]);
        history.commit(0);
        let mut random = rand::rng();
        for step in 1..24 {
            let skew = random.random_range(-3..4);
            match random.random_range(0..5) {
                0 => {
                    let from = format!("HEAD~{}", random.random_range(0..2));
                    let name = format!("b{step}");
                    let made = history.try_git(&["checkout", "-q", "-b", &name, &from]);
                    if !made {
                        history.git(&["checkout", "-q", "-b", &name]);
                    }
                }
                1 => {
                    let tips = history.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]);
                    let tips: Vec<&str> = tips.lines().collect();
                    let other = tips[random.random_range(0..tips.len())];
                    history.try_git(&["merge", "-q", "--no-ff", "--no-commit", other]);
                }
                _ => {}
            }
            history.commit(step + skew);
        }
        history
    }

    /// Commits a new key, with what is staged.
    fn commit(&mut self, day: i64) {
        use sha2::Digest as _;
        let key = key();
        let hash: String =
            sha2::Sha256::digest(&key).iter().map(|byte| format!("{byte:02x}")).collect();
        self.sandbox.write(&format!("repo/{hash}.env"), format!("YOUSIGN_API_KEY={key}\n"));
        self.git(&["add", "-A"]);
        let date = format!("{} +0000", FIRST + day * DAY);
        let made =
            self.command(&["commit", "-qm", "step"]).env("GIT_COMMITTER_DATE", date).output();
        let made = made.expect("git runs");
        assert!(made.status.success(), "{}", stderr(&made));
        let id = self.git(&["rev-parse", "HEAD"]);
        self.brings.insert(hash, id);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@example.invalid"]).args(args);
        command.current_dir(self.sandbox.path().join("repo"));
        command
    }

    fn try_git(&self, args: &[&str]) -> bool {
        self.command(args).output().expect("git runs").status.success()
    }

    fn git(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Scans; returns the commits whose keys were found.
    fn scan(&self, args: &[&str], stdin: &str) -> BTreeSet<&str> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signleak"));
        command.args(["scan", "repo", "--format", "json"]).args(args);
        command.current_dir(self.sandbox.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        if stderr(&output).contains("is in the range") {
            assert_eq!(output.status.code(), Some(2), "a run that scans nothing is no clean one");
            return BTreeSet::new();
        }
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = report["findings"].as_array().expect("findings").iter();
        let hashes = findings.map(|finding| finding["secret"]["sha256"].as_str().expect("a hash"));
        hashes.map(|hash| self.brings[hash].as_str()).collect()
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

#[test]
fn ranges_ages_and_lists_mean_what_git_lists() {
    for _ in 0..3 {
        let history = History::new();
        let commits = history.git(&["rev-list", "--all"]);
        let commits: Vec<&str> = commits.lines().collect();
        let mut random = rand::rng();
        for dots in ["..", "..."] {
            for _ in 0..2 {
                let mut end = || commits[random.random_range(0..commits.len())];
                let range = format!("{}{dots}{}", end(), end());
                let listed = history.git(&["rev-list", &range]);
                assert_eq!(history.scan(&["--range", &range], ""), words(&listed), "{range}");
            }
        }
        for day in [-10, 5, 12, 40] {
            let since = FIRST + day * DAY;
            let filter = format!("--since-as-filter=@{since}");
            let listed = history.git(&["rev-list", "--all", &filter]);
            let date = Command::new("date")
                .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d"])
                .arg(format!("@{since}"))
                .output();
            let date = String::from_utf8(date.expect("date runs").stdout).expect("ASCII");
            assert_eq!(history.scan(&["--since", date.trim()], ""), words(&listed), "{day}");
        }
        let listed = history.git(&["rev-list", "--max-count=5", "--all"]);
        assert_eq!(history.scan(&["--commits", "-"], &listed), words(&listed));
        let described = history.git(&["log", "--format=%H a subject", "--max-count=3"]);
        assert_eq!(history.scan(&["--commits", "-"], &described).len(), 3);
    }
}
