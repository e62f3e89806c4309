//! What the process's exit status says.

use std::process::ExitCode;

use signleak::finding::Finding;
use signleak::finding::ScanReport;
use signleak::finding::Severity;

/// How a run ended. The output format never changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing found, and everything was scanned.
    Clean,
    /// A finding at or above `--fail-on`.
    Found,
    /// A wrong call, or an error of the tool.
    Failed,
    /// Nothing found, but something was not scanned.
    Incomplete,
}

impl Status {
    /// The status of a finished scan. Suppressed findings and breaches of policy do not count.
    pub(crate) fn of(report: &ScanReport, fail_on: Option<Severity>) -> Self {
        let counts = |finding: &Finding| {
            finding.suppression.is_none()
                && finding.is_leak()
                && fail_on.is_some_and(|limit| finding.severity >= limit)
        };
        if report.findings.iter().any(counts) {
            Self::Found
        } else if report.coverage.is_complete() {
            Self::Clean
        } else {
            Self::Incomplete
        }
    }
}

impl Status {
    /// The number of it.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Failed => 2,
            Self::Incomplete => 3,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}
