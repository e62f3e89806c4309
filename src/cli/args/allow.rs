//! Arguments of `ignore` and `baseline`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::Subcommand;

/// Arguments of `ignore`.
#[derive(Debug, ClapArgs)]
pub(crate) struct IgnoreArgs {
    /// SHA-256 of the secrets, as reports name them.
    #[arg(value_name = "SHA256", required = true)]
    pub(crate) fingerprints: Vec<String>,
    /// Why; stands in every report.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// The last day on which it holds.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<String>,
    /// Only for findings of this rule.
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Only at these paths (a glob).
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Option<String>,
    /// Write to this file [default: `.signleakignore` at the root of the repository].
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Arguments of `baseline`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Write down what is found now.
    Create(BaselineFileArgs),
    /// Add what is found now and not yet written down.
    Update(BaselineFileArgs),
    /// Take out what is no longer found.
    Prune(BaselineFileArgs),
}

/// The baseline, and what is scanned for it.
#[derive(Debug, ClapArgs)]
pub(crate) struct BaselineFileArgs {
    /// What is scanned [default: the current folder and its history].
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// The baseline.
    #[arg(long, short, value_name = "FILE", default_value = ".signleak-baseline")]
    pub(crate) output: PathBuf,
}
