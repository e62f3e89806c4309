//! Hostile input: every case plants a key beside an attack and runs the real binary on both. Whatever the attack does, the
//! run ends within 10 seconds and 512 MB, says what was wrong, finds the planted key, shows it to nobody, and exits as
//! promised. The table of all cases stands in `docs/robustness.md`.

mod faults;
mod files;
mod limits;
mod outputs;
mod packs;
mod repos;
mod strace;

use std::fs;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitStatus;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use sha2::Digest as _;

use crate::support::{Sandbox, key};

/// Time of the processor that a run may take.
const WORK: Duration = Duration::from_secs(10);
/// A run that takes longer waits for something, on however busy a machine.
const DEADLINE: Duration = Duration::from_secs(180);
/// Bytes of memory that a run may have of its own; pages of mapped files are not among them, since the system takes them
/// back.
const MEMORY: u64 = 512 << 20;

/// What is done to a scene.
type Damage = fn(&Scene);

/// A folder `t` with a planted key, and the attack.
pub(super) struct Scene {
    sandbox: Sandbox,
    key: String,
}

impl Scene {
    /// The key stands in `t/beside.env`.
    pub(super) fn files() -> Self {
        let (sandbox, key) = (Sandbox::new(), key());
        sandbox.write("t/beside.env", format!("YOUSIGN_API_KEY={key}\n"));
        Self { sandbox, key }
    }

    /// The key stood in a file that a commit has deleted.
    pub(super) fn repo() -> Self {
        let (sandbox, key) = (Sandbox::new(), key());
        sandbox.write("t/old.env", format!("YOUSIGN_API_KEY={key}\n")).write("t/readme", "x\n");
        let scene = Self { sandbox, key };
        scene.git(&["init", "-q"]);
        scene.git(&["add", "."]);
        scene.git(&["commit", "-qm", "add"]);
        scene.git(&["rm", "-q", "old.env"]);
        scene.git(&["commit", "-qm", "remove"]);
        scene
    }

    /// Runs git in the target.
    pub(super) fn git(&self, args: &[&str]) {
        self.sandbox.git(&[&["-C", "t"], args].concat());
    }

    /// A path in the target.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join("t").join(name)
    }

    /// A path beside the target.
    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    /// Writes a file of the target.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        self.sandbox.write(&format!("t/{name}"), content);
        self
    }

    /// Makes a FIFO, to which nobody ever writes.
    pub(super) fn fifo(&self, name: &str) {
        let path = self.path(name);
        drop(fs::remove_file(&path));
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
    }

    /// Makes a symbolic link.
    pub(super) fn link(&self, name: &str, to: impl AsRef<Path>) {
        let path = self.path(name);
        drop(fs::remove_file(&path));
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        std::os::unix::fs::symlink(to, path).expect("linked");
    }

    /// `scan t`, with a report in JSON.
    pub(super) fn scan(&self) -> Run {
        self.scan_with(&[])
    }

    /// `scan t ARGS`, with a report in JSON.
    pub(super) fn scan_with(&self, args: &[&str]) -> Run {
        self.run(&[&["scan", "t", "--format", "json"], args].concat())
    }

    /// Runs the binary beside the target.
    pub(super) fn run(&self, args: &[&str]) -> Run {
        let mut command = Command::new(binary());
        command.args(args);
        self.watch(command, args)
    }

    /// Runs a command under the limits and checks what holds for every run.
    pub(super) fn watch(&self, mut command: Command, args: &[&str]) -> Run {
        let (out, err) = (self.outside("stdout"), self.outside("stderr"));
        command.current_dir(self.sandbox.path()).env_clear().env("HOME", self.outside("home"));
        command.stdout(File::create(&out).expect("made")).stderr(File::create(&err).expect("made"));
        let (status, elapsed, used) = finish(command);
        let run = Run {
            status,
            stdout: content(&out),
            stderr: content(&err),
            fingerprint: sha256(&self.key),
            elapsed,
            used,
        };
        run.record(args);
        assert!(elapsed < DEADLINE, "{args:?}: does not end: {}", run.short());
        assert!(used.work < WORK, "{args:?}: takes {:?}: {}", used.work, run.short());
        assert!(used.memory < MEMORY, "{args:?}: {} MB: {}", used.memory >> 20, run.short());
        // Where memory is taken away, the process can only be ended; the message points to the same variable.
        let is_out_of_memory = run.stderr.starts_with("memory allocation of ");
        for sign in ["panicked at", "RUST_BACKTRACE", "stack backtrace", "overflowed its stack"] {
            assert!(is_out_of_memory || !run.said().contains(sign), "{args:?}: {}", run.short());
        }
        assert!(!run.said().contains(&self.key), "{args:?}: the key is shown");
        run
    }
}

/// The binary under test: a build for debugging, or the release that `SIGNLEAK_HOSTILE_BINARY` names.
pub(super) fn binary() -> PathBuf {
    let release = std::env::var_os("SIGNLEAK_HOSTILE_BINARY").map(PathBuf::from);
    release.unwrap_or_else(|| env!("CARGO_BIN_EXE_signleak").into())
}

/// The size of an attack: the full one is for a release, since a build for debugging is many times slower.
pub(super) fn size<T>(full: T, reduced: T) -> T {
    if std::env::var_os("SIGNLEAK_HOSTILE_BINARY").is_some() { full } else { reduced }
}

/// A run that has ended.
pub(super) struct Run {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
    fingerprint: String,
    elapsed: Duration,
    used: Used,
}

impl Run {
    /// The planted key was found, so that the status is 1, and `part` of a message tells about the attack.
    pub(super) fn finds_and_says(&self, part: &str) -> &Self {
        self.finds().says(part)
    }

    /// The planted key was found, and nothing is missing.
    pub(super) fn finds_all(&self) -> &Self {
        let report = self.finds().report();
        assert_eq!(report["coverage"]["complete"], true, "{}", report["coverage"]);
        self
    }

    /// The planted key was found.
    pub(super) fn finds(&self) -> &Self {
        self.exits(1);
        let report = self.report();
        let mut findings = report["findings"].as_array().expect("findings").iter();
        let found =
            findings.any(|finding| finding["secret"]["sha256"] == self.fingerprint.as_str());
        assert!(found, "the planted key is not found: {}", self.short());
        self
    }

    /// A message holds this.
    pub(super) fn says(&self, part: &str) -> &Self {
        assert!(self.said().contains(part), "`{part}` is not said: {}", self.short());
        self
    }

    /// The process has ended by itself with this status.
    pub(super) fn exits(&self, status: i32) -> &Self {
        assert_eq!(
            (self.status.code(), self.status.signal()),
            (Some(status), None),
            "{}",
            self.short()
        );
        self
    }

    /// The report on standard output.
    pub(super) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.short()))
    }

    /// All that was printed.
    pub(super) fn said(&self) -> String {
        format!("{}\n{}", self.stderr, self.stdout)
    }

    /// The beginning of it, for messages of failed tests.
    pub(super) fn short(&self) -> String {
        format!("{}\n{}", self.stderr, self.stdout).chars().take(1_500).collect()
    }

    /// Appends the figures to the file that `SIGNLEAK_HOSTILE_LOG` names.
    fn record(&self, args: &[&str]) {
        use std::io::Write as _;
        let Some(log) = std::env::var_os("SIGNLEAK_HOSTILE_LOG") else { return };
        let thread = std::thread::current();
        let line = format!(
            "{}\t{}\t{}\t{}\t{}\t{}\n",
            thread.name().unwrap_or("?"),
            self.status.code().unwrap_or(-1),
            self.elapsed.as_millis(),
            self.used.work.as_millis(),
            self.used.memory >> 10,
            args.join(" "),
        );
        let log = fs::OpenOptions::new().append(true).create(true).open(log);
        log.and_then(|mut log| log.write_all(line.as_bytes())).expect("the log is writable");
    }
}

/// What a process has used.
#[derive(Clone, Copy, Default)]
struct Used {
    work: Duration,
    /// The most memory that it had of its own, in bytes.
    memory: u64,
}

impl Used {
    /// What it has used until now.
    fn by(process: u32) -> Option<Self> {
        let status = content(Path::new(&format!("/proc/{process}/status")));
        let kilobytes = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let memory = (kilobytes("RssAnon:")? + kilobytes("RssShmem:")?) << 10;
        let stat = content(Path::new(&format!("/proc/{process}/stat")));
        let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
        let ticks = |at: usize| -> Option<u64> { fields.get(at)?.parse().ok() };
        // A tick is a hundredth of a second.
        let work = Duration::from_millis(10 * (ticks(11)? + ticks(12)?));
        Some(Self { work, memory })
    }
}

/// Waits for the end of a process, no longer than it may take.
fn finish(mut command: Command) -> (ExitStatus, Duration, Used) {
    let started = Instant::now();
    let mut child = command.spawn().expect("it runs");
    let mut used = Used::default();
    loop {
        if let Some(now) = Used::by(child.id()) {
            used = Used { work: now.work, memory: used.memory.max(now.memory) };
        }
        if let Some(status) = child.try_wait().expect("it is our child") {
            return (status, started.elapsed(), used);
        }
        if started.elapsed() > DEADLINE || used.work > WORK || used.memory > 4 * MEMORY {
            child.kill().expect("it is our child");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[expect(clippy::disallowed_methods, reason = "the file is of the test itself")]
fn content(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

pub(super) fn sha256(text: &str) -> String {
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
