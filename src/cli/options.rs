//! What is meant: the validated form of what was typed. No later stage sees a bad option.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::bail;
use clap::Parser as _;
use signleak::finding::Confidence;
use signleak::finding::Severity;
use signleak::rule::RuleSet;
use signleak::scan::Options;
use signleak::scan::Target;
use signleak::source::git::RangeSpec;
use signleak::source::git::Staged;

use super::args::Args;
use super::args::Command;
use super::args::ConfidenceArg;
use super::args::ScanArgs;
use super::git_env;
use super::input;
use super::known_keys;
use super::live::Live;
use super::render::Outputs;
use super::repo_files::RepoFiles;
use super::revoker::Hook;
use super::rules;

/// Standard input larger than this is refused.
const MAX_STDIN: u64 = 1 << 30;

/// A scan as it was asked for.
pub(crate) struct ScanOptions {
    pub(crate) targets: Vec<Target>,
    /// Where the scanned repository may speak for itself.
    pub(crate) repo_files: Vec<RepoFiles>,
    pub(crate) scan: Options,
    pub(crate) rules: RuleSet,
    pub(crate) outputs: Outputs,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) quiet: bool,
    pub(crate) inline_allow: bool,
    pub(crate) live: Option<Live>,
    pub(crate) hook: Option<Hook>,
    /// Baselines, whose secrets do not count.
    pub(crate) baselines: Vec<PathBuf>,
}

impl ScanOptions {
    /// What `signleak scan ARGS` would mean.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let typed = Args::try_parse_from(["signleak", "scan"].iter().chain(args))?;
        let Command::Scan(args) = typed.command else { bail!("is no scan") };
        Self::from_args(args)
    }

    /// Validates the arguments and reads the rule files and standard input.
    pub(crate) fn from_args(args: ScanArgs) -> anyhow::Result<Self> {
        let outputs = Outputs::from_args(&args.output.reports)?;
        let range = args.reach.range.as_deref().map(RangeSpec::parse);
        let max_blob_size = args.reach.max_blob_size.as_deref().map(size).transpose()?;
        let threads = args.reach.threads.unwrap_or(0);
        if args.reach.threads == Some(0) {
            bail!("--threads 0: give at least 1, or leave the option out for one per core");
        }
        let history_only = args.reach.history_only || range.is_some();
        let scan = Options {
            worktree: !history_only,
            history: !args.reach.no_history,
            range,
            include_ignored: args.reach.ignored,
            max_blob_size,
            trust_owner: args.trust.trust_owner,
            verify_objects: args.reach.verify_objects,
            min_confidence: confidence(args.output.min_confidence),
            exclude: outputs.files.iter().map(|(_, path)| path.clone()).collect(),
            threads,
            known_keys: known_keys::of(&args)?,
        };
        let targets = if args.reach.staged {
            vec![staged(&args.targets, args.trust.trust_owner)?]
        } else {
            targets(args.targets, args.reach.stdin)?
        };
        let repo_files =
            targets.iter().filter(|_| !args.trust.no_repo_config).filter_map(RepoFiles::of);
        let rules = rules::read(&args.rules.files)?;
        let live =
            args.verify.verify.then(|| Live::new(&rules, &args.live, &args.calls)).transpose()?;
        let hook = args.revoke.revoke.then(|| Hook::new(&args.hook, &args.calls)).transpose()?;
        Ok(Self {
            live,
            hook,
            repo_files: repo_files.collect(),
            targets,
            scan,
            rules,
            outputs,
            fail_on: args.output.fail_on.severity(),
            quiet: args.output.quiet,
            inline_allow: !args.trust.no_inline_allow,
            baselines: args.trust.baseline,
        })
    }
}

/// The targets that were named, or the current folder.
fn targets(paths: Vec<PathBuf>, stdin: bool) -> anyhow::Result<Vec<Target>> {
    let reads_stdin = stdin || paths.iter().any(|path| path.as_os_str() == "-");
    let named = paths.into_iter().filter(|path| path.as_os_str() != "-");
    let mut targets: Vec<Target> = named.map(Target::Path).collect();
    if reads_stdin {
        let text = input::read_stream_capped(std::io::stdin().lock(), MAX_STDIN)
            .context("cannot read standard input")?;
        targets.push(Target::Text(text));
    }
    if targets.is_empty() {
        targets.push(Target::Path(PathBuf::from(".")));
    }
    Ok(targets)
}

/// What is staged in the repository that git speaks of, or in the one that was named.
fn staged(paths: &[PathBuf], trust_owner: bool) -> anyhow::Result<Target> {
    let staged = match paths {
        [] => {
            let repo = git_env::repo(trust_owner)?;
            Staged::read(&repo, git_env::index_file().as_deref())
        }
        [path] => Staged::read(&git_env::discover(path, trust_owner)?, None),
        _ => {
            bail!("--staged: name one repository at most, and no file: the whole index is scanned")
        }
    };
    Ok(Target::Staged(Arc::new(staged?)))
}

/// Reads `10M`.
fn size(text: &str) -> anyhow::Result<u64> {
    let (digits, unit) =
        text.split_at(text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).len());
    let factor: u64 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        _ if digits.is_empty() => {
            bail!("--max-blob-size {text}: give a number of bytes such as 500K or 10M")
        }
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => bail!("--max-blob-size {text}: the unit is none of K, M and G"),
    };
    let number: u64 = digits.parse().with_context(|| {
        format!("--max-blob-size {text}: give a number of bytes such as 500K or 10M")
    })?;
    number.checked_mul(factor).with_context(|| format!("--max-blob-size {text}: is too large"))
}

fn confidence(arg: ConfidenceArg) -> Confidence {
    match arg {
        ConfidenceArg::Low => Confidence::Low,
        ConfidenceArg::Medium => Confidence::Medium,
        ConfidenceArg::High => Confidence::High,
    }
}
