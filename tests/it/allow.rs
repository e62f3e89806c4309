//! What is allowed stays allowed when it moves, hides nothing else, and merges.

use std::fs;

use serde_json::Value;

use crate::support::{Checkout, key, stderr};

fn scan(checkout: &Checkout, more: &[&str]) -> (Option<i32>, Value) {
    let output = checkout.run(&[&["scan", "--format", "json"], more].concat());
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    (output.status.code(), report)
}

/// The hashes of what is found.
fn hashes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let hash = |finding: &Value| finding["secret"]["sha256"].as_str().expect("a hash").to_owned();
    findings.iter().map(hash).collect()
}

#[track_caller]
fn ok(checkout: &Checkout, args: &[&str]) -> String {
    let output = checkout.run(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn an_ignored_secret_may_move_and_a_new_one_on_its_line_is_reported() {
    let checkout = Checkout::new();
    let line = format!("YOUSIGN_API_KEY={}", key());
    checkout.write("a.env", format!("{line}\n"));
    let hash = hashes(&scan(&checkout, &[]).1).remove(0);
    ok(&checkout, &["ignore", &hash, "--reason", "revoked on 2026-11-20"]);
    let (status, report) = scan(&checkout, &[]);
    assert_eq!((status, &report["summary"]["suppressed"]), (Some(0), &1.into()));
    assert_eq!(report["findings"][0]["suppression"]["reason"], "revoked on 2026-11-20");

    checkout.write("a.env", format!("\n\n# moved\n\t    {line}\n"));
    assert_eq!(scan(&checkout, &[]).0, Some(0), "moved and reindented");
    fs::create_dir(checkout.path().join("deep")).expect("made");
    fs::rename(checkout.path().join("a.env"), checkout.path().join("deep/b.env")).expect("renamed");
    assert_eq!(scan(&checkout, &[]).0, Some(0), "renamed");
    let other = format!("{line} YOUSIGN_API_KEY={}\n", key());
    checkout.write("deep/b.env", other);
    let (status, report) = scan(&checkout, &[]);
    assert_eq!(
        (status, &report["summary"]["findings"]),
        (Some(1), &1.into()),
        "a new one beside it"
    );
}

#[test]
fn two_branches_that_each_allow_something_merge() {
    let checkout = Checkout::new();
    let allow = |name: &str| {
        let hash = name.repeat(64);
        ok(&checkout, &["ignore", &hash, "--reason", name]);
        checkout.ok(&["add", "."]);
        checkout.ok(&["commit", "-qm", name]);
    };
    allow("0");
    checkout.ok(&["checkout", "-qb", "theirs"]);
    allow("a");
    checkout.ok(&["checkout", "-q", "main"]);
    allow("b");
    let merge = checkout.git(&["merge", "-q", "--no-edit", "theirs"]);
    assert!(merge.status.success(), "{}", String::from_utf8_lossy(&merge.stdout));
    let text = checkout.read(".signleakignore");
    for name in ["0", "a", "b"] {
        assert!(text.contains(&format!("sha256:{} reason=\"{name}\"", name.repeat(64))), "{text}");
    }
    assert_eq!(checkout.read(".gitattributes").lines().count(), 1);
    assert_eq!(scan(&checkout, &[]).0, Some(0), "the merged file is read");
}

#[test]
fn entries_are_sorted_replaced_and_checked() {
    let checkout = Checkout::new();
    let (low, high) = ("1".repeat(64), "e".repeat(64));
    checkout.write(".signleakignore", "# why we ignore\n");
    ok(&checkout, &["ignore", &high, &format!("sha256:{low}")]);
    ok(&checkout, &["ignore", &low, "--until", "2027-01-31", "--reason", "a b"]);
    assert_eq!(
        checkout.read(".signleakignore"),
        format!("# why we ignore\nsha256:{low} until=2027-01-31 reason=\"a b\"\nsha256:{high}\n")
    );
    for (args, part) in [
        (&["ignore", "abc"][..], "copy the 64 digits"),
        (&["ignore", &low, "--until", "soon"], "no YYYY-MM-DD"),
        (&["ignore", &low, "--reason", "a \" b"], "leave out quotes"),
    ] {
        let output = checkout.run(args);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

#[test]
fn a_baseline_is_created_updated_and_pruned() {
    let checkout = Checkout::unborn();
    checkout.write("a.env", format!("YOUSIGN_API_KEY={}\n", key()));
    ok(&checkout, &["baseline", "create"]);
    let with = ["--baseline", ".signleak-baseline"];
    let (status, report) = scan(&checkout, &with);
    assert_eq!(
        (status, &report["findings"][0]["suppression"]["kind"]),
        (Some(0), &"baseline".into())
    );
    assert_eq!(checkout.run(&["baseline", "create"]).status.code(), Some(2), "it is there");
    let saved = checkout.run(&["scan", "--format", "json", "-o", "report.json"]);
    assert_eq!(saved.status.code(), Some(1));
    assert_eq!(
        scan(&checkout, &["--baseline", "report.json"]).0,
        Some(0),
        "a report is a baseline"
    );

    checkout.write("b.env", format!("YOUSIGN_API_KEY={}\n", key()));
    let (status, report) = scan(&checkout, &with);
    assert_eq!((status, &report["summary"]["findings"]), (Some(1), &1.into()), "only the new one");
    ok(&checkout, &["baseline", "update"]);
    assert_eq!(scan(&checkout, &with).0, Some(0));
    fs::remove_file(checkout.path().join("a.env")).expect("removed");
    let stale = checkout.run(&[&["scan"][..], &with].concat());
    let told = String::from_utf8_lossy(&stale.stdout);
    assert!(told.contains("is stale"), "{told}");
    ok(&checkout, &["baseline", "prune"]);
    assert_eq!(checkout.read(".signleak-baseline").lines().count(), 1);
    assert_eq!(scan(&checkout, &with).0, Some(0));
    checkout.write("bad", "{\n \"results\": [\n");
    let output = checkout.run(&["scan", "--baseline", "bad"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("bad:3: "), "{}", stderr(&output));
}

#[test]
fn under_a_key_entries_are_hmacs() {
    let checkout = Checkout::new();
    checkout.write("a.env", format!("YOUSIGN_API_KEY={}\n", key()));
    let hash = hashes(&scan(&checkout, &[]).1).remove(0);
    let keyed = |args: &[&str], key: &str| {
        let mut command = checkout.command(env!("CARGO_BIN_EXE_signleak"), &checkout.path());
        command.args(args).env("SIGNLEAK_FINGERPRINT_KEY", key).output().expect("it runs")
    };
    assert!(keyed(&["ignore", &hash], "one").status.success());
    let text = checkout.read(".signleakignore");
    assert!(text.starts_with("hmac:") && !text.contains(&hash), "{text}");
    assert_eq!(keyed(&["scan"], "one").status.code(), Some(0));
    assert_eq!(keyed(&["scan"], "two").status.code(), Some(1));
    let without = checkout.run(&["scan"]);
    assert_eq!(without.status.code(), Some(1));
    let told = String::from_utf8_lossy(&without.stdout);
    assert!(told.contains("count only with SIGNLEAK_FINGERPRINT_KEY"), "{told}");
}

#[test]
fn other_scanners_files_count_and_can_be_refused() {
    let checkout = Checkout::new();
    checkout.write("a.env", format!("YOUSIGN_API_KEY={}\n", key()));
    let hash = hashes(&scan(&checkout, &[]).1).remove(0);
    for (name, text) in [
        (".gitleaksignore", "a.env:generic-api-key:1\n".to_owned()),
        (".betterleaksignore", format!("{hash}\n")),
        (".gitguardian.yaml", format!("secret:\n  ignored_matches:\n  - match: {hash}\n")),
    ] {
        checkout.write(name, text);
        let (status, report) = scan(&checkout, &[]);
        assert_eq!(status, Some(0), "{name}");
        let place = report["findings"][0]["suppression"]["place"].as_str().expect("a place");
        assert!(place.contains(name), "{place}");
        assert_eq!(scan(&checkout, &["--no-repo-config"]).0, Some(1));
        fs::remove_file(checkout.path().join(name)).expect("removed");
    }
    checkout.write(".gitleaksignore", "\nnonsense\n");
    let output = checkout.run(&["scan"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(".gitleaksignore:2: "), "{}", stderr(&output));
}

#[test]
fn a_second_secret_does_not_hide_behind_the_comment_of_the_first() {
    let checkout = Checkout::new();
    let (first, second) = (key(), key());
    let tells = |text: String| {
        checkout.write("a.env", text);
        let report = scan(&checkout, &["--no-history"]).1;
        let count = |name: &str| report["summary"][name].as_u64().expect("a number");
        (count("findings"), count("suppressed"))
    };
    let one = format!("YOUSIGN_API_KEY={first}");
    assert_eq!(tells(format!("{one} # signleak:allow\n")), (0, 1));
    let two = format!("{one} YOUSIGN_API_KEY={second}");
    assert_eq!(tells(format!("{two} # signleak:allow\n")), (2, 0), "which of them is meant?");
    assert_eq!(tells(format!("# gitleaks:allow\n{two}\n")), (2, 0), "nor from the line above");
    let repeated = format!("{one} YOUSIGN_API_KEY={first}");
    assert_eq!(tells(format!("{repeated} # signleak:allow\n")), (0, 1), "it is the same secret");

    checkout.write("a.env", &two);
    let mut known = hashes(&scan(&checkout, &["--no-history"]).1);
    known.sort();
    let named = format!("{two} # signleak:allow sha256={}", &known[0][..12]);
    assert_eq!(tells(format!("{named}\n")), (1, 1));
    assert_eq!(tells(format!("{named},{} reason=\"both\"\n", known[1])), (0, 2));
    let replaced = format!("YOUSIGN_API_KEY={} # signleak:allow sha256={}\n", key(), known[0]);
    assert_eq!(tells(replaced), (1, 0), "another secret in the place of the one that is named");
}

#[test]
fn every_format_tells_of_entries_that_do_nothing() {
    let checkout = Checkout::new();
    checkout.write(".signleakignore", format!("# ours\nsha256:{}\n", "0".repeat(64)));
    checkout.write(".betterleaksignore", format!("{}\n", "1".repeat(64)));
    let formats = "text json jsonl html sarif github gitlab junit csv markdown";
    for format in formats.split(' ') {
        let output = checkout.run(&["scan", "-q", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        for place in [".signleakignore:2", ".betterleaksignore:1"] {
            // Markdown writes a colon so that it makes no link.
            let said = said.replace("&#58;", ":");
            let is_told = said.contains(place) && said.contains("nothing matches it any more");
            assert!(is_told, "{format}: {place}: {said}");
            let machine = checkout.path().parent().expect("it has one").display().to_string();
            assert!(!said.contains(&format!("{machine}/my repo/{place}")), "{format}: {said}");
        }
        let part = checkout.run(&["scan", "-q", "--format", format, "--no-history"]);
        let part = String::from_utf8(part.stdout).expect("UTF-8");
        assert!(!part.contains("nothing matches"), "{format}: a part of it cannot tell");
    }
    let (_, report) = scan(&checkout, &[]);
    assert_eq!(report["stale_suppressions"].as_array().expect("a list").len(), 2);
    checkout.write("report.json", report.to_string());
    let again = ok(&checkout, &["report", "report.json", "report.json", "--format", "json"]);
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["stale_suppressions"], report["stale_suppressions"], "read and merged");
}
