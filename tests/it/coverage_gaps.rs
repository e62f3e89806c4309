//! What of a history cannot be scanned is counted and named, and makes a clean run exit 3.

use std::fs;
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use serde_json::Value;

use signleak::coverage::GapKind;
use signleak::scan::Target;
use signleak::stop::Stop;

use crate::damage;
use crate::support::{Sandbox, key, stderr};

/// Three commits, a tag, and nothing to find.
fn origin() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("repo/a", "1\n").git(&["init", "-q", "repo"]);
    for name in ["a", "b", "c"] {
        sandbox.write(&format!("repo/{name}"), format!("{name}\n").repeat(40));
        commit(&sandbox, name);
    }
    sandbox.git(&["-C", "repo", "config", "uploadpack.allowFilter", "true"]);
    sandbox
}

fn commit(sandbox: &Sandbox, message: &str) {
    sandbox.git(&["-C", "repo", "add", "-A"]);
    sandbox.git(&["-C", "repo", "commit", "-qm", message]);
}

fn clone(sandbox: &Sandbox, args: &[&str]) {
    let source = format!("file://{}", sandbox.path().join("repo").display());
    sandbox.git(&[&["clone", "-q"], args, &[&source, "clone"]].concat());
}

fn ask(sandbox: &Sandbox, folder: &str, args: &[&str]) -> String {
    let mut command = Command::new("git");
    let output = command.args(args).current_dir(sandbox.path().join(folder)).output();
    let output = output.expect("git runs");
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

/// The gaps of one kind, when there are no others and the run exits with 3 and says so.
fn gaps(sandbox: &Sandbox, args: &[&str], kind: &str) -> (u64, Vec<Value>) {
    let (report, status) = sandbox.json(args);
    assert_eq!(status, Some(3), "{report}");
    let counts = report["coverage"]["gap_counts"].as_object().expect("counts");
    assert_eq!(counts.keys().collect::<Vec<_>>(), [kind], "{report}");
    let text = sandbox.run(args);
    assert_eq!(text.status.code(), Some(3));
    assert!(
        stderr(&text).contains("not scanned")
            || String::from_utf8_lossy(&text.stdout).contains("not scanned"),
        "{}",
        stderr(&text)
    );
    let listed = report["coverage"]["gaps"].as_array().expect("gaps").clone();
    (counts[kind].as_u64().expect("a number"), listed)
}

#[test]
fn the_whole_history_has_no_gap() {
    let sandbox = origin();
    assert_eq!(sandbox.run(&["scan", "repo"]).status.code(), Some(0));
}

#[test]
fn a_shallow_boundary_is_named() {
    let sandbox = origin();
    clone(&sandbox, &["--depth=1"]);
    assert_eq!(ask(&sandbox, "clone", &["rev-parse", "--is-shallow-repository"]), "true");
    let (count, gaps) = gaps(&sandbox, &["scan", "clone"], "shallow");
    assert_eq!(count, 1);
    assert!(
        gaps[0]["detail"].as_str().is_some_and(|text| text.contains("--unshallow")),
        "{gaps:?}"
    );
}

#[test]
fn what_a_partial_clone_left_out_is_counted_as_git_counts_it() {
    let sandbox = origin();
    clone(&sandbox, &["--filter=blob:none", "--no-checkout"]);
    let missing = ask(&sandbox, "clone", &["rev-list", "--objects", "--all", "--missing=print"]);
    let mut missing: Vec<&str> =
        missing.lines().filter_map(|line| line.strip_prefix('?')).collect();
    missing.sort_unstable();
    let (count, gaps) = gaps(&sandbox, &["scan", "clone", "--history-only"], "promised");
    let named: Vec<&str> = gaps.iter().filter_map(|gap| gap["place"].as_str()).collect();
    assert_eq!((count, named), (missing.len() as u64, missing));
}

#[test]
fn an_lfs_pointer_is_named() {
    let sandbox = origin();
    let oid = "4d7a".repeat(16);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n");
    sandbox.write("repo/big.bin", pointer);
    commit(&sandbox, "big");
    let (count, gaps) = gaps(&sandbox, &["scan", "repo", "--history-only"], "lfs_pointer");
    let id = ask(&sandbox, "repo", &["rev-parse", "HEAD:big.bin"]);
    assert_eq!((count, &gaps[0]["place"]), (1, &Value::from(id)));
}

#[test]
fn a_submodule_that_is_not_checked_out_is_named_and_one_that_is_gets_scanned() {
    let sandbox = origin();
    sandbox.write("other/x", "1\n").git(&["init", "-q", "other"]);
    sandbox.git(&["-C", "other", "add", "-A"]);
    sandbox.git(&["-C", "other", "commit", "-qm", "x"]);
    let other = sandbox.path().join("other").display().to_string();
    let add = ["-c", "protocol.file.allow=always", "-C", "repo", "submodule", "--quiet", "add"];
    sandbox.git(&[&add[..], &[&other, "lib/other"]].concat());
    commit(&sandbox, "other");
    assert_eq!(sandbox.run(&["scan", "repo"]).status.code(), Some(0));
    clone(&sandbox, &[]);
    assert!(ask(&sandbox, "clone", &["submodule", "status"]).starts_with('-'));
    for reach in ["--history-only", "--no-history"] {
        let (count, gaps) = gaps(&sandbox, &["scan", "clone", reach], "submodule");
        assert_eq!((count, &gaps[0]["place"]), (1, &Value::from("lib/other")), "{reach}");
    }
    // Its history is here though it holds the key no more and its folder is gone.
    sandbox.write("other/.env", format!("YOUSIGN_API_KEY={}\n", key()));
    for args in [
        &["add", "-A"][..],
        &["commit", "-qm", "key"],
        &["rm", "-q", ".env"],
        &["commit", "-qm", "gone"],
    ] {
        sandbox.git(&[&["-C", "other"], args].concat());
    }
    sandbox.git(&["-C", "repo/lib/other", "pull", "-q"]);
    sandbox.git(&["-C", "repo", "submodule", "--quiet", "deinit", "-f", "lib/other"]);
    let (report, status) = sandbox.json(&["scan", "repo"]);
    assert_eq!(status, Some(1), "{report}");
    assert_eq!(report["findings"][0]["occurrences"][0]["path"], "lib/other/.env", "{report}");
}

#[test]
fn a_corrupt_object_is_named() {
    let sandbox = origin();
    let id = ask(&sandbox, "repo", &["rev-parse", "HEAD:b"]);
    let path = sandbox.path().join(format!("repo/.git/objects/{}/{}", &id[..2], &id[2..]));
    let mut bytes = sandbox.read(&format!("repo/.git/objects/{}/{}", &id[..2], &id[2..]));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::remove_file(&path).expect("it was there");
    fs::write(&path, bytes).expect("it is writable");
    assert!(
        !Command::new("git")
            .args(["fsck"])
            .current_dir(sandbox.path().join("repo"))
            .output()
            .expect("git runs")
            .status
            .success()
    );
    let (count, gaps) = gaps(&sandbox, &["scan", "repo", "--history-only"], "corrupt_object");
    assert_eq!((count, &gaps[0]["place"]), (1, &Value::from(id)));
}

#[test]
fn a_blob_over_the_limit_is_named_only_if_it_needs_a_look() {
    let sandbox = origin();
    let filler = "nothing here\n".repeat(2_000);
    sandbox.write("repo/plain.txt", &filler);
    commit(&sandbox, "a large file that the sieve settles");
    let limited = ["scan", "repo", "--history-only", "--max-blob-size", "10K"];
    assert_eq!(sandbox.run(&limited).status.code(), Some(0), "it was read all the same");
    sandbox.write("repo/large.env", format!("{filler}YOUSIGN_API_KEY={}\n", key()));
    commit(&sandbox, "a large file with a key");
    let (count, gaps) = gaps(&sandbox, &limited, "too_large");
    let id = ask(&sandbox, "repo", &["rev-parse", "HEAD:large.env"]);
    assert_eq!((count, &gaps[0]["place"]), (1, &Value::from(id)));
    assert_eq!(sandbox.run(&limited[..3]).status.code(), Some(1), "without a limit it is found");
}

/// The walk over the files just ended, and a run that had found nothing until then was clean.
#[test]
fn a_walk_that_is_stopped_is_told_as_incomplete() {
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    let sandbox = Sandbox::new();
    for number in 0..100 {
        sandbox.write(&format!("t/{number}"), "nothing here\n");
    }
    let stop = Stop::default().or_when_full(|| LOOKS.fetch_add(1, Ordering::Relaxed) >= 20);
    let report = damage::scan_until(&[Target::Path(sandbox.path().join("t"))], true, stop);
    let report = report.expect("some files were read");
    assert!(report.findings.is_empty() && report.coverage.files > 0 && report.coverage.files < 100);
    let gaps: Vec<_> = report.coverage.gaps().map(|gap| (gap.kind, gap.detail.as_str())).collect();
    let detail = "the scan was stopped before its end, since it holds as much memory as it may (--max-memory)";
    assert_eq!(gaps, [(GapKind::Limit, detail)]);
}
