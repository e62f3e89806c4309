//! A delivery that is killed, wherever that is, loses no revocation, asks under no second id, and leaves no key on the
//! disk.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use rand::RngExt as _;
use serde_json::Value;

use crate::revocation::ARGS;
use crate::revocation::Case;
use crate::revocation::holds;
use crate::revocation::revoked;
use crate::support::key;
use crate::support::stderr;
use crate::tls_server::Certificate;
use crate::tls_server::Reply;
use crate::tls_server::Request;
use crate::tls_server::with_server;

/// What the endpoint was asked: the ids of each fingerprint's requests.
#[derive(Default)]
struct Asked(Mutex<BTreeMap<String, Vec<String>>>);

impl Asked {
    fn note(&self, request: &Request) {
        let body: Value = serde_json::from_slice(&request.body).expect("a whole body");
        let id = request.header("webhook-id").expect("an id");
        let fingerprint = body["data"]["fingerprint"].as_str().expect("one").to_owned();
        self.0.lock().expect("no panic").entry(fingerprint).or_default().push(id);
    }

    fn ids(&self, key: &str) -> Vec<String> {
        self.0.lock().expect("no panic").get(&sha256(key)).cloned().unwrap_or_default()
    }
}

/// What the outbox of a case holds.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nothing was promised yet: the finding is there for the next run.
    Empty,
    /// A request waits.
    Waiting,
    /// There is a receipt.
    Answered,
}

fn names(case: &Case, folder: &str) -> BTreeSet<String> {
    let files = walkdir::WalkDir::new(case.sandbox.path().join("outbox")).into_iter();
    let files = files.filter_map(Result::ok).filter(|file| file.file_type().is_file());
    let files =
        files.filter(|file| file.path().parent().is_some_and(|path| path.ends_with(folder)));
    files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
}

fn state(case: &Case, key: &str) -> State {
    let name = format!("revoke_{}.json", sha256(key));
    if names(case, "receipts").contains(&name) {
        State::Answered
    } else if names(case, "pending").contains(&name) {
        State::Waiting
    } else {
        State::Empty
    }
}

fn leak(case: &Case) -> String {
    let key = key();
    case.sandbox.write("s/a.env", format!("YOUSIGN_API_KEY={key}\n"));
    key
}

fn command(program: &str, before: &[&str], case: &Case, url: &str) -> Command {
    let mut command = Command::new(program);
    command.args(before).args(ARGS).args(["--revoke-url", url, "--yes", "--threads", "1"]);
    command.current_dir(case.sandbox.path()).env_clear();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Looks at what a killed run left, lets another run go through, and looks again.
fn recover(case: &Case, url: &str, key: &str, asked: &Asked, point: &str) {
    let written = case.written();
    assert!(!holds(&written, key), "{point}: a key on the disk");
    let (left, before) = (state(case, key), asked.ids(key).len());
    if left != State::Empty {
        // What was promised does not need the finding any more.
        case.sandbox.write("s/a.env", "clean\n");
    }
    let output = case.run(url, &["--yes"]);
    let expected = i32::from(left == State::Empty);
    assert_eq!(output.status.code(), Some(expected), "{point}: {}", stderr(&output));
    let ids = asked.ids(key);
    assert_eq!(BTreeSet::from_iter(&ids), BTreeSet::from([&format!("revoke_{}", sha256(key))]));
    let least = before + usize::from(left != State::Answered);
    // What the killed run sent may have been on its way when it was counted.
    let most = if left == State::Waiting { 2 } else { least };
    assert!((least..=most).contains(&ids.len()), "{point}: asked {} after {left:?}", ids.len());
    assert_eq!(state(case, key), State::Answered, "{point}");
    assert_eq!(names(case, "pending"), BTreeSet::new(), "{point}: all is swept");
    assert!(names(case, "receipts").iter().all(|name| name.ends_with(".json")), "{point}");
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Kills at random times, and when the endpoint has got the request, and when it has sent half of an answer.
#[test]
fn no_kill_loses_a_revocation_or_asks_under_another_id() {
    let (case, asked) = (Case::new(), Asked::default());
    let running: Mutex<Option<Child>> = Mutex::default();
    let way = AtomicUsize::new(usize::MAX);
    let kill = || {
        if let Some(mut child) = running.lock().expect("no panic").take() {
            drop(child.kill());
            child.wait().expect("it was there");
        }
    };
    let answer = |request: &Request| {
        asked.note(request);
        match way.load(Ordering::SeqCst) {
            1 => kill(),
            2 => {
                return Reply::Stall(
                    b"HTTP/1.1 200 X\r\ncontent-length: 20\r\n\r\n{\"stat".to_vec(),
                );
            }
            _ => {}
        }
        revoked()
    };
    with_server(Certificate::Good, answer, |server| {
        let url = server.url("/hook");
        let started = Instant::now();
        assert_eq!(case.run(&url, &["--yes"]).status.code(), Some(1));
        let full = started.elapsed();
        for round in 0..60 {
            let key = leak(&case);
            way.store(round % 3, Ordering::SeqCst);
            // Held until the child is there, so that the endpoint does not look for it too early.
            let mut slot = running.lock().expect("no panic");
            let binary = env!("CARGO_BIN_EXE_signleak");
            *slot = Some(command(binary, &[], &case, &url).spawn().expect("it runs"));
            drop(slot);
            match round % 3 {
                0 => std::thread::sleep(full.mul_f64(rand::rng().random_range(0.0..1.2))),
                way => {
                    while asked.ids(&key).is_empty() {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    std::thread::sleep(Duration::from_millis(if way == 2 { 5 } else { 0 }));
                }
            }
            kill();
            way.store(usize::MAX, Ordering::SeqCst);
            recover(&case, &url, &key, &asked, &format!("round {round}"));
        }
    });
}

/// The steps of a delivery, in order.
const STEPS: [&str; 11] = [
    "before the outbox",
    "outbox opened",
    "request written",
    "request in place",
    "connect",
    "handshake",
    "send",
    "answer",
    "receipt written",
    "receipt in place",
    "report",
];

/// A system call of the main thread: its name, which one of this name it is, and the step it belongs to.
struct Call {
    name: String,
    ordinal: usize,
    step: usize,
}

/// Reads a log of `strace -f`. `sends` is the number of messages that a whole delivery sends: the last one has the
/// request in it.
fn calls(log: &str, sends: usize) -> Vec<Call> {
    let main = log.split(' ').next().expect("a first line");
    let lines = log.lines().filter_map(|line| line.strip_prefix(main)).map(str::trim_start);
    let (mut step, mut sent, mut counts) = (0, 0, BTreeMap::<String, usize>::new());
    let mut calls = vec![];
    for line in lines.filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase())) {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let opens =
            |folder: &str| name == "openat" && rest.contains(folder) && rest.contains("O_EXCL");
        step = step.max(match name {
            "mkdir" if rest.contains("outbox") => 1,
            "openat" if opens("/pending/") => 2,
            "renameat" if rest.contains("/pending/") => 3,
            "socket" if step >= 3 => 4,
            "sendto" => {
                sent += 1;
                if sent == sends { 6 } else { 5 }
            }
            "recvfrom" if sent >= sends => 7,
            "openat" if opens("/receipts/") => 8,
            "renameat" if rest.contains("/receipts/") => 9,
            "write" if step >= 9 => 10,
            _ => 0,
        });
        let ordinal = counts.entry(name.to_owned()).or_default();
        *ordinal += 1;
        calls.push(Call { name: name.to_owned(), ordinal: *ordinal, step });
    }
    calls
}

/// Kills at random system calls until each step was hit 20 times, which the log of each killed run tells.
#[test]
#[ignore = "needs strace; .ci/run runs it"]
fn no_kill_at_any_system_call_loses_a_revocation() {
    let (case, asked) = (Case::new(), Asked::default());
    let answer = |request: &Request| {
        asked.note(request);
        revoked()
    };
    with_server(Certificate::Good, answer, |server| {
        let url = server.url("/hook");
        let strace = |more: &[&str]| {
            let before = [&["-f", "-o", "log"], more, &[env!("CARGO_BIN_EXE_signleak")]].concat();
            let status = command("/usr/bin/strace", &before, &case, &url).status();
            let status = status.expect("strace is installed");
            (status, String::from_utf8_lossy(&case.sandbox.read("log")).into_owned())
        };
        assert_eq!(case.run(&url, &["--yes"]).status.code(), Some(1), "the outbox is there");
        let key = leak(&case);
        let (status, log) = strace(&[]);
        assert_eq!((status.code(), asked.ids(&key).len()), (Some(1), 1));
        let sends = calls(&log, usize::MAX).iter().filter(|call| call.name == "sendto").count();
        let all = calls(&log, sends);
        let mut hits = [0; STEPS.len()];
        for _ in 0..STEPS.len() * 60 {
            let rarest = (0..STEPS.len()).min_by_key(|step| hits[*step]).expect("there are some");
            if hits[rarest] == 20 {
                break;
            }
            let key = leak(&case);
            let of_step: Vec<&Call> = all.iter().filter(|call| call.step == rarest).collect();
            let call = of_step[rand::rng().random_range(0..of_step.len())];
            let inject = format!("inject={}:signal=KILL:when={}", call.name, call.ordinal);
            let (status, log) = strace(&["-e", &inject]);
            if status.success() || status.code().is_some() {
                continue; // The run had fewer of these calls.
            }
            let last = calls(&log, sends).last().map_or(0, |call| call.step);
            hits[last] += 1;
            recover(&case, &url, &key, &asked, &format!("{inject}, {}", STEPS[last]));
        }
        let table: Vec<String> =
            STEPS.iter().zip(hits).map(|(step, hits)| format!("{step} {hits}")).collect();
        println!("kills: {}", table.join(", "));
        assert!(hits.iter().all(|hits| *hits >= 20), "{table:?}");
    });
}
