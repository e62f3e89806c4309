//! The command line of signleak.

mod cli;

use std::io;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: cli::Counting = cli::Counting;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(tell_place));
    match cli::run() {
        Ok(status) => status.into(),
        Err(error) if is_broken_pipe(&error) => cli::Status::Clean.into(),
        Err(error) => {
            anstream::eprintln!(
                "error: {}",
                signleak::report::escape::terminal(&format!("{error:#}"))
            );
            cli::Status::Failed.into()
        }
    }
}

/// Tells of a mistake of ours without its message, which may quote what was read.
fn tell_place(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
    anstream::eprintln!("error: signleak failed{place}; please report it");
}

/// Whether the reader of our output went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
