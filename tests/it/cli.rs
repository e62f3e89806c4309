//! The binary as users call it: formats, exit status, secrecy, bad input. Every key is drawn at run time.

use std::fs;
use std::process::Command;

use rand::RngExt as _;
use serde_json::Value;

use crate::support::{Sandbox, fixtures, key, stderr};

/// Every format that a report can have.
const FORMATS: [&str; 9] =
    ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"];

#[test]
fn exit_status_tells_clean_found_failed_and_incomplete() {
    let sandbox = Sandbox::new();
    sandbox.write("a/readme", "nothing here").write("b/.env", format!("YOUSIGN_API_KEY={}", key()));
    assert_eq!(sandbox.run(&["scan", "a"]).status.code(), Some(0));
    assert_eq!(sandbox.run(&["scan", "b"]).status.code(), Some(1));
    assert_eq!(sandbox.run(&["scan", "b", "--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(sandbox.run(&["scan", "a", "--max-blob-size", "3"]).status.code(), Some(3));
    assert_eq!(sandbox.run(&["scan", "--nonsense"]).status.code(), Some(2));
    assert_eq!(sandbox.run(&["scan", "missing"]).status.code(), Some(2));
}

#[test]
fn bad_input_names_the_place_and_the_way_out() {
    let sandbox = Sandbox::new();
    sandbox
        .write("a/x", "x")
        .write("rules.toml", "schema_version = 1\n\nkeywrds = []\n")
        .write("ignore/.signleakignore", "sha256:12\n");
    fs::create_dir(sandbox.path().join("empty")).expect("made");
    for (args, part) in [
        (&["scan", "missing"][..], "missing: no such file or folder; check the path"),
        (&["scan", "empty"], "nothing was scanned"),
        (&["scan", "a", "--rules", "rules.toml"], "rules.toml:3:1: unknown field `keywrds`"),
        (&["scan", "ignore"], ".signleakignore:1: the hash is not 64 hexadecimal digits"),
        (&["scan", "a", "-o", "no/such/report"], "create it first (mkdir -p)"),
        (&["scan", "a", "--format", "yaml"], "the formats are text, json, jsonl"),
        (&["scan", "a", "--history-only"], "is not in a git repository"),
        (&["scan", "a", "--max-blob-size", "ten"], "give a number of bytes"),
    ] {
        let output = sandbox.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(part), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_broken_repository_is_told_and_does_not_hide_its_files() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("YOUSIGN_API_KEY={}", key()));
    sandbox.git(&["init", "-q"]);
    fs::write(sandbox.path().join(".git/HEAD"), "garbage").expect("written");
    let output = sandbox.run(&["scan"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("--no-history"), "{told}");
    sandbox.write(".env", "");
    assert_eq!(sandbox.run(&["scan"]).status.code(), Some(3));
    assert_eq!(sandbox.run(&["scan", "--history-only"]).status.code(), Some(2));
    assert_eq!(sandbox.run(&["scan", "--no-history"]).status.code(), Some(0));
}

#[test]
fn odd_files_cost_no_finding() {
    let sandbox = Sandbox::new();
    let secret = key();
    sandbox.write("d/.env", format!("YOUSIGN_API_KEY={secret}"));
    let sparse = fs::File::create(sandbox.path().join("d/sparse")).expect("made");
    sparse.set_len(3 << 30).expect("sparse");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::os::unix::fs::symlink(sandbox.path(), sandbox.path().join("d/loop")).expect("linked");
        let name = std::ffi::OsStr::from_bytes(b"d/not-\xff-utf8.env");
        fs::write(sandbox.path().join(name), format!("YOUSIGN_API_KEY={secret}")).expect("written");
        assert!(
            Command::new("mkfifo")
                .arg(sandbox.path().join("d/fifo"))
                .status()
                .expect("mkfifo runs")
                .success()
        );
    }
    let (report, status) = sandbox.json(&["scan", "d"]);
    assert_eq!(status, Some(1));
    assert_eq!(report["summary"]["findings"], 1);
    if cfg!(unix) {
        assert_eq!(report["coverage"]["gap_counts"]["not_a_file"], 1);
        let paths = report["findings"][0]["occurrences"].to_string();
        assert!(paths.contains("not-\\\\xFF-utf8.env"), "{paths}");
    }
}

#[test]
fn ignored_files_are_left_out_unless_named() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox
        .write(".gitignore", "secret.env\n")
        .write("secret.env", format!("YOUSIGN_API_KEY={}", key()))
        .write("other", "x");
    assert_eq!(sandbox.run(&["scan"]).status.code(), Some(0));
    assert_eq!(sandbox.run(&["scan", "--ignored"]).status.code(), Some(1));
    assert_eq!(sandbox.run(&["scan", "secret.env"]).status.code(), Some(1));
}

#[test]
fn history_finds_a_deleted_key_with_its_commit() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox.write("config/app.env", format!("# keys\nYOUSIGN_API_KEY={}\n", key()));
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "add"]);
    sandbox.git(&["rm", "-q", "config/app.env"]);
    sandbox.git(&["commit", "-qm", "remove"]);
    let (report, status) = sandbox.json(&["scan", "--history-only"]);
    let place = &report["findings"][0]["occurrences"][0];
    assert_eq!(status, Some(1));
    assert_eq!(
        (&place["path"], &place["line"], &place["column"]),
        (&"config/app.env".into(), &2.into(), &17.into())
    );
    assert_eq!(place["commit"]["author"], "A U Thor <author@example.invalid>");
    assert_eq!(place["exposed"]["in_head"], false);
    assert_eq!(report["findings"][0]["exposure"], "history");
}

#[test]
fn a_copy_without_context_is_traced() {
    let sandbox = Sandbox::new();
    let secret = key();
    sandbox
        .write(".env", format!("YOUSIGN_API_KEY={secret}"))
        .write("notes.txt", format!("x {secret} y"));
    let (report, _) = sandbox.json(&["scan"]);
    assert_eq!(report["findings"][0]["occurrences"].as_array().map(Vec::len), Some(2));
}

/// A sealed secret begins with `AgB`; so may a part of any key.
#[test]
fn the_mark_of_an_encrypted_value_inside_of_another_key_hides_nothing() {
    let sandbox = Sandbox::new();
    for (letters, seal, count) in [("AgB", "", 2), ("zzz", " sealed=AgB", 1)] {
        let (first, second) = (key(), key());
        let first = format!("{}{letters}{}", &first[..12], &first[15..]);
        sandbox.write("a.env", format!("YOUSIGN_API_KEY={first}{seal} YOUSIGN_API_KEY={second}\n"));
        let (report, _) = sandbox.json(&["scan"]);
        assert_eq!(report["summary"]["findings"], count, "{letters}{seal}");
    }
}

#[test]
fn suppressions_hold_and_can_be_refused() {
    let sandbox = Sandbox::new();
    let secret = key();
    sandbox
        .write("a.env", format!("YOUSIGN_API_KEY={secret} # signleak:allow reason=\"a test\"\n"));
    let (report, status) = sandbox.json(&["scan"]);
    assert_eq!((status, &report["summary"]["suppressed"]), (Some(0), &1.into()));
    assert_eq!(report["findings"][0]["suppression"]["reason"], "a test");
    assert_eq!(sandbox.run(&["scan", "--no-inline-allow"]).status.code(), Some(1));
    sandbox.write("a.env", format!("\n\n  YOUSIGN_API_KEY={secret}\n"));
    let hash = report["findings"][0]["secret"]["sha256"].as_str().expect("a hash").to_owned();
    sandbox.write(".signleakignore", format!("sha256:{hash} path=*.env\n"));
    assert_eq!(sandbox.run(&["scan"]).status.code(), Some(0));
    assert_eq!(sandbox.run(&["scan", "--no-repo-config"]).status.code(), Some(1));
}

#[test]
fn json_and_jsonl_pass_the_published_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json"))
        .expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let check = |text: &[u8]| {
        let report: Value = serde_json::from_slice(text).expect("is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    };
    let sandbox = Sandbox::new();
    let args = ["scan", "--no-history", "--no-repo-config", &fixtures()];
    check(&sandbox.run(&[&args[..], &["--format", "json"]].concat()).stdout);
    let lines = sandbox.run(&[&args[..], &["--format", "jsonl"]].concat()).stdout;
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(check);
}

#[test]
fn reports_are_equal_at_every_number_of_threads() {
    let sandbox = Sandbox::new();
    let reports = |threads: &str| {
        let outputs: Vec<String> =
            FORMATS.iter().map(|format| format!("{format}=out.{format}")).collect();
        let mut args = vec!["scan", "--no-history", "--no-repo-config", "-q", "--threads", threads];
        let fixtures = fixtures();
        args.push(&fixtures);
        args.extend(outputs.iter().flat_map(|output| ["-o", output]));
        sandbox.run_with(&[("SOURCE_DATE_EPOCH", "1000000000")], &args);
        FORMATS.map(|format| sandbox.read(&format!("out.{format}")))
    };
    let one = reports("1");
    for (other, threads) in [(reports("2"), 2), (reports("16"), 16)] {
        for ((one, other), format) in one.iter().zip(&other).zip(FORMATS) {
            assert!(one.len() > 1_000 && one == other, "{format} differs with {threads} threads");
        }
    }
}

/// Every secret of the fixtures, found by its label, is searched in everything the binary prints.
#[test]
fn no_secret_appears_in_any_output() {
    let sandbox = Sandbox::new();
    let (report, _) = sandbox.json(&["scan", "--no-history", "--no-repo-config", &fixtures()]);
    let hashes: std::collections::HashSet<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["kind"] == "leak")
        .filter_map(|finding| finding["secret"]["sha256"].as_str())
        .collect();
    assert!(hashes.len() > 90, "{}", hashes.len());
    let secrets = plain_secrets(&hashes);
    assert!(secrets.len() > 60, "{}", secrets.len());
    let mut outputs = vec![];
    let fixtures = fixtures();
    let files: Vec<String> =
        FORMATS.iter().map(|format| format!("{format}=out.{format}")).collect();
    for extra in [&[][..], &["--color", "always"], &["--min-confidence", "low"]] {
        let mut args = vec!["scan", "--no-history", "--no-repo-config", &fixtures];
        args.extend(extra);
        args.extend(files.iter().flat_map(|file| ["-o", file]));
        let mut output = sandbox.run(&args);
        for format in FORMATS {
            output.stdout.extend(sandbox.read(&format!("out.{format}")));
        }
        outputs.push(output);
    }
    for entry in walkdir::WalkDir::new(&fixtures)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
    {
        outputs.push(sandbox.run(&["explain", &entry.path().to_string_lossy()]));
    }
    for output in &outputs {
        let printed = [output.stdout.as_slice(), &output.stderr].concat();
        for secret in &secrets {
            assert!(
                memchr::memmem::find(&printed, secret.as_bytes()).is_none(),
                "a secret was printed"
            );
        }
    }
}

/// Words of the fixture files whose hash is one of a finding's.
fn plain_secrets(hashes: &std::collections::HashSet<&str>) -> Vec<String> {
    use sha2::Digest as _;
    let mut secrets = vec![];
    for entry in walkdir::WalkDir::new(fixtures())
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
    {
        let mut bytes = vec![];
        std::io::Read::read_to_end(
            &mut fs::File::open(entry.path()).expect("readable"),
            &mut bytes,
        )
        .expect("readable");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for word in text
            .split(|character: char| !character.is_ascii_alphanumeric())
            .filter(|word| word.len() >= 12)
        {
            let hash: String =
                sha2::Sha256::digest(word).iter().map(|byte| format!("{byte:02x}")).collect();
            if hashes.contains(hash.as_str()) {
                secrets.push(word.to_owned());
            }
        }
    }
    secrets
}

#[test]
fn a_second_provider_needs_a_second_file_only() {
    let sandbox = Sandbox::new();
    let mut random = rand::rng();
    let mut draw = || -> String {
        (0..40).map(|_| char::from(b"0123456789abcdef"[random.random_range(0..16)])).collect()
    };
    let (secret, revision) = (draw(), draw());
    sandbox.write(
        "paperseal.toml",
        r#"
schema_version = 1
[provider]
id = "paperseal"
name = "Paperseal"
keywords = ["paperseal"]
names = ["paperseal"]
[[provider.hosts]]
host = "api.paperseal.example"
environment = "production"
api = true
[[rules]]
id = "paperseal-api-key"
kind = "token"
title = "Paperseal key"
description = "Opens every seal."
severity = "high"
[[rules.shapes]]
alphabet = "lower_hex"
length = 40
note = "lowercase hex, 40"
"#,
    );
    sandbox.write(
        "app.yml",
        format!("base: https://api.paperseal.example\napi_key: {secret}\nrevision: {revision}\n"),
    );
    let (report, status) = sandbox.json(&["scan", "app.yml", "--rules", "paperseal.toml"]);
    assert_eq!(status, Some(1), "{report}");
    assert_eq!(report["summary"]["findings"], 1, "{report}");
    assert_eq!(
        (&report["findings"][0]["rule_id"], &report["findings"][0]["environment"]),
        (&"paperseal-api-key".into(), &"production".into())
    );
}

/// Every secret is seen again by the search for copies, which once took the place of the reasons.
#[test]
fn the_reasons_are_those_of_the_surest_place_and_steps_are_told_once_for_a_rule() {
    let sandbox = Sandbox::new();
    let (one, two) = (key(), key());
    sandbox.write("a.env", format!("YOUSIGN_API_KEY={one}\nYOUSIGN_API_KEY_OLD={two}\n"));
    sandbox.write("b.txt", format!("{one}\n"));
    let (report, _) = sandbox.json(&["scan"]);
    for finding in report["findings"].as_array().expect("findings") {
        let evidence = finding["evidence"].to_string();
        assert!(evidence.contains("YOUSIGN_API_KEY"), "{evidence}");
    }
    let text = String::from_utf8(sandbox.run(&["scan"]).stdout).expect("UTF-8");
    assert_eq!(text.matches("1. create a new key first").count(), 1, "{text}");
}

#[test]
fn rules_are_listed_shown_and_proved() {
    let sandbox = Sandbox::new();
    let list = String::from_utf8(sandbox.run(&["rules", "list"]).stdout).expect("UTF-8");
    assert!(list.contains("yousign-api-key") && list.contains("yousign-webhook-secret"));
    assert!(
        String::from_utf8_lossy(&sandbox.run(&["rules", "show", "yousign-api-key"]).stdout)
            .contains("remedy 1")
    );
    let check = sandbox.run(&["rules", "check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    assert_eq!(sandbox.run(&["rules", "show", "nope"]).status.code(), Some(2));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let sandbox = Sandbox::new();
    let command = format!(
        "{} scan --no-history --no-repo-config {} --format json | head -c 10",
        env!("CARGO_BIN_EXE_signleak"),
        fixtures()
    );
    let output = Command::new("sh")
        .args(["-c", &command])
        .current_dir(sandbox.path())
        .output()
        .expect("sh runs");
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn completions_and_man_pages_are_printed_for_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.run(&["completions", shell]).stdout;
        assert!(String::from_utf8_lossy(&script).contains("explain"), "{shell}");
    }
    let script = sandbox.run(&["completions", "bash"]).stdout;
    sandbox.write("completion.bash", script);
    let mut syntax = Command::new("bash");
    syntax.arg("-n").arg(sandbox.path().join("completion.bash"));
    assert!(syntax.current_dir(sandbox.path()).status().expect("bash runs").success());
    for (args, title) in [(&["man"][..], ".TH signleak "), (&["man", "scan"], ".TH signleak-scan ")]
    {
        let page = String::from_utf8(sandbox.run(args).stdout).expect("UTF-8");
        assert!(page.contains(title), "{page}");
    }
    assert_eq!(sandbox.run(&["man", "nonsense"]).status.code(), Some(2));
}

#[test]
fn what_a_drawn_key_happens_to_spell_says_nothing() {
    let sandbox = Sandbox::new();
    for word in ["9Scim7", "9Sandbox7", "9Test7", "9Prod7"] {
        let drawn = key();
        let secret = format!("{}{word}{}", &drawn[..12], &drawn[12 + word.len()..]);
        sandbox.write("app.env", format!("YOUSIGN_API_KEY={secret}\n"));
        let (report, _) = sandbox.json(&["scan", "--no-history", "."]);
        let findings = report["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), 1, "{word}");
        assert_eq!(findings[0]["rule_id"], "yousign-api-key", "{word}");
        assert_eq!(findings[0]["environment"], "unknown", "{word}");
    }
}
