//! From a finished scan to its reports: one for standard output or a file, and further ones for further files.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;

use anyhow::Context as _;
use anyhow::bail;
use signleak::finding::Occurrence;
use signleak::finding::ScanReport;
use signleak::finding::Severity;
use signleak::provenance::Origin;
use signleak::report;
use signleak::report::Format;
use signleak::report::RuleInfo;
use signleak::report::RunTime;
use signleak::report::ToolInfo;
use signleak::report::VersionInfo;
use signleak::rule::RuleSet;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;
use signleak::source::git::Version;
use signleak::suppress::Day;

use super::args::ColorArg;
use super::args::FormatArgs;
use super::input;
use super::output;

/// The tool as reports name it.
const TOOL: ToolInfo = ToolInfo {
    name: "signleak",
    version: env!("CARGO_PKG_VERSION"),
    information_uri: "https://docs.rs/signleak",
};
/// Files larger than this get no line hashes.
const MAX_HASHED: u64 = 64 * 1024 * 1024;

/// Which reports are written where.
pub(crate) struct Outputs {
    /// The report on standard output, unless `-o FILE` takes its place.
    pub(crate) stdout: Option<Format>,
    /// Reports in files.
    pub(crate) files: Vec<(Format, PathBuf)>,
    /// Reports that are added to files, such as the summary of a CI job.
    pub(crate) appended: Vec<(Format, PathBuf)>,
    color: ColorArg,
}

impl Outputs {
    /// One report, on standard output or in a file.
    pub(crate) fn single(format: Format, file: Option<PathBuf>) -> Self {
        let stdout = file.is_none().then_some(format);
        let files = file.map(|file| (format, file)).into_iter().collect();
        Self { stdout, files, appended: vec![], color: ColorArg::Never }
    }

    /// Validates `--format F`, `-o FILE` and any number of `-o FORMAT=FILE`.
    pub(crate) fn from_args(args: &FormatArgs) -> anyhow::Result<Self> {
        let format: Format =
            args.format.as_deref().unwrap_or("text").parse().map_err(anyhow::Error::msg)?;
        let mut outputs =
            Self { stdout: Some(format), files: vec![], appended: vec![], color: args.color };
        for given in &args.output {
            let (named, path) = split_output(given)?;
            if outputs.files.iter().any(|(_, known)| *known == path) {
                bail!("-o {}: the file is named twice; give each report its own", path.display());
            }
            match (named, outputs.stdout) {
                (Some(named), _) => outputs.files.push((named, path)),
                (None, Some(_)) => {
                    outputs.stdout = None;
                    outputs.files.push((format, path));
                }
                (None, None) => bail!(
                    "-o {}: one -o without a format is there already; write -o FORMAT={0}",
                    path.display()
                ),
            }
        }
        Ok(outputs)
    }

    /// Whether a report in this format is written.
    fn holds(&self, format: Format) -> bool {
        let files = self.files.iter().chain(&self.appended).map(|(format, _)| *format);
        files.chain(self.stdout).any(|written| written == format)
    }
}

/// Splits `FORMAT=FILE`. A misspelt format is an error and not the start of a file's name.
fn split_output(given: &Path) -> anyhow::Result<(Option<Format>, PathBuf)> {
    let split = given.to_str().and_then(|text| text.split_once('='));
    match split {
        Some((name, file)) if name.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            let format = name.parse().map_err(|error| {
                anyhow::anyhow!("-o {name}=…: {error} (a file of this name: -o ./{name}=…)")
            })?;
            if file.is_empty() {
                bail!("-o {name}=: name a file behind the `=`");
            }
            Ok((Some(format), PathBuf::from(file)))
        }
        _ => Ok((None, given.to_owned())),
    }
}

/// What reports tell beside the findings.
pub(crate) struct Rendering<'r> {
    /// Which reports go where.
    pub(crate) outputs: &'r Outputs,
    /// The rules of the run.
    pub(crate) rules: &'r RuleSet,
    /// The folders to which the paths of each target are relative.
    pub(crate) roots: Vec<PathBuf>,
    /// When the run began.
    pub(crate) started: SystemTime,
    /// How long the run took, for people.
    pub(crate) elapsed: Option<Duration>,
}

impl Rendering<'_> {
    /// Writes all reports; files first, so that a failure does not come behind a report that looks finished.
    pub(crate) fn write(self, scanned: &ScanReport) -> anyhow::Result<()> {
        let hashes = LineHashes { roots: self.roots.clone(), known: Mutex::default() };
        let rules = rule_infos(self.rules, scanned);
        let time = times(self.started)?;
        // Only SARIF names it.
        let root = self.roots.first().filter(|_| self.outputs.holds(Format::Sarif));
        let version = root.and_then(|root| version(root));
        let in_file = report::Context {
            tool: TOOL,
            rules: &rules,
            color: matches!(self.outputs.color, ColorArg::Always),
            elapsed: None,
            line_hash: &|occurrence| hashes.of(occurrence),
            time: RunTime { started: &time.0, finished: &time.1 },
            version: version.as_ref().map(|version| VersionInfo {
                repository_uri: &version.repository_uri,
                revision: &version.revision,
                branch: version.branch.as_deref(),
            }),
        };
        for (format, path) in &self.outputs.files {
            output::to_file(path, |out| report::write(*format, scanned, &in_file, out))?;
        }
        for (format, path) in &self.outputs.appended {
            output::append(path, |out| report::write(*format, scanned, &in_file, out))?;
        }
        if let Some(format) = self.outputs.stdout {
            let color = self.outputs.color.on_stdout();
            let context = report::Context { color, elapsed: self.elapsed, ..in_file };
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let written = report::write(format, scanned, &context, &mut out);
            // Whoever reads no further, as `head` does, still asks for the status.
            match written.and_then(|()| out.flush()) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
                written => written.context("cannot write to standard output")?,
            }
        }
        Ok(())
    }
}

/// When the run began and ended. `SOURCE_DATE_EPOCH` stands for both, as in reproducible builds.
fn times(started: SystemTime) -> anyhow::Result<(String, String)> {
    if let Some(seconds) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let seconds = seconds.to_str().and_then(|text| text.parse().ok());
        let time = timestamp(seconds.context("SOURCE_DATE_EPOCH is no number of seconds")?);
        return Ok((time.clone(), time));
    }
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    };
    Ok((timestamp(seconds(started)), timestamp(seconds(SystemTime::now()))))
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ss`, UTC.
fn timestamp(seconds: u64) -> String {
    let (hour, minute) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{}T{hour:02}:{minute:02}:{:02}", Day::of_unix_time(seconds), seconds % 60)
}

/// The version that is checked out in a folder.
fn version(root: &Path) -> Option<Version> {
    Repo::discover(root, &OpenOptions { trust_owner: true }).ok()??.version()
}

/// The folder to which the paths below a target are relative.
pub(crate) fn root(path: &Path) -> PathBuf {
    let repo = Repo::discover(path, &OpenOptions { trust_owner: true }).ok().flatten();
    match repo.as_ref().and_then(Repo::work_dir) {
        Some(work_dir) => work_dir.to_owned(),
        None if path.is_dir() => path.to_owned(),
        None => path.parent().map(Path::to_owned).unwrap_or_default(),
    }
}

/// Describes each rule id once, with the worst severity of its rules. A report that is converted may name rules that
/// are not here; they are described by their id.
fn rule_infos(rules: &RuleSet, scanned: &ScanReport) -> Vec<RuleInfo> {
    let mut infos: Vec<RuleInfo> = vec![];
    for provider in &rules.providers {
        for rule in &provider.rules {
            let severity: Severity = rule.severity.max(rule.severity_production);
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
    for finding in &scanned.findings {
        if !infos.iter().any(|info| info.id == finding.rule_id) {
            infos.push(RuleInfo {
                id: finding.rule_id.clone(),
                title: finding.rule_id.clone(),
                description: "A rule of another rule file".to_owned(),
                remedy: vec![],
                severity: finding.severity,
                help_uri: String::new(),
            });
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
        let path = PathBuf::from(occurrence.path.to_string());
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let path = self.roots.get(occurrence.target)?.join(path);
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let hashes = known.entry(path).or_insert_with_key(|path| {
            let bytes = input::read_capped(path, MAX_HASHED).unwrap_or_default();
            report::line_hashes(&String::from_utf8_lossy(&bytes))
        });
        let line = usize::try_from(occurrence.region.line).ok()?.checked_sub(1)?;
        hashes.get(line).cloned().filter(|hash| !hash.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(format: &str, output: &[&str]) -> anyhow::Result<Outputs> {
        let output = output.iter().map(PathBuf::from).collect();
        Outputs::from_args(&FormatArgs {
            format: Some(format.to_owned()),
            output,
            color: ColorArg::Never,
        })
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(timestamp(1_709_164_799), "2024-02-28T23:59:59");
    }

    #[test]
    fn a_plain_file_takes_the_place_of_standard_output_and_others_come_on_top() {
        let alone = outputs("sarif", &["out"]).expect("valid");
        assert_eq!((alone.stdout, alone.files), (None, vec![(Format::Sarif, "out".into())]));
        let both = outputs("text", &["json=a", "sarif=b=c"]).expect("valid");
        assert_eq!(both.stdout, Some(Format::Text));
        assert_eq!(both.files, [(Format::Json, "a".into()), (Format::Sarif, "b=c".into())]);
        let odd = outputs("json", &["./sarif=a"]).expect("valid");
        assert_eq!(odd.files, [(Format::Json, "./sarif=a".into())]);
    }

    #[test]
    fn mistakes_name_the_way_out() {
        for (given, part) in [
            (&["sarf=x"][..], "-o ./sarf=…"),
            (&["json="], "name a file"),
            (&["a", "b"], "write -o FORMAT=b"),
            (&["json=a", "sarif=a"], "named twice"),
        ] {
            let error = outputs("text", given).err().expect("refused").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
