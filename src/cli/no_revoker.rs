//! Stands for the revocation hook in a build without it.

use signleak::finding::Candidate;
use signleak::finding::ScanReport;

use super::args::CallArgs;
use super::args::EndpointArgs;
use super::live::Live;

/// Never made: this build cannot revoke.
pub(crate) enum Hook {}

impl Hook {
    /// Says that this build cannot revoke.
    pub(crate) fn new(_: &EndpointArgs, _: &CallArgs) -> anyhow::Result<Self> {
        anyhow::bail!(
            "this signleak was built without the revocation hook; install it with the feature `revoke` (cargo install signleak --features revoke)"
        )
    }

    /// Cannot be called.
    pub(crate) fn run(
        &self,
        _: &mut ScanReport,
        _: &[Candidate],
        _: Option<&Live>,
    ) -> anyhow::Result<bool> {
        match *self {}
    }
}
