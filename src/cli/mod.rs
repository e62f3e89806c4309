//! The command line: what was typed, what is meant, and what is done about it.

mod allow;
mod args;
#[cfg(any(feature = "live", feature = "revoke"))]
mod calls;
mod ci;
mod completions;
mod config;
mod cure;
mod doctor;
mod exit;
mod explain;
mod git_env;
mod hook;
mod input;
mod known_keys;
mod limits;
mod live;
mod memory;
mod options;
mod output;
mod progress;
mod range;
mod render;
mod repo_files;
mod report;
mod revoke;
#[cfg_attr(not(feature = "revoke"), path = "no_revoker.rs")]
mod revoker;
mod rules;
mod scan;
mod self_test;
mod settings;
mod suppressions;
mod verify;

use clap::Parser as _;

pub(crate) use exit::Status;
pub(crate) use memory::Counting;

/// Runs the command that was typed.
pub(crate) fn run() -> anyhow::Result<Status> {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let status = if error.use_stderr() { Status::Failed } else { Status::Clean };
            error.print()?;
            return Ok(status);
        }
    };
    match args.command {
        args::Command::Scan(args) => scan::run(options::ScanOptions::from_args(args)?),
        args::Command::Ci(args) => ci::run(args),
        args::Command::Completions(args) => completions::run(&args),
        args::Command::Config(args) => config::run(args),
        args::Command::Doctor(args) => doctor::run(args),
        args::Command::SelfTest(args) => self_test::run(args),
        args::Command::Man(args) => completions::man(&args),
        args::Command::Report(args) => report::run(&args),
        args::Command::Verify(args) => verify::run(&args),
        args::Command::Revoke(args) => revoke::run(&args),
        args::Command::Cure(args) => cure::run(&args),
        args::Command::Explain(args) => explain::run(&args),
        args::Command::Rules(args) => rules::run(&args),
        args::Command::Hook(args) => hook::run(args),
        args::Command::Ignore(args) => allow::ignore(&args),
        args::Command::Baseline(args) => allow::baseline(args),
    }
}
