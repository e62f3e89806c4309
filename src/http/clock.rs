//! Time as a thing that can be handed in, so that tests need not wait.

use std::time::Duration;
use std::time::SystemTime;

/// Tells the time and passes it.
pub trait Clock: Sync {
    /// Time since 1970.
    fn now(&self) -> Duration;

    /// Does nothing for this long.
    fn sleep(&self, duration: Duration);

    /// A number from 0 to 1, different each time.
    fn jitter(&self) -> f64;
}

/// The clock on the wall.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn jitter(&self) -> f64 {
        fastrand::f64()
    }
}
