//! What was typed.

mod allow;
mod ci;
mod completions;
mod config;
mod cure;
mod hook;
mod limits;
mod report;
mod revoke;
mod self_test;
mod verify;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use signleak::finding::Severity;

pub(crate) use allow::{BaselineArgs, BaselineCommand, BaselineFileArgs, IgnoreArgs};
pub(crate) use ci::{CiArgs, CiMode};
pub(crate) use completions::{CompletionsArgs, ManArgs};
pub(crate) use config::{ConfigArgs, ConfigCommand};
pub(crate) use cure::{CureArgs, SheetArg};
pub(crate) use hook::{HookArgs, HookCommand, HookName, HookPlaceArgs};
pub(crate) use limits::LimitArgs;
pub(crate) use report::ReportArgs;
#[cfg(feature = "revoke")]
pub(crate) use revoke::BodyArg;
pub(crate) use revoke::EndpointArgs;
pub(crate) use revoke::RevokeArgs;
pub(crate) use revoke::RevokeFlag;
pub(crate) use self_test::{DoctorArgs, SelfTestArgs};
pub(crate) use verify::CallArgs;
pub(crate) use verify::LiveArgs;
pub(crate) use verify::VerifyArgs;
pub(crate) use verify::VerifyFlag;

/// Finds leaked Yousign credentials in files and whole git histories.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit status: 0 clean, 1 findings, 2 error, 3 nothing found but not everything was scanned."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan files and git history.
    Scan(ScanArgs),
    /// Scan what a CI event brings, with annotations and job summary on GitHub.
    Ci(CiArgs),
    /// Convert and merge JSON reports.
    Report(ReportArgs),
    /// Ask the provider whether the keys of a report still work.
    Verify(VerifyArgs),
    /// Ask the owner's endpoint to revoke the keys of a report.
    Revoke(Box<RevokeArgs>),
    /// Tell what to do about the secrets of a report, and since when and to whom each is exposed.
    Cure(CureArgs),
    /// Tell why the values of a file are or are not findings.
    Explain(ExplainArgs),
    /// List, show or prove the rules.
    Rules(RulesArgs),
    /// Print the completion script of a shell.
    Completions(CompletionsArgs),
    /// Print a man page.
    Man(ManArgs),
    /// Install, take out or look at git hooks.
    Hook(HookArgs),
    /// Allow secrets by their hash, in `.signleakignore`.
    Ignore(IgnoreArgs),
    /// Write down what is found now, so that only what is new counts.
    Baseline(BaselineArgs),
    /// Show the settings and where they come from.
    Config(ConfigArgs),
    /// Tell whether this repository is really protected, and what to do if not.
    Doctor(DoctorArgs),
    /// Plant keys in memory and in a repository of its own, and fail unless each is found.
    SelfTest(SelfTestArgs),
}

/// Options of `scan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ScanArgs {
    /// Files, folders or repositories [default: the current folder]; `-` reads standard input.
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) verify: VerifyFlag,
    #[command(flatten)]
    pub(crate) revoke: RevokeFlag,
    #[command(flatten)]
    pub(crate) hook: EndpointArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) calls: CallArgs,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

/// What is scanned.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "What to scan")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ReachArgs {
    /// Scan the files only.
    #[arg(long, conflicts_with = "history_only")]
    pub(crate) no_history: bool,
    /// Scan the git history only.
    #[arg(long)]
    pub(crate) history_only: bool,
    /// Scan only what these commits introduce: `A..B`, `A...B` or one commit; implies --history-only.
    #[arg(long, value_name = "RANGE", conflicts_with = "no_history")]
    pub(crate) range: Option<String>,
    /// Scan only what commits of any ref introduce since a day (`2026-01-31`), a time (RFC 3339) or an age (`30d`, `12h`).
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["no_history", "range"])]
    pub(crate) since: Option<String>,
    /// Scan only what these commits introduce: one a line, as `git rev-list` prints them; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_history", "range", "since"])]
    pub(crate) commits: Option<PathBuf>,
    /// Scan what is staged for the next commit: the index, not the files.
    #[arg(long, conflicts_with_all = ["no_history", "history_only", "range", "since", "commits", "stdin", "ignored", "verify_objects"])]
    pub(crate) staged: bool,
    /// Read standard input, the same as the target `-`.
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Scan files that .gitignore leaves out, too.
    #[arg(long)]
    pub(crate) ignored: bool,
    /// Search these keys too, wherever they stand: a file of keys or their SHA-256, one a line; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_keys: Option<PathBuf>,
    /// Check the hash of every git object.
    #[arg(long)]
    pub(crate) verify_objects: bool,
}

/// Which reports are written where.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatArgs {
    /// Format of the report: text, json, jsonl, html, sarif, github, gitlab, junit, csv or markdown [default: text].
    #[arg(long, short, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Write the report to this file instead of standard output; with `FORMAT=`, write a further report (repeatable).
    #[arg(long, short, value_name = "[FORMAT=]FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Colours: by default on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorArg,
}

/// What is printed and what counts.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) reports: FormatArgs,
    /// Leave out findings we are less sure of [default: medium].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_confidence: Option<ConfidenceArg>,
    /// Exit with 1 only for findings of at least this severity [default: low].
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    /// Never show a secret. This is so anyway; the option says it where people look for it.
    #[arg(long)]
    pub(crate) redact: bool,
    /// Print no progress and no summary to the terminal.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// How far the scanned repository is trusted.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Trust")]
pub(crate) struct TrustArgs {
    /// Leave what this file names out of account: a baseline, a JSON report, a gitleaks report or a detect-secrets baseline.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Do not read ignore files and configuration from the scanned repository.
    #[arg(long)]
    pub(crate) no_repo_config: bool,
    /// Do not honour `signleak:allow` and other scanners' comments.
    #[arg(long)]
    pub(crate) no_inline_allow: bool,
    /// Open repositories that belong to another user.
    #[arg(long)]
    pub(crate) trust_owner: bool,
}

/// Rules beside the built-in ones.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleFileArgs {
    /// Read rules from this file; may be given several times.
    #[arg(long = "rules", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// A file, `FILE:LINE`, or the place a report names.
    #[arg(value_name = "FILE[:LINE[:COLUMN]]")]
    pub(crate) place: String,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// One line for each rule.
    List,
    /// All about one rule.
    Show {
        /// The rule's id.
        id: String,
    },
    /// Judge every example of every rule.
    Check,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ConfidenceArg {
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SeverityArg {
    Low,
    Medium,
    High,
    Critical,
    /// Exit with 0 whatever is found.
    Never,
}

impl SeverityArg {
    /// The severity, or none for `never`.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ColorArg {
    Auto,
    Always,
    Never,
}

impl ColorArg {
    /// Whether to colour standard output: as asked, or on a terminal without `NO_COLOR`.
    pub(crate) fn on_stdout(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && std::io::stdout().is_terminal()
            }
        }
    }
}
