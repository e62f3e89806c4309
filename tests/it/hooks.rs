//! Real git commits, pushes and receives through our hooks: what holds a key is refused and everything else goes through.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::{Checkout, key, stderr};

fn env() -> String {
    format!("YOUSIGN_API_KEY={}\n", key())
}

/// A repository with our hooks.
fn hooked(hooks: &[&str]) -> Checkout {
    let checkout = Checkout::new();
    install(&checkout, hooks);
    checkout
}

fn install(checkout: &Checkout, hooks: &[&str]) {
    let output = checkout.run(&[&["hook", "install"], hooks].concat());
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Whether git was kept from what it was asked to do, by us and not by something else.
#[track_caller]
fn assert_refused(output: &Output) {
    assert!(!output.status.success(), "it went through");
    assert!(stderr(output).contains("is refused"), "{}", stderr(output));
}

#[track_caller]
fn assert_passed(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
}

fn write_executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}

#[test]
fn a_commit_with_a_key_is_refused_with_reasons_and_ways_out() {
    let checkout = hooked(&[]);
    let secret = key();
    checkout.write("app/.env", format!("YOUSIGN_API_KEY={secret}\n"));
    checkout.ok(&["add", "."]);
    let output = checkout.git(&["commit", "-qm", "leak"]);
    assert_refused(&output);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
    for part in [
        "app/.env:1:17",
        "because:",
        "to fix it:",
        "to allow it",
        "signleak:allow",
        "--no-verify",
        "revoke",
    ] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    assert!(!said.contains(&secret), "the key was printed");
    checkout.write("app/.env", "YOUSIGN_API_KEY=\n");
    assert_refused(&checkout.git(&["commit", "-qm", "still staged"]));
    checkout.ok(&["add", "."]);
    assert_passed(&checkout.git(&["commit", "-qm", "clean"]));
    checkout.write("app/.env", env());
    assert_passed(&checkout.git(&["commit", "-q", "--allow-empty", "-m", "not staged"]));
    checkout.ok(&["add", "."]);
    assert_passed(&checkout.git(&["commit", "-q", "--no-verify", "-m", "on purpose"]));
}

#[test]
fn every_way_to_commit_is_seen_with_its_own_index() {
    let checkout = hooked(&["pre-commit"]);
    checkout.write("a.env", "a=1\n").write("b.env", "b=1\n");
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "two files"]);

    checkout.write("a.env", env());
    assert_refused(&checkout.git(&["commit", "-qam", "all"]));
    assert_refused(&checkout.git(&["commit", "-qm", "one", "a.env"]));
    checkout.ok(&["add", "a.env"]);
    checkout.write("b.env", "b=2\n");
    assert_passed(&checkout.git(&["commit", "-qm", "only the other", "b.env"]));
    assert_refused(&checkout.git(&["commit", "-q", "--amend", "-m", "with the staged one"]));
    assert_refused(&checkout.git(&["commit", "-q", "--include", "-m", "both", "b.env"]));
    checkout.ok(&["reset", "-q", "--hard"]);

    fs::create_dir(checkout.path().join("deep")).expect("made");
    checkout.write("deep/c.env", env());
    let deep = checkout.path().join("deep");
    let git = |args: &[&str]| checkout.command("git", &deep).args(args).output().expect("git runs");
    assert_passed(&git(&["add", "."]));
    assert_refused(&git(&["commit", "-qm", "from below"]));
    checkout.ok(&["reset", "-q", "--hard"]);

    checkout.ok(&["worktree", "add", "-q", "../linked"]);
    let linked = checkout.path().join("../linked");
    fs::write(linked.join("d.env"), env()).expect("written");
    let git =
        |args: &[&str]| checkout.command("git", &linked).args(args).output().expect("git runs");
    assert_passed(&git(&["add", "."]));
    assert_refused(&git(&["commit", "-qm", "in a linked worktree"]));
    fs::write(linked.join("d.env"), "d=1\n").expect("written");
    assert_passed(&git(&["add", "."]));
    assert_passed(&git(&["commit", "-qm", "in a linked worktree"]));
}

#[test]
fn the_first_commit_a_merge_and_a_rebase_are_seen() {
    let checkout = Checkout::unborn();
    install(&checkout, &["pre-commit"]);
    checkout.write("x.env", env());
    checkout.ok(&["add", "."]);
    assert_refused(&checkout.git(&["commit", "-qm", "first"]));
    checkout.write("x.env", "x=0\n");
    checkout.ok(&["add", "."]);
    assert_passed(&checkout.git(&["commit", "-qm", "first"]));

    checkout.ok(&["checkout", "-qb", "theirs"]);
    checkout.write("x.env", "x=1\n");
    checkout.ok(&["commit", "-qam", "theirs"]);
    checkout.ok(&["checkout", "-q", "main"]);
    checkout.write("x.env", "x=2\n");
    checkout.ok(&["commit", "-qam", "ours"]);
    assert!(!checkout.git(&["merge", "-q", "theirs"]).status.success(), "it conflicts");
    checkout.write("x.env", env());
    checkout.ok(&["add", "."]);
    assert_refused(&checkout.git(&["commit", "-qm", "merge"]));
    checkout.write("x.env", "x=3\n");
    checkout.ok(&["add", "."]);
    assert_passed(&checkout.git(&["commit", "-qm", "merge"]));

    checkout.ok(&["checkout", "-qb", "topic", "HEAD~1"]);
    checkout.write("x.env", "x=4\n");
    checkout.ok(&["commit", "-qam", "topic"]);
    assert!(!checkout.git(&["rebase", "-q", "main"]).status.success(), "it conflicts");
    checkout.write("x.env", env());
    checkout.ok(&["add", "."]);
    assert_refused(&checkout.git(&["commit", "-qm", "while rebasing"]));
    checkout.write("x.env", "x=5\n");
    checkout.ok(&["add", "."]);
    assert_passed(&checkout.git(&["rebase", "--continue"]));
}

#[test]
fn a_commit_message_with_a_key_is_refused_and_a_verbose_diff_is_not_read() {
    let checkout = hooked(&["commit-msg"]);
    let message = format!("Set the key\n\nYOUSIGN_API_KEY={}\n", key());
    assert_refused(&checkout.git(&["commit", "-q", "--allow-empty", "-m", &message]));
    checkout.write("old.env", env());
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "leak"]);
    checkout.ok(&["rm", "-q", "old.env"]);
    let verbose = checkout
        .command("git", &checkout.path())
        .args(["commit", "-q", "--verbose"])
        .env("GIT_EDITOR", "sed -i -e '1s/^/remove the key/'")
        .output()
        .expect("git runs");
    assert_passed(&verbose);
    assert_eq!(checkout.ok(&["log", "-1", "--format=%s"]), "remove the key");
}

#[test]
fn a_push_is_judged_by_what_it_brings() {
    let checkout = hooked(&["pre-push"]);
    let server = checkout.path().join("../server.git");
    checkout.ok(&["init", "-q", "--bare", "../server.git"]);
    checkout.ok(&["remote", "add", "origin", "../server.git"]);
    assert_passed(&checkout.git(&["push", "-q", "origin", "main"]));

    checkout.write("x.env", env());
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "leak"]);
    checkout.ok(&["rm", "-q", "x.env"]);
    checkout.ok(&["commit", "-qm", "the key is gone, but not from history"]);
    let refused = checkout.git(&["push", "-q", "origin", "main"]);
    assert_refused(&refused);
    assert!(stderr(&refused).contains("git rebase -i"), "{}", stderr(&refused));
    assert_refused(&checkout.git(&["push", "-q", "origin", "main:new-branch"]));
    assert_refused(&checkout.git(&["push", "-q", "../server.git", "main"]));
    assert_passed(&checkout.git(&["push", "-q", "--no-verify", "origin", "main"]));

    checkout.write("y", "y\n");
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "clean"]);
    assert_passed(&checkout.git(&["push", "-q", "origin", "main", "main:another"]));
    assert_passed(&checkout.git(&["push", "-q", "origin", ":another"]));

    let message = format!("v1\n\nYOUSIGN_API_KEY={}\n", key());
    checkout.ok(&["tag", "-a", "v1", "-m", &message]);
    assert_refused(&checkout.git(&["push", "-q", "origin", "v1"]));
    fs::write(checkout.path().join("loose.env"), env()).expect("written");
    let blob = checkout.ok(&["hash-object", "-w", "loose.env"]);
    checkout.ok(&["tag", "just-a-file.env", &blob]);
    assert_refused(&checkout.git(&["push", "-q", "origin", "just-a-file.env"]));
    assert!(server.join("refs").is_dir());
}

#[test]
fn what_is_pushed_is_allowed_by_the_ignore_file_that_is_pushed_with_it() {
    let checkout = hooked(&["pre-push"]);
    checkout.ok(&["init", "-q", "--bare", "../server.git"]);
    checkout.write("x.env", env());
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "leak"]);
    let output = checkout.run(&["scan", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let hash = report["findings"][0]["secret"]["sha256"].as_str().expect("a hash").to_owned();
    checkout.write(".signleakignore", format!("sha256:{hash} reason=\"revoked\"\n"));
    assert_refused(&checkout.git(&["push", "-q", "../server.git", "main"]));
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "allow"]);
    assert_passed(&checkout.git(&["push", "-q", "../server.git", "main"]));
}

#[test]
fn a_server_refuses_a_push_before_it_keeps_it() {
    let checkout = Checkout::new();
    let server = checkout.path().join("../the server.git");
    checkout.ok(&["init", "-q", "--bare", "../the server.git"]);
    let installed = checkout.run_in(&server, &["hook", "install"]);
    assert!(installed.status.success(), "{}", stderr(&installed));
    assert!(server.join("hooks/pre-receive").is_file());
    checkout.ok(&["remote", "add", "origin", "../the server.git"]);
    assert_passed(&checkout.git(&["push", "-q", "origin", "main"]));
    for unpack_limit in ["1", "1000"] {
        checkout.ok(&["-C", "../the server.git", "config", "receive.unpackLimit", unpack_limit]);
        let comment = "# signleak:allow";
        checkout.write("x.env", format!("YOUSIGN_API_KEY={} {comment}\n", key()));
        checkout.ok(&["add", "."]);
        checkout.ok(&["commit", "-qm", "leak"]);
        let id = checkout.ok(&["rev-parse", "HEAD"]);
        let refused = checkout.git(&["push", "-q", "origin", "main"]);
        assert_refused(&refused);
        assert!(stderr(&refused).contains("x.env:1:17"), "{}", stderr(&refused));
        let kept = checkout.git(&["-C", "../the server.git", "cat-file", "-e", &id]);
        assert!(!kept.status.success(), "the server kept what it refused");
        checkout.ok(&["reset", "-q", "--hard", "HEAD~1"]);
    }
    let name = format!("yousign-api-key={}", key());
    assert_refused(&checkout.git(&["push", "-q", "origin", &format!("main:refs/heads/{name}")]));
    checkout.write("y", "y\n");
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "clean"]);
    assert_passed(&checkout.git(&["push", "-q", "origin", "main", "main:two", "HEAD:refs/tags/t"]));
    assert_passed(&checkout.git(&["push", "-q", "origin", ":two"]));

    checkout.write("z.env", env());
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "allowed by the server"]);
    let output = checkout.run(&["scan", "--no-history", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let hash = report["findings"][0]["secret"]["sha256"].as_str().expect("a hash").to_owned();
    assert_refused(&checkout.git(&["push", "-q", "origin", "main"]));
    fs::create_dir(server.join("signleak")).expect("made");
    fs::write(server.join("signleak/.signleakignore"), format!("sha256:{hash}\n"))
        .expect("written");
    assert_passed(&checkout.git(&["push", "-q", "origin", "main"]));
}

#[test]
fn a_hook_that_was_there_keeps_running_and_comes_back() {
    let checkout = Checkout::new();
    let hooks = checkout.path().join(".git/hooks");
    let old = "#!/bin/sh\necho \"$0 $*\" >> ran\ncat >> ran\nexit 0\n";
    write_executable(&hooks.join("pre-push"), old);
    write_executable(&hooks.join("pre-commit"), "#!/bin/sh\n[ ! -e refuse ] || exit 3\n");
    install(&checkout, &[]);
    install(&checkout, &[]);
    assert_eq!(checkout.run(&["hook", "status"]).status.code(), Some(0));
    checkout.ok(&["init", "-q", "--bare", "../server.git"]);
    assert_passed(&checkout.git(&["push", "-q", "../server.git", "main"]));
    let ran = checkout.read("ran");
    assert!(ran.contains("../server.git ../server.git"), "its arguments: {ran}");
    assert!(ran.contains("refs/heads/main "), "its input: {ran}");
    checkout.write("x.env", env());
    checkout.ok(&["add", "x.env"]);
    assert_refused(&checkout.git(&["commit", "-qm", "leak"]));
    checkout.ok(&["rm", "-qf", "x.env"]);
    checkout.write("refuse", "");
    assert!(!checkout.git(&["commit", "-q", "--allow-empty", "-m", "x"]).status.success());
    assert!(checkout.run(&["hook", "uninstall"]).status.success());
    assert_eq!(checkout.read(".git/hooks/pre-push"), old);
    assert_eq!(checkout.run(&["hook", "status"]).status.code(), Some(1));
}

#[test]
fn a_shared_folder_gets_a_part_of_each_script_and_no_path_of_this_machine() {
    for husky in [false, true] {
        let checkout = Checkout::new();
        let (setting, folder) =
            if husky { (".husky/_", ".husky") } else { (".githooks", ".githooks") };
        checkout.ok(&["config", "core.hooksPath", setting]);
        let script = "#!/bin/sh\ncat > got 2>/dev/null\necho ran >> ran\nexit 0\n";
        write_executable(&checkout.path().join(folder).join("pre-push"), script);
        write_executable(
            &checkout.path().join(folder).join("pre-commit"),
            "#!/bin/sh\necho ran >> ran\n",
        );
        if husky {
            // What husky 9 puts between git and the scripts.
            for hook in ["pre-commit", "pre-push"] {
                let stub = "#!/usr/bin/env sh\nn=$(basename \"$0\")\nsh -e \"$(dirname \"$(dirname \"$0\")\")/$n\" \"$@\"\n";
                write_executable(&checkout.path().join(".husky/_").join(hook), stub);
            }
        }
        install(&checkout, &[]);
        let text = checkout.read(&format!("{folder}/pre-commit"));
        assert!(!text.contains(env!("CARGO_BIN_EXE_signleak")), "{text}");
        assert_eq!(checkout.run(&["hook", "status"]).status.code(), Some(0), "husky: {husky}");
        checkout.write("x.env", env());
        checkout.ok(&["add", "x.env"]);
        assert_refused(&checkout.git(&["commit", "-qm", "leak"]));
        checkout.ok(&["rm", "-qf", "x.env"]);
        assert_passed(&checkout.git(&["commit", "-q", "--allow-empty", "-m", "clean"]));
        checkout.ok(&["init", "-q", "--bare", "../server.git"]);
        assert_passed(&checkout.git(&["push", "-q", "../server.git", "main"]));
        assert!(
            checkout.read("got").contains("refs/heads/main"),
            "the script still gets its input"
        );
        assert!(checkout.run(&["hook", "uninstall"]).status.success());
        assert_eq!(checkout.read(&format!("{folder}/pre-push")), script);
    }
}

#[test]
fn global_hooks_protect_every_repository_and_call_its_own() {
    let checkout = Checkout::new();
    let own = checkout.path().join(".git/hooks");
    write_executable(&own.join("post-commit"), "#!/bin/sh\necho post-commit >> ran\n");
    write_executable(&own.join("pre-commit"), "#!/bin/sh\necho pre-commit >> ran\n");
    let output = checkout.run_in(&checkout.home(), &["hook", "install", "--global"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(checkout.run(&["hook", "status"]).status.code(), Some(0));
    checkout.write("x.env", env());
    checkout.ok(&["add", "x.env"]);
    assert_refused(&checkout.git(&["commit", "-qm", "leak"]));
    checkout.ok(&["rm", "-qf", "x.env"]);
    assert_passed(&checkout.git(&["commit", "-q", "--allow-empty", "-m", "clean"]));
    assert_eq!(checkout.read("ran"), "pre-commit\npre-commit\npost-commit\n");
    let output = checkout.run_in(&checkout.home(), &["hook", "uninstall", "--global"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!checkout.git(&["config", "core.hooksPath"]).status.success());
    checkout.write("x.env", env());
    checkout.ok(&["add", "x.env"]);
    assert_passed(&checkout.git(&["commit", "-qm", "nobody looks"]));
}

#[test]
fn a_hook_without_its_program_refuses_and_says_so() {
    let checkout = Checkout::new();
    let copy = checkout.path().join("../bin dir/signleak");
    fs::create_dir(copy.parent().expect("in a folder")).expect("made");
    // A program that another thread is still writing when a third one forks is "busy" for a moment; a link never is.
    let ours = env!("CARGO_BIN_EXE_signleak");
    fs::hard_link(ours, &copy).or_else(|_| fs::copy(ours, &copy).map(drop)).expect("copied");
    let program = copy.to_str().expect("UTF-8");
    let install = checkout.command(program, &checkout.path()).args(["hook", "install"]).output();
    assert_passed(&install.expect("it runs"));
    assert_passed(&checkout.git(&["commit", "-q", "--allow-empty", "-m", "with the program"]));
    fs::remove_file(&copy).expect("removed");
    assert_eq!(checkout.run(&["hook", "status"]).status.code(), Some(1));
    let commit = checkout
        .command("git", &checkout.path())
        .args(["commit", "-q", "--allow-empty", "-m", "without"])
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("git runs");
    assert!(!commit.status.success());
    assert!(stderr(&commit).contains("cannot find the program"), "{}", stderr(&commit));
    assert!(stderr(&commit).contains("git commit --no-verify"), "{}", stderr(&commit));
    assert_passed(&checkout.git(&["commit", "-q", "--allow-empty", "-m", "found in PATH"]));
}

#[test]
fn a_hook_that_another_setting_hides_is_told() {
    let checkout = hooked(&[]);
    checkout.ok(&["config", "core.hooksPath", "elsewhere"]);
    let status = checkout.run(&["hook", "status"]);
    assert_eq!(status.status.code(), Some(1));
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(said.contains("core.hooksPath keeps git from it"), "{said}");
}
