//! Arguments of the revocation hook.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::ValueEnum;

use super::CallArgs;
use super::FormatArgs;
use super::LiveArgs;
use super::RuleFileArgs;

/// Options of `revoke`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RevokeArgs {
    /// JSON or JSONL report whose keys are to be revoked.
    #[arg(long, value_name = "REPORT")]
    pub(crate) from: PathBuf,
    /// Ask the provider before and afterwards whether each key works.
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) hook: EndpointArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    #[command(flatten)]
    pub(crate) calls: CallArgs,
    #[command(flatten)]
    pub(crate) output: FormatArgs,
    #[command(flatten)]
    pub(crate) rules: RuleFileArgs,
}

/// Whether a scan asks for revocation.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Live check and revocation")]
pub(crate) struct RevokeFlag {
    /// Ask the owner's endpoint to revoke what was found; shows what would be sent unless --yes is given.
    #[arg(long)]
    pub(crate) revoke: bool,
}

/// Who is asked to revoke, and how.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Live check and revocation")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct EndpointArgs {
    /// The owner's endpoint [default: `SIGNLEAK_REVOKE_URL`].
    #[arg(long, value_name = "URL", conflicts_with = "revoke_command")]
    pub(crate) revoke_url: Option<String>,
    /// A program that gets the request on standard input, instead of an endpoint.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) revoke_command: Option<PathBuf>,
    /// File with the signing secret `whsec_…`, or several while one is changed [default: `SIGNLEAK_REVOKE_SECRET`].
    #[arg(long, value_name = "FILE")]
    pub(crate) revoke_secret_file: Option<PathBuf>,
    /// File with a bearer token for the endpoint [default: `SIGNLEAK_REVOKE_TOKEN`].
    #[arg(long, value_name = "FILE")]
    pub(crate) revoke_token_file: Option<PathBuf>,
    /// PEM file with a client certificate and its key.
    #[arg(long, value_name = "FILE")]
    pub(crate) revoke_identity: Option<PathBuf>,
    /// Form of the body.
    #[arg(long, value_name = "FORMAT", default_value = "standard")]
    pub(crate) revoke_body: BodyArg,
    /// Send the key itself and not its SHA-256 alone.
    #[arg(long)]
    pub(crate) send_secret: bool,
    /// Really send.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show what would be sent, and send nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Ask again for keys that have a receipt.
    #[arg(long)]
    pub(crate) again: bool,
    /// Folder for what could not be delivered, and for receipts [default: signleak/outbox in the user's state folder].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) outbox: Option<PathBuf>,
    /// Attempts for each request.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) revoke_attempts: u32,
    /// Seconds to wait in all between attempts.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) revoke_patience: u64,
}

/// Form of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BodyArg {
    /// Standard Webhooks.
    Standard,
    /// GitHub's secret scanning partner format; needs --send-secret.
    Partner,
}
