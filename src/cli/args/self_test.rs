//! Arguments of `self-test` and `doctor`.

use clap::Args as ClapArgs;

use super::ScanArgs;

/// Arguments of `self-test`: those of `scan`, whose settings, rules and ignore files are tried.
#[derive(Debug, ClapArgs)]
pub(crate) struct SelfTestArgs {
    #[command(flatten)]
    pub(crate) scan: Box<ScanArgs>,
}

/// Arguments of `doctor`: those of `scan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) scan: Box<ScanArgs>,
}
