//! No byte that leaves the process, and none in a file it writes, is part of a secret in any encoding, unless the user has
//! asked for that.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use serde_json::Value;

use crate::revocation::ARGS;
use crate::revocation::Case;
use crate::revocation::holds;
use crate::support::key;
use crate::tls_server;
use crate::tls_server::Certificate;
use crate::tls_server::Request;
use crate::tls_server::with_server;

/// Letters that a text must share with a secret in a row to count as a part of it.
const PART: usize = 8;
const FORMATS: [&str; 9] =
    ["json", "jsonl", "html", "sarif", "github", "gitlab", "junit", "csv", "markdown"];

/// A secret in the forms that tools write bytes in. The first two and last two letters may be shown.
fn forms(secret: &str) -> BTreeMap<&'static str, String> {
    let bytes = secret.as_bytes();
    let each = |write: fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    let shifted = |by: usize| {
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes[by..]);
        text.trim_end_matches('=').to_owned()
    };
    BTreeMap::from([
        ("plain", secret.to_owned()),
        ("lowercase", secret.to_lowercase()),
        ("uppercase", secret.to_uppercase()),
        ("reversed", secret.chars().rev().collect()),
        ("base64", shifted(0)),
        ("base64 from the second byte", shifted(1)),
        ("base64 from the third byte", shifted(2)),
        ("hexadecimal", each(|byte| format!("{byte:02x}"))),
        ("HEXADECIMAL", each(|byte| format!("{byte:02X}"))),
        ("percent", each(|byte| format!("%{byte:02X}"))),
        ("JSON escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("entities", each(|byte| format!("&#{byte};"))),
        ("decimal", each(|byte| format!("{byte}, "))),
        ("UTF-16", each(|byte| format!("{}\0", char::from(byte)))),
    ])
}

/// Says where a part of a secret stands.
fn trace(bytes: &[u8], secret: &str) -> Option<String> {
    let inner = &secret[2..secret.len() - 2];
    forms(inner).into_iter().find_map(|(name, form)| {
        // A letter of the secret takes this much of the form.
        let part = PART * form.len() / inner.len();
        let parts = form.as_bytes().windows(part);
        let mut found = parts.filter(|part| memchr::memmem::find(bytes, part).is_some());
        found.next().map(|part| format!("{name}: {}", String::from_utf8_lossy(part)))
    })
}

/// Every file below the case's folder but those that were there before.
#[expect(clippy::disallowed_methods, reason = "what a test wrote is small")]
fn written(case: &Case, inputs: &[PathBuf]) -> Vec<(PathBuf, Vec<u8>)> {
    let files = walkdir::WalkDir::new(case.sandbox.path()).into_iter().filter_map(Result::ok);
    let files = files.filter(|file| file.file_type().is_file()).map(|file| file.into_path());
    let files = files.filter(|file| !inputs.contains(file));
    files.map(|file| (file.clone(), fs::read(file).expect("readable"))).collect()
}

/// A history with secrets in files, in a message, in a suppression, and in the names of an author, a branch, a tag and a
/// folder.
fn leaky(case: &Case) -> Vec<String> {
    let secrets: Vec<String> =
        std::iter::once(case.key.clone()).chain((0..4).map(|_| key())).collect();
    let sandbox = &case.sandbox;
    sandbox.git(&["init", "-q"]);
    sandbox.write("s/app.js", format!("const a={{VITE_YOUSIGN_API_KEY:\"{}\"}}\n", secrets[1]));
    sandbox.write("s/scim.yml", format!("yousign:\n  scim:\n    token: {}\n", secrets[2]));
    let quoted =
        format!("YOUSIGN_API_KEY={} # signleak:allow reason=\"{}\"\n", secrets[3], secrets[3]);
    sandbox.write("s/quoted.env", quoted);
    sandbox.write(&format!("s/yousign-api-key-{}/readme", secrets[1]), "nothing\n");
    sandbox.git(&["add", "s"]);
    let author = format!("--author=YOUSIGN_API_KEY={} <a@example.invalid>", secrets[4]);
    sandbox.git(&["commit", "-qm", &format!("YOUSIGN_API_KEY={}", secrets[4]), &author]);
    sandbox.git(&["branch", &format!("YOUSIGN_API_KEY={}", secrets[0])]);
    sandbox.git(&["tag", &format!("yousign-api-key-{}", secrets[3])]);
    secrets
}

#[test]
fn no_part_of_a_secret_leaves_in_any_form() {
    let case = Case::new();
    let secrets = leaky(&case);
    let inputs: Vec<PathBuf> = written(&case, &[]).into_iter().map(|(path, _)| path).collect();
    let echo = |request: &Request| match request.path() {
        "/hook" => {
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let secret = body["data"]["secret"].as_str().unwrap_or_default();
            let detail = format!("I got {secret}");
            let answer = serde_json::json!({"status": "accepted", "detail": detail});
            tls_server::json(200, &answer.to_string())
        }
        "/down" => tls_server::json(503, "{}"),
        _ => tls_server::json(401, r#"{"type":"about:blank","detail":"no"}"#),
    };
    with_server(Certificate::Good, echo, |server| {
        let (hook, down) = (server.url("/hook"), server.url("/down"));
        let hosts: Vec<String> = ["api.yousign.app", "api-sandbox.yousign.app"]
            .map(|host| format!("--verify-host={host}={}", server.url("/v3")))
            .into();
        let outputs: Vec<String> = FORMATS.map(|format| format!("{format}={format}.out")).into();
        let mut shared: Vec<&str> = ARGS.to_vec();
        for output in &outputs {
            shared.extend(["-o", output]);
        }
        let verify =
            [&["--verify", "--verify-private"], &[hosts[0].as_str(), &hosts[1]][..]].concat();
        let runs: [Vec<&str>; 5] = [
            vec!["--revoke-url", &hook, "--dry-run"],
            vec!["--revoke-url", &down, "--yes", "--revoke-attempts", "1"],
            vec!["--revoke-url", &hook, "--yes"],
            [&["--revoke-url", &hook, "--yes", "--again"], &verify[..]].concat(),
            vec!["--revoke-url", &hook, "--yes", "--again", "--send-secret"],
        ];
        for run in &runs {
            let output = case.sandbox.run(&[&shared, &run[..]].concat());
            assert!(matches!(output.status.code(), Some(1 | 2)), "{run:?}");
            assert!(holds(&output.stdout, "yousign-api-key"), "{run:?}");
            let files = written(&case, &inputs);
            assert!(files.len() >= FORMATS.len(), "{run:?}");
            for secret in &secrets {
                let mut all =
                    vec![("stdout".into(), &output.stdout), ("stderr".into(), &output.stderr)];
                all.extend(files.iter().map(|(path, bytes)| (path.clone(), bytes)));
                for (place, bytes) in all {
                    assert_eq!(trace(bytes, secret), None, "{run:?}: {}", place.display());
                }
            }
        }
        let requests = server.requests();
        let hooked = requests.iter().filter(|request| request.path() != "/hook").count();
        assert!(hooked > 0 && hooked < requests.len());
        for request in &requests {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let is_asked = !body["data"]["secret"].is_null();
            let is_live = request.path().starts_with("/v3");
            for secret in secrets.iter().filter(|_| !is_asked && !is_live) {
                assert_eq!(trace(&request.raw, secret), None, "{}", request.line);
            }
            // The live check shows a key in one header, and only API keys.
            let of_scim = trace(&request.raw, &secrets[2]).is_some();
            assert!(!is_live || (!of_scim && trace(&request.body, &case.key).is_none()));
        }
        let sent = requests.iter().filter(|request| trace(&request.body, &case.key).is_some());
        assert_eq!(sent.count(), 1, "once, with --send-secret");
    });
}
