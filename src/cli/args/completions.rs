//! Arguments of `signleak completions` and `signleak man`.

use clap::Args as ClapArgs;
use clap_complete::Shell;

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell whose completion script is printed.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// A command [default: the page of signleak itself].
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
