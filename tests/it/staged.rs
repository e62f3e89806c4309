//! `scan --staged` reads what git would commit, and nothing else, in every state a repository can be in.

use std::fs;

use serde_json::Value;

use crate::support::{Checkout, key, stderr};

/// Exit status and report of a scan of the index.
fn staged(checkout: &Checkout) -> (Option<i32>, Value) {
    let output = checkout.run(&["scan", "--staged", "--format", "json"]);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    (output.status.code(), report)
}

fn status(checkout: &Checkout) -> Option<i32> {
    staged(checkout).0
}

fn env() -> String {
    format!("YOUSIGN_API_KEY={}\n", key())
}

#[test]
fn the_index_counts_and_not_the_working_tree() {
    let checkout = Checkout::new();
    assert_eq!(status(&checkout), Some(0), "nothing staged is clean");
    checkout.write(".env", env());
    assert_eq!(status(&checkout), Some(0), "a key in the working tree only is not staged");
    checkout.ok(&["add", "."]);
    checkout.write(".env", "YOUSIGN_API_KEY=\n");
    let (code, report) = staged(&checkout);
    assert_eq!(code, Some(1), "a staged key counts although the working tree has lost it");
    let place = &report["findings"][0]["occurrences"][0];
    assert_eq!((&place["path"], &place["origin"]), (&".env".into(), &"index".into()));
    assert_eq!(place["blob_id"], checkout.ok(&["rev-parse", ":.env"]).as_str());
    checkout.ok(&["rm", "-qf", "--cached", ".env"]);
    assert_eq!(status(&checkout), Some(0));
}

#[test]
fn only_what_changes_is_scanned() {
    let checkout = Checkout::new();
    checkout.write("old.env", env()).write("other", "x\n");
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "leaked before"]);
    assert_eq!(status(&checkout), Some(0), "what HEAD holds is not staged");
    checkout.ok(&["update-index", "--chmod=+x", "old.env"]);
    assert_eq!(status(&checkout), Some(0), "a change of mode brings no content");
    checkout.ok(&["rm", "-qf", "old.env"]);
    assert_eq!(status(&checkout), Some(0), "a removal brings no content");
    checkout.write("other", env());
    checkout.ok(&["add", "."]);
    let (code, report) = staged(&checkout);
    assert_eq!((code, &report["coverage"]["files"]), (Some(1), &1.into()));
}

#[test]
fn a_renamed_file_with_a_new_key_is_found_under_its_new_name() {
    let checkout = Checkout::new();
    let long: String = (0..200).map(|line| format!("line {line}\n")).collect();
    checkout.write("before.env", &long);
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "second"]);
    checkout.ok(&["mv", "before.env", "after.env"]);
    assert_eq!(status(&checkout), Some(0));
    checkout.write("after.env", format!("{long}{}", env()));
    checkout.ok(&["add", "."]);
    let (code, report) = staged(&checkout);
    assert_eq!(code, Some(1));
    let place = &report["findings"][0]["occurrences"][0];
    assert_eq!((&place["path"], &place["line"]), (&"after.env".into(), &201.into()));
}

#[test]
fn an_unborn_branch_is_scanned_whole() {
    let checkout = Checkout::unborn();
    assert_eq!(status(&checkout), Some(0));
    checkout.write("a/.env", env());
    checkout.ok(&["add", "."]);
    assert_eq!(status(&checkout), Some(1));
}

#[test]
fn what_is_only_intended_to_be_added_is_not_staged() {
    let checkout = Checkout::new();
    checkout.write(".env", env());
    checkout.ok(&["add", "--intent-to-add", ".env"]);
    assert_eq!(status(&checkout), Some(0));
    let checkout = Checkout::unborn();
    checkout.write(".env", env());
    checkout.ok(&["add", "--intent-to-add", ".env"]);
    assert_eq!(status(&checkout), Some(0));
}

#[test]
fn a_linked_worktree_has_its_own_index() {
    let checkout = Checkout::new();
    checkout.ok(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = checkout.path().join("../linked");
    fs::create_dir(linked.join("deep")).expect("made");
    fs::write(linked.join("deep/.env"), env()).expect("written");
    let git = |args: &[&str]| {
        assert!(checkout.command("git", &linked).args(args).status().expect("git runs").success());
    };
    git(&["add", "."]);
    let from =
        |folder: &std::path::Path| checkout.run_in(folder, &["scan", "--staged"]).status.code();
    assert_eq!(from(&linked), Some(1));
    assert_eq!(from(&linked.join("deep")), Some(1), "from a folder below the top");
    assert_eq!(from(&checkout.path()), Some(0));
}

#[test]
fn both_sides_of_a_merge_count() {
    let checkout = Checkout::new();
    checkout.write("app.env", "a=1\n");
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "base"]);
    checkout.ok(&["checkout", "-qb", "theirs"]);
    checkout.write("app.env", env());
    checkout.ok(&["commit", "-qam", "theirs"]);
    checkout.ok(&["checkout", "-q", "main"]);
    checkout.write("app.env", "a=2\n");
    checkout.ok(&["commit", "-qam", "ours"]);
    assert!(!checkout.git(&["merge", "-q", "theirs"]).status.success(), "it conflicts");
    assert_eq!(status(&checkout), Some(1), "while it conflicts");
    checkout.write("app.env", "a=3\n");
    checkout.ok(&["add", "."]);
    assert_eq!(status(&checkout), Some(0), "resolved without the key");
    checkout.write("app.env", env());
    checkout.ok(&["add", "."]);
    assert_eq!(status(&checkout), Some(1), "resolved with a key");
}

#[test]
fn a_stopped_rebase_is_scanned_against_the_commit_it_stands_on() {
    let checkout = Checkout::new();
    for (name, text) in [("one", "1\n".to_owned()), ("two", "2\n".to_owned())] {
        checkout.write(name, text);
        checkout.ok(&["add", "."]);
        checkout.ok(&["commit", "-qm", name]);
    }
    let edit = checkout
        .command("git", &checkout.path())
        .args(["rebase", "-q", "-i", "HEAD~2"])
        .env("GIT_SEQUENCE_EDITOR", "sed -i -e 's/^pick/edit/'")
        .output()
        .expect("git runs");
    assert!(edit.status.success(), "{}", stderr(&edit));
    assert_eq!(status(&checkout), Some(0));
    checkout.write("one", env());
    checkout.ok(&["add", "."]);
    assert_eq!(status(&checkout), Some(1));
}

#[test]
fn a_submodule_brings_no_content_and_an_lfs_pointer_what_it_names() {
    let checkout = Checkout::new();
    let inner = Checkout::new();
    let url = inner.path().display().to_string();
    checkout.ok(&["submodule", "--quiet", "add", &url, "sub"]);
    let (code, report) = staged(&checkout);
    assert_eq!((code, &report["coverage"]["files"]), (Some(0), &1.into()), ".gitmodules alone");
    checkout.ok(&["commit", "-qm", "submodule"]);

    let oid = "ab12".repeat(16);
    checkout.write(
        "big.env",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 50\n"),
    );
    checkout.ok(&["add", "."]);
    let (code, report) = staged(&checkout);
    assert_eq!(code, Some(3), "the content is not here");
    assert_eq!(report["coverage"]["gap_counts"]["lfs_pointer"], 1);
    checkout.write(&format!(".git/lfs/objects/ab/12/{oid}"), env());
    assert_eq!(status(&checkout), Some(1), "the content is here and holds a key");
}

#[test]
fn the_staged_ignore_file_counts_and_not_the_one_of_the_working_tree() {
    let checkout = Checkout::new();
    checkout.write(".env", env());
    checkout.ok(&["add", "."]);
    let (_, report) = staged(&checkout);
    let hash = report["findings"][0]["secret"]["sha256"].as_str().expect("a hash").to_owned();
    checkout.write(".signleakignore", format!("sha256:{hash}\n"));
    assert_eq!(status(&checkout), Some(1));
    checkout.ok(&["add", "."]);
    checkout.write(".signleakignore", "");
    assert_eq!(status(&checkout), Some(0));
    assert_eq!(checkout.run(&["scan", "--staged", "--no-repo-config"]).status.code(), Some(1));
    checkout.write(".signleakignore", "nonsense\n");
    checkout.ok(&["add", "."]);
    let output = checkout.run(&["scan", "--staged"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(".signleakignore (staged):1: "), "{}", stderr(&output));
}

#[test]
fn a_repository_can_be_named_and_none_is_an_error() {
    let checkout = Checkout::new();
    checkout.write(".env", env());
    checkout.ok(&["add", "."]);
    let outside = checkout.home();
    let run = |args: &[&str]| checkout.run_in(&outside, args);
    let path = checkout.path().display().to_string();
    assert_eq!(run(&["scan", "--staged", &path]).status.code(), Some(1));
    let nowhere = run(&["scan", "--staged"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("run `git init`"), "{}", stderr(&nowhere));
}
