//! `--known-keys` finds the owner's keys wherever they stand, in any form, and keeps none of them.

use std::io::Write as _;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use crate::support::{Sandbox, key, stderr};

fn sha256(key: &str) -> String {
    sha2::Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs the binary in the folder with `input` at its standard input.
fn run_on(sandbox: &Sandbox, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_signleak"))
        .args(args)
        .current_dir(sandbox.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    // A refusal does not read it.
    let _refused = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// Where findings stand: path, line and column.
fn places(output: &Output) -> Vec<(String, u64, u64)> {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)));
    let findings = report["findings"].as_array().expect("findings");
    let occurrences = findings.iter().flat_map(|finding| {
        finding["occurrences"].as_array().expect("occurrences").iter().map(|occurrence| {
            let number = |name: &str| occurrence[name].as_u64().expect("a number");
            let path = occurrence["path"].as_str().expect("a path").to_owned();
            (path, number("line"), number("column"))
        })
    });
    occurrences.collect()
}

/// Copies without any context, of which one is a value's base64 and one stands in history only.
fn sandbox_with(key: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "-q"]);
    sandbox.write("old.txt", format!("x = {key}\n"));
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-qm", "one"]);
    sandbox.git(&["rm", "-q", "old.txt"]);
    sandbox.git(&["commit", "-qm", "two"]);
    sandbox.write("a.txt", format!("nothing\n  {key}\n"));
    sandbox.write("b.txt", format!("data: {}\n", STANDARD.encode(format!("k={key};"))));
    sandbox
}

#[test]
fn keys_are_found_without_context_in_files_and_history_by_value_and_by_hash() {
    let key = key();
    let sandbox = sandbox_with(&key);
    let quiet = sandbox.run(&["scan"]);
    assert_eq!(quiet.status.code(), Some(0), "{}", stderr(&quiet));
    let hash = sha256(&key);
    for list in [key, hash.clone(), format!("# of the vault\n\nsha256:{hash}\r\n")] {
        let args = ["scan", "--known-keys", "-", "--format", "json"];
        let output = run_on(&sandbox, &args, &list);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let mut found = places(&output);
        found.sort();
        let at = |path: &str, line, column| (path.to_owned(), line, column);
        assert_eq!(found, [at("a.txt", 2, 3), at("b.txt", 1, 7), at("old.txt", 1, 5)]);
    }
}

#[test]
fn a_list_is_read_from_a_file_too_and_neither_output_nor_folder_keeps_a_key() {
    let key = key();
    let sandbox = sandbox_with(&key);
    let outside = Sandbox::new();
    outside.write("keys", format!("{key}\n"));
    let list = outside.path().join("keys");
    let list = list.to_str().expect("UTF-8");
    for format in ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"]
    {
        let output =
            sandbox.run(&["scan", "--known-keys", list, "--format", format, "-o", "report"]);
        assert_eq!(output.status.code(), Some(1), "{format}: {}", stderr(&output));
        let said = [output.stdout, output.stderr, sandbox.read("report")].concat();
        let holds = |part: &str| said.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(!holds(&key[..8]) && !holds(&key[24..]), "{format} shows a part of the key");
    }
    let names = |sandbox: &Sandbox| {
        let entries = std::fs::read_dir(sandbox.path()).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&outside), ["keys"]);
    assert_eq!(names(&sandbox), [".git", "a.txt", "b.txt", "report"]);
}

#[test]
fn a_list_that_says_nothing_is_refused_and_no_message_quotes_it() {
    let sandbox = sandbox_with(&key());
    let refuse = |args: &[&str], input: &str, why: &str| {
        let output = run_on(&sandbox, &[&["scan"], args].concat(), input);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(why), "{message}");
        assert!(input.trim().is_empty() || !message.contains(input.trim()), "{message}");
    };
    refuse(&["--known-keys", "-", "--stdin"], "topsecret", "cannot be both");
    refuse(&["--known-keys", "-", "-"], "topsecret", "cannot be both");
    refuse(&["--known-keys", "-"], "topsecret", "too short");
    refuse(&["--known-keys", "-"], "\n", "holds no key");
    refuse(&["--known-keys", "missing"], "", "cannot be read");
}
