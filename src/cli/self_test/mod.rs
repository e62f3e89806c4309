//! `signleak self-test`: plants keys drawn at random where keys leak, and fails unless a scan with the settings, rules and ignore
//! files that count here finds each. Nothing of the scanned repository is changed.

mod plant;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::Severity;
use signleak::scan::Options;
use signleak::scan::Silent;
use signleak::scan::Suppressions;
use signleak::scan::Target;
use signleak::secret::Secret;
use signleak::source::git::Staged;

use super::Status;
use super::args::SelfTestArgs;
use super::git_env;
use super::options::ScanOptions;
use super::suppressions;
use plant::Key;
use plant::Planted;

/// What scans as a scan here would.
struct Tester {
    detector: Detector,
    options: Options,
    suppressions: Suppressions,
    fail_on: Option<Severity>,
}

/// What became of a planted key.
enum Outcome {
    Found,
    /// Reported, but it would not fail a run.
    Ignored(String),
    Missed,
}

/// Runs the command.
pub(crate) fn run(args: SelfTestArgs) -> anyhow::Result<Status> {
    let options = ScanOptions::from_args(*args.scan)?;
    let suppressions = suppressions::of(&options)?;
    let tester = Tester {
        detector: Detector::new(options.rules, Limits::default()),
        options: Options { worktree: true, history: true, range: None, ..options.scan },
        suppressions,
        fail_on: options.fail_on,
    };
    let mut out = anstream::stdout().lock();
    let mut is_whole = true;
    for planted in plant::in_memory()? {
        let target = Target::Texts(vec![(planted.place.clone(), planted.bytes.clone())]);
        is_whole &= tester.tell(&planted, target, &mut out)?;
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let merged = plant::merged(folder.path()).context("cannot make a git repository to scan")?;
    let history = Target::Path(folder.path().to_owned());
    is_whole &= tester.tell(&merged, history, &mut out)?;
    let staged = plant::staged(folder.path()).context("cannot stage a file in it")?;
    let repo = git_env::discover(folder.path(), true)?;
    let index = Target::Staged(Arc::new(Staged::read(&repo, None)?));
    is_whole &= tester.tell(&staged, index, &mut out)?;
    if is_whole {
        writeln!(out, "every planted key was found")?;
        return Ok(Status::Clean);
    }
    drop(out);
    anyhow::bail!(
        "a planted key was not found, so a real one would not be either; `signleak config show` tells which settings count"
    )
}

impl Tester {
    /// Scans for one planted key and says what became of it.
    fn tell(
        &self,
        planted: &Planted,
        target: Target,
        out: &mut impl std::io::Write,
    ) -> anyhow::Result<bool> {
        let outcome = self.outcome(&planted.key, target)?;
        let (is_found, word) = match outcome {
            Outcome::Found => (true, "found".to_owned()),
            Outcome::Ignored(why) => (false, format!("NOT REPORTED: {why}")),
            Outcome::Missed => (false, "MISSED".to_owned()),
        };
        writeln!(out, "{:<14} {word}", planted.name)?;
        Ok(is_found)
    }

    fn outcome(&self, key: &Key, target: Target) -> anyhow::Result<Outcome> {
        let report = signleak::scan::scan(
            &[target],
            &self.detector,
            &self.options,
            &self.suppressions,
            &Silent,
        )?;
        let wanted = Secret::new(key.text().as_bytes()).fingerprint();
        let found = report
            .findings
            .iter()
            .find(|finding| finding.secret.sha256 == wanted && finding.is_leak());
        let Some(finding) = found else { return Ok(Outcome::Missed) };
        Ok(match (&finding.suppression, self.fail_on) {
            (Some(suppression), _) => {
                Outcome::Ignored(format!("{} suppresses it", suppression.place))
            }
            (None, Some(limit)) if finding.severity >= limit => Outcome::Found,
            (None, _) => Outcome::Ignored("fail-on lets it pass".to_owned()),
        })
    }
}
