//! What is meant: the validated form of what was typed. No later stage sees a bad option.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use signleak::finding::Confidence;
use signleak::finding::Severity;
use signleak::rule::RuleSet;
use signleak::scan::Options;
use signleak::scan::Target;
use signleak::source::git::RangeSpec;

use super::args::ConfidenceArg;
use super::args::ScanArgs;
use super::input;
use super::render::Outputs;
use super::rules;

/// Standard input larger than this is refused.
const MAX_STDIN: u64 = 1 << 30;

/// A scan as it was asked for.
pub(crate) struct ScanOptions {
    pub(crate) targets: Vec<Target>,
    pub(crate) scan: Options,
    pub(crate) rules: RuleSet,
    pub(crate) outputs: Outputs,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) quiet: bool,
    pub(crate) repo_config: bool,
    pub(crate) inline_allow: bool,
}

impl ScanOptions {
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
        };
        Ok(Self {
            targets: targets(args.targets, args.reach.stdin)?,
            scan,
            rules: rules::read(&args.rules.files)?,
            outputs,
            fail_on: args.output.fail_on.severity(),
            quiet: args.output.quiet,
            repo_config: !args.trust.no_repo_config,
            inline_allow: !args.trust.no_inline_allow,
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
