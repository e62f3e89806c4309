//! `signleak hook`: puts us where git asks before it commits, pushes or receives, without pushing anybody else out.

mod place;
mod run;
mod script;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use signleak::report::escape;
use signleak::source::git::Repo;
use signleak::source::git::set_global_hooks_path;

use super::Status;
use super::args::HookArgs;
use super::args::HookCommand;
use super::args::HookName;
use super::args::HookPlaceArgs;
use super::git_env;
use super::input;
use place::Place;
use place::State;
use script::Script;

/// Hooks that git looks for in the one folder that `core.hooksPath` names: those of single repositories would no longer run, so
/// each gets a script that calls the repository's own. Left out are those that git calls many times in one command.
const PASSED_ON: [&str; 21] = [
    "applypatch-msg",
    "commit-msg",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "sendemail-validate",
    "update",
];
/// Scripts larger than this are not touched.
const MAX_SCRIPT: u64 = 1 << 20;

/// Runs the command.
pub(crate) fn run(args: HookArgs) -> anyhow::Result<Status> {
    match args.command {
        HookCommand::Install(args) => install(args),
        HookCommand::Uninstall(args) => uninstall(&args),
        HookCommand::Status(args) => status(args.global),
        HookCommand::Run(args) => run::run(args.hook, &args.args),
    }
}

fn install(args: HookPlaceArgs) -> anyhow::Result<Status> {
    let place = place(args.global)?;
    let hooks = wanted(args)?;
    let program = std::env::current_exe().context("cannot tell where the program is")?;
    let program = program.to_str().context("the program's path is not UTF-8")?;
    fs::create_dir_all(&place.folder)
        .with_context(|| format!("cannot create {}", place.folder.display()))?;
    let mut out = anstream::stdout().lock();
    for hook in &hooks {
        let script = Script {
            is_global: place.is_global,
            ..Script::of(*hook, (!place.is_shared).then_some(program))
        };
        let file = place.file(hook.file_name());
        let how = put(&place, &file, &script)
            .with_context(|| format!("cannot install {}", file.display()))?;
        writeln!(out, "{} {how}: {}", hook.file_name(), shown(&file))?;
    }
    if place.is_global {
        pass_on(&place, &hooks)?;
        let config = git_env::user_config()?;
        let folder = place.folder.to_str().context("the folder's path is not UTF-8")?;
        set_global_hooks_path(&config, Some(folder))
            .with_context(|| format!("cannot write core.hooksPath to {}", config.display()))?;
        writeln!(
            out,
            "core.hooksPath in {} names this folder; hooks of single repositories are called from it",
            shown(&config)
        )?;
    }
    if place.is_shared {
        writeln!(
            out,
            "These scripts belong to the repository: commit them, and whoever clones it needs `signleak` in PATH."
        )?;
    }
    Ok(Status::Clean)
}

/// Writes one hook; says how.
fn put(place: &Place, file: &Path, script: &Script<'_>) -> anyhow::Result<&'static str> {
    let known = match input::read_capped(file, MAX_SCRIPT) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) if !file.exists() => None,
        Err(error) => return Err(error.into()),
    };
    match known {
        Some(text) if script::is_ours(&text) => {
            write(file, &script.whole())?;
            Ok("was there and is up to date")
        }
        None if !place.is_shared => {
            write(file, &script.whole())?;
            Ok("installed")
        }
        None => {
            let opening = if place.entry.is_some() { "" } else { "#!/bin/sh\n" };
            write(file, &format!("{opening}{}", script.block()))?;
            Ok("installed")
        }
        Some(text) if place.is_shared && script::is_shell(&text) => {
            write(file, &script::with_block(&text, &script.block()))?;
            Ok("added to the script that is there")
        }
        Some(_) => {
            let before = before(file);
            if before.exists() {
                bail!("{} is in the way; move it, or chain it by hand", before.display());
            }
            fs::rename(file, &before)?;
            write(file, &script.whole())?;
            Ok("installed; the hook that was there runs before it")
        }
    }
}

/// Writes the scripts that call the hooks of single repositories.
fn pass_on(place: &Place, hooks: &[HookName]) -> anyhow::Result<()> {
    for hook in PASSED_ON {
        let file = place.file(hook);
        if hooks.iter().any(|own| own.file_name() == hook) || file.exists() {
            continue;
        }
        let script =
            Script { hook, reads_stdin: false, program: None, is_global: true, checks: false };
        write(&file, &script.whole())?;
    }
    Ok(())
}

fn uninstall(args: &HookPlaceArgs) -> anyhow::Result<Status> {
    let place = place(args.global)?;
    let hooks = if args.hooks.is_empty() { HookName::ALL.to_vec() } else { args.hooks.clone() };
    let mut out = anstream::stdout().lock();
    for hook in hooks {
        let file = place.file(hook.file_name());
        if let Some(how) =
            take(&file).with_context(|| format!("cannot take out {}", file.display()))?
        {
            writeln!(out, "{} {how}: {}", hook.file_name(), shown(&file))?;
        }
    }
    if place.is_global && args.hooks.is_empty() {
        for hook in PASSED_ON {
            take(&place.file(hook))?;
        }
        let config = git_env::user_config()?;
        set_global_hooks_path(&config, None)
            .with_context(|| format!("cannot take core.hooksPath out of {}", config.display()))?;
    }
    Ok(Status::Clean)
}

/// Takes one hook out, if it is ours; says how.
fn take(file: &Path) -> anyhow::Result<Option<&'static str>> {
    let Ok(bytes) = input::read_capped(file, MAX_SCRIPT) else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    if script::is_ours(&text) {
        fs::remove_file(file)?;
        let before = before(file);
        if !before.exists() {
            return Ok(Some("taken out"));
        }
        fs::rename(before, file)?;
        return Ok(Some("taken out; the hook that was there before is back"));
    }
    if !script::has_block(&text) {
        return Ok(None);
    }
    let rest = script::without_block(&text);
    if rest.lines().all(|line| line.trim().is_empty() || line.starts_with("#!")) {
        fs::remove_file(file)?;
    } else {
        write(file, &rest)?;
    }
    Ok(Some("taken out"))
}

fn status(global: bool) -> anyhow::Result<Status> {
    let place = place(global)?;
    let mut out = anstream::stdout().lock();
    let mut protects = false;
    for hook in HookName::ALL {
        let name = hook.file_name();
        let state = place.state(name);
        protects |= state.protects();
        let word = state.words();
        writeln!(out, "{name:<12} {word}")?;
        if let Some(own) =
            place.shadowed.as_ref().map(|folder| folder.join(name)).filter(|own| is_ours(own))
            && !place.is_global
        {
            writeln!(
                out,
                "{:<12} {} is ours, too, but core.hooksPath keeps git from it",
                "",
                shown(&own)
            )?;
        }
    }
    writeln!(out, "{:<12} {}", "folder", shown(&place.folder))?;
    Ok(if protects { Status::Clean } else { Status::Found })
}

/// What keeps git from running us in `repo`, each with what to do about it.
pub(crate) fn checkup(repo: &Repo) -> anyhow::Result<Vec<(String, String)>> {
    let place = Place::of(repo)?;
    let hook = if repo.work_dir().is_some() { "pre-commit" } else { "pre-receive" };
    let state = place.state(hook);
    let framework = repo.work_dir().map(|folder| folder.join(".pre-commit-config.yaml"));
    let framework_runs_us = framework.is_some_and(|file| holds(&file, "signleak"));
    if state.protects() || framework_runs_us && holds(&place.file(hook), "generated by pre-commit")
    {
        return Ok(vec![]);
    }
    let what = format!("the {hook} hook is {}", state.words());
    let shadowed = place.shadowed.as_ref().filter(|folder| is_ours(&folder.join(hook)));
    let remedy = match (&state, shadowed) {
        (_, Some(folder)) => format!(
            "core.hooksPath keeps git from {}: run `signleak hook install` again, or `git config --unset core.hooksPath`",
            folder.join(hook).display()
        ),
        (State::NotRun, _) if place.entry.is_some() => {
            "set husky up: npx husky, or the `prepare` script of package.json".to_owned()
        }
        (State::NotRun, _) => format!("chmod +x {}", place.file(hook).display()),
        _ if framework_runs_us => "run `pre-commit install`".to_owned(),
        _ => "run `signleak hook install`".to_owned(),
    };
    Ok(vec![(what, remedy)])
}

fn holds(file: &Path, text: &str) -> bool {
    input::read_capped(file, MAX_SCRIPT)
        .is_ok_and(|bytes| memchr::memmem::find(&bytes, text.as_bytes()).is_some())
}

fn is_ours(file: &Path) -> bool {
    input::read_capped(file, MAX_SCRIPT)
        .is_ok_and(|bytes| script::is_ours(&String::from_utf8_lossy(&bytes)))
}

fn place(global: bool) -> anyhow::Result<Place> {
    if global { Place::global() } else { Place::of(&git_env::repo(false)?) }
}

/// The hooks that were asked for, or the usual ones.
fn wanted(args: HookPlaceArgs) -> anyhow::Result<Vec<HookName>> {
    if !args.hooks.is_empty() {
        return Ok(args.hooks);
    }
    let is_bare = !args.global && git_env::repo(false)?.work_dir().is_none();
    Ok(if is_bare {
        vec![HookName::PreReceive]
    } else {
        vec![HookName::PreCommit, HookName::PrePush]
    })
}

/// Where the hook goes that was there before ours.
fn before(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(script::CHAINED);
    PathBuf::from(name)
}

/// Writes an executable script, whole or not at all.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().context("a hook lies in a folder")?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    make_executable(new.path())?;
    new.persist(file)?;
    Ok(())
}

#[cfg(unix)]
fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> std::io::Result<()> {
    Ok(())
}

fn shown(path: &Path) -> String {
    escape::terminal(&path.display().to_string()).into_owned()
}
