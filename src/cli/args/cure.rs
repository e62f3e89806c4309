//! Arguments of `signleak cure`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::ValueEnum;

use super::RuleFileArgs;

/// Options of `cure`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CureArgs {
    /// JSON or JSONL report that tells what leaked.
    #[arg(long, value_name = "REPORT")]
    pub(crate) from: PathBuf,
    /// Format of the sheet.
    #[arg(long, short, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: SheetArg,
    /// Write the sheet to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the secrets, in clear, to a new file that only you can read, for `git filter-repo --replace-text`.
    #[arg(long, value_name = "FILE")]
    pub(crate) replace_text: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

/// Format of a cure sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SheetArg {
    /// For people.
    Text,
    /// For tickets: the steps can be ticked off.
    Markdown,
    /// The HTML report, which holds it.
    Html,
}
