//! Arguments of `signleak report`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::FormatArgs;
use super::RuleFileArgs;
use super::SeverityArg;

/// Options of `report`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// JSON or JSONL reports [default: standard input]; several are merged.
    #[arg(value_name = "FILE")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: FormatArgs,
    /// Exit like a scan: 1 for findings of at least this severity, 3 if not everything was scanned.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityArg>,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}
