//! Scans one after the other in one process, while files and the repository change under them: nothing piles up, and what
//! stays is found each time or told as not read.
//!
//! It counts what the process holds, so it must run alone: `.ci/soak` does that.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::RngExt as _;
use signleak::scan::Target;
use signleak::secret::Fingerprint;
use signleak::secret::Secret;

use crate::damage::number;
use crate::damage::scan;
use crate::support::Checkout;
use crate::support::key;

/// Descriptors, anonymous memory in kB, and files in the folder for temporary ones.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    memory: u64,
    temporary: usize,
}

#[expect(clippy::disallowed_methods, reason = "a file of the kernel")]
fn held() -> Held {
    let count = |folder: &std::path::Path| fs::read_dir(folder).expect("readable").count();
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    Held {
        descriptors: count("/proc/self/fd".as_ref()),
        memory: memory
            .and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok())
            .expect("a number"),
        temporary: count(&std::env::temp_dir()),
    }
}

/// Writes, cuts, renames and removes files, commits, and collects garbage, until it is told to stop.
fn change(checkout: &Checkout, stop: &AtomicBool) {
    let mut random = rand::rng();
    for round in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("f{}", random.random_range(0..50));
        let path = checkout.path().join(&name);
        match random.random_range(0..4) {
            0 => drop(fs::remove_file(&path)),
            1 => drop(fs::rename(&path, checkout.path().join("moved"))),
            2 => drop(
                fs::File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_len(round % 9)),
            ),
            _ => {
                let lines = random.random_range(1..50);
                checkout.write(&name, format!("yousign {round}\n").repeat(lines));
            }
        }
        // Files go between the listing and the reading, so that git may fail, too.
        match round % 400 {
            100 => drop(checkout.git(&["add", "-A"])),
            101 => drop(checkout.git(&["commit", "-q", "--amend", "-m", "round"])),
            300 => drop(checkout.git(&["reflog", "expire", "--expire=now", "--all"])),
            301 => drop(checkout.git(&["gc", "-q", "--prune=now"])),
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the changes, also when an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "takes minutes, and must run alone"]
fn nothing_piles_up_over_many_scans() {
    let scans = number("SIGNLEAK_SCANS").unwrap_or(2_000);
    let checkout = Checkout::new();
    let (kept, past) = (key(), key());
    checkout.write("kept.env", format!("YOUSIGN_API_KEY={kept}\n"));
    checkout.write("past.env", format!("YOUSIGN_API_KEY={past}\n"));
    checkout.ok(&["add", "-A"]);
    checkout.ok(&["commit", "-qm", "keys"]);
    checkout.ok(&["rm", "-q", "past.env"]);
    checkout.ok(&["commit", "-qm", "gone"]);
    let expected = [kept, past].map(|key| Secret::new(key.as_bytes()).fingerprint());
    let stop = AtomicBool::new(false);
    let (before, told) = std::thread::scope(|scope| {
        scope.spawn(|| change(&checkout, &stop));
        let _stop = Stop(&stop);
        let mut before = None;
        let mut told = 0;
        for number in 0..scans {
            let report = scan(&[Target::Path(checkout.path())], true).expect("it scans");
            let is_found = |key: &Fingerprint| {
                report.findings.iter().any(|finding| finding.secret.sha256 == *key)
            };
            if !expected.iter().all(is_found) {
                assert!(!report.coverage.is_complete(), "scan {number} loses a key in silence");
                told += 1;
            }
            if number % (scans / 8).max(1) == 0 {
                println!("{number}: {:?}", held());
            }
            if number == scans / 4 {
                before = Some(held());
            }
        }
        (before.expect("a quarter comes"), told)
    });
    let after = held();
    println!("{scans} scans, {told} of them told of what they missed; {before:?}, {after:?}");
    assert!(after.descriptors <= before.descriptors, "{before:?}, {after:?}");
    assert!(after.temporary <= before.temporary, "{before:?}, {after:?}");
    assert!(after.memory <= before.memory * 3 / 2 + 65_536, "{before:?}, {after:?}");
}
