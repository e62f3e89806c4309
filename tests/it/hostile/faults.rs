//! Faults of the machine: signals, few descriptors, little memory, a killed run. Faults of single system calls are in
//! `strace`.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use super::Run;
use super::Scene;
use super::binary;
use super::packs::BLOB;
use super::packs::Pack;
use super::size;
use crate::support::key;

/// Runs `scan t` under limits of the shell.
fn limited(scene: &Scene, limits: &str) -> Run {
    let mut command = Command::new("sh");
    let line = format!("{limits}; exec \"$0\" scan t --format json");
    command.args(["-c", &line]).arg(binary());
    scene.watch(command, &[&line])
}

#[test]
fn few_descriptors_are_enough_or_are_told() {
    let scene = Scene::repo();
    for number in 0..200 {
        scene.write(&format!("{number}/{number}/x"), "nothing here");
    }
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    for count in [64, 20, 16, 12] {
        limited(&scene, &format!("ulimit -n {count}")).finds();
    }
    // Too few even to begin: not found, but said.
    for count in [9, 7, 5, 4] {
        let run = limited(&scene, &format!("ulimit -n {count}"));
        assert!(run.status.code().is_some_and(|code| code != 0), "{count}: {}", run.short());
        assert!(!run.said().trim().is_empty(), "{count}");
    }
}

#[test]
fn little_memory_ends_in_a_message_or_a_report_and_never_in_success() {
    let scene = Scene::files();
    scene.write("large.txt", "yousign = 1\n".repeat(1_000_000));
    for kilobytes in [400_000, 300_000] {
        limited(&scene, &format!("ulimit -v {kilobytes}")).finds();
    }
    for kilobytes in [200_000, 150_000, 100_000, 80_000, 60_000, 50_000, 40_000, 30_000] {
        let run = limited(&scene, &format!("ulimit -v {kilobytes}"));
        assert!(!run.status.success(), "{kilobytes}: {}", run.short());
        assert!(!run.said().trim().is_empty(), "{kilobytes}");
    }
}

/// More keys than there is memory for: what was found until then is reported, the planted key first. A build for debugging is too
/// slow to find as many.
#[test]
fn memory_that_runs_out_ends_the_scan_with_a_report() {
    let scene = Scene::files();
    for number in 0..size(20, 1) {
        let keys = (0..1_000).map(|line| format!("YOUSIGN_API_KEY_{line}={}\n", key()));
        scene.write(&format!("many/{number}.env"), keys.collect::<String>());
    }
    for kilobytes in size([200_000, 150_000, 120_000], [400_000, 300_000, 200_000]) {
        let mut command = Command::new("sh");
        let line =
            format!("ulimit -v {kilobytes}; exec \"$0\" scan t/beside.env t/many --format json");
        command.args(["-c", &line]).arg(binary());
        let run = scene.watch(command, &[&line]);
        run.finds().says(size("(--max-memory)", "\"complete\": true"));
    }
}

/// A report that is longer than a file may become is an error, and nothing of it stays.
#[test]
fn a_report_over_the_size_that_files_may_have_is_an_error() {
    let scene = Scene::files();
    for signal in ["", "trap '' XFSZ; "] {
        let mut command = Command::new("sh");
        let line = format!("{signal}ulimit -f 1; exec \"$0\" scan t -q -o json=report");
        let keys = (0..100).map(|line| format!("YOUSIGN_API_KEY_{line}={}\n", key()));
        scene.write("many.env", keys.collect::<String>());
        command.args(["-c", &line]).arg(binary());
        let run = scene.watch(command, &[&line]);
        let is_ended = run.status.signal() == Some(25) && signal.is_empty();
        assert!(is_ended || run.status.code() == Some(2), "{line}: {}", run.short());
        assert!(is_ended || run.said().contains("report"), "{line}: {}", run.short());
        assert!(!scene.outside("report").exists(), "{line}");
    }
}

/// Runs a line of the shell as the superuser of a user namespace with mounts of its own; none where that is not allowed.
fn in_namespace(scene: &Scene, line: &str) -> Option<Run> {
    let unshare = |line: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", line]).arg(binary());
        command
    };
    let probe = unshare("mount -t tmpfs none /mnt").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return None;
    }
    Some(scene.watch(unshare(line), &[line]))
}

#[test]
fn a_report_onto_a_read_only_or_full_file_system_is_an_error_and_a_target_on_one_is_scanned() {
    let scene = Scene::repo();
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    fs::create_dir(scene.outside("place")).expect("made");
    for options in ["ro", "size=4k,nr_inodes=1", "size=4k"] {
        let line = format!(
            "mount -t tmpfs -o {options} none place; \"$0\" scan t -f json -o sarif=place/report; status=$?; ls -A place; exit $status"
        );
        let Some(run) = in_namespace(&scene, &line) else {
            println!("NOT TRIED: no mounts of our own are allowed here");
            return;
        };
        run.exits(2).says("place/report");
        assert!(!run.stdout.trim_end().ends_with("report"), "{options}: {}", run.short());
    }
    let bound = "mount --bind t t; mount -o remount,bind,ro t; exec \"$0\" scan t -f json";
    if let Some(run) = in_namespace(&scene, bound) {
        run.finds_all();
    }
}

/// The clock on the wall jumps between 1970 and 2100 with each look at it, and the one that only goes forward jumps a
/// second; a library that is loaded first plays the clock.
#[test]
fn clocks_that_jump_change_nothing() {
    let scene = Scene::repo();
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    let (source, library) = (scene.outside("clock.c"), scene.outside("clock.so"));
    let text = "#include <time.h>\nint clock_gettime(clockid_t clock, struct timespec *now) {\n\
                static long looks; looks++; now->tv_nsec = 0;\n\
                now->tv_sec = clock == CLOCK_REALTIME ? (looks % 2 ? 0 : 4102444800) : looks; return 0; }\n";
    fs::write(&source, text).expect("written");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("NOT TRIED: there is no compiler for C");
        return;
    }
    let jumping = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "LD_PRELOAD=./clock.so exec \"$0\" \"$@\""]).arg(binary());
        command.args(["scan", "t", "--format", "json"]).args(args);
        scene.watch(command, args)
    };
    jumping(&[]).finds_all();
    jumping(&["--timeout", "1h"]).finds_all();
    // The time is over after two looks.
    jumping(&["--timeout", "1s"]).exits(3).says("--timeout");
}

/// A history that takes long: deltas that repeat a text with a keyword in every line.
fn slow() -> Scene {
    let scene = Scene::repo();
    let base = b"yousign_api_key = nothing here\n".repeat(3_000);
    let mut pack = Pack::new();
    for number in 0..size(4_000_u32, 400) {
        pack.whole(BLOB, &[&base[..], &number.to_be_bytes()].concat());
    }
    pack.write(&scene.path(".git"));
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    scene
}

/// Sends a signal to a scan as soon as it reads the history, and another one later.
fn interrupted(signals: &[(&str, u64)]) -> (Scene, std::process::Output) {
    let scene = slow();
    let mut command = Command::new(binary());
    command.args(["scan", "t", "--threads", "1", "-o", "json=report", "-f", "json"]);
    command.current_dir(scene.outside("")).env_clear().stdout(Stdio::piped());
    let child = command.stderr(Stdio::piped()).spawn().expect("it runs");
    for (signal, millis) in signals {
        std::thread::sleep(Duration::from_millis(*millis));
        let id = child.id().to_string();
        // It may have ended by now.
        let _status = Command::new("kill").args([signal, id.as_str()]).output().expect("kill runs");
    }
    let output = child.wait_with_output().expect("it ends");
    (scene, output)
}

#[test]
fn a_signal_ends_the_scan_with_a_report_of_what_was_found() {
    for signal in ["-INT", "-TERM"] {
        let (scene, output) = interrupted(&[(signal, 700)]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("was stopped"), "{said}");
        assert!(said.contains(&super::sha256(&scene.key)), "{said}");
        assert!(super::content(&scene.outside("report")).contains("was stopped"));
    }
}

#[test]
fn a_second_signal_and_a_kill_end_at_once_and_leave_nothing() {
    for signals in [&[("-INT", 300), ("-INT", 0), ("-INT", 0)][..], &[("-KILL", 300)]] {
        let (scene, output) = interrupted(signals);
        // A run that was quicker than the second signal has ended by itself.
        let ended = output.status.signal().is_some() || output.status.code() == Some(1);
        assert!(ended, "{:?}", output.status);
        let left = fs::read_dir(scene.outside("")).expect("there");
        let left: Vec<_> = left.map(|entry| entry.expect("there").file_name()).collect();
        assert!(left.iter().all(|name| name == "t" || name == "report"), "{left:?}");
    }
}
