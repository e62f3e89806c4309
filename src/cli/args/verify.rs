//! Arguments of the live check.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::FormatArgs;
use super::RuleFileArgs;

/// Options of `verify`.
#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// JSON or JSONL report whose keys are checked; they are read again from the places that it names.
    #[arg(long, value_name = "REPORT")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) calls: CallArgs,
    #[command(flatten)]
    pub(crate) output: FormatArgs,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

/// Whether a scan checks what it has found.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Live check and revocation")]
pub(crate) struct VerifyFlag {
    /// Ask the provider whether each key still works: at most two requests for each key and host.
    #[arg(long)]
    pub(crate) verify: bool,
}

/// How keys are checked.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Live check and revocation")]
pub(crate) struct LiveArgs {
    /// Send to this URL what would go to the rules' host NAME (a proxy of yours, a test); repeatable.
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) verify_host: Vec<String>,
    /// Let a host of the live check be in a private network.
    #[arg(long)]
    pub(crate) verify_private: bool,
    /// Seconds to wait in all for the rate limits of a host.
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    pub(crate) verify_patience: u64,
}

/// How calls over the network are made.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Live check and revocation")]
pub(crate) struct CallArgs {
    /// Trust the certificates in this PEM file instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Call through this HTTP proxy. Proxies in the environment are not used: keys go only where you say.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Seconds that one call may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) call_timeout: u64,
}
