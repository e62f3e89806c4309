//! What a run asks of the system, and what becomes of it when the system says no. strace looks and injects.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Run;
use super::Scene;
use super::binary;

/// `scan t` under strace with these options.
fn traced(scene: &Scene, options: &[&str]) -> (Run, String) {
    let log = scene.outside("strace.log");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(&log).args(options).arg(binary());
    command.args(["scan", "t", "--format", "json", "--threads", "2", "-o", "sarif=report"]);
    let run = scene.watch(command, options);
    (run, super::content(&log))
}

/// A repository whose configuration would run programs and read files elsewhere.
fn tempting() -> Scene {
    let scene = Scene::repo();
    let outside = scene.outside("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("config"), "[core]\n\tfsmonitor = touch ran\n").expect("written");
    fs::write(outside.join("patterns"), "*\n").expect("written");
    let script = scene.path("run.sh");
    fs::write(&script, "#!/bin/sh\ntouch ran\n").expect("written");
    let config = format!(
        "[core]\n\tfsmonitor = {0}\n\thooksPath = {0}\n\tpager = {0}\n\teditor = {0}\n\tsshCommand = {0}\n\
         \tworktree = {1}\n\tattributesFile = {1}/patterns\n\texcludesFile = {1}/patterns\n\
         [include]\n\tpath = {1}/config\n[includeIf \"gitdir:/\"]\n\tpath = {1}/config\n\
         [filter \"x\"]\n\tclean = {0}\n\tsmudge = {0}\n\tprocess = {0}\n[diff \"x\"]\n\ttextconv = {0}\n\texternal = {0}\n\
         [credential]\n\thelper = {0}\n[gpg]\n\tprogram = {0}\n[alias]\n\tscan = !{0}\n\
         [remote \"origin\"]\n\turl = ext::{0}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n",
        script.display(),
        outside.display()
    );
    fs::write(scene.path(".git/config"), config).expect("written");
    for hook in ["pre-commit", "post-checkout", "post-index-change", "fsmonitor-watchman"] {
        scene.write(&format!(".git/hooks/{hook}"), "#!/bin/sh\ntouch ran\n");
    }
    scene.write(".gitattributes", "* filter=x diff=x\n");
    scene.link(".gitignore", outside.join("patterns"));
    scene.link("linked", &outside);
    scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
    scene
}

#[test]
#[ignore = "needs strace; .ci/run runs it"]
fn nothing_is_executed_nothing_is_sent_and_nothing_outside_is_opened() {
    let scene = tempting();
    let (run, log) = traced(&scene, &["-e", "trace=execve,execveat,openat,open,network,process"]);
    run.finds();
    let calls = |name: &str| log.lines().filter(|line| line.contains(&format!(" {name}("))).count();
    assert_eq!(calls("execve") + calls("execveat"), 1, "{log}");
    for call in ["socket", "connect", "sendto", "bind", "fork", "vfork"] {
        assert_eq!(calls(call), 0, "{call}: {log}");
    }
    assert!(!scene.outside("ran").exists() && !scene.path("ran").exists());
    let home = scene.outside("");
    let opened = log.lines().filter(|line| line.contains("openat(") && !line.contains(" = -1 "));
    for line in opened {
        let Some(path) = line.split('"').nth(1) else { continue };
        let is_ours = ["t", ".", "report"].iter().any(|own| Path::new(path).starts_with(own))
            || Path::new(path).starts_with(scene.path(""))
            || Path::new(path) == home
            // The report, before it is in its place.
            || Path::new(path).parent() == Some(&home) && path.contains("/.tmp");
        // The loader, the C library, how many processors there are, and git's configuration of the machine.
        let of_system =
            ["/etc/ld.so", "/lib", "/usr/lib", "/proc/", "/sys/", "/dev/", "/etc/gitconfig"];
        let is_system = of_system.iter().any(|start| path.starts_with(start));
        assert!(is_ours || is_system, "{line}");
    }
    let hits: Vec<&str> =
        log.lines().filter(|line| line.contains("/outside/") && !line.contains(" = -1 ")).collect();
    assert!(hits.is_empty(), "{hits:?}");
}

#[test]
#[ignore = "needs strace; .ci/run runs it"]
fn every_call_may_fail() {
    let faults = [
        ("openat", &["EMFILE", "EACCES", "ENOMEM", "EIO", "ENOENT"][..]),
        ("read", &["EIO", "EINTR", "EISDIR"]),
        ("getdents64", &["EIO", "ENOENT"]),
        ("statx", &["EIO", "EACCES", "ENOENT"]),
        ("lseek", &["EINVAL", "EIO"]),
        ("write", &["ENOSPC", "EIO", "EINTR", "EPIPE"]),
        ("fdatasync", &["EIO", "ENOSPC"]),
        ("rename", &["EACCES", "ENOSPC"]),
        ("fallocate", &["ENOSPC", "EOPNOTSUPP"]),
    ];
    let mut tried = 0;
    for (call, errors) in faults {
        for error in errors {
            for when in [1, 2, 3, 5, 8, 12, 20, 40, 80] {
                let scene = Scene::repo();
                scene.write("beside.env", format!("YOUSIGN_API_KEY={}\n", scene.key));
                let inject = format!("inject={call}:error={error}:when={when}");
                let trace = format!("trace={call}");
                let (run, log) = traced(&scene, &["-e", &trace, "-e", &inject]);
                if !log.contains("(INJECTED)") {
                    break;
                }
                tried += 1;
                judge(&scene, &run, &inject);
            }
        }
    }
    println!("faults injected: {tried}");
    assert!(tried > 100, "{tried}");
}

/// What must hold however the system fails: never a clean run, never silence, never half a report or a forgotten file.
fn judge(scene: &Scene, run: &Run, inject: &str) {
    let told = run.said();
    match run.status.code() {
        // The loader found no library: we were never there.
        Some(127) => return,
        Some(1) => {}
        Some(2) => assert!(told.contains("error: "), "{inject}: {told}"),
        Some(3) => assert!(told.contains("\"complete\": false"), "{inject}: {told}"),
        other => panic!("{inject}: {other:?}: {told}"),
    }
    let report = super::content(&scene.outside("report"));
    let is_whole = serde_json::from_str::<serde_json::Value>(&report).is_ok();
    assert!(report.is_empty() || is_whole, "{inject}: half a report");
    let left = fs::read_dir(scene.outside("")).expect("there");
    let left: Vec<String> = left
        .map(|entry| entry.expect("there").file_name().to_string_lossy().into_owned())
        .collect();
    let known = ["t", "stdout", "stderr", "strace.log", "report"];
    assert!(left.iter().all(|name| known.contains(&name.as_str())), "{inject}: {left:?}");
}
