//! `signleak scan`.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::Occurrence;
use signleak::provenance::Origin;
use signleak::report;
use signleak::report::RuleInfo;
use signleak::report::ToolInfo;
use signleak::rule::RuleSet;
use signleak::scan::Suppressions;
use signleak::scan::Target;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;
use signleak::suppress::Day;
use signleak::suppress::IgnoreFile;

use super::Status;
use super::input;
use super::options::ScanOptions;
use super::output;
use super::progress::Progress;

/// The tool as reports name it.
const TOOL: ToolInfo = ToolInfo {
    name: "signleak",
    version: env!("CARGO_PKG_VERSION"),
    information_uri: "https://docs.rs/signleak",
};
/// Name of the ignore file.
const IGNORE_FILE: &str = ".signleakignore";
/// Ignore files and hashed files larger than this are refused.
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
    let hashes = LineHashes { roots, known: Mutex::default() };
    let rules = rule_infos(detector.rules());
    let to_file = options.output.is_some();
    let context = report::Context {
        tool: TOOL,
        rules: &rules,
        color: options.color,
        elapsed: (!to_file && !options.quiet).then(|| started.elapsed()),
        line_hash: &|occurrence| hashes.of(occurrence),
    };
    match &options.output {
        Some(path) => {
            output::to_file(path, |out| report::write(options.format, &report, &context, out))?;
        }
        None => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            report::write(options.format, &report, &context, &mut out)?;
            out.flush()?;
        }
    }
    Ok(Status::of(&report, options.fail_on))
}

/// The folder to which a target's paths are relative.
fn root(target: &Target) -> PathBuf {
    let Target::Path(path) = target else { return PathBuf::from(".") };
    let repo = Repo::discover(path, &OpenOptions { trust_owner: true }).ok().flatten();
    match repo.as_ref().and_then(Repo::work_dir) {
        Some(work_dir) => work_dir.to_owned(),
        None if path.is_dir() => path.clone(),
        None => path.parent().map(Path::to_owned).unwrap_or_default(),
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

/// Describes each rule id once, with the worst severity of its rules.
fn rule_infos(rules: &RuleSet) -> Vec<RuleInfo> {
    let mut infos: Vec<RuleInfo> = vec![];
    for provider in &rules.providers {
        for rule in &provider.rules {
            let severity = rule.severity.max(rule.severity_production);
            match infos.iter_mut().find(|info| info.id == rule.id) {
                Some(info) => info.severity = info.severity.max(severity),
                None => infos.push(RuleInfo {
                    id: rule.id.clone(),
                    title: rule.title.clone(),
                    description: rule.description.clone(),
                    remedy: rule.remedy.clone(),
                    severity,
                    help_uri: provider.information_uri.clone(),
                }),
            }
        }
    }
    infos
}

/// GitHub's line hashes of the files that hold findings, each file hashed once.
struct LineHashes {
    roots: Vec<PathBuf>,
    known: Mutex<HashMap<PathBuf, Vec<String>>>,
}

impl LineHashes {
    fn of(&self, occurrence: &Occurrence) -> Option<String> {
        if occurrence.origin != Origin::Worktree {
            return None;
        }
        let path = self.roots.get(occurrence.target)?.join(occurrence.path.to_string());
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let hashes = known.entry(path).or_insert_with_key(|path| {
            let bytes = input::read_capped(path, MAX_FILE).unwrap_or_default();
            report::line_hashes(&String::from_utf8_lossy(&bytes))
        });
        hashes.get(occurrence.region.line as usize - 1).cloned().filter(|hash| !hash.is_empty())
    }
}
