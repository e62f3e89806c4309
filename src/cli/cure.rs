//! `signleak cure`: the cure sheet of a report, and on request the file that rewrites history.

use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::Candidate;
use signleak::report::Format;
use signleak::scan;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;
use zeroize::Zeroizing;

use super::Status;
use super::args::CureArgs;
use super::args::SheetArg;
use super::output;
use super::render::Outputs;
use super::render::Rendering;
use super::report;
use super::rules;

/// Runs the command.
pub(crate) fn run(args: &CureArgs) -> anyhow::Result<Status> {
    let started = SystemTime::now();
    let detector = Detector::new(rules::read(&args.rules.files)?, Limits::default());
    let read = report::read(&args.from)?;
    let roots = report::roots(&read);
    let status = match &args.replace_text {
        Some(file) => {
            let is_leak = |key: &Candidate| {
                read.leaks().any(|leak| leak.secret.sha256 == key.secret.fingerprint())
            };
            let mut keys = scan::reread(&read, &roots, &detector);
            keys.retain(is_leak);
            write_replacements(file, read.leaks().count(), &keys)?
        }
        None => Status::Clean,
    };
    let format = match args.format {
        SheetArg::Text => Format::Cure,
        SheetArg::Markdown => Format::CureMarkdown,
        SheetArg::Html => Format::Html,
    };
    let outputs = Outputs::single(format, args.output.clone());
    let rules = detector.rules();
    Rendering { outputs: &outputs, rules, roots, started, elapsed: None }.write(&read)?;
    Ok(status)
}

/// Writes the secrets for `git filter-repo --replace-text`, for their owner's eyes only. Incomplete if some are no longer
/// at the places that the report names.
fn write_replacements(file: &Path, leaks: usize, keys: &[Candidate]) -> anyhow::Result<Status> {
    let name = file.display();
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let repo = Repo::discover(folder, &OpenOptions { trust_owner: true }).ok().flatten();
    if repo.is_some() {
        bail!(
            "--replace-text {name}: this is in a git repository, where secrets do not belong; name a file elsewhere (`mktemp -d` makes a folder)"
        );
    }
    if keys.is_empty() {
        bail!(
            "--replace-text {name}: no secret was found again at the places in the report, so there is nothing to write"
        );
    }
    output::private(file, &replacements(keys)).with_context(|| format!("--replace-text {name}"))?;
    let mut err = anstream::stderr().lock();
    writeln!(
        err,
        "{name} holds {} secrets in clear; only you can read it. In a fresh clone:\n    git filter-repo --replace-text {name} --replace-message {name}\nScan the result, then delete the file.",
        keys.len()
    )?;
    let gone = leaks - keys.len();
    if gone == 0 {
        return Ok(Status::Clean);
    }
    writeln!(
        err,
        "{gone} of the secrets were not found again at the places in the report, so they are not in it"
    )?;
    Ok(Status::Incomplete)
}

/// One line for each secret and for its usual base64 forms, longer ones first, since one may hold another.
fn replacements(keys: &[Candidate]) -> Zeroizing<Vec<u8>> {
    let forms = |key: &Candidate| {
        let secret = key.secret.expose();
        let with_line_feed = Zeroizing::new([secret, b"\n"].concat());
        [
            Zeroizing::new(secret.to_vec()),
            Zeroizing::new(STANDARD.encode(secret).into_bytes()),
            Zeroizing::new(STANDARD.encode(&*with_line_feed).into_bytes()),
        ]
    };
    let mut lines: Vec<Zeroizing<Vec<u8>>> = keys.iter().flat_map(forms).collect();
    lines.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    lines.dedup();
    let mut text = Zeroizing::new(vec![]);
    for line in &lines {
        text.extend_from_slice(b"literal:");
        text.extend_from_slice(line);
        text.extend_from_slice(b"==>***REMOVED***\n");
    }
    text
}
