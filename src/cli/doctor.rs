//! `signleak doctor`: whether this repository is really protected, and if not, what to do. A problem makes the status 1.

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::report::escape;
use signleak::scan::Silent;
use signleak::source::git::Repo;

use super::Status;
use super::args::DoctorArgs;
use super::args::ScanArgs;
use super::git_env;
use super::hook;
use super::input;
use super::options;
use super::options::ScanOptions;
use super::suppressions;

/// Files larger than this are not looked at.
const MAX_FILE: u64 = 1 << 20;

/// Where the results of the checks go.
struct Checkup<W> {
    out: W,
    problems: usize,
}

/// Runs the command.
pub(crate) fn run(args: DoctorArgs) -> anyhow::Result<Status> {
    let repo = git_env::repo(args.scan.trust.trust_owner)?;
    let mut checkup = Checkup { out: anstream::stdout().lock(), problems: 0 };
    checkup.hooks(&repo)?;
    checkup.history(&repo)?;
    checkup.continuous_integration(&repo)?;
    checkup.configuration(*args.scan)?;
    Ok(if checkup.problems == 0 { Status::Clean } else { Status::Found })
}

impl<W: Write> Checkup<W> {
    fn well(&mut self, what: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "ok       {}", escape::terminal(what))?)
    }

    fn note(&mut self, what: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "note     {}", escape::terminal(what))?)
    }

    fn problem(&mut self, what: &str, remedy: &str) -> anyhow::Result<()> {
        self.problems += 1;
        let (what, remedy) = (escape::terminal(what), escape::terminal(remedy));
        Ok(writeln!(self.out, "PROBLEM  {what}\n         {remedy}")?)
    }

    /// Whether git reaches us before it commits, or on a server before it receives.
    fn hooks(&mut self, repo: &Repo) -> anyhow::Result<()> {
        let found = hook::checkup(repo)?;
        if found.is_empty() {
            return self.well("git runs signleak before it keeps a commit");
        }
        found.iter().try_for_each(|(what, remedy)| self.problem(what, remedy))
    }

    fn history(&mut self, repo: &Repo) -> anyhow::Result<()> {
        if repo.common_dir().join("shallow").exists() {
            let what = "the clone is shallow, so older commits cannot be scanned";
            return self.problem(what, "fetch them: git fetch --unshallow");
        }
        self.well("the whole history is here")
    }

    /// Whether the CI systems that run us check out what an event's range needs.
    fn continuous_integration(&mut self, repo: &Repo) -> anyhow::Result<()> {
        let Some(work_dir) = repo.work_dir() else { return Ok(()) };
        let deep = |path: &Path| match path.file_name() {
            Some(name) if name == ".gitlab-ci.yml" => ("GIT_DEPTH: \"0\"", "GIT_DEPTH"),
            _ => ("fetch-depth: 0", "fetch-depth: 0"),
        };
        let mut runs_us = false;
        for path in ci_files(work_dir) {
            let Ok(bytes) = input::read_capped(&path, MAX_FILE) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            if !text.contains("signleak") {
                continue;
            }
            runs_us = true;
            let name = path.strip_prefix(work_dir).unwrap_or(&path).display();
            let (setting, mark) = deep(&path);
            if text.contains(mark) {
                self.well(&format!("{name} runs signleak on the whole history"))?;
            } else {
                let what =
                    format!("{name} checks out a part of the history, so a range may be missing");
                self.problem(&what, &format!("check out all of it: {setting}"))?;
            }
        }
        if !runs_us {
            self.note(
                "no CI configuration here runs signleak; a hook alone can be skipped (docs/ci.md)",
            )?;
        }
        Ok(())
    }

    /// Whether the settings and ignore files can be read, and all of it still matches something.
    fn configuration(&mut self, args: ScanArgs) -> anyhow::Result<()> {
        let weaker = options::settings(&args).map(|settings| settings.weaker());
        let read = weaker.and_then(|weaker| {
            let options = ScanOptions::from_args(args)?;
            let suppressions = suppressions::of(&options)?;
            Ok((weaker, options, suppressions))
        });
        let (weaker, options, suppressions) = match read {
            Ok(read) => read,
            Err(error) => {
                let remedy = "correct it there; until then every scan fails";
                return self.problem(&format!("{error:#}"), remedy);
            }
        };
        for (place, what) in &weaker {
            let remedy = "take it out, unless that is wanted";
            self.problem(&format!("{place}: {what} can hide findings"), remedy)?;
        }
        let detector = Detector::new(options.rules, Limits::default());
        let report = signleak::scan::scan(
            &options.targets,
            &detector,
            &options.scan,
            &suppressions,
            &Silent,
        )?;
        let today = &suppressions.judge.today;
        for file in &suppressions.ignore_files {
            for line in file.expired_lines(today) {
                let what = format!("{}:{line}: has expired", file.name());
                self.problem(
                    &what,
                    "revoke the key and take the entry out, or give a new `until`",
                )?;
            }
            for line in file.unused_lines() {
                let what = format!("{}:{line}: is stale: nothing matches it any more", file.name());
                self.problem(&what, "take it out")?;
            }
            if file.needs_hmac_key() && suppressions.judge.hmac_key.is_none() {
                let what =
                    format!("{}: its `hmac:` entries do not count without their key", file.name());
                self.problem(&what, "set SIGNLEAK_FINGERPRINT_KEY")?;
            }
        }
        let leaks = report.tally().leaks;
        if leaks > 0 {
            let what = format!("{leaks} leaked keys are here already");
            self.problem(&what, "`signleak scan` shows them and what to do")?;
        }
        if !report.coverage.is_complete() {
            self.problem("not everything could be scanned", "`signleak scan` tells what and why")?;
        }
        self.well("settings, rules and ignore files can be read")
    }
}

/// Files that say what CI does.
fn ci_files(work_dir: &Path) -> Vec<PathBuf> {
    let workflows = std::fs::read_dir(work_dir.join(".github/workflows")).into_iter().flatten();
    let is_yaml =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "yml" || end == "yaml");
    let mut files: Vec<PathBuf> =
        workflows.filter_map(|entry| Some(entry.ok()?.path())).filter(is_yaml).collect();
    files.sort();
    files.push(work_dir.join(".gitlab-ci.yml"));
    files
}
