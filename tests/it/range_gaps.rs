//! A range of which something is missing is never taken for a clean one.

use std::fs;

use crate::support::{Sandbox, key, stderr};

/// A repository of three commits, the last of which brings a key.
fn origin() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("repo/a", "1\n").git(&["init", "-q", "repo"]);
    let commit = |name: &str, text: String| {
        sandbox.write(&format!("repo/{name}"), text);
        sandbox.git(&["-C", "repo", "add", "-A"]);
        sandbox.git(&["-C", "repo", "commit", "-qm", name]);
    };
    commit("a", "1\n".to_owned());
    commit("b", "2\n".to_owned());
    commit("deep/yousign.env", format!("YOUSIGN_API_KEY={}\n", key()));
    sandbox.git(&["-C", "repo", "config", "uploadpack.allowFilter", "true"]);
    sandbox
}

/// The object that `name` names in the repository at `folder`.
fn object(sandbox: &Sandbox, folder: &str, name: &str) -> std::path::PathBuf {
    let output = std::process::Command::new("git")
        .args(["rev-parse", name])
        .current_dir(sandbox.path().join(folder))
        .output()
        .expect("git runs");
    let id = String::from_utf8(output.stdout).expect("an id");
    let id = id.trim();
    sandbox.path().join(folder).join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

#[test]
fn a_missing_tree_or_blob_makes_a_range_incomplete() {
    for name in ["HEAD^{tree}", "HEAD:deep", "HEAD:deep/yousign.env"] {
        let sandbox = origin();
        let range = ["scan", "--range", "HEAD~1..HEAD", "repo"];
        assert_eq!(
            sandbox.run(&range).status.code(),
            Some(1),
            "the key is found while it is there"
        );
        fs::remove_file(object(&sandbox, "repo", name)).expect("it is loose");
        let output = sandbox.run(&range);
        assert_eq!(output.status.code(), Some(3), "{name}: {}", stderr(&output));
        let (report, _) = sandbox.json(&range);
        assert_eq!(report["coverage"]["gap_counts"]["missing_object"], 1, "{name}: {report}");
    }
}

#[test]
fn a_partial_clone_without_the_ranges_blobs_is_incomplete() {
    let sandbox = origin();
    let source = format!("file://{}", sandbox.path().join("repo").display());
    sandbox.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &source, "partial"]);
    let (report, status) = sandbox.json(&["scan", "--range", "HEAD~1..HEAD", "partial"]);
    assert_eq!(status, Some(3), "{report}");
    assert_eq!(report["coverage"]["gap_counts"]["promised"], 1, "{report}");
}

#[test]
fn a_shallow_clone_scans_a_range_that_it_holds_and_refuses_one_that_it_does_not() {
    let sandbox = origin();
    sandbox.git(&["-C", "repo", "branch", "old", "HEAD~2"]);
    let source = format!("file://{}", sandbox.path().join("repo").display());
    sandbox.git(&["clone", "-q", "--depth=2", &source, "shallow"]);
    let run = |args: &[&str]| sandbox.run(&[&["scan", "shallow"], args].concat());
    assert_eq!(run(&["--range", "HEAD"]).status.code(), Some(1), "the commit alone is here");
    for range in ["HEAD~1..HEAD", "HEAD~1...HEAD"] {
        let output = run(&["--range", range]);
        assert_eq!(output.status.code(), Some(1), "{range} is here: {}", stderr(&output));
    }
    sandbox.git(&["-C", "shallow", "fetch", "-q", "--depth=1", "origin", "old:old"]);
    for range in ["old..HEAD", "old...HEAD"] {
        let output = run(&["--range", range]);
        assert_eq!(output.status.code(), Some(2), "{range} goes on behind the end");
        assert!(stderr(&output).contains("--unshallow"), "{}", stderr(&output));
    }
    let (report, _) = sandbox.json(&["scan", "shallow", "--since", "1970-01-02"]);
    assert_eq!(report["coverage"]["gap_counts"]["shallow"], 2, "{report}");
}
