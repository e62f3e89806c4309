//! `signleak ci`: scans what a CI event brings, in one run with annotations, job summary and outputs. What the event brings but
//! the checkout does not hold is an error, never a clean result.

mod event;

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use signleak::coverage::Coverage;
use signleak::report::Format;
use signleak::report::escape;
use signleak::scan::Target;
use signleak::source::git::Change;
use signleak::source::git::PushedRef;

use super::Status;
use super::args::CiArgs;
use super::args::CiMode;
use super::git_env;
use super::options::ScanOptions;
use super::repo_files::RepoFiles;
use super::scan;
use event::Event;
use event::System;
use event::variable;

/// Runs the command. On GitHub also a failure becomes an annotation and an output.
pub(crate) fn run(args: CiArgs) -> anyhow::Result<Status> {
    let system = System::current();
    let mut outputs = StepOutputs::default();
    let status = scan_event(args, system, &mut outputs);
    if system == System::GitHub {
        if let Err(error) = &status {
            let text = escape::terminal(&format!("{error:#}")).replace('%', "%25");
            anstream::println!("::error title=signleak::{text}");
        }
        let code = status.as_ref().map_or(Status::Failed, |status| *status).code();
        outputs.lines.push(format!("exit-code={code}"));
        outputs.write()?;
    }
    status
}

fn scan_event(args: CiArgs, system: System, outputs: &mut StepOutputs) -> anyhow::Result<Status> {
    let reach = &args.scan.reach;
    if reach.range.is_some()
        || reach.since.is_some()
        || reach.commits.is_some()
        || reach.staged
        || reach.stdin
        || reach.no_history
        || reach.history_only
    {
        bail!("`ci` takes what to scan from the event; use --mode, or `signleak scan`");
    }
    let paths = args.scan.targets.clone();
    let mut options = ScanOptions::from_args(args.scan)?;
    if system == System::GitHub {
        let summary = variable("GITHUB_STEP_SUMMARY").map(|path| (Format::Markdown, path.into()));
        options.outputs.appended.extend(summary);
        options.outputs.stdout = options.outputs.stdout.map(|_| Format::Github);
        outputs.sarif(&options)?;
    }
    let event = Event::read(system)?;
    let what = match (args.mode, event) {
        (CiMode::Auto | CiMode::Changes, Event::Change { name, change, pushed }) => {
            let range = change_targets(&mut options, &paths, (&change, pushed), system)?;
            format!("{name}, {range}")
        }
        (CiMode::Auto | CiMode::Changes, Event::Deletion) => {
            outputs.lines.push("findings=0".to_owned());
            say("a branch or tag was deleted; that brings nothing to scan");
            return Ok(Status::Clean);
        }
        (CiMode::Changes, Event::Other { name }) => {
            bail!("the event `{name}` brings no commits; use --mode all or --mode files")
        }
        (CiMode::Auto, Event::Other { name }) => format!("{name}, the files and the whole history"),
        (CiMode::All, _) => "the files and the whole history".to_owned(),
        (CiMode::Files, _) => {
            options.scan.history = false;
            "the files".to_owned()
        }
    };
    say(&format!("scanning: {what}"));
    let (report, status) = scan::report(options)?;
    outputs.lines.push(format!("findings={}", report.tally().leaks));
    if !report.coverage.is_complete() && system != System::Other {
        say(&format!("not everything was scanned; if history is missing, {}", system.deepen()));
    }
    Ok(status)
}

/// Makes the options scan a change, in every repository that the paths are in; returns the change in words.
fn change_targets(
    options: &mut ScanOptions,
    paths: &[PathBuf],
    (change, pushed): (&Change, Option<PushedRef>),
    system: System,
) -> anyhow::Result<String> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let repo = git_env::discover(&paths[0], options.scan.trust_owner)?;
    for path in &paths[1..] {
        let other = git_env::discover(path, options.scan.trust_owner)?;
        if other.git_dir() != repo.git_dir() {
            bail!(
                "{}: is in another repository than {}; an event is about one",
                path.display(),
                paths[0].display()
            );
        }
    }
    let range = repo.change(change).with_context(|| {
        format!("what this event brings cannot be scanned: {}", system.deepen())
    })?;
    let mut coverage = Coverage::default();
    let refs: Vec<PushedRef> = pushed.into_iter().collect();
    let texts = repo.pushed_texts(&refs, &mut coverage);
    if let Some(gap) = coverage.gaps().next() {
        bail!("{}: {}", gap.place, gap.detail);
    }
    if !options.repo_files.is_empty() {
        options.repo_files = vec![RepoFiles::Commits(repo.clone(), vec![change.tip.clone()])];
    }
    options.scan.worktree = false;
    options.scan.history = true;
    options.scan.range = Some(range.spec);
    options.targets = vec![Target::History(repo)];
    if !texts.is_empty() {
        options.targets.push(Target::Texts(texts));
    }
    let known = range.known.map_or("all of them".to_owned(), |known| format!("since {known}"));
    let noun = if range.commits == 1 { "commit" } else { "commits" };
    Ok(format!("{} {noun} up to {}, {known}", range.commits, change.tip))
}

/// What later steps of a GitHub job can read.
#[derive(Default)]
struct StepOutputs {
    lines: Vec<String>,
}

impl StepOutputs {
    /// Names the SARIF report.
    fn sarif(&mut self, options: &ScanOptions) -> anyhow::Result<()> {
        let sarif = options.outputs.files.iter().find(|(format, _)| *format == Format::Sarif);
        if let Some((_, path)) = sarif {
            let name = path.to_str().filter(|name| !name.contains(['\n', '\r']));
            let name = name.context("the SARIF file's name is not UTF-8 or holds a line end")?;
            self.lines.push(format!("sarif={name}"));
        }
        Ok(())
    }

    /// Appends them to the file that GitHub names.
    fn write(&self) -> anyhow::Result<()> {
        let Some(path) = variable("GITHUB_OUTPUT") else { return Ok(()) };
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(Path::new(&path))
            .context("cannot write to GITHUB_OUTPUT")?;
        for line in &self.lines {
            writeln!(file, "{line}").context("cannot write to GITHUB_OUTPUT")?;
        }
        Ok(())
    }
}

/// Prints a line for the log, to standard error, so that reports on standard output stay whole.
fn say(line: &str) {
    anstream::eprintln!("signleak: {}", escape::terminal(line));
}
