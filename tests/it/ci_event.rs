//! The action's own script, run by bash for every kind of event, against real repositories and checkouts as deep as real ones.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use serde_json::json;

use crate::support::{Checkout, key, stderr};

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// What a run of the action left.
struct Run {
    output: Output,
    outputs: String,
    summary: String,
    sarif: Option<Value>,
}

impl Run {
    fn value(&self, name: &str) -> Option<&str> {
        self.outputs.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    /// Exit status, `exit-code` and `findings` at once; the first two must be equal.
    fn verdict(&self) -> (Option<i32>, Option<&str>) {
        let code = self.output.status.code();
        assert_eq!(
            self.value("exit-code"),
            code.map(|code| code.to_string()).as_deref(),
            "{}",
            self.log()
        );
        (code, self.value("findings"))
    }

    fn log(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.output.stdout), stderr(&self.output))
    }
}

#[expect(clippy::disallowed_methods, reason = "what the run wrote is small")]
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Runs the script in `folder` as the runner would.
fn action(
    origin: &Checkout,
    folder: &Path,
    (name, event): (&str, &Value),
    inputs: &[(&str, &str)],
) -> Run {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let [event_file, outputs, summary] =
        ["event.json", "output", "summary"].map(|name| temp.path().join(name));
    fs::write(&event_file, event.to_string()).expect("written");
    let sarif = folder.join("signleak.sarif");
    let _absent = fs::remove_file(&sarif);
    let script = format!("{}/.github/action/run.sh", env!("CARGO_MANIFEST_DIR"));
    let mut command = origin.command("bash", folder);
    command.arg(script).env("SIGNLEAK_BIN", env!("CARGO_BIN_EXE_signleak"));
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", name)
        .env("GITHUB_EVENT_PATH", &event_file);
    command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.envs(inputs.iter().copied()).output().expect("bash runs");
    Run {
        output,
        outputs: text(&outputs),
        summary: text(&summary),
        sarif: serde_json::from_str(&text(&sarif)).ok(),
    }
}

/// Clones as actions/checkout does: `depth` commits of `revision`, or everything.
fn clone(origin: &Checkout, revision: &str, depth: Option<&str>) -> PathBuf {
    let folder = origin.home().join(format!("clone-{}", rand::random::<u32>()));
    let url = format!("file://{}", origin.path().display());
    let git = |args: &[&str]| {
        let output = origin.command("git", &folder).args(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
    };
    fs::create_dir_all(&folder).expect("made");
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", &url]);
    match depth {
        Some(depth) => git(&["fetch", "-q", "--no-tags", "--depth", depth, "origin", revision]),
        None => git(&["fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", revision]),
    }
    git(&["checkout", "-q", "--detach", "FETCH_HEAD"]);
    folder
}

/// Commits a file and returns the commit.
fn commit(origin: &Checkout, name: &str, content: &str) -> String {
    origin.write(name, content);
    origin.ok(&["add", "."]);
    origin.ok(&["commit", "-qm", name]);
    origin.ok(&["rev-parse", "HEAD"])
}

fn leak() -> String {
    format!("YOUSIGN_API_KEY={}\n", key())
}

fn push(before: &str, after: &str, reference: &str) -> Value {
    json!({ "before": before, "after": after, "ref": reference, "repository": { "default_branch": "main" } })
}

/// An origin whose main holds an old leak, so that a range that is too wide is seen.
fn origin() -> (Checkout, String) {
    let origin = Checkout::new();
    origin.ok(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    commit(&origin, "old.env", &leak());
    let head = commit(&origin, "clean", "nothing\n");
    (origin, head)
}

#[test]
fn a_push_is_scanned_from_before_to_after_in_one_run_with_all_outputs() {
    let (origin, before) = origin();
    commit(&origin, "new.env", &leak());
    origin.ok(&["rm", "-q", "new.env"]);
    let after = commit(&origin, "more", "the key is gone, but not from history\n");
    let folder = clone(&origin, &after, None);
    let run = action(&origin, &folder, ("push", &push(&before, &after, "refs/heads/main")), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    assert_eq!(run.value("sarif"), Some("signleak.sarif"));
    let results = run.sarif.as_ref().map(|sarif| &sarif["runs"][0]["results"]);
    assert_eq!(results.and_then(Value::as_array).map(Vec::len), Some(1));
    assert!(
        run.summary.contains("1 leak") && run.summary.contains("`new.env:1:17`"),
        "{}",
        run.summary
    );
    assert!(run.log().contains("::error file=new.env,line=1"), "{}", run.log());
    let clean = action(&origin, &folder, ("push", &push(&after, &after, "refs/heads/main")), &[]);
    assert_eq!(clean.verdict(), (Some(0), Some("0")), "{}", clean.log());
    let lenient =
        [("INPUT_FAIL_ON", "never"), ("INPUT_FORMATS", "sarif=signleak.sarif\njson=all.json\n")];
    let run =
        action(&origin, &folder, ("push", &push(&before, &after, "refs/heads/main")), &lenient);
    assert_eq!(run.verdict(), (Some(0), Some("1")), "{}", run.log());
    assert!(text(&folder.join("all.json")).contains("schema_version"));
}

#[test]
fn a_new_branch_and_a_force_push_begin_at_the_default_branch() {
    let (origin, main) = origin();
    origin.ok(&["checkout", "-qb", "topic"]);
    let first = commit(&origin, "topic.env", &leak());
    let folder = clone(&origin, &first, None);
    let run = action(&origin, &folder, ("push", &push(ZEROS, &first, "refs/heads/topic")), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    origin.ok(&["reset", "-q", "--hard", &main]);
    let forced = commit(&origin, "forced.env", &leak());
    let folder = clone(&origin, &forced, None);
    let run = action(&origin, &folder, ("push", &push(&first, &forced, "refs/heads/topic")), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    assert!(run.log().contains("forced.env"), "{}", run.log());
    // The default branch's own first push is its whole history.
    let run = action(&origin, &folder, ("push", &push(ZEROS, &main, "refs/heads/main")), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    assert!(run.log().contains("old.env"), "{}", run.log());
    let run = action(&origin, &folder, ("push", &push(&main, ZEROS, "refs/heads/topic")), &[]);
    assert_eq!(run.verdict(), (Some(0), Some("0")), "{}", run.log());
}

#[test]
fn pull_requests_and_merge_groups_are_scanned_from_their_base() {
    let (origin, base) = origin();
    origin.ok(&["checkout", "-qb", "topic"]);
    commit(&origin, "topic.env", &leak());
    origin.ok(&["rm", "-q", "topic.env"]);
    let head = commit(&origin, "more", "nothing\n");
    origin.ok(&["checkout", "-q", "main"]);
    let moved = commit(&origin, "base.env", &leak());
    origin.ok(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    let merge = origin.ok(&["rev-parse", "HEAD"]);
    let pull = |base: &str| json!({ "pull_request": { "head": { "sha": head, "ref": "topic" }, "base": { "sha": base, "ref": "main" } } });
    let folder = clone(&origin, &merge, None);
    for base in [&base, &moved] {
        let run = action(&origin, &folder, ("pull_request", &pull(base)), &[]);
        assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
        assert!(run.log().contains("file=topic.env"), "{}", run.log());
    }
    let group = json!({ "merge_group": { "head_sha": merge, "base_sha": moved, "base_ref": "refs/heads/main" } });
    let run = action(&origin, &folder, ("merge_group", &group), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    let shallow = clone(&origin, &merge, Some("1"));
    let run = action(&origin, &shallow, ("pull_request", &pull(&base)), &[]);
    assert_eq!(run.verdict(), (Some(2), None), "{}", run.log());
    assert!(run.log().contains("::error") && run.log().contains("fetch-depth: 0"), "{}", run.log());
}

#[test]
fn schedules_and_buttons_scan_everything() {
    let (origin, head) = origin();
    let folder = clone(&origin, &head, None);
    for name in ["schedule", "workflow_dispatch"] {
        let run = action(&origin, &folder, (name, &json!({})), &[]);
        assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    }
    let run = action(&origin, &folder, ("schedule", &json!({})), &[("INPUT_MODE", "changes")]);
    assert_eq!(run.verdict(), (Some(2), None), "{}", run.log());
    let run = action(&origin, &folder, ("push", &json!({})), &[]);
    assert_eq!(run.verdict(), (Some(2), None), "{}", run.log());
}

#[test]
fn a_shallow_checkout_is_a_clear_failure_unless_it_holds_the_range() {
    let (origin, before) = origin();
    commit(&origin, "new.env", &leak());
    let after = commit(&origin, "more", "x\n");
    let event = push(&before, &after, "refs/heads/main");
    for depth in ["1", "2"] {
        let folder = clone(&origin, &after, Some(depth));
        let run = action(&origin, &folder, ("push", &event), &[]);
        assert_eq!(run.verdict(), (Some(2), None), "depth {depth}: {}", run.log());
        assert!(run.log().contains("fetch-depth: 0"), "{}", run.log());
    }
    let folder = clone(&origin, &after, Some("3"));
    let run = action(&origin, &folder, ("push", &event), &[]);
    assert_eq!(run.verdict(), (Some(1), Some("1")), "{}", run.log());
    let everything = clone(&origin, &before, Some("1"));
    let run = action(&origin, &everything, ("schedule", &json!({})), &[("INPUT_PATHS", "clean")]);
    assert_ne!(run.verdict().0, Some(0), "history is missing: {}", run.log());
}

#[test]
fn inputs_are_never_evaluated() {
    let (origin, head) = origin();
    let folder = clone(&origin, &head, None);
    let hostile = "$(touch pwned)`touch pwned`; touch pwned #";
    for name in ["INPUT_PATHS", "INPUT_MODE", "INPUT_RULES", "INPUT_FAIL_ON"] {
        let run = action(&origin, &folder, ("schedule", &json!({})), &[(name, hostile)]);
        assert_eq!(run.output.status.code(), Some(2), "{name}: {}", run.log());
        assert!(!folder.join("pwned").exists(), "{name} was evaluated");
    }
}

#[test]
fn gitlab_says_the_same_in_variables() {
    let (origin, before) = origin();
    let after = commit(&origin, "new.env", &leak());
    let folder = clone(&origin, &after, None);
    let run = |variables: &[(&str, &str)]| {
        let mut command = origin.command(env!("CARGO_BIN_EXE_signleak"), &folder);
        command
            .args(["ci", "--format", "json"])
            .env("GITLAB_CI", "true")
            .env("CI_DEFAULT_BRANCH", "main");
        let output = command.envs(variables.iter().copied()).output().expect("runs");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), report["summary"]["findings"].as_u64())
    };
    let push = [("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_REF_NAME", "main")];
    let ids = [("CI_COMMIT_BEFORE_SHA", before.as_str()), ("CI_COMMIT_SHA", after.as_str())];
    assert_eq!(run(&[push, ids].concat()), (Some(1), Some(1)));
    let merge = [
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", before.as_str()),
        ("CI_COMMIT_SHA", after.as_str()),
    ];
    assert_eq!(run(&merge), (Some(1), Some(1)));
    assert_eq!(run(&[("CI_PIPELINE_SOURCE", "schedule")]), (Some(1), Some(2)));
}
