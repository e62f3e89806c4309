//! Arguments of `hook`.

use clap::Args as ClapArgs;
use clap::Subcommand;
use clap::ValueEnum;

/// Arguments of `hook`.
#[derive(Debug, ClapArgs)]
pub(crate) struct HookArgs {
    #[command(subcommand)]
    pub(crate) command: HookCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Install hooks; a hook that is already there keeps running, before ours.
    Install(HookPlaceArgs),
    /// Take our hooks out, and put back what was there before.
    Uninstall(HookPlaceArgs),
    /// Tell which hooks git would run; exit with 1 if none of them is ours.
    Status(HookStatusArgs),
    /// What an installed hook calls.
    Run(HookRunArgs),
}

/// Which hooks, and where.
#[derive(Debug, ClapArgs)]
pub(crate) struct HookPlaceArgs {
    /// Hooks [default: pre-commit and pre-push; in a bare repository pre-receive].
    #[arg(value_name = "HOOK")]
    pub(crate) hooks: Vec<HookName>,
    /// For all repositories of this user, through `core.hooksPath`; hooks of single repositories keep running.
    #[arg(long)]
    pub(crate) global: bool,
}

/// Where to look.
#[derive(Debug, ClapArgs)]
pub(crate) struct HookStatusArgs {
    /// Look at the hooks for all repositories of this user.
    #[arg(long)]
    pub(crate) global: bool,
}

/// A hook's call.
#[derive(Debug, ClapArgs)]
pub(crate) struct HookRunArgs {
    /// The hook.
    pub(crate) hook: HookName,
    /// What git gave it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<std::ffi::OsString>,
}

/// A hook of git that we serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum HookName {
    /// Before a commit: what is staged.
    PreCommit,
    /// Before a commit: its message.
    CommitMsg,
    /// Before a push: the commits it brings.
    PrePush,
    /// On a server, before a push is accepted: the commits it brings.
    PreReceive,
}

impl HookName {
    /// Every hook that we serve.
    pub(crate) const ALL: [Self; 4] =
        [Self::PreCommit, Self::CommitMsg, Self::PrePush, Self::PreReceive];

    /// The name by which git knows it.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// Whether git writes to its standard input.
    pub(crate) fn reads_stdin(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive)
    }
}
