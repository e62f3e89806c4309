//! The command line of signleak.

mod cli;

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
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

/// Whether the reader of our output went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
