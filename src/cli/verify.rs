//! `signleak verify`: asks the provider about the keys of a report.

use std::time::SystemTime;

use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::ScanReport;
use signleak::finding::Validation;
use signleak::scan;

use super::Status;
use super::args::VerifyArgs;
use super::live::Live;
use super::render::Outputs;
use super::render::Rendering;
use super::report;
use super::rules;

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Status> {
    let started = SystemTime::now();
    let outputs = Outputs::from_args(&args.output)?;
    let detector = Detector::new(rules::read(&args.rules.files)?, Limits::default());
    let live = Live::new(detector.rules(), &args.live, &args.calls)?;
    let mut read = report::read(&args.from)?;
    let roots = report::roots(&read);
    let keys = scan::reread(&read, &roots, &detector);
    let gone = read.findings.iter().filter(|finding| finding.is_leak()).count() - keys.len();
    scan::apply(&mut read, detector.rules(), live.check(&keys));
    let rules = detector.rules();
    Rendering { outputs: &outputs, rules, roots, started, elapsed: None }.write(&read)?;
    if gone > 0 {
        anstream::eprintln!(
            "{gone} of the secrets were not found again at the places in the report, so they were not checked"
        );
    }
    Ok(status(&read, gone))
}

/// 1 for a key that works, 3 if nothing is known about some.
fn status(read: &ScanReport, gone: usize) -> Status {
    let is_unknown = |state| matches!(state, Validation::Unknown { .. });
    if read.findings.iter().any(|finding| finding.validation.is_active()) {
        Status::Found
    } else if gone > 0 || read.findings.iter().any(|finding| is_unknown(finding.validation)) {
        Status::Incomplete
    } else {
        Status::Clean
    }
}
