//! Settings: the option wins over the environment and that over the file; every mistake in the file is told with its place,
//! and what the published schema refuses is refused.

use serde_json::Value;

use crate::support::{Checkout, Sandbox, key, stderr};

const FILE: &str = ".signleak.toml";

fn show(sandbox: &Sandbox, environment: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    let output = sandbox.run_with(environment, &[&["config", "show"], args].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect()
}

#[test]
fn the_option_wins_over_the_environment_and_that_over_the_file() {
    let sandbox = Sandbox::new();
    let has = |environment: &[(&str, &str)], args: &[&str], line: &str| {
        let shown = show(&sandbox, environment, args);
        assert!(shown.iter().any(|shown| shown == line), "{line}: {shown:#?}");
    };
    has(&[], &[], "fail-on low default");
    sandbox.write(FILE, "# ours\nfail-on = \"high\"\nthreads = 2\n");
    has(&[], &[], "fail-on high .signleak.toml:2 (can hide findings)");
    has(&[], &[], "threads 2 .signleak.toml:3");
    let environment = [("SIGNLEAK_FAIL_ON", "critical")];
    has(&environment, &[], "fail-on critical SIGNLEAK_FAIL_ON");
    has(&environment, &["--fail-on", "never"], "fail-on never --fail-on");
    has(&[], &["--no-repo-config"], "fail-on low default");
    has(&[], &["--no-inline-allow"], "inline-allow false --no-inline-allow");
    let wrong = sandbox.run_with(&[("SIGNLEAK_FAIL_ON", "hihg")], &["scan"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = stderr(&wrong);
    assert!(said.contains("SIGNLEAK_FAIL_ON: `hihg` is none of low, medium, high"), "{said}");
}

#[test]
fn settings_do_what_the_options_do_and_a_weaker_scan_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("YOUSIGN_API_KEY={}\n", key()));
    let status = |args: &[&str]| sandbox.run(&[&["scan"], args].concat()).status.code();
    assert_eq!(status(&[]), Some(1));
    sandbox.write(FILE, "fail-on = \"never\"\n");
    let output = sandbox.run(&["scan"]);
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert!(said.contains("note: .signleak.toml:1: fail-on = never can hide findings"), "{said}");
    assert_eq!(status(&["--no-repo-config"]), Some(1));
    assert_eq!(status(&["--fail-on", "low"]), Some(1));
    sandbox.write(FILE, "format = \"json\"\nmax-blob-size = \"3\"\n");
    let output = sandbox.run(&["scan"]);
    assert_eq!(output.status.code(), Some(3), "too large is a gap and no pass");
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "it is JSON");
    sandbox.write(FILE, "");
    assert!(sandbox.run(&["baseline", "create", "-o", "base"]).status.success());
    sandbox.write(FILE, "baseline = [\"base\"]\n");
    assert_eq!(status(&[]), Some(0));
    sandbox.write(FILE, "rules = [\"own.toml\"]\n");
    let output = sandbox.run(&["scan"]);
    assert_eq!(output.status.code(), Some(2), "a file that is not there is no empty one");
    assert!(stderr(&output).contains("there is no own.toml"), "{}", stderr(&output));
    sandbox.write("own.toml", "schema_version = 1\ndisabled = [\"yousign-api-key\"]\n");
    let output = sandbox.run(&["scan"]);
    assert!(stderr(&output).contains("rules = own.toml can hide findings"), "{}", stderr(&output));
}

#[test]
fn what_is_staged_is_judged_by_the_staged_file() {
    let checkout = Checkout::new();
    checkout.write(".env", format!("YOUSIGN_API_KEY={}\n", key()));
    checkout.ok(&["add", "."]);
    checkout.write(FILE, "fail-on = \"never\"\n");
    let status = || checkout.run(&["scan", "--staged"]).status.code();
    assert_eq!(status(), Some(1), "the working tree's file does not count");
    checkout.ok(&["add", "."]);
    checkout.write(FILE, "");
    assert_eq!(status(), Some(0));
    checkout.write(FILE, "fail_on = 1\n");
    checkout.ok(&["add", "."]);
    let output = checkout.run(&["scan", "--staged"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains(
            ".signleak.toml (staged):1:1: there is no setting `fail_on`; did you mean `fail-on`?"
        ),
        "{said}"
    );
}

/// Every mistake: what the file holds, and what is said of it.
const MISTAKES: [(&str, &str); 14] = [
    ("fail-on = \n", ".signleak.toml:1:"),
    ("x = 1\ny", ".signleak.toml:2:"),
    (
        "\nmin_confidense = \"low\"",
        ".signleak.toml:2:1: there is no setting `min_confidense`; did you mean `min-confidence`?",
    ),
    ("zzz = 1", ".signleak.toml:1:1: there is no setting `zzz`; there are format, "),
    ("[scan]\nfail-on = \"low\"", ".signleak.toml:1:2: there is no setting `scan`"),
    ("fail-on = true", ".signleak.toml:1:11: fail-on: takes a text, as in `fail-on = \"low\"`"),
    (
        "fail-on = \"hihg\"",
        ".signleak.toml:1:11: fail-on: `hihg` is none of low, medium, high, critical, never",
    ),
    ("format = \"yaml\"", "the formats are text, json"),
    ("min-confidence = \"High\"", "`High` is none of low, medium, high"),
    (
        "max-blob-size = \"ten\"",
        ".signleak.toml:1:17: max-blob-size: `ten`: give a number of bytes",
    ),
    ("threads = 0", ".signleak.toml:1:11: threads: give at least 1"),
    ("inline-allow = \"no\"", ".signleak.toml:1:16: inline-allow: takes true or false"),
    (
        "baseline = \"base\"",
        ".signleak.toml:1:12: baseline: takes a list of paths, as in `baseline = [\"folder/file\"]`",
    ),
    (
        "baseline = [\n  \"../base\",\n]",
        ".signleak.toml:2:3: baseline: `../base` leaves the repository",
    ),
];

#[test]
fn every_mistake_is_told_with_its_place_and_the_schema_refuses_it_too() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/signleak.schema.json"))
        .expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let as_json = |text: &str| {
        toml::from_str::<toml::Table>(text)
            .ok()
            .map(|table| serde_json::to_value(table).expect("no dates stand in it"))
    };
    let sandbox = Sandbox::new();
    sandbox.write("a", "nothing here\n").write("base", "").write("r.toml", "schema_version = 1\n");
    for (text, told) in MISTAKES {
        sandbox.write(FILE, text);
        let output = sandbox.run(&["scan"]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        assert!(said.contains(told) && said.contains(FILE), "{text}: {said}");
        assert!(as_json(text).is_none_or(|json| !schema.is_valid(&json)), "{text}");
    }
    let whole = "format = \"text\"\nmin-confidence = \"low\"\nfail-on = \"critical\"\nmax-blob-size = \"10MiB\"\nthreads = 3\ninline-allow = false\nbaseline = [\"base\"]\nrules = [\"r.toml\"]\n";
    for text in ["", whole, "max-blob-size = \"500k\"\n"] {
        sandbox.write(FILE, text);
        let output = sandbox.run(&["scan"]);
        assert_eq!(output.status.code(), Some(0), "{text}: {}", stderr(&output));
        assert!(schema.is_valid(&as_json(text).expect("TOML")), "{text}");
    }
}

#[test]
fn the_schema_and_the_program_know_the_same_settings() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/signleak.schema.json"))
        .expect("the schema is JSON");
    let mut described: Vec<&String> =
        schema["properties"].as_object().expect("an object").keys().collect();
    described.sort();
    let shown = show(&Sandbox::new(), &[], &[]);
    let mut shown: Vec<&str> =
        shown.iter().filter_map(|line| line.split_whitespace().next()).collect();
    shown.sort_unstable();
    assert_eq!(described, shown);
}
