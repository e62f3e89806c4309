//! `signleak revoke`: asks the owner's endpoint to revoke the keys of a report.

use std::time::SystemTime;

use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::RevocationStatus;
use signleak::finding::ScanReport;
use signleak::finding::Validation;
use signleak::scan;

use super::Status;
use super::args::RevokeArgs;
use super::live::Live;
use super::render::Outputs;
use super::render::Rendering;
use super::report;
use super::revoker::Hook;
use super::rules;

/// Runs the command.
pub(crate) fn run(args: &RevokeArgs) -> anyhow::Result<Status> {
    let started = SystemTime::now();
    let outputs = Outputs::from_args(&args.output)?;
    let detector = Detector::new(rules::read(&args.rules.files)?, Limits::default());
    let hook = Hook::new(&args.hook, &args.calls)?;
    let rules = detector.rules();
    let live = args.verify.then(|| Live::new(rules, &args.live, &args.calls)).transpose()?;
    let mut read = report::read(&args.from)?;
    let roots = report::roots(&read);
    let needs_keys = args.hook.send_secret || live.is_some();
    let keys = if needs_keys { scan::reread(&read, &roots, &detector) } else { vec![] };
    if let Some(live) = &live {
        scan::apply(&mut read, rules, live.check(&keys));
    }
    let delivered = hook.run(&mut read, &keys, live.as_ref())?;
    Rendering { outputs: &outputs, rules, roots, started, elapsed: None }.write(&read)?;
    Ok(if delivered { status(&read) } else { Status::Failed })
}

/// 1 while a key may still work: it was not taken, or the live check says so.
fn status(read: &ScanReport) -> Status {
    let is_open = |receipt: &signleak::finding::Receipt| {
        let is_taken =
            matches!(receipt.status, RevocationStatus::Revoked | RevocationStatus::Accepted);
        !is_taken || receipt.proof.is_some_and(Validation::is_active)
    };
    let mut receipts = read.findings.iter().filter_map(|finding| finding.revocation.as_ref());
    if receipts.any(is_open) { Status::Found } else { Status::Clean }
}
