//! The live check says the right thing about every answer of a host, and never asks more than it may.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use signleak::blob::BlobPath;
use signleak::coverage::Coverage;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::finding::Candidate;
use signleak::finding::Environment;
use signleak::finding::UnknownReason;
use signleak::finding::Validation;
use signleak::finding::Validations;
use signleak::http::Clock;
use signleak::rule::RuleSet;
use signleak::validate::Checker;
use signleak::validate::Options;

use crate::support::Sandbox;
use crate::support::key;
use crate::support::stderr;
use crate::tls_server;
use crate::tls_server::Certificate;
use crate::tls_server::Reply;
use crate::tls_server::Request;
use crate::tls_server::Server;
use crate::tls_server::with_server;

const PAGE: &str = r#"{"meta":{"next_cursor":null},"data":[]}"#;
const PROBLEM: &str = r#"{"type":"about:blank","detail":"words that may change"}"#;
const HOSTS: [(&str, &str); 4] = [
    ("api.yousign.app", "/production"),
    ("api-sandbox.yousign.app", "/sandbox"),
    ("api.yousign.com", "/v2-production"),
    ("staging-api.yousign.com", "/v2-sandbox"),
];

/// A clock on which waiting costs nothing.
#[derive(Default)]
struct Virtual(Mutex<(Duration, Vec<Duration>)>);

impl Virtual {
    fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().expect("no panic").1.clone()
    }
}

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.0.lock().expect("no panic").0
    }

    fn sleep(&self, duration: Duration) {
        let mut state = self.0.lock().expect("no panic");
        state.0 += duration;
        state.1.push(duration);
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

fn page() -> Reply {
    tls_server::json(200, PAGE)
}

fn problem(status: u16) -> Reply {
    tls_server::json(status, PROBLEM)
}

/// The candidates of a text, as a scan finds them.
fn candidates(text: &str) -> Vec<Candidate> {
    let detector = Detector::new(RuleSet::built_in().expect("valid"), Limits::default());
    detector.candidates(text.as_bytes(), &BlobPath::new(b".env"), &mut Coverage::default())
}

fn v3(keys: &[&str]) -> Vec<Candidate> {
    keys.iter().flat_map(|key| candidates(&format!("YOUSIGN_API_KEY={key}\n"))).collect()
}

fn bases(server: &Server) -> BTreeMap<String, String> {
    HOSTS.iter().map(|(host, path)| ((*host).to_owned(), server.url(path))).collect()
}

fn options(server: &Server) -> Options {
    let mut options = Options { bases: bases(server), ..Options::default() };
    options.http.roots = Some(tls_server::authority().into_bytes());
    options.http.timeout = Some(Duration::from_millis(700));
    options.http.allow_private = true;
    options
}

fn check(server: &Server, keys: &[Candidate], clock: &Virtual) -> Validations {
    let checker = Checker::new(&RuleSet::built_in().expect("valid"), &options(server));
    checker.expect("valid options").check(keys, clock)
}

fn state(validations: &Validations, key: &str) -> Validation {
    let fingerprint = signleak::secret::Secret::new(key.as_bytes()).fingerprint();
    validations.states[&fingerprint]
}

/// Calls for one key on one host.
fn calls(server: &Server, key: &str, host: &str) -> usize {
    let is_one = |request: &&Request| request.bearer() == key && request.path().starts_with(host);
    server.requests().iter().filter(is_one).count()
}

fn active(environment: Environment) -> Validation {
    Validation::Active { environment }
}

fn unknown(reason: UnknownReason) -> Validation {
    Validation::Unknown { reason }
}

/// Lets the production host give `answers` to the key, one after the other, while everything else is refused, and
/// returns what the check says and the number of calls it made for the key there.
fn judged(answers: &[Reply]) -> (Validation, usize, Vec<Duration>) {
    let (key, clock) = (key(), Virtual::default());
    let left = Mutex::new(answers.to_vec());
    let answer = |request: &Request| {
        let mut left = left.lock().expect("no panic");
        let is_asked = request.bearer() == key && request.path().starts_with("/production");
        if is_asked && !left.is_empty() { left.remove(0) } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let validations = check(server, &v3(&[&key]), &clock);
        let requests = server.requests();
        let counted = validations.check.clone().expect("a check was made").requests;
        assert_eq!(requests.len(), counted as usize, "the report counts every request");
        for request in &requests {
            assert!(request.line.starts_with("GET /"), "{}", request.line);
            assert!(!request.line.contains(&key) && !request.line.contains("webhooks"));
        }
        (state(&validations, &key), calls(server, &key, "/production"), clock.sleeps())
    })
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_row_of_the_table_of_judgement() {
    use Environment::Production;
    let limited = |after: &str| {
        Reply::Answer(429, vec![("retry-after", after.to_owned())], "{\"message\":\"\"}".to_owned())
    };
    let to = |place: &str| Reply::Answer(302, vec![("location", place.to_owned())], String::new());
    let rows: Vec<(&str, Vec<Reply>, Validation, usize)> = vec![
        ("200 with the envelope", vec![page()], active(Production), 1),
        (
            "200 of a portal",
            vec![tls_server::json(200, "<html>")],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
        (
            "200 with half the envelope",
            vec![tls_server::json(200, "{\"data\":[]}")],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
        ("401 of the API", vec![problem(401)], Validation::Refused, 1),
        (
            "401 of a proxy",
            vec![tls_server::json(401, "login")],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
        ("403, then 200", vec![problem(403), page()], active(Production), 2),
        ("403 twice", vec![problem(403), problem(403)], active(Production), 2),
        ("403, then 500", vec![problem(403), problem(500)], active(Production), 2),
        (
            "403, then 401",
            vec![problem(403), problem(401)],
            unknown(UnknownReason::Contradiction),
            2,
        ),
        (
            "403 of a firewall",
            vec![tls_server::json(403, "no")],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
        ("404", vec![problem(404)], unknown(UnknownReason::UnexpectedAnswer), 1),
        ("500 twice", vec![problem(500), problem(503)], unknown(UnknownReason::ServerError), 2),
        ("500, then 200", vec![problem(500), page()], active(Production), 2),
        ("429, then 200", vec![limited("3"), page()], active(Production), 2),
        (
            "429 twice",
            vec![limited("3"), limited("3"), page()],
            unknown(UnknownReason::RateLimited),
            2,
        ),
        ("429 for an hour", vec![limited("3600"), page()], unknown(UnknownReason::RateLimited), 1),
        ("429 with a word", vec![limited("soon"), page()], active(Production), 2),
        ("302", vec![to("https://localhost:1/x"), page()], unknown(UnknownReason::Redirected), 1),
        (
            "307",
            vec![Reply::Answer(307, vec![("location", "/x".to_owned())], String::new()), page()],
            unknown(UnknownReason::Redirected),
            1,
        ),
        (
            "garbage",
            vec![Reply::Raw(b"\x00\x01garbage\r\n\r\n".to_vec()), page()],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
        (
            "a closed connection, twice",
            vec![Reply::Raw(vec![]), Reply::Raw(vec![])],
            unknown(UnknownReason::Connection),
            2,
        ),
        (
            "no answer in time, twice",
            vec![Reply::Stall(vec![]), Reply::Stall(vec![])],
            unknown(UnknownReason::Timeout),
            2,
        ),
        (
            "half an answer",
            vec![Reply::Stall(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec()), page()],
            active(Production),
            2,
        ),
        (
            "a body without an end",
            vec![Reply::Raw(format!("HTTP/1.1 200 X\r\n\r\n{}", "x".repeat(70_000)).into_bytes())],
            unknown(UnknownReason::UnexpectedAnswer),
            1,
        ),
    ];
    assert_rows(&rows);
}

fn assert_rows(rows: &[(&str, Vec<Reply>, Validation, usize)]) {
    std::thread::scope(|scope| {
        for (name, answers, expected, calls) in rows {
            scope.spawn(move || {
                let (state, made, sleeps) = judged(answers);
                assert_eq!((state, made), (*expected, *calls), "{name} {sleeps:?}");
            });
        }
    });
}

#[test]
fn waiting_follows_what_the_host_asks_and_backs_off_with_jitter_otherwise() {
    let limited = Reply::Answer(429, vec![("retry-after", "7".to_owned())], String::new());
    assert_eq!(judged(&[limited, page()]).2, [Duration::from_secs(7)]);
    // Half a second, of which jitter of 0.5 takes a quarter.
    assert_eq!(judged(&[problem(500), page()]).2, [Duration::from_millis(375)]);
}

#[test]
fn a_spent_minute_is_waited_for_and_a_spent_hour_ends_the_check() {
    let keys: Vec<String> = (0..3).map(|_| key()).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (name, reset, slept) in [
        ("x-ratelimit-remaining-minute", "11", true),
        ("ratelimit-remaining", "11", true),
        ("x-ratelimit-remaining-hour", "3000", false),
    ] {
        let clock = Virtual::default();
        let answer = |request: &Request| {
            let mut headers = vec![("content-type", "application/json".to_owned())];
            if request.bearer() == keys[0] || request.bearer() == keys[1] {
                headers.extend([(name, "0".to_owned()), ("ratelimit-reset", reset.to_owned())]);
            }
            Reply::Answer(401, headers, PROBLEM.to_owned())
        };
        with_server(Certificate::Good, answer, |server| {
            let validations = check(server, &v3(&texts), &clock);
            let asked: usize = texts.iter().map(|key| calls(server, key, "/production")).sum();
            if slept {
                assert_eq!(asked, 3, "{name}");
                assert!(clock.sleeps().iter().all(|sleep| *sleep == Duration::from_secs(11)));
                assert_eq!(clock.sleeps().len(), 2, "waiting for one host is waiting for both");
                assert!(validations.states.values().all(|state| *state == Validation::Refused));
            } else {
                assert!(asked == 1 && clock.sleeps().is_empty(), "{name}: {asked}");
                let limited = unknown(UnknownReason::RateLimited);
                let count = validations.states.values().filter(|state| **state == limited).count();
                assert_eq!(count, 2, "what could not be asked is unknown");
            }
        });
    }
}

#[test]
fn a_captive_portal_never_sees_a_key() {
    let html = tls_server::json(200, "<html>Welcome</html>");
    for (portal, reason) in
        [(html, UnknownReason::UnexpectedAnswer), (page(), UnknownReason::ControlAccepted)]
    {
        let key = key();
        with_server(
            Certificate::Good,
            |_| portal.clone(),
            |server| {
                let validations = check(server, &v3(&[&key]), &Virtual::default());
                assert_eq!(state(&validations, &key), unknown(reason));
                assert_eq!(server.requests().len(), 2, "one random key for each host");
                assert!(server.requests().iter().all(|request| request.bearer() != key));
            },
        );
    }
}

#[test]
fn a_wrong_certificate_or_address_gets_nothing() {
    for certificate in [
        Certificate::OtherName,
        Certificate::OtherAuthority,
        Certificate::Expired,
        Certificate::None,
    ] {
        let key = key();
        with_server(
            certificate,
            |_| page(),
            |server| {
                let validations = check(server, &v3(&[&key]), &Virtual::default());
                assert_eq!(
                    state(&validations, &key),
                    unknown(UnknownReason::Tls),
                    "{certificate:?}"
                );
                assert!(server.requests().is_empty(), "{certificate:?}");
            },
        );
    }
    let key = key();
    with_server(
        Certificate::Good,
        |_| page(),
        |server| {
            let mut options = options(server);
            options.http.allow_private = false;
            let checker =
                Checker::new(&RuleSet::built_in().expect("valid"), &options).expect("valid");
            let validations = checker.check(&v3(&[&key]), &Virtual::default());
            assert_eq!(state(&validations, &key), unknown(UnknownReason::PrivateAddress));
            assert_eq!(server.connections(), 0);
        },
    );
}

#[test]
fn each_kind_of_key_goes_to_its_own_hosts_once_and_nothing_else_goes_anywhere() {
    let live = key();
    let hex = |from: &str| -> String {
        use sha2::Digest as _;
        sha2::Sha256::digest(from).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    let (v2, hook) = (hex(&key()), hex(&key()));
    let answer = |request: &Request| {
        let works = [("/sandbox", &live), ("/v2-sandbox", &v2)];
        let is_live = works.iter().any(|(host, key)| {
            request.path().starts_with(&format!("{host}/")) && request.bearer() == **key
        });
        if is_live { page() } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let text = format!(
            "YOUSIGN_API_KEY={live}\nYOUSIGN_V2_TOKEN={v2}\nYOUSIGN_WEBHOOK_SECRET={hook}\n"
        );
        let mut keys = candidates(&text);
        assert_eq!(keys.len(), 3);
        keys.extend(keys.clone());
        let validations = check(server, &keys, &Virtual::default());
        assert_eq!(state(&validations, &live), active(Environment::Sandbox));
        assert_eq!(state(&validations, &v2), active(Environment::Sandbox));
        assert_eq!(validations.states.len(), 2, "a webhook secret is never checked");
        for (key, host, expected) in [
            (&live, "/production", 1),
            (&live, "/sandbox", 1),
            (&live, "/v2", 0),
            (&v2, "/v2-production", 1),
            (&v2, "/v2-sandbox", 1),
            (&v2, "/production", 0),
            (&v2, "/sandbox", 0),
        ] {
            assert_eq!(calls(server, key, host), expected, "{host}");
        }
        let sent: Vec<u8> = server.requests().into_iter().flat_map(|request| request.raw).collect();
        assert!(memchr::memmem::find(&sent, hook.as_bytes()).is_none());
    });
}

#[test]
fn the_likeliest_environment_is_asked_first_and_a_failing_host_is_given_up() {
    let live = key();
    let answer = |request: &Request| {
        if request.bearer() == live { page() } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let text = format!("YOUSIGN_API_KEY_SANDBOX={live}\n");
        let validations = check(server, &candidates(&text), &Virtual::default());
        assert_eq!(state(&validations, &live), active(Environment::Sandbox));
        assert_eq!(calls(server, &live, "/production"), 0);
    });
    let keys: Vec<String> = (0..8).map(|_| key()).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    let answer = |request: &Request| {
        if keys.contains(&request.bearer()) { problem(500) } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let validations = check(server, &v3(&texts), &Virtual::default());
        let all = validations.states.values();
        assert!(all.into_iter().all(|state| *state == unknown(UnknownReason::ServerError)));
        assert_eq!(
            server.requests().len(),
            2 * (1 + 3 * 2),
            "two calls for three keys on two hosts"
        );
    });
}

#[test]
fn a_scan_shows_what_is_active_and_no_ignore_hides_it() {
    let (live, dead) = (key(), key());
    let answer = |request: &Request| {
        let is_production = request.path().starts_with("/production");
        if is_production && request.bearer() == live { page() } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let sandbox = Sandbox::new();
        let mark = "# signleak:allow";
        sandbox
            .write("ca.pem", tls_server::authority())
            .write("s/a.env", format!("YOUSIGN_API_KEY={live} {mark}\n"))
            .write("s/b.env", format!("YOUSIGN_API_KEY={dead}\n"));
        let hosts: Vec<String> =
            bases(server).iter().map(|(host, url)| format!("--verify-host={host}={url}")).collect();
        let mut args = vec!["scan", "s", "--verify", "--ca-file", "ca.pem", "--verify-private"];
        args.extend(hosts.iter().map(String::as_str));
        let (report, status) = sandbox.json(&args);
        assert_eq!(status, Some(1));
        let [first, second] = report["findings"].as_array().expect("a list").as_slice() else {
            panic!("{report}")
        };
        assert_eq!(first["validation"], json!({"state": "active", "environment": "production"}));
        assert_eq!(
            (&first["severity"], &first["environment"]),
            (&json!("critical"), &json!("production"))
        );
        assert_eq!(first["suppression"], json!(null), "an ignore does not hide a key that works");
        assert_eq!(
            (&second["validation"]["state"], &second["severity"]),
            (&json!("refused"), &json!("low"))
        );
        assert_eq!(report["live_check"]["requests"], server.requests().len());
        crate::support::assert_schema(&report);

        let until = format!("YOUSIGN_API_KEY={live} {mark} until=2999-01-01\n");
        sandbox.write("s/a.env", until);
        let (report, _) = sandbox.json(&args);
        let hidden = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|finding| !finding["suppression"].is_null());
        assert_eq!(hidden.expect("still hidden")["validation"]["state"], "active");

        let text = sandbox.run(&args);
        let shown = [text.stdout.as_slice(), &text.stderr].concat();
        for key in [&live, &dead] {
            assert!(memchr::memmem::find(&shown, key.as_bytes()).is_none(), "redacted");
        }
    });
}

#[test]
fn a_report_is_checked_later_by_reading_its_places_again() {
    let (live, dead) = (key(), key());
    let answer = |request: &Request| {
        if request.bearer() == live { page() } else { problem(401) }
    };
    with_server(Certificate::Good, answer, |server| {
        let sandbox = Sandbox::new();
        sandbox.write("ca.pem", tls_server::authority());
        sandbox.git(&["init", "-q", "r"]);
        sandbox.write("r/old.env", format!("YOUSIGN_API_KEY={live}\n"));
        sandbox.git(&["-C", "r", "add", "."]);
        sandbox.git(&["-C", "r", "commit", "-qm", "one"]);
        sandbox.git(&["-C", "r", "rm", "-q", "old.env"]);
        sandbox.git(&["-C", "r", "commit", "-qm", "two"]);
        sandbox.write("r/gone.env", format!("YOUSIGN_API_KEY={dead}\n"));
        assert_eq!(sandbox.run(&["scan", "r", "-o", "json=report.json"]).status.code(), Some(1));
        sandbox.write("r/gone.env", "changed since\n");
        let hosts: Vec<String> =
            bases(server).iter().map(|(host, url)| format!("--verify-host={host}={url}")).collect();
        let mut args =
            vec!["verify", "--from", "report.json", "--ca-file", "ca.pem", "--verify-private"];
        args.extend(hosts.iter().map(String::as_str));
        let (report, status) = sandbox.json(&args);
        let states: Vec<&serde_json::Value> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|finding| &finding["validation"]["state"])
            .collect();
        assert_eq!((status, states), (Some(1), vec![&json!("active"), &json!("unchecked")]));
        assert!(stderr(&sandbox.run(&args)).contains("1 of the secrets were not found again"));
    });
}

#[test]
fn only_hosts_of_the_rules_can_be_overridden() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "x");
    for (host, message) in [
        ("evil.invalid=https://evil.invalid", "the rules allow no live check there"),
        ("api.yousign.app=http://evil.invalid", "is not encrypted"),
        ("api.yousign.app", "write NAME=URL"),
    ] {
        let output = sandbox.run(&["scan", ".", "--verify", "--verify-host", host]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
}

#[test]
fn a_client_certificate_is_shown_when_there_is_one() {
    use signleak::http;
    with_server(
        Certificate::Mutual,
        |_| page(),
        |server| {
            let endpoint = http::Endpoint::parse(&server.url("/")).expect("valid");
            let status = |identity: Option<String>| {
                let client = http::Client::new(&http::Options {
                    roots: Some(tls_server::authority().into_bytes()),
                    identity: identity.map(String::into_bytes),
                    allow_private: true,
                    ..http::Options::default()
                });
                let answer = client.expect("valid").get(&endpoint, &[], http::Body::Read);
                answer.ok().map(|response| response.status)
            };
            assert_eq!(status(Some(tls_server::identity())), Some(200));
            assert_eq!(status(None), None);
        },
    );
}
