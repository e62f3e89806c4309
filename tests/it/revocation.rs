//! Revocations reach the owner signed, once for each key, and survive whatever the endpoint or the machine does; the key
//! leaves only with `--send-secret`.

use std::fs;
use std::process::Output;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use base64::Engine as _;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::support::Sandbox;
use crate::support::assert_schema;
use crate::support::key;
use crate::support::stderr;
use crate::tls_server;
use crate::tls_server::Certificate;
use crate::tls_server::Reply;
use crate::tls_server::Request;
use crate::tls_server::with_server;

pub(crate) const ARGS: [&str; 9] = [
    "scan",
    "s",
    "--revoke",
    "--ca-file",
    "ca.pem",
    "--outbox",
    "outbox",
    "--revoke-secret-file",
    "secret",
];

/// A folder with one leaked key and all that a call needs.
pub(crate) struct Case {
    pub(crate) sandbox: Sandbox,
    pub(crate) key: String,
    secret: String,
}

impl Case {
    pub(crate) fn new() -> Self {
        let (sandbox, key) = (Sandbox::new(), key());
        let secret = format!(
            "whsec_{}",
            base64::engine::general_purpose::STANDARD.encode(self::key().as_bytes())
        );
        sandbox
            .write("s/a.env", format!("YOUSIGN_API_KEY={key}\n"))
            .write("secret", &secret)
            .write("ca.pem", tls_server::authority());
        Self { sandbox, key, secret }
    }

    pub(crate) fn run(&self, url: &str, more: &[&str]) -> Output {
        self.sandbox.run(&[&ARGS, &["--revoke-url", url][..], more].concat())
    }

    fn report(&self, url: &str, more: &[&str]) -> (Value, Option<i32>) {
        let args = [&ARGS, &["--revoke-url", url, "--yes"][..], more].concat();
        self.sandbox.json(&args)
    }

    /// Every byte of every file that a run wrote.
    #[expect(clippy::disallowed_methods, reason = "what a test wrote is small")]
    pub(crate) fn written(&self) -> Vec<u8> {
        let files = walkdir::WalkDir::new(self.sandbox.path().join("outbox"));
        let files = files.into_iter().filter_map(Result::ok).filter(|file| file.path().is_file());
        files.flat_map(|file| fs::read(file.path()).expect("readable")).collect()
    }
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

pub(crate) fn revoked() -> Reply {
    tls_server::json(200, r#"{"status":"revoked","detail":"gone"}"#)
}

/// Whether the signature of a request is right, by the reference library.
fn is_signed(request: &Request, secret: &str) -> bool {
    let mut headers = ureq::http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let value = request.header(name).unwrap_or_default();
        headers.insert(name, value.parse().expect("a header"));
    }
    Webhook::new(secret).expect("a secret").verify(&request.body, &headers).is_ok()
}

#[test]
fn a_request_is_signed_holds_no_key_and_is_asked_once() {
    let case = Case::new();
    with_server(
        Certificate::Good,
        |_| revoked(),
        |server| {
            let (report, status) = case.report(&server.url("/hook?tenant=hidden"), &[]);
            assert_eq!(status, Some(1), "the finding still counts");
            assert_schema(&report);
            let receipt = &report["findings"][0]["revocation"];
            assert_eq!(
                (&receipt["status"], &receipt["detail"]),
                (&"revoked".into(), &"gone".into())
            );
            assert_eq!(receipt["endpoint"], server.url("/hook"));
            let [request] = server.requests().try_into().expect("one request");
            assert!(is_signed(&request, &case.secret) && !holds(&request.raw, &case.key));
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let fingerprint = &report["findings"][0]["secret"]["sha256"];
            assert_eq!(&body["data"]["fingerprint"], fingerprint);
            assert_eq!(body["data"]["occurrences"][0]["path"], "a.env");
            assert_eq!(receipt["id"], body["data"]["id"]);
            assert_eq!(request.header("webhook-id").as_deref(), receipt["id"].as_str());

            let (again, _) = case.report(&server.url("/hook?tenant=hidden"), &[]);
            assert_eq!(
                server.requests().len(),
                1,
                "a key that has a receipt is not asked for again"
            );
            assert_eq!(again["findings"][0]["revocation"]["status"], "revoked");
            case.report(&server.url("/hook?tenant=hidden"), &["--again"]);
            let ids: Vec<_> =
                server.requests().iter().map(|one| one.header("webhook-id")).collect();
            assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
            let written = case.written();
            assert!(!holds(&written, &case.key) && !holds(&written, "hidden"));
        },
    );
}

#[test]
fn the_key_is_sent_only_when_asked_and_stays_nowhere() {
    let case = Case::new();
    let echo = |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let secret = body["data"]["secret"].as_str().or(body[0]["token"].as_str());
        let detail = format!("thank you for {}", secret.unwrap_or_default());
        tls_server::json(
            202,
            &serde_json::json!({"status": "accepted", "detail": detail}).to_string(),
        )
    };
    with_server(Certificate::Good, echo, |server| {
        let url = server.url("/hook");
        let dry = case.run(&url, &["--send-secret", "--dry-run"]);
        assert!(server.requests().is_empty() && stderr(&dry).contains("POST https://"));
        assert!(!holds(&[dry.stdout, dry.stderr].concat(), &case.key));
        let no = case.run(&url, &[]);
        assert_eq!(no.status.code(), Some(2));
        assert!(stderr(&no).contains("--yes"), "{}", stderr(&no));
        let sent = case.run(&url, &["--send-secret", "--yes", "--format", "json"]);
        let [request] = server.requests().try_into().expect("one request");
        assert!(holds(&request.body, &case.key) && is_signed(&request, &case.secret));
        assert!(holds(&sent.stdout, "thank you for"));
        let shown = [sent.stdout, sent.stderr, case.written()].concat();
        assert!(!holds(&shown, &case.key), "an endpoint's echo is redacted");
    });
}

#[test]
fn a_report_is_revoked_later_with_the_key_read_again_from_its_place() {
    let case = Case::new();
    let scan = case.sandbox.run(&["scan", "s", "-o", "json=report.json"]);
    assert_eq!(scan.status.code(), Some(1));
    with_server(
        Certificate::Good,
        |_| revoked(),
        |server| {
            let url = server.url("/hook");
            let mut args = vec!["revoke", "--from", "report.json", "--revoke-url", &url, "--yes"];
            args.extend(["--send-secret"].iter().chain(&ARGS[3..]));
            let (report, status) = case.sandbox.json(&args);
            assert_eq!(status, Some(0), "{report}");
            let [request] = server.requests().try_into().expect("one request");
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body["data"]["secret"], case.key.as_str());
        },
    );
}

#[test]
fn an_endpoint_that_fails_takes_bounded_time_and_is_told_of() {
    let limited = Reply::Answer(429, vec![("retry-after", "1".to_owned())], String::new());
    let later = Reply::Answer(429, vec![("retry-after", "9000".to_owned())], String::new());
    let half = b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let rows: [(&str, Reply, usize, &str); 10] = [
        ("400", tls_server::json(400, "{}"), 1, "status 400"),
        ("401", tls_server::json(401, "{}"), 1, "status 401"),
        ("500", tls_server::json(500, "{}"), 2, "status 500"),
        (
            "302",
            Reply::Answer(302, vec![("location", "/x".to_owned())], String::new()),
            1,
            "status 302",
        ),
        ("429", limited, 2, "status 429"),
        ("429 for hours", later, 1, "status 429"),
        ("slow", Reply::Stall(vec![]), 2, "no answer"),
        ("half-open", Reply::Stall(half), 2, "no answer"),
        ("garbage", Reply::Raw(b"\x00garbage\r\n\r\n".to_vec()), 1, "no answer"),
        ("nonsense", tls_server::json(200, "[1]"), 1, "none of revoked"),
    ];
    std::thread::scope(|scope| {
        for (name, reply, requests, message) in &rows {
            scope.spawn(move || {
                let case = Case::new();
                with_server(
                    Certificate::Good,
                    |_| reply.clone(),
                    |server| {
                        let more = ["--yes", "--call-timeout", "1", "--revoke-attempts", "2"];
                        let started = Instant::now();
                        let output = case.run(&server.url("/hook"), &more);
                        assert!(started.elapsed() < Duration::from_secs(60), "{name}");
                        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
                        assert!(stderr(&output).contains(message), "{name}: {}", stderr(&output));
                        assert!(holds(&output.stdout, "yousign-api-key"), "{name}: still reported");
                        assert_eq!(server.requests().len(), *requests, "{name}");
                    },
                );
            });
        }
    });
    let case = Case::new();
    let down = case.run("https://localhost:1/hook", &["--yes", "--revoke-attempts", "1"]);
    assert_eq!(down.status.code(), Some(2));
    assert!(stderr(&down).contains("waits in the outbox"), "{}", stderr(&down));
}

#[test]
fn what_could_not_be_delivered_is_delivered_by_a_later_run_under_the_same_id() {
    let case = Case::new();
    let fails = Mutex::new(true);
    let answer = |_: &Request| {
        if *fails.lock().expect("no panic") { tls_server::json(503, "{}") } else { revoked() }
    };
    with_server(Certificate::Good, answer, |server| {
        let url = server.url("/hook");
        let (report, status) = case.report(&url, &["--revoke-attempts", "1"]);
        assert_eq!(status, Some(2));
        assert_eq!(report["findings"][0]["revocation"]["status"], "undelivered");
        *fails.lock().expect("no panic") = false;
        // The later run finds nothing: the line is gone, the request is not.
        case.sandbox.write("s/a.env", "clean\n");
        assert_eq!(case.run(&url, &["--yes"]).status.code(), Some(0));
        let ids: Vec<_> = server.requests().iter().map(|one| one.header("webhook-id")).collect();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
        case.run(&url, &["--yes"]);
        assert_eq!(server.requests().len(), 2, "once");
    });
}

#[cfg(unix)]
#[test]
fn a_command_gets_the_request_on_its_standard_input() {
    use std::os::unix::fs::PermissionsExt as _;
    let case = Case::new();
    let script = |name: &str, text: &str| {
        case.sandbox.write(name, format!("#!/bin/sh\n{text}\n"));
        let path = case.sandbox.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
        path.display().to_string()
    };
    let good =
        script("good", "cat > got\necho \"$WEBHOOK_ID\" > id\necho '{\"status\":\"accepted\"}'");
    let run = |program: &str| {
        let args = [&ARGS, &["--revoke-command", program, "--yes", "--call-timeout", "1"][..]];
        case.sandbox.json(&args.concat())
    };
    let (report, status) = run(&good);
    let receipt = &report["findings"][0]["revocation"];
    assert_eq!((status, &receipt["status"]), (Some(1), &"accepted".into()));
    let got = case.sandbox.read("got");
    assert!(!holds(&got, &case.key) && holds(&got, "secret.leaked"));
    for text in ["exit 3", "sleep 30 & sleep 30", "echo nonsense"] {
        let bad = script("bad", text);
        let started = Instant::now();
        let (report, status) = run(&bad);
        assert!(started.elapsed() < Duration::from_secs(20), "{text}");
        assert_eq!(status, Some(2), "{text}: {report}");
    }
}

/// Answers for the provider and for the hook: the key works until the hook was called, or for ever.
fn provider_and_hook(is_honest: bool, key: &str) -> impl Fn(&Request) -> Reply + Sync {
    let (key, is_revoked) = (key.to_owned(), Mutex::new(false));
    move |request| {
        let mut is_revoked = is_revoked.lock().expect("no panic");
        if request.path() == "/hook" {
            *is_revoked = is_honest;
            return revoked();
        }
        match request.bearer() == key && request.path().starts_with("/production") && !*is_revoked {
            true => tls_server::json(200, r#"{"meta":{"next_cursor":null},"data":[]}"#),
            false => tls_server::json(401, r#"{"type":"about:blank","detail":"no"}"#),
        }
    }
}

#[test]
fn a_live_check_afterwards_proves_what_the_endpoint_says() {
    for (is_honest, proof, status) in [(true, "refused", 0), (false, "active", 1)] {
        let case = Case::new();
        case.sandbox.run(&["scan", "s", "-o", "json=report.json"]);
        with_server(Certificate::Good, provider_and_hook(is_honest, &case.key), |server| {
            let hook = server.url("/hook");
            let production = format!("api.yousign.app={}", server.url("/production"));
            let sandbox = format!("api-sandbox.yousign.app={}", server.url("/sandbox"));
            let hosts = ["--verify-host", &production, "--verify-host", &sandbox];
            let verify = [&["--verify", "--verify-private"], &hosts[..]].concat();
            let args = ["revoke", "--from", "report.json", "--revoke-url", &hook, "--yes"];
            let args = [&args, &verify[..], &ARGS[3..]].concat();
            let (report, code) = case.sandbox.json(&args);
            assert_schema(&report);
            let finding = &report["findings"][0];
            assert_eq!(finding["validation"]["state"], "active", "before");
            assert_eq!(finding["revocation"]["proof"]["state"], proof, "{finding}");
            assert_eq!((code, &finding["severity"]), (Some(status), &"critical".into()));
            let asked = |path: &str| {
                let is_it = |request: &&Request| {
                    request.path().starts_with(path) && request.bearer() == case.key
                };
                server.requests().iter().filter(is_it).count()
            };
            // Once before and once after; the sandbox only when production has refused.
            assert_eq!((asked("/production"), asked("/sandbox")), (2, usize::from(is_honest)));
            let text = case.sandbox.run(&[&args[..], &["--again", "--color", "never"]].concat());
            let text = String::from_utf8_lossy(&text.stdout).into_owned();
            let lie = "BUT THE PROVIDER STILL ACCEPTS THE KEY";
            assert_eq!(text.contains(lie), !is_honest, "{text}");
        });
    }
}

#[test]
fn receipts_stand_in_sarif_too() {
    let case = Case::new();
    with_server(
        Certificate::Good,
        |_| revoked(),
        |server| {
            let (report, _) = case.report(&server.url("/hook"), &["-o", "sarif=out.sarif"]);
            let sarif: Value =
                serde_json::from_slice(&case.sandbox.read("out.sarif")).expect("JSON");
            let result = &sarif["runs"][0]["results"][0];
            assert_eq!(result["properties"]["revocation"], report["findings"][0]["revocation"]);
            assert_eq!(result["properties"]["revocation"]["status"], "revoked");
        },
    );
}

#[test]
fn a_partner_gets_the_body_that_github_sends_to_partners() {
    let case = Case::new();
    case.sandbox.git(&["init", "-q"]);
    case.sandbox.git(&["add", "s"]);
    case.sandbox.git(&["commit", "-qm", "one"]);
    case.sandbox.write("s/a.env", "clean\n");
    let key = case.key.clone();
    let answer = move |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let [token] = body.as_array().expect("a list").as_slice() else { panic!("{body}") };
        assert_eq!(token.as_object().expect("an object").len(), 4, "{token}");
        assert_eq!(token["token"], key.as_str());
        assert_eq!(token["type"], "yousign-api-key");
        assert_eq!((&token["url"], &token["source"]), (&"s/a.env".into(), &"commit".into()));
        let label = serde_json::json!([{
            "token_raw": key, "token_type": "yousign-api-key", "label": "true_positive"
        }]);
        tls_server::json(200, &label.to_string())
    };
    with_server(Certificate::Good, answer, |server| {
        let more = ["--send-secret", "--revoke-body", "partner"];
        let (report, status) = case.report(&server.url("/hook"), &more);
        assert_eq!(report["findings"][0]["revocation"]["status"], "accepted", "{report}");
        let [request] = server.requests().try_into().expect("one request");
        assert!(status == Some(1) && is_signed(&request, &case.secret));
        assert!(
            !holds(report.to_string().as_bytes(), &case.key) && !holds(&case.written(), &case.key)
        );
    });
}

#[test]
fn a_token_and_a_client_certificate_open_the_endpoint_and_stay_out_of_sight() {
    let case = Case::new();
    let token = key();
    case.sandbox.write("token", format!("{token}\n")).write("me.pem", tls_server::identity());
    with_server(
        Certificate::Mutual,
        |_| revoked(),
        |server| {
            let url = server.url("/hook");
            let refused = case.run(&url, &["--yes", "--revoke-attempts", "1"]);
            assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
            assert!(server.requests().is_empty());
            let more = ["--revoke-identity", "me.pem", "--revoke-token-file", "token"];
            let dry = case.run(&url, &[&more[..], &["--dry-run"]].concat());
            assert!(stderr(&dry).contains("Bearer …") && !stderr(&dry).contains(&token));
            let (report, _) = case.report(&url, &more);
            assert_eq!(report["findings"][0]["revocation"]["status"], "revoked", "{report}");
            let [request] = server.requests().try_into().expect("one request");
            assert_eq!(request.bearer(), token);
            assert!(!holds(&case.written(), &token) && !report.to_string().contains(&token));
        },
    );
}

#[test]
fn while_a_signing_secret_is_changed_both_sign() {
    let case = Case::new();
    let other = Case::new().secret;
    case.sandbox.write("secret", format!("{}\n{other}\n", case.secret));
    with_server(
        Certificate::Good,
        |_| revoked(),
        |server| {
            case.report(&server.url("/hook"), &[]);
            let [request] = server.requests().try_into().expect("one request");
            assert!(is_signed(&request, &case.secret) && is_signed(&request, &other));
            assert!(!is_signed(&request, &Case::new().secret));
            let signatures = request.header("webhook-signature").expect("signed");
            assert_eq!(signatures.split(' ').count(), 2);
        },
    );
}

#[test]
fn bad_options_are_refused_before_anything_is_scanned() {
    let case = Case::new();
    case.sandbox.write("short", "whsec_c2hvcnQ=");
    for (more, message) in [
        (vec!["--revoke-url", "http://hook.invalid", "--yes"], "is not encrypted"),
        (vec!["--yes"], "nobody to ask"),
        (
            vec!["--revoke-url", "https://h.invalid", "--yes", "--revoke-secret-file", "short"],
            "24 to 64 bytes",
        ),
        (
            vec!["--revoke-url", "https://h.invalid", "--yes", "--revoke-body", "partner"],
            "--send-secret",
        ),
    ] {
        let args = if more.contains(&"short") { ARGS[..7].to_vec() } else { ARGS.to_vec() };
        let output = case.sandbox.run(&[&args[..], &more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(stderr(&output).contains(message), "{more:?}: {}", stderr(&output));
    }
}
