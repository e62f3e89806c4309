//! Arguments of `config`.

use clap::Args as ClapArgs;
use clap::Subcommand;

use super::ScanArgs;

/// Arguments of `config`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show what `scan` with the same options would go by, and where each setting comes from: an option, the environment,
    /// `.signleak.toml`, or the default.
    Show(Box<ScanArgs>),
}
