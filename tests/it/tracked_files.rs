//! A file such as `.env` that holds a leak and that git tracks is a breach of policy of its own, off the count of leaks.

use serde_json::Value;

use crate::support::{Checkout, key, stderr};

const RULE: &str = "yousign-policy-tracked-env";

/// Paths of the breaches, and the number of leaks.
fn breaches(checkout: &Checkout, args: &[&str]) -> (Vec<String>, usize) {
    let output = checkout.run(&[args, &["--format", "json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let findings = report["findings"].as_array().expect("findings");
    let paths = findings.iter().filter(|finding| finding["rule_id"] == RULE).map(|finding| {
        assert_eq!((&finding["kind"], &finding["severity"]), (&"policy".into(), &"low".into()));
        finding["occurrences"][0]["path"].as_str().expect("a path").to_owned()
    });
    let leaks = findings.iter().filter(|finding| finding["kind"] == "leak").count();
    (paths.collect(), leaks)
}

#[test]
fn an_environment_file_with_a_key_is_a_breach_when_git_tracks_it() {
    let checkout = Checkout::new();
    checkout.write(".env", format!("YOUSIGN_API_KEY={}\n", key()));
    assert_eq!(breaches(&checkout, &["scan", "--no-history"]), (vec![], 1));
    checkout.ok(&["add", ".env"]);
    let tracked = (vec![".env".to_owned()], 1);
    assert_eq!(breaches(&checkout, &["scan", "--no-history"]), tracked);
    assert_eq!(breaches(&checkout, &["scan", "--staged"]), tracked);
    checkout.ok(&["commit", "-qm", "one"]);
    checkout.ok(&["rm", "-q", "--cached", ".env"]);
    checkout.ok(&["commit", "-qm", "two"]);
    assert_eq!(breaches(&checkout, &["scan"]), (vec![], 1));
}

#[test]
fn files_that_are_meant_to_be_tracked_and_such_without_a_key_are_none() {
    let checkout = Checkout::new();
    checkout.write(".env.example", format!("YOUSIGN_API_KEY={}\n", key()));
    checkout.write("app/.env", "YOUSIGN_API_KEY=\n");
    checkout.write("app/environment.ts", format!("const yousignApiKey = '{}';\n", key()));
    checkout.write("app/.env.local", format!("YOUSIGN_API_KEY={}\n", key()));
    checkout.write("deploy/prod.env", format!("YOUSIGN_API_KEY={}\n", key()));
    checkout.ok(&["add", "."]);
    let (mut paths, leaks) = breaches(&checkout, &["scan", "--no-history"]);
    paths.sort();
    assert_eq!(
        (paths, leaks),
        (vec!["app/.env.local".to_owned(), "deploy/prod.env".to_owned()], 4)
    );
}
