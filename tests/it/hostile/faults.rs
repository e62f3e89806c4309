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
    scene.write("large.txt", "yousign = 1\n".repeat(2_000_000));
    for kilobytes in [400_000, 100_000, 60_000, 40_000] {
        let run = limited(&scene, &format!("ulimit -v {kilobytes}"));
        assert!(!run.status.success(), "{kilobytes}: {}", run.short());
        assert!(!run.said().trim().is_empty(), "{kilobytes}");
    }
}

/// A history that takes long: deltas that repeat a text with a keyword in every line.
fn slow() -> Scene {
    let scene = Scene::repo();
    let base = b"yousign_api_key = nothing here\n".repeat(3_000);
    let mut pack = Pack::new();
    for number in 0..400_u32 {
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
