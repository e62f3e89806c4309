//! Reads all that suppresses findings: ignore files of the scanned repositories, ours and other scanners', and baselines.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::finding::ScanReport;
use signleak::finding::StaleSuppression;
use signleak::report::escape;
use signleak::scan::Options;
use signleak::scan::Suppressions;
use signleak::scan::Target;
use signleak::suppress::Day;
use signleak::suppress::IgnoreError;
use signleak::suppress::IgnoreFile;
use signleak::suppress::Judge;

use super::input;
use super::options::ScanOptions;
use super::render;
use super::repo_files::RepoFile;
use super::repo_files::RepoFiles;

/// Name of our ignore file.
pub(crate) const IGNORE_FILE: &str = ".signleakignore";
/// Baselines larger than this are refused.
const MAX_BASELINE: u64 = 256 << 20;
/// The variable that holds the key of `hmac:` entries.
const HMAC_KEY: &str = "SIGNLEAK_FINGERPRINT_KEY";

/// Reads one kind of file.
type Reader = fn(&str, &str) -> Result<IgnoreFile, IgnoreError>;

/// The files that are looked for at the root of a repository.
const FILES: [(&str, Reader); 6] = [
    (IGNORE_FILE, IgnoreFile::parse),
    (".betterleaksignore", IgnoreFile::betterleaks_ignore),
    (".gitguardian.yaml", IgnoreFile::ggshield),
    (".gitguardian.yml", IgnoreFile::ggshield),
    (".gitleaksignore", IgnoreFile::gitleaks_ignore),
    (".secrets.baseline", IgnoreFile::baseline),
];

/// Everything that suppresses findings in a run with these options.
pub(crate) fn of(options: &ScanOptions) -> anyhow::Result<Suppressions> {
    let is_whole = is_whole(&options.scan, &options.targets);
    load(
        &options.repo_files,
        &options.baselines,
        &options.repo_baselines,
        (options.inline_allow, is_whole),
    )
}

/// Reads everything that suppresses findings in a run.
fn load(
    repo_files: &[RepoFiles],
    baselines: &[PathBuf],
    repo_baselines: &[RepoFile],
    (inline, is_whole): (bool, bool),
) -> anyhow::Result<Suppressions> {
    let mut ignore_files: Vec<IgnoreFile> = vec![];
    for files in repo_files {
        for (name, read) in FILES {
            for file in files.read(name)? {
                if ignore_files.iter().all(|known| known.name() != file.name) {
                    ignore_files.push(read(&file.text, &file.name)?);
                }
            }
        }
    }
    for file in repo_baselines {
        ignore_files.push(IgnoreFile::baseline(&file.text, &file.name)?);
    }
    for path in baselines {
        let name = path.display().to_string();
        let bytes = input::read_capped(path, MAX_BASELINE).with_context(|| {
            format!("cannot read the baseline {name}; write one with `signleak baseline create`")
        })?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
        ignore_files.push(IgnoreFile::baseline(&text, &name)?);
    }
    Ok(Suppressions { ignore_files, inline, judge: judge(), is_whole })
}

/// Today, and the key of `hmac:` entries.
pub(crate) fn judge() -> Judge {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let hmac_key = std::env::var_os(HMAC_KEY).filter(|key| !key.is_empty());
    Judge {
        today: Day::of_unix_time(now),
        hmac_key: hmac_key.map(|key| key.as_encoded_bytes().to_vec()),
    }
}

/// Tells on the terminal of entries that do nothing.
pub(crate) fn tell_stale(report: &ScanReport) {
    for StaleSuppression { place, detail } in &report.stale_suppressions {
        anstream::eprintln!("note: {}: {detail}", escape::terminal(place));
    }
}

/// Whether whole repositories were scanned, files and history, so that an entry which matched nothing is stale.
fn is_whole(options: &Options, targets: &[Target]) -> bool {
    let is_root = |target: &Target| match target {
        Target::Path(path) => path
            .canonicalize()
            .is_ok_and(|path| render::root(&path).canonicalize().is_ok_and(|root| root == path)),
        _ => false,
    };
    options.worktree && options.history && options.range.is_none() && targets.iter().all(is_root)
}
