//! Ends a scan before it is done: at a deadline, when the memory is used up, or when somebody asks. What was found until then
//! is reported, and what was not reached is a gap.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// When to stop. All copies of one share the asking.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
    /// Whether the process holds as much memory as it may.
    is_full: Option<fn() -> bool>,
    /// Why something was left out, as soon as something was.
    cause: Arc<OnceLock<Cause>>,
}

/// Why a scan was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// By a signal.
    Asked,
    /// The deadline has passed.
    Time,
    /// The memory is used up.
    Memory,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "somebody asked it to end",
            Self::Time => "it has taken as long as it may (--timeout)",
            Self::Memory => "it holds as much memory as it may (--max-memory)",
        })
    }
}

impl Stop {
    /// Stops when `asked` becomes true, and at the deadline if there is one.
    #[must_use]
    pub fn new(asked: Arc<AtomicBool>, deadline: Option<Instant>) -> Self {
        Self { asked, deadline, ..Self::default() }
    }

    /// Stops, too, when this is true; it is asked often.
    #[must_use]
    pub fn or_when_full(self, is_full: fn() -> bool) -> Self {
        Self { is_full: Some(is_full), ..self }
    }

    /// What makes it stop when it becomes true.
    #[must_use]
    pub fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether to stop now. Whoever is told so leaves something out.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let cause = if self.asked.load(Ordering::Relaxed) {
            Cause::Asked
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Cause::Time
        } else if self.is_full.is_some_and(|is_full| is_full()) {
            Cause::Memory
        } else {
            return false;
        };
        self.cause.get_or_init(|| cause);
        // Whoever asks later need not look at the clock again, and memory that is free again is no reason to go on.
        self.asked.store(true, Ordering::Relaxed);
        true
    }

    /// Why something was left out, if something was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.cause.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_when_asked_at_the_deadline_and_when_memory_is_full() {
        assert!(!Stop::default().is_due());
        let asked = Arc::new(AtomicBool::new(false));
        let stop = Stop::new(Arc::clone(&asked), None);
        let copy = stop.clone();
        assert!(!stop.is_due() && stop.cause().is_none());
        asked.store(true, Ordering::Relaxed);
        assert!(stop.is_due());
        assert_eq!(copy.cause(), Some(Cause::Asked));
        let late = Stop::new(Arc::default(), Some(Instant::now()));
        assert!(late.cause().is_none(), "nothing was left out yet");
        assert!(late.is_due() && late.is_due());
        assert_eq!(late.cause(), Some(Cause::Time));
        assert!(!Stop::default().or_when_full(|| false).is_due());
        let full = Stop::default().or_when_full(|| true);
        assert!(full.is_due() && full.asked().load(Ordering::Relaxed));
        assert_eq!(full.cause(), Some(Cause::Memory));
    }
}
