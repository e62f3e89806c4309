//! What the integration tests share: a folder with the binary and git run in a scrubbed environment, and random keys.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
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
        self.run_with(&[], args)
    }

    pub(crate) fn run_with(&self, environment: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signleak"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.envs(environment.iter().copied()).output().expect("the binary runs")
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
            "-c",
            "core.fsync=none",
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

/// A folder in which real git runs our hooks: `home` is the user's, `repo` a repository with one commit.
pub(crate) struct Checkout(TempDir);

impl Checkout {
    /// A repository on `main` with one commit; nothing of the machine's configuration reaches it.
    pub(crate) fn new() -> Self {
        let checkout = Self::unborn();
        checkout.write("readme", "nothing here\n");
        checkout.ok(&["add", "."]);
        checkout.ok(&["commit", "-qm", "first"]);
        checkout
    }

    /// A repository without a commit, in a folder with a blank in its name.
    pub(crate) fn unborn() -> Self {
        Self::unborn_with(&[])
    }

    /// The same, with arguments for `git init`.
    pub(crate) fn unborn_with(init: &[&str]) -> Self {
        let checkout = Self(tempfile::tempdir().expect("a temporary folder"));
        let config = "[user]\n name = A U Thor\n email = author@example.invalid\n[init]\n defaultBranch = main\n[protocol \"file\"]\n allow = always\n[advice]\n detachedHead = false\n";
        fs::create_dir_all(checkout.path()).expect("made");
        fs::create_dir_all(checkout.home()).expect("made");
        fs::write(checkout.home().join(".gitconfig"), config).expect("written");
        checkout.ok(&[&["init", "-q"], init].concat());
        checkout
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("my repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    #[expect(clippy::disallowed_methods, reason = "what a test wrote is small")]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("readable")
    }

    /// Runs a program with a scrubbed environment in which ours is in `PATH`.
    #[expect(clippy::disallowed_methods, reason = "git is wherever the machine has it")]
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_signleak")).parent().expect("in a folder");
        let path = format!("{}:{}", ours.display(), std::env::var("PATH").expect("PATH is set"));
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().env("HOME", self.home()).env("PATH", path);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true");
        command
    }

    /// Runs git in the repository.
    pub(crate) fn git(&self, args: &[&str]) -> Output {
        self.command("git", &self.path()).args(args).output().expect("git runs")
    }

    /// Runs git, which must succeed; returns what it prints.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.git(args);
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Runs signleak in the repository.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_in(&self.path(), args)
    }

    /// Runs signleak in a folder.
    pub(crate) fn run_in(&self, folder: &Path, args: &[&str]) -> Output {
        let binary = env!("CARGO_BIN_EXE_signleak");
        self.command(binary, folder).args(args).output().expect("the binary runs")
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

/// Checks a JSON report against the published schema.
#[cfg(any(feature = "live", feature = "revoke"))]
pub(crate) fn assert_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json"))
        .expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors: Vec<String> =
        validator.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
