//! Reads all that suppresses findings: ignore files of the scanned repositories, ours and other scanners', and baselines.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context as _;
use signleak::report::escape;
use signleak::scan::Suppressions;
use signleak::suppress::Day;
use signleak::suppress::IgnoreError;
use signleak::suppress::IgnoreFile;
use signleak::suppress::Judge;

use super::input;
use super::options::ScanOptions;
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
    load(&options.repo_files, &options.baselines, &options.repo_baselines, options.inline_allow)
}

/// Reads everything that suppresses findings in a run.
fn load(
    repo_files: &[RepoFiles],
    baselines: &[PathBuf],
    repo_baselines: &[RepoFile],
    inline: bool,
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
    Ok(Suppressions { ignore_files, inline, judge: judge() })
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

/// Tells of entries that do nothing: after a whole scan those that match nothing, and always those that need a key.
pub(crate) fn tell_useless(suppressions: &Suppressions, was_whole: bool) {
    for file in &suppressions.ignore_files {
        let name = escape::terminal(file.name());
        if file.needs_hmac_key() && suppressions.judge.hmac_key.is_none() {
            anstream::eprintln!("note: {name}: its `hmac:` entries count only with {HMAC_KEY}");
            continue;
        }
        for line in file.unused_lines().filter(|_| was_whole) {
            anstream::eprintln!(
                "note: {name}:{line}: is stale: nothing matches it any more; take it out"
            );
        }
    }
}
