//! What is meant: the validated form of what was typed. No later stage sees a bad option.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::bail;
use clap::Parser as _;
use signleak::decode::Limits;
use signleak::finding::Confidence;
use signleak::finding::Severity;
use signleak::rule::RuleSet;
use signleak::scan::Options;
use signleak::scan::Target;
use signleak::source::git::Staged;

use super::args::Args;
use super::args::Command;
use super::args::ConfidenceArg;
use super::args::ScanArgs;
use super::args::SeverityArg;
use super::git_env;
use super::input;
use super::known_keys;
use super::limits;
use super::live::Live;
use super::range;
use super::render::Outputs;
use super::repo_files::RepoFile;
use super::repo_files::RepoFiles;
use super::revoker::Hook;
use super::rules;
use super::settings;
use super::settings::Origin;
use super::settings::Setting;
use super::settings::Settings;

/// Standard input larger than this is refused.
const MAX_STDIN: u64 = 1 << 30;

/// A scan as it was asked for.
pub(crate) struct ScanOptions {
    pub(crate) targets: Vec<Target>,
    /// Where the scanned repository may speak for itself.
    pub(crate) repo_files: Vec<RepoFiles>,
    pub(crate) scan: Options,
    pub(crate) limits: Limits,
    pub(crate) rules: RuleSet,
    pub(crate) outputs: Outputs,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) quiet: bool,
    pub(crate) inline_allow: bool,
    pub(crate) live: Option<Live>,
    pub(crate) hook: Option<Hook>,
    /// Baselines, whose secrets do not count.
    pub(crate) baselines: Vec<PathBuf>,
    /// Baselines that the scanned repository names itself.
    pub(crate) repo_baselines: Vec<RepoFile>,
}

impl ScanOptions {
    /// What `signleak scan ARGS` would mean.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let typed = Args::try_parse_from(["signleak", "scan"].iter().chain(args))?;
        let Command::Scan(args) = typed.command else { bail!("is no scan") };
        Self::from_args(args)
    }

    /// Validates the arguments and reads the settings, the rule files and standard input.
    pub(crate) fn from_args(mut args: ScanArgs) -> anyhow::Result<Self> {
        let targets = targets(&args)?;
        let repo_files = repo_files(&targets, &args);
        let settings = settings_of(&args, &repo_files)?;
        if !args.output.quiet {
            settings.tell_weaker();
        }
        args.output.reports.format = settings.value("format").map(str::to_owned);
        let outputs = Outputs::from_args(&args.output.reports)?;
        let limits = limits::read(&args.limits)?;
        let scan = scan_options(&args, &settings, &outputs, &limits)?;
        let given = settings.setting("rules");
        let rules = match given.origin {
            Origin::File(..) => rules::built_in_with(&in_repository(given, &repo_files)?)?,
            _ => rules::read(&paths(given))?,
        };
        let given = settings.setting("baseline");
        let (baselines, repo_baselines) = match given.origin {
            Origin::File(..) => (vec![], in_repository(given, &repo_files)?),
            _ => (paths(given), vec![]),
        };
        let live =
            args.verify.verify.then(|| Live::new(&rules, &args.live, &args.calls)).transpose()?;
        let hook = args.revoke.revoke.then(|| Hook::new(&args.hook, &args.calls)).transpose()?;
        let fail_on: SeverityArg = settings::word(settings.value("fail-on").unwrap_or_default())?;
        Ok(Self {
            live,
            hook,
            repo_files,
            targets,
            scan,
            limits,
            rules,
            outputs,
            fail_on: fail_on.severity(),
            quiet: args.output.quiet,
            inline_allow: settings.value("inline-allow") == Some("true"),
            baselines,
            repo_baselines,
        })
    }
}

/// The settings that a scan with these options would go by.
pub(crate) fn settings(args: &ScanArgs) -> anyhow::Result<Settings> {
    settings_of(args, &repo_files(&targets(args)?, args))
}

/// Where the targets speak for themselves, if they are trusted to.
fn repo_files(targets: &[Target], args: &ScanArgs) -> Vec<RepoFiles> {
    targets.iter().filter(|_| !args.trust.no_repo_config).filter_map(RepoFiles::of).collect()
}

/// Of several repositories the first one's configuration counts.
fn settings_of(args: &ScanArgs, repo_files: &[RepoFiles]) -> anyhow::Result<Settings> {
    let first = repo_files.first().map(|files| files.read(settings::CONFIG_FILE)).transpose()?;
    Settings::of(args, &first.unwrap_or_default())
}

/// What the scan itself goes by.
fn scan_options(
    args: &ScanArgs,
    settings: &Settings,
    outputs: &Outputs,
    limits: &Limits,
) -> anyhow::Result<Options> {
    let range = range::read(&args.reach)?;
    let history_only = args.reach.history_only || range.is_some();
    if args.limits.threads == Some(0) {
        bail!("--threads 0: give at least 1, or leave the option out for one per core");
    }
    let max_blob_size = settings.value("max-blob-size").map(limits::size).transpose();
    let min_confidence = settings::word(settings.value("min-confidence").unwrap_or_default())?;
    Ok(Options {
        worktree: !history_only,
        history: !args.reach.no_history,
        range,
        include_ignored: args.reach.ignored,
        max_blob_size: max_blob_size.context("--max-blob-size")?,
        trust_owner: args.trust.trust_owner,
        verify_objects: args.reach.verify_objects,
        min_confidence: confidence(min_confidence),
        exclude: outputs.files.iter().map(|(_, path)| path.clone()).collect(),
        threads: settings.value("threads").map_or(Ok(0), str::parse)?,
        known_keys: known_keys::of(args)?,
        max_expansion: limits.max_expansion,
        stop: limits.stop.clone(),
    })
}

fn paths(setting: &Setting) -> Vec<PathBuf> {
    setting.values.iter().map(PathBuf::from).collect()
}

/// Reads the files that the repository's own configuration names, from where it stands.
fn in_repository(setting: &Setting, repo_files: &[RepoFiles]) -> anyhow::Result<Vec<RepoFile>> {
    let mut found = vec![];
    for name in &setting.values {
        let files = repo_files.first().map(|files| files.read(name)).transpose()?;
        let files = files.filter(|files| !files.is_empty());
        found.extend(files.with_context(|| {
            format!("{}: there is no {name}; correct the name, or take it out", setting.origin)
        })?);
    }
    Ok(found)
}

/// What is scanned.
fn targets(args: &ScanArgs) -> anyhow::Result<Vec<Target>> {
    if args.reach.staged {
        Ok(vec![staged(&args.targets, args.trust.trust_owner)?])
    } else {
        named(&args.targets, args.reach.stdin)
    }
}

/// The targets that were named, or the current folder.
fn named(paths: &[PathBuf], stdin: bool) -> anyhow::Result<Vec<Target>> {
    let reads_stdin = stdin || paths.iter().any(|path| path.as_os_str() == "-");
    let named = paths.iter().filter(|path| path.as_os_str() != "-");
    let mut targets: Vec<Target> = named.cloned().map(Target::Path).collect();
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

fn confidence(arg: ConfidenceArg) -> Confidence {
    match arg {
        ConfidenceArg::Low => Confidence::Low,
        ConfidenceArg::Medium => Confidence::Medium,
        ConfidenceArg::High => Confidence::High,
    }
}
