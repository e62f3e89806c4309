//! Arguments of `signleak ci`.

use clap::Args as ClapArgs;
use clap::ValueEnum;

use super::ScanArgs;

/// Options of `ci`: those of `scan`, and what to scan.
#[derive(Debug, ClapArgs)]
pub(crate) struct CiArgs {
    /// What to scan: by default what the CI event brings.
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) mode: CiMode,
    #[command(flatten)]
    pub(crate) scan: ScanArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CiMode {
    /// The commits of a push, pull request or merge queue; everything on other events.
    Auto,
    /// The commits that the event brings; an error if it brings none.
    Changes,
    /// The files and the whole history.
    All,
    /// The files only.
    Files,
}
