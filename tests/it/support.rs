//! What the integration tests share: a folder with the binary and git run in a scrubbed environment, and random keys.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use rand::RngExt as _;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with files, and the binary with a scrubbed environment.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    #[expect(clippy::disallowed_methods, reason = "what a test wrote is small")]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).expect("readable")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signleak"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.output().expect("the binary runs")
    }

    pub(crate) fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=A U Thor",
            "-c",
            "user.email=author@example.invalid",
            "-c",
            "init.defaultBranch=main",
        ]);
        command
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn json(&self, args: &[&str]) -> (Value, Option<i32>) {
        let output = self.run(&[args, &["--format", "json"]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{error}: {text}")),
            output.status.code(),
        )
    }
}

/// A random v3 key.
pub(crate) fn key() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    let mut draw = || -> String {
        (0..30).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
    };
    format!("{}aZ", draw())
}

/// What the program said.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The folder of the fixtures.
pub(crate) fn fixtures() -> String {
    format!("{}/fixtures", env!("CARGO_MANIFEST_DIR"))
}
