//! `signleak scan`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::ScanReport;
use signleak::scan::Suppressions;
use signleak::scan::Target;
use signleak::suppress::Day;
use signleak::suppress::IgnoreFile;

use super::Status;
use super::options::ScanOptions;
use super::progress::Progress;
use super::render;
use super::render::Rendering;
use super::repo_files::RepoFiles;

/// Name of the ignore file.
const IGNORE_FILE: &str = ".signleakignore";

/// Runs the command.
pub(crate) fn run(options: ScanOptions) -> anyhow::Result<Status> {
    report(options).map(|(_, status)| status)
}

/// Scans and writes the reports.
pub(crate) fn report(options: ScanOptions) -> anyhow::Result<(ScanReport, Status)> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.scan.threads)
        .build()
        .context("cannot start threads")?;
    let detector = Detector::new(options.rules, Limits::default());
    let roots: Vec<PathBuf> = options.targets.iter().map(root).collect();
    let suppressions = suppressions(&options.repo_files, options.inline_allow)?;
    let progress = Progress::new(options.quiet);
    let gathered = pool.install(|| {
        signleak::scan::gather(&options.targets, &detector, &options.scan, &suppressions, &progress)
    });
    progress.finish();
    let gathered = gathered?;
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

/// Reads the ignore files of the scanned repositories.
fn suppressions(repo_files: &[RepoFiles], inline: bool) -> anyhow::Result<Suppressions> {
    let mut ignore_files = BTreeMap::new();
    for files in repo_files {
        for file in files.read(IGNORE_FILE)? {
            ignore_files.insert(file.name.clone(), IgnoreFile::parse(&file.text, &file.name)?);
        }
    }
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let ignore_files = ignore_files.into_values().collect();
    Ok(Suppressions { ignore_files, inline, today: Day::of_unix_time(now) })
}
