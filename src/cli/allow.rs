//! `signleak ignore` and `signleak baseline`: files of one line per secret, sorted, which git merges as a union.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use signleak::finding::ScanReport;
use signleak::secret::Fingerprint;
use signleak::suppress::IgnoreFile;

use super::Status;
use super::args::BaselineArgs;
use super::args::BaselineCommand;
use super::args::BaselineFileArgs;
use super::args::IgnoreArgs;
use super::git_env;
use super::input;
use super::options::ScanOptions;
use super::scan;
use super::suppressions;

/// Files larger than this are refused.
const MAX_FILE: u64 = 64 << 20;

/// Runs `signleak ignore`.
pub(crate) fn ignore(args: &IgnoreArgs) -> anyhow::Result<Status> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => root().join(suppressions::IGNORE_FILE),
    };
    let mut lines = read_lines(&file)?;
    for given in &args.fingerprints {
        let line = format!("{}{}", key(parse_fingerprint(given)?), attributes(args)?);
        insert(&mut lines, line);
    }
    write_lines(&file, &lines)?;
    let mut out = anstream::stdout().lock();
    let shown = file.display();
    writeln!(
        out,
        "{} written to {shown}; `git add` it, so that it counts",
        args.fingerprints.len()
    )?;
    keep_mergeable(&file, &mut out)?;
    Ok(Status::Clean)
}

/// Runs `signleak baseline`.
pub(crate) fn baseline(args: BaselineArgs) -> anyhow::Result<Status> {
    match args.command {
        BaselineCommand::Create(args) => {
            if args.output.exists() {
                bail!(
                    "{} is there already; `signleak baseline update` adds to it",
                    args.output.display()
                );
            }
            write_baseline(&args, vec![])
        }
        BaselineCommand::Update(args) => {
            let lines = existing(&args.output)?;
            write_baseline(&args, lines)
        }
        BaselineCommand::Prune(args) => prune(&args),
    }
}

fn write_baseline(args: &BaselineFileArgs, mut lines: Vec<String>) -> anyhow::Result<Status> {
    let report = find(args)?;
    let before = lines.len();
    for finding in report.findings.iter().filter(|finding| finding.suppression.is_none()) {
        let key = key(finding.secret.sha256);
        if !lines.iter().any(|line| key_of(line) == key) {
            insert(&mut lines, format!("{key} rule={}", finding.rule_id));
        }
    }
    write_lines(&args.output, &lines)?;
    let mut out = anstream::stdout().lock();
    let (added, file) = (lines.len() - before, args.output.display());
    writeln!(
        out,
        "{added} added to {file}; `signleak scan --baseline {file}` tells only what is new"
    )?;
    keep_mergeable(&args.output, &mut out)?;
    Ok(Status::Clean)
}

fn prune(args: &BaselineFileArgs) -> anyhow::Result<Status> {
    let mut lines = existing(&args.output)?;
    let report = find(args)?;
    if !report.coverage.is_complete() {
        bail!(
            "not everything could be scanned (`signleak scan` tells what), so nothing was taken out: it may still be there"
        );
    }
    let found: Vec<String> =
        report.findings.iter().map(|finding| key(finding.secret.sha256)).collect();
    let before = lines.len();
    lines.retain(|line| !is_entry(line) || found.iter().any(|key| key == key_of(line)));
    write_lines(&args.output, &lines)?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{} taken out of {}", before - lines.len(), args.output.display())?;
    Ok(Status::Clean)
}

/// Everything that is found, whatever a baseline says.
fn find(args: &BaselineFileArgs) -> anyhow::Result<ScanReport> {
    let mut typed = vec!["--quiet", "--"];
    typed.extend(args.targets.iter().map(String::as_str));
    let mut options = ScanOptions::parse(&typed)?;
    options.outputs.stdout = None;
    Ok(scan::report(options)?.0)
}

fn existing(file: &Path) -> anyhow::Result<Vec<String>> {
    if !file.exists() {
        bail!("there is no baseline {}; `signleak baseline create` writes one", file.display());
    }
    read_lines(file)
}

/// Reads a file of ours, which must be right before anything is added to it.
fn read_lines(file: &Path) -> anyhow::Result<Vec<String>> {
    if !file.exists() {
        return Ok(vec![]);
    }
    let name = file.display().to_string();
    let bytes =
        input::read_capped(file, MAX_FILE).with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
    IgnoreFile::parse(&text, &name)?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn write_lines(file: &Path, lines: &[String]) -> anyhow::Result<()> {
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    IgnoreFile::parse(&text, &file.display().to_string())?;
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Puts an entry where it belongs, in the place of one with the same key and scope.
fn insert(lines: &mut Vec<String>, entry: String) {
    let scope = |line: &str| -> Vec<String> {
        let words = line.split(" reason=").next().unwrap_or(line).split_whitespace();
        words.filter(|word| !word.starts_with("until=")).map(str::to_owned).collect()
    };
    let new = scope(&entry);
    lines.retain(|line| !is_entry(line) || scope(line) != new);
    let at = lines.iter().position(|line| is_entry(line) && *line > entry);
    lines.insert(at.unwrap_or(lines.len()), entry);
}

fn is_entry(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

fn key_of(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or("")
}

/// The key of a secret's entry: under `SIGNLEAK_FINGERPRINT_KEY` an HMAC, so that a weak secret cannot be guessed from it.
fn key(fingerprint: Fingerprint) -> String {
    match suppressions::judge().hmac(&fingerprint) {
        Some(hmac) => format!("hmac:{hmac}"),
        None => format!("sha256:{fingerprint}"),
    }
}

fn parse_fingerprint(given: &str) -> anyhow::Result<Fingerprint> {
    Fingerprint::from_hex(given.strip_prefix("sha256:").unwrap_or(given)).with_context(|| {
        format!("`{given}` is no SHA-256; copy the 64 digits that the report shows behind `sha256`")
    })
}

fn attributes(args: &IgnoreArgs) -> anyhow::Result<String> {
    let mut text = String::new();
    let given = [
        ("rule", &args.rule),
        ("path", &args.path),
        ("until", &args.until),
        ("reason", &args.reason),
    ];
    for (name, value) in given {
        let Some(value) = value else { continue };
        if value.contains(['"', '\n', '\r']) {
            bail!("--{name}: leave out quotes and line breaks");
        }
        let quote = if name == "reason" || value.contains(char::is_whitespace) { "\"" } else { "" };
        text += &format!(" {name}={quote}{value}{quote}");
    }
    Ok(text)
}

/// Has git merge the file line by line: two branches that each add an entry at the same place would conflict otherwise.
fn keep_mergeable(file: &Path, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let Ok(repo) = git_env::discover(Path::new("."), false) else { return Ok(()) };
    let (Some(work_dir), Ok(place)) = (repo.work_dir(), file.canonicalize()) else { return Ok(()) };
    let Ok(work_dir) = work_dir.canonicalize() else { return Ok(()) };
    let Some(name) = place.strip_prefix(&work_dir).ok().and_then(Path::to_str) else {
        return Ok(());
    };
    let attributes = work_dir.join(".gitattributes");
    let known =
        if attributes.exists() { input::read_capped(&attributes, MAX_FILE)? } else { vec![] };
    let known = String::from_utf8_lossy(&known).into_owned();
    let is_named = |line: &str| {
        line.split_whitespace()
            .next()
            .is_some_and(|pattern| pattern.trim_start_matches('/') == name)
    };
    if name.contains(char::is_whitespace)
        || known.lines().any(|line| is_named(line) && line.contains("merge="))
    {
        return Ok(());
    }
    let seam = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    let text = format!("{known}{seam}/{name} merge=union\n");
    std::fs::write(&attributes, text).context("cannot write .gitattributes")?;
    writeln!(
        out,
        ".gitattributes now says `merge=union` for it, so that branches merge; `git add` that, too"
    )?;
    Ok(())
}

/// The root of the repository, or the current folder.
fn root() -> PathBuf {
    let repo = git_env::discover(Path::new("."), false).ok();
    let work_dir = repo.as_ref().and_then(|repo| repo.work_dir()).map(Path::to_owned);
    work_dir.unwrap_or_else(|| PathBuf::from("."))
}
