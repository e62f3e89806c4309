//! `signleak scan`.

use std::path::PathBuf;
use std::time::Instant;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::detect::Detector;
use signleak::finding::ScanReport;
use signleak::report::Format;
use signleak::scan::Target;

use super::Status;
use super::limits::Signals;
use super::options::ScanOptions;
use super::progress::Progress;
use super::render;
use super::render::Rendering;
use super::suppressions;

/// Runs the command.
pub(crate) fn run(options: ScanOptions) -> anyhow::Result<Status> {
    report(options).map(|(_, status)| status)
}

/// Scans and writes the reports.
pub(crate) fn report(options: ScanOptions) -> anyhow::Result<(ScanReport, Status)> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    let roots: Vec<PathBuf> = options.targets.iter().map(root).collect();
    let suppressions = suppressions::of(&options)?;
    let detector = Detector::new(options.rules, options.limits);
    let progress = Progress::new(options.quiet);
    let signals = Signals::ask(&options.scan.stop)?;
    let gather = || {
        signleak::scan::gather(&options.targets, &detector, &options.scan, &suppressions, &progress)
    };
    let gathered = if options.targets.iter().all(Target::is_little) {
        gather()
    } else {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(options.scan.threads);
        threads.build().context("cannot start threads")?.install(gather)
    };
    progress.finish();
    let gathered = gathered?;
    drop(signals);
    let asks = options.live.is_some() || options.hook.is_some();
    let keys = if asks { gathered.leaks() } else { vec![] };
    let live = options.live.as_ref();
    let validations = live.map(|live| live.check(&keys)).unwrap_or_default();
    let mut report = gathered.report(&suppressions, validations);
    let delivered = match &options.hook {
        Some(hook) => hook.run(&mut report, &keys, live),
        None => Ok(true),
    };
    let elapsed = (!options.quiet).then(|| clock.elapsed());
    let outputs = &options.outputs;
    Rendering { outputs, rules: detector.rules(), roots, started, elapsed }.write(&report)?;
    // The text report tells it itself.
    if !options.quiet && options.outputs.stdout != Some(Format::Text) {
        suppressions::tell_stale(&report);
    }
    // Findings are reported whatever becomes of their revocation, which the status tells.
    let status = if delivered? { Status::of(&report, options.fail_on) } else { Status::Failed };
    Ok((report, status))
}

/// The folder to which a target's paths are relative.
fn root(target: &Target) -> PathBuf {
    match target {
        Target::Path(path) => render::root(path),
        _ => PathBuf::from("."),
    }
}
