//! Ends a scan before it is done: at a deadline, or when somebody asks. What was found until then is reported, and what was
//! not reached is a gap.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// When to stop. All copies of one share the asking.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops when `asked` becomes true, and at the deadline if there is one.
    #[must_use]
    pub fn new(asked: Arc<AtomicBool>, deadline: Option<Instant>) -> Self {
        Self { asked, deadline }
    }

    /// What makes it stop when it becomes true.
    #[must_use]
    pub fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether to stop now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        if self.asked.load(Ordering::Relaxed) {
            return true;
        }
        let is_over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over {
            // Whoever asks later need not look at the clock again.
            self.asked.store(true, Ordering::Relaxed);
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_when_asked_and_at_the_deadline() {
        assert!(!Stop::default().is_due());
        let asked = Arc::new(AtomicBool::new(false));
        let stop = Stop::new(Arc::clone(&asked), None);
        assert!(!stop.is_due());
        asked.store(true, Ordering::Relaxed);
        assert!(stop.is_due());
        assert!(Stop::new(Arc::default(), Some(Instant::now())).is_due());
    }
}
