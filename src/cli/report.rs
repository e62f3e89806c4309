//! `signleak report`: converts and merges JSON reports, without scanning anything.

use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context as _;
use anyhow::bail;
use signleak::finding::ScanReport;
use signleak::report;

use super::Status;
use super::args::ReportArgs;
use super::input;
use super::render;
use super::render::Outputs;
use super::render::Rendering;
use super::rules;

/// Reports larger than this are refused.
const MAX_REPORT: u64 = 1 << 30;

/// Runs the command.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<Status> {
    let started = SystemTime::now();
    let outputs = Outputs::from_args(&args.output)?;
    let rules = rules::read(&args.rules.files)?;
    let mut files = args.inputs.clone();
    if files.is_empty() {
        files.push(PathBuf::from("-"));
    }
    if files.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
        bail!("standard input can be read once only; name `-` once");
    }
    let reports: Vec<ScanReport> =
        files.iter().map(|file| read(file)).collect::<anyhow::Result<_>>()?;
    let merged = report::merge(reports);
    let roots = roots(&merged);
    Rendering { outputs: &outputs, rules: &rules, roots, started, elapsed: None }.write(&merged)?;
    Ok(match args.fail_on {
        Some(limit) => Status::of(&merged, limit.severity()),
        None => Status::Clean,
    })
}

/// The folders to which the paths of each target are relative.
pub(crate) fn roots(report: &ScanReport) -> Vec<PathBuf> {
    report.targets.iter().map(|target| render::root(Path::new(target))).collect()
}

/// Reads one report from a file, or from standard input if it is `-`.
pub(crate) fn read(file: &Path) -> anyhow::Result<ScanReport> {
    let (name, text) = if file.as_os_str() == "-" {
        ("standard input".into(), input::read_stream_capped(std::io::stdin().lock(), MAX_REPORT))
    } else {
        (file.display().to_string(), input::read_capped(file, MAX_REPORT))
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    report::read(&text).map_err(|error| anyhow::anyhow!("{name}:{error}"))
}
