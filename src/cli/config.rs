//! `signleak config show`: every setting, and where it comes from.

use std::io::Write as _;

use signleak::report::escape;

use super::Status;
use super::args::ConfigArgs;
use super::args::ConfigCommand;
use super::options;

/// Runs the command.
pub(crate) fn run(args: ConfigArgs) -> anyhow::Result<Status> {
    let ConfigCommand::Show(args) = args.command;
    let settings = options::settings(&args)?;
    let mut out = anstream::stdout().lock();
    for (name, setting) in settings.iter() {
        let value =
            if setting.values.is_empty() { "-".to_owned() } else { setting.values.join(", ") };
        let (value, origin) = (escape::terminal(&value), setting.origin.to_string());
        let remark = if setting.weakens { " (can hide findings)" } else { "" };
        writeln!(out, "{name:<15} {value:<10} {}{remark}", escape::terminal(&origin))?;
    }
    Ok(Status::Clean)
}
