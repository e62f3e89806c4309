//! What an installed hook does: scans what git is about to keep, and says how to go on when it is refused.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use anyhow::bail;
use signleak::blob::BlobPath;
use signleak::coverage::Coverage;
use signleak::provenance::Origin;
use signleak::provenance::Provenance;
use signleak::scan::Target;
use signleak::source::git::PushedRef;
use signleak::source::git::RangeSpec;
use signleak::source::git::Repo;

use super::super::Status;
use super::super::args::HookName;
use super::super::git_env;
use super::super::input;
use super::super::options::ScanOptions;
use super::super::repo_files::RepoFiles;
use super::super::scan;

/// Commit messages larger than this are refused.
const MAX_MESSAGE: u64 = 64 << 20;
/// Lists of pushed refs larger than this are refused.
const MAX_REFS: u64 = 256 << 20;

/// Runs one hook. Whatever is not clean keeps git from going on.
pub(super) fn run(hook: HookName, args: &[OsString]) -> anyhow::Result<Status> {
    let status = match hook {
        HookName::PreCommit => scan::run(options(&["--staged"])?),
        HookName::CommitMsg => commit_message(args),
        HookName::PrePush | HookName::PreReceive => pushed(hook, args),
    };
    match status {
        Ok(Status::Clean) => {}
        Ok(status) => advise(hook, status),
        Err(_) => say(&format!(
            "the {} hook failed, so nothing was checked and nothing goes through",
            hook.file_name()
        )),
    }
    status
}

/// The options of a scan as a hook runs it.
fn options(args: &[&str]) -> anyhow::Result<ScanOptions> {
    ScanOptions::parse(&[&["--quiet"], args].concat())
}

fn commit_message(args: &[OsString]) -> anyhow::Result<Status> {
    let [file] = args else { bail!("commit-msg: git gives one file") };
    let text = input::read_capped(Path::new(file), MAX_MESSAGE)
        .with_context(|| format!("cannot read {}", Path::new(file).display()))?;
    let place = Provenance::plain(Origin::CommitMessage, BlobPath::new(b"COMMIT_EDITMSG"));
    let mut options = options(&["--staged"])?;
    options.targets = vec![Target::Texts(vec![(place, without_diff(&text).to_vec())])];
    scan::run(options)
}

/// The message without the diff that `git commit --verbose` shows below it and takes off again.
fn without_diff(text: &[u8]) -> &[u8] {
    const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------\n";
    // A line that only looks like it stays in the message: git writes this one below it.
    const BELOW: &[u8] = b" Do not modify or remove the line above.\n";
    let cut = memchr::memmem::find_iter(text, SCISSORS).find(|at| {
        let rest = &text[at + SCISSORS.len()..];
        let marks = rest.iter().position(|&byte| byte == b' ');
        marks.is_some_and(|marks| marks < 16 && rest[marks..].starts_with(BELOW))
    });
    text.get(..cut.unwrap_or(text.len())).unwrap_or(text)
}

/// Scans what a push brings, before it goes out or before it is accepted.
fn pushed(hook: HookName, args: &[OsString]) -> anyhow::Result<Status> {
    let list = input::read_stream_capped(std::io::stdin().lock(), MAX_REFS)
        .context("cannot read from git which refs are pushed")?;
    let list = String::from_utf8_lossy(&list);
    let updates: Vec<Update> = list
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| Update::parse(hook, line))
        .collect::<anyhow::Result<_>>()?;
    let repo = git_env::repo(hook == HookName::PreReceive)?;
    let mut known: Vec<String> = updates.iter().filter_map(|update| update.old.clone()).collect();
    known.push(match (hook, args.first().and_then(|remote| remote.to_str())) {
        (HookName::PrePush, Some(remote)) if !remote.contains(['*', '?', '[', ':']) => {
            format!("refs/remotes/{remote}/*")
        }
        (HookName::PrePush, _) => "refs/signleak/none/*".to_owned(),
        _ => "refs/*".to_owned(),
    });
    let refs: Vec<PushedRef> = updates.into_iter().filter_map(|update| update.new).collect();
    if refs.is_empty() {
        return Ok(Status::Clean);
    }
    scan_pushed(hook, repo, &refs, known)
}

fn scan_pushed(
    hook: HookName,
    repo: Repo,
    refs: &[PushedRef],
    known: Vec<String>,
) -> anyhow::Result<Status> {
    // A server goes by its own folder and its environment alone.
    let untrusting: &[&str] =
        if hook == HookName::PreReceive { &["--no-repo-config"] } else { &[] };
    let mut options = options(&[&["--history-only"], untrusting].concat())?;
    let tips: Vec<String> = refs.iter().map(|pushed| pushed.id.clone()).collect();
    let mut coverage = Coverage::default();
    let texts = repo.pushed_texts(refs, &mut coverage);
    if let Some(gap) = coverage.gaps().next() {
        bail!("{}: {}", gap.place, gap.detail);
    }
    options.repo_files = match hook {
        // Whoever pushes must not be able to switch the check off.
        HookName::PreReceive => vec![RepoFiles::Folder(repo.git_dir().join("signleak"))],
        _ => vec![RepoFiles::Commits(repo.clone(), tips.clone())],
    };
    options.inline_allow &= hook != HookName::PreReceive;
    options.scan.range = Some(RangeSpec::Pushed { tips, known });
    options.targets = vec![Target::History(repo), Target::Texts(texts)];
    scan::run(options)
}

/// One line of what git says about a push.
struct Update {
    /// What the receiver has.
    old: Option<String>,
    /// What it shall have; nothing if the ref is deleted.
    new: Option<PushedRef>,
}

impl Update {
    /// Reads `<local ref> <local id> <remote ref> <remote id>` or, on the receiving side, `<old id> <new id> <ref>`.
    fn parse(hook: HookName, line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let (old, new, name) = match (hook, words.as_slice()) {
            (HookName::PrePush, [_, new, name, old]) => (*old, *new, *name),
            (HookName::PreReceive, [old, new, name]) => (*old, *new, *name),
            _ => bail!("{}: cannot read what git says: `{line}`", hook.file_name()),
        };
        let is_there = |id: &&str| id.bytes().any(|byte| byte != b'0');
        Ok(Self {
            old: Some(old).filter(is_there).map(str::to_owned),
            new: Some(new)
                .filter(is_there)
                .map(|id| PushedRef { name: name.as_bytes().to_vec(), id: id.to_owned() }),
        })
    }
}

/// Says what was refused, and what to do.
fn advise(hook: HookName, status: Status) {
    let what = match hook {
        HookName::PreCommit | HookName::CommitMsg => "the commit",
        HookName::PrePush | HookName::PreReceive => "the push",
    };
    if status == Status::Incomplete {
        say(&format!(
            "{what} is refused: nothing was found, but not everything could be scanned (see above)"
        ));
    } else {
        say(&format!("{what} is refused: it would give away the secrets above"));
    }
    let steps: &[&str] = match hook {
        HookName::PreCommit => &[
            "to fix it: take the value out of the file, `git add` it, and commit again",
            "to allow it, if it is no secret or already revoked: `signleak ignore SHA256 --reason WHY` and `git add .signleakignore`,",
            "  or a comment beside it: signleak:allow reason=\"WHY\"; once, for everything: `git commit --no-verify`",
        ],
        HookName::CommitMsg => &[
            "to fix it: write the message without the value (yours is kept in .git/COMMIT_EDITMSG)",
            "to allow it: `signleak ignore SHA256 --reason WHY` and `git add .signleakignore`; once, for everything: `git commit --no-verify`",
        ],
        HookName::PrePush => &[
            "to fix it: a new commit is not enough, the old one goes out too; take it out with `git rebase -i`, or `git commit --amend`",
            "to allow it, if it is no secret or already revoked: `signleak ignore SHA256 --reason WHY` and commit .signleakignore;",
            "  once, for everything: `git push --no-verify`",
        ],
        HookName::PreReceive => &[
            "to fix it: take the value out of every commit that is pushed (`git rebase -i`), and revoke it if anybody could see it",
            "to allow it: whoever runs this server adds its SHA-256 to signleak/.signleakignore in the repository there",
        ],
    };
    steps.iter().for_each(|step| say(step));
}

/// Prints a line to standard error, where git shows it to people on either side.
fn say(line: &str) {
    anstream::eprintln!("signleak: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gits_own_scissors_cut_a_message() {
        let git = b"subject\n# ------------------------ >8 ------------------------\n# Do not modify or remove the line above.\n# Everything below it will be ignored.\ndiff\n";
        assert_eq!(without_diff(git), b"subject\n#");
        let typed = b"subject\n# ------------------------ >8 ------------------------\nkey\n";
        assert_eq!(without_diff(typed), typed);
    }
}
