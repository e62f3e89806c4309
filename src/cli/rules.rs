//! `signleak rules`: list, show, check; and reading rule files for all commands.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context as _;
use anyhow::bail;
use signleak::check;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::rule::Rule;
use signleak::rule::RuleKind;
use signleak::rule::RuleSet;

use super::Status;
use super::args::RulesArgs;
use super::args::RulesCommand;
use super::repo_files::RepoFile;

/// Rule files larger than this are refused.
const MAX_RULE_FILE: u64 = 16 * 1024 * 1024;

/// Runs the command.
pub(crate) fn run(args: &RulesArgs) -> anyhow::Result<Status> {
    let rules = read(&args.rules.files)?;
    match &args.command {
        RulesCommand::List => list(&rules),
        RulesCommand::Show { id } => show(&rules, id),
        RulesCommand::Check => check(rules),
    }
}

/// The built-in rules and those of files that were read from a repository.
pub(crate) fn built_in_with(files: &[RepoFile]) -> anyhow::Result<RuleSet> {
    let mut rules = RuleSet::built_in().context("the built-in rules")?;
    files.iter().try_for_each(|file| rules.add(&file.text, &file.name))?;
    Ok(rules)
}

/// The built-in rules and those of `files`, in that order.
pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<RuleSet> {
    let mut rules = RuleSet::built_in().context("the built-in rules")?;
    for file in files {
        let name = file.display().to_string();
        let bytes = super::input::read_capped(file, MAX_RULE_FILE)
            .with_context(|| format!("cannot read the rule file {name}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
        rules.add(&text, &name)?;
    }
    Ok(rules)
}

fn list(rules: &RuleSet) -> anyhow::Result<Status> {
    let mut out = anstream::stdout().lock();
    for provider in &rules.providers {
        writeln!(out, "{} ({})", provider.name, provider.id)?;
        for rule in &provider.rules {
            writeln!(
                out,
                "  {:<32} {:<9} {}",
                rule.id,
                format!("{:?}", rule.severity).to_lowercase(),
                rule.title
            )?;
        }
    }
    Ok(Status::Clean)
}

fn show(rules: &RuleSet, id: &str) -> anyhow::Result<Status> {
    let shown: Vec<&Rule> = rules.rules().filter(|rule| rule.id == id).collect();
    if shown.is_empty() {
        bail!("there is no rule `{id}`; `signleak rules list` names them");
    }
    let mut out = anstream::stdout().lock();
    for rule in shown {
        writeln!(out, "{}: {}\n\n{}\n", rule.id, rule.title, rule.description)?;
        match &rule.kind {
            RuleKind::Token(token) => {
                token.shapes.iter().try_for_each(|shape| writeln!(out, "shape: {}", shape.note))?;
            }
            RuleKind::Pattern(pattern) => writeln!(out, "pattern: {}", pattern.pattern)?,
            RuleKind::Tracked(tracked) => {
                writeln!(out, "tracked files: {}", tracked.files.join(", "))?;
            }
        }
        rule.remedy
            .iter()
            .enumerate()
            .try_for_each(|(at, step)| writeln!(out, "remedy {}: {step}", at + 1))?;
        writeln!(out)?;
    }
    Ok(Status::Clean)
}

fn check(rules: RuleSet) -> anyhow::Result<Status> {
    let detector = Detector::new(rules, Limits::default());
    let seed = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |age| age.subsec_nanos().into());
    let (judged, failures) = check::check_examples(&detector, seed);
    let mut out = anstream::stdout().lock();
    for failure in &failures {
        writeln!(
            out,
            "{}: {}\n  in the example: {}",
            failure.rule_id,
            failure.reason,
            failure.example.escape_debug()
        )?;
    }
    writeln!(out, "{judged} examples judged, {} failed", failures.len())?;
    Ok(if failures.is_empty() { Status::Clean } else { Status::Found })
}
