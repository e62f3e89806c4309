//! When the next call to a host may be made: limits that the host names are obeyed, failures are backed off from, and
//! all waiting together ends.

use std::time::Duration;

use crate::http::Clock;
use crate::http::Response;

/// The first pause after a failure; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Waiting before calls to one host.
pub(super) struct Pace<'c> {
    clock: &'c dyn Clock,
    /// No call before this time.
    next: Duration,
    /// Waiting that is still allowed.
    left: Duration,
    failures: u32,
}

impl<'c> Pace<'c> {
    /// Calls may begin at once; all waiting together may take `patience`.
    pub(super) fn new(clock: &'c dyn Clock, patience: Duration) -> Self {
        Self { clock, next: Duration::ZERO, left: patience, failures: 0 }
    }

    /// Waits until the next call is allowed; `false` if that is beyond our patience.
    pub(super) fn wait(&mut self) -> bool {
        let wait = self.next.saturating_sub(self.clock.now());
        if wait > self.left {
            return false;
        }
        if !wait.is_zero() {
            self.clock.sleep(wait);
            self.left -= wait;
        }
        true
    }

    /// Obeys the limits that an answer names: a spent minute or hour ends when the host says so.
    pub(super) fn obey(&mut self, response: &Response) {
        let spent =
            ["x-ratelimit-remaining-minute", "x-ratelimit-remaining-hour", "ratelimit-remaining"]
                .iter()
                .any(|name| response.number(name) == Some(0));
        if spent {
            // A host that does not say when means the current window, of which a minute is the shortest.
            let reset = response.number("ratelimit-reset").unwrap_or(60);
            self.not_before(Duration::from_secs(reset));
        }
    }

    /// An answer came that says something about the key.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// A call failed; the next one waits as long as the host asks, or longer after each failure.
    pub(super) fn failed(&mut self, asked: Option<Duration>) {
        let pause = FIRST_PAUSE * 2_u32.pow(self.failures.min(6));
        self.failures += 1;
        self.not_before(asked.unwrap_or_else(|| pause.mul_f64(0.5 + self.clock.jitter() / 2.0)));
    }

    fn not_before(&mut self, wait: Duration) {
        self.next = self.next.max(self.clock.now().saturating_add(wait));
    }
}
