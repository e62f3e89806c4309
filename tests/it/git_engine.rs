//! The pack engine reads what git reads, and survives damage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use signleak::coverage::Coverage;
use signleak::source::git::{OpenOptions, Repo, SiftOptions};

use crate::git_places::Word;

fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_AUTHOR_DATE", "1600000000 +0000"),
        ("GIT_COMMITTER_NAME", "C"),
        ("GIT_COMMITTER_EMAIL", "c@example.org"),
        ("GIT_COMMITTER_DATE", "1600000000 +0000"),
    ] {
        command.env(name, value);
    }
    let output = command.output().expect("git runs");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A repository whose objects make chains of deltas.
fn build(folder: &Path, format: &str) {
    git(folder, &["init", "-q", "-b", "main", &format!("--object-format={format}"), "."]);
    git(folder, &["config", "gc.auto", "0"]);
    let mut lines: Vec<String> = (0..400).map(|line| format!("line {line}")).collect();
    for step in 0..40 {
        lines[step * 7] = format!("changed in step {step}");
        let folder_of_step = folder.join(format!("d{}", step % 3));
        std::fs::create_dir_all(&folder_of_step).expect("a folder");
        std::fs::write(folder_of_step.join("f.txt"), lines.join("\n")).expect("a file");
        git(folder, &["add", "-A"]);
        git(folder, &["commit", "-qm", &format!("step {step}")]);
    }
    git(folder, &["tag", "-a", "v1", "-m", "tagged"]);
}

/// Compares every object with git's own reading, and with its id.
fn assert_equal(folder: &Path) {
    let expected = git(folder, &["cat-file", "--batch-all-objects", "--batch-check"]);
    let repo =
        Repo::discover(folder, &OpenOptions::default()).expect("it opens").expect("it is one");
    let mut coverage = Coverage::default();
    let seen = Mutex::new(BTreeMap::new());
    let see =
        |id: signleak::blob::BlobId, kind: signleak::source::git::ObjectKind, bytes: &[u8]| {
            let line = format!("{id} {} {}", kind.name(), bytes.len());
            assert!(seen.lock().expect("no panic").insert(id, line).is_none(), "{id} twice");
        };
    repo.walk(&see, &mut coverage);
    let lines: Vec<String> = seen.into_inner().expect("no panic").into_values().collect();
    assert_eq!(lines.join("\n"), String::from_utf8_lossy(&expected).trim_end());
    let options = SiftOptions { verify_objects: true, ..SiftOptions::default() };
    repo.sift(&Word, &|_, _| true, &options, &mut coverage).expect("it sifts");
    assert!(coverage.is_complete(), "{:?}", coverage.gaps().collect::<Vec<_>>());
}

fn packs(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(folder.join(".git/objects/pack")).expect("packs");
    let paths = listing.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn objects_equal_gits_in_every_kind_of_storage() {
    for format in ["sha1", "sha256"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("repo");
        std::fs::create_dir(&path).expect("a folder");
        build(&path, format);
        assert_equal(&path);
        git(&path, &["repack", "-qadf", "--depth=250", "--window=50"]);
        assert_equal(&path);
        for pack in packs(&path, "pack") {
            let pack = pack.to_string_lossy().into_owned();
            let index = pack.replace(".pack", ".idx");
            std::fs::remove_file(&index).expect("it was there");
            git(&path, &["index-pack", "--index-version=1", "-o", &index, &pack]);
        }
        assert_equal(&path);
        std::fs::write(path.join("new.txt"), "new").expect("a file");
        git(&path, &["add", "-A"]);
        git(&path, &["commit", "-qm", "new"]);
        git(&path, &["repack", "-qd"]);
        std::fs::write(path.join("loose.txt"), "loose").expect("a file");
        git(&path, &["hash-object", "-w", "loose.txt"]);
        assert_equal(&path);
        git(&path, &["multi-pack-index", "write"]);
        assert_equal(&path);
        git(folder.path(), &["clone", "-q", "--shared", "repo", "borrower"]);
        assert_equal(&folder.path().join("borrower"));
        git(&path, &["gc", "-q", "--cruft", "--prune=never"]);
        assert_equal(&path);
    }
}

/// Reads everything, hashes included, and attributes it.
fn sift_verified(path: &Path) -> Coverage {
    let repo = Repo::discover(path, &OpenOptions::default()).expect("it opens").expect("it is one");
    let mut coverage = Coverage::default();
    let options = SiftOptions { verify_objects: true, ..SiftOptions::default() };
    let sifted =
        repo.sift(&Word, &|_, _| true, &options, &mut coverage).expect("damage is no error");
    let mut ignored = Coverage::default();
    repo.attribute(sifted, None, &options, &mut ignored, &mut |_| {}).expect("damage is no error");
    coverage
}

#[test]
fn damage_is_a_gap_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    build(folder.path(), "sha1");
    git(folder.path(), &["repack", "-qadf", "--depth=250"]);
    let intact = sift_verified(folder.path());
    assert!(intact.is_complete(), "{intact:?}");
    for extension in ["pack", "idx"] {
        let path = packs(folder.path(), extension).remove(0);
        let mut whole = vec![];
        std::io::Read::read_to_end(&mut std::fs::File::open(&path).expect("it opens"), &mut whole)
            .expect("it is readable");
        std::fs::remove_file(&path).expect("it was there");
        for step in 0..60 {
            let mut bytes = whole.clone();
            if step < 20 {
                bytes.truncate(whole.len() * step / 20);
            } else {
                let at = whole.len() * (step - 20) / 40;
                bytes[at] ^= 1 << (step % 8);
            }
            std::fs::write(&path, &bytes).expect("it is writable");
            let coverage = sift_verified(folder.path());
            // A bit that pads a compressed stream changes no object: the hashes, which were checked, say so.
            let is_harmless = step >= 20 && coverage == intact;
            let is_checked = extension == "pack" || step < 20;
            assert!(
                !is_checked || is_harmless || !coverage.is_complete(),
                "{extension} step {step} went unnoticed"
            );
        }
        std::fs::write(&path, &whole).expect("it is writable");
    }
}
