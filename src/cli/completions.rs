//! `signleak completions` and `signleak man`: what a package installs beside the program, printed from the arguments' own text.

use std::io::Write as _;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::Status;
use super::args::Args;
use super::args::CompletionsArgs;
use super::args::ManArgs;

const NAME: &str = "signleak";

/// Prints the completion script of a shell.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Status> {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Args::command(), NAME, &mut script);
    print(&script)
}

/// Prints a man page.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<Status> {
    let mut root = Args::command();
    root.build();
    let page = match &args.command {
        None => root,
        Some(name) => {
            let found = root.find_subcommand(name).cloned();
            found.with_context(|| {
                format!("there is no command `{name}`; `signleak help` lists them")
            })?
        }
    };
    let mut text = vec![];
    clap_mangen::Man::new(page).render(&mut text)?;
    print(&text)
}

fn print(text: &[u8]) -> anyhow::Result<Status> {
    std::io::stdout().lock().write_all(text)?;
    Ok(Status::Clean)
}
