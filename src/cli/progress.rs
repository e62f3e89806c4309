//! The progress line: on a terminal only.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use signleak::scan::Observer;

/// A spinner with the current phase, or nothing.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows progress on standard error if that is a terminal and `quiet` is not set.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Progress {
    fn phase(&self, name: &str) {
        self.0.set_message(signleak::report::escape::terminal(name).into_owned());
    }
}
