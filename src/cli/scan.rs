//! `signleak scan`.

use std::path::PathBuf;
use std::time::Instant;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::scan::Suppressions;
use signleak::scan::Target;
use signleak::suppress::Day;
use signleak::suppress::IgnoreFile;

use super::Status;
use super::input;
use super::options::ScanOptions;
use super::progress::Progress;
use super::render;
use super::render::Rendering;

/// Name of the ignore file.
const IGNORE_FILE: &str = ".signleakignore";
/// Ignore files larger than this are refused.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Runs the command.
pub(crate) fn run(options: ScanOptions) -> anyhow::Result<Status> {
    let started = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.scan.threads)
        .build()
        .context("cannot start threads")?;
    let detector = Detector::new(options.rules, Limits::default());
    let roots: Vec<PathBuf> = options.targets.iter().map(root).collect();
    let suppressions = suppressions(&roots, options.repo_config, options.inline_allow)?;
    let progress = Progress::new(options.quiet);
    let scanned = pool.install(|| {
        signleak::scan::scan(&options.targets, &detector, &options.scan, &suppressions, &progress)
    });
    progress.finish();
    let report = scanned?;
    let elapsed = (!options.quiet).then(|| started.elapsed());
    Rendering { outputs: &options.outputs, rules: detector.rules(), roots, elapsed }
        .write(&report)?;
    Ok(Status::of(&report, options.fail_on))
}

/// The folder to which a target's paths are relative.
fn root(target: &Target) -> PathBuf {
    match target {
        Target::Path(path) => render::root(path),
        Target::Text(_) => PathBuf::from("."),
    }
}

/// Reads the ignore files at the roots of the targets.
fn suppressions(
    roots: &[PathBuf],
    repo_config: bool,
    inline: bool,
) -> anyhow::Result<Suppressions> {
    let mut files: Vec<PathBuf> = roots.iter().map(|root| root.join(IGNORE_FILE)).collect();
    files.sort();
    files.dedup();
    let mut ignore_files = vec![];
    for file in files.iter().filter(|file| repo_config && file.is_file()) {
        let name = file.display().to_string();
        let bytes =
            input::read_capped(file, MAX_FILE).with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
        ignore_files.push(IgnoreFile::parse(&text, &name)?);
    }
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
    Ok(Suppressions { ignore_files, inline, today: Day::of_unix_time(now) })
}
