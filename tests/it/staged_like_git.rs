//! What we call staged is what `git diff --cached` calls so, in every form in which git writes its index.

use std::collections::BTreeSet;
use std::path::Path;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use signleak::coverage::Coverage;
use signleak::source::git::{OpenOptions, Repo, Staged};

use crate::support::Checkout;

/// A way to keep an index: its name, arguments of `git init`, and commands that follow.
type Form<'f> = (&'f str, &'f [&'f str], &'f [&'f [&'f str]]);

/// The ways that git has.
const FORMS: [Form<'_>; 11] = [
    ("version 2", &[], &[&["config", "index.version", "2"]]),
    ("version 3", &[], &[&["config", "index.version", "3"]]),
    ("version 4", &[], &[&["config", "index.version", "4"]]),
    ("split", &[], &[&["config", "core.splitIndex", "true"]]),
    (
        "split, version 4",
        &[],
        &[&["config", "index.version", "4"], &["config", "core.splitIndex", "true"]],
    ),
    ("without a hash", &[], &[&["config", "index.skipHash", "true"]]),
    ("with an untracked cache", &[], &[&["config", "core.untrackedCache", "true"]]),
    // A program that must not be run by us; git writes an extension for it.
    ("with a monitor", &[], &[&["config", "core.fsmonitor", "/bin/false"]]),
    ("written by threads", &[], &[&["config", "index.threads", "4"]]),
    ("SHA-256", &["--object-format=sha256"], &[]),
    ("SHA-256, split", &["--object-format=sha256"], &[&["config", "core.splitIndex", "true"]]),
];

/// The staged paths with new content, as git tells them.
fn by_git(checkout: &Checkout) -> BTreeSet<Vec<u8>> {
    let raw = checkout.git(&["diff", "--cached", "--raw", "--no-renames", "--no-abbrev", "-z"]);
    assert!(raw.status.success());
    let mut parts = raw.stdout.split(|&byte| byte == 0);
    let mut paths = BTreeSet::new();
    while let (Some(facts), Some(path)) = (parts.next(), parts.next()) {
        let facts: Vec<&str> = std::str::from_utf8(facts).expect("ASCII").split(' ').collect();
        let (new_mode, old, new, what) = (facts[1], facts[2], facts[3], facts[4]);
        if what != "D" && what != "U" && new_mode != "160000" && old != new {
            paths.insert(path.to_vec());
        }
    }
    // Of a conflict git tells that there is one; its sides stand in the index.
    let sides = checkout.git(&["ls-files", "--unmerged", "-z"]);
    for line in sides.stdout.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
        let tab = line.iter().position(|&byte| byte == b'\t').expect("a path");
        let (facts, path) = (std::str::from_utf8(&line[..tab]).expect("ASCII"), &line[tab + 1..]);
        let facts: Vec<&str> = facts.split(' ').collect();
        let path_text = String::from_utf8_lossy(path);
        let held = checkout.git(&["rev-parse", "-q", "--verify", &format!("HEAD:{path_text}")]);
        let held = String::from_utf8(held.stdout).expect("ASCII");
        if facts[2] != "1" && held.trim() != facts[1] {
            paths.insert(path.to_vec());
        }
    }
    paths
}

/// The staged paths, as we tell them.
fn by_us(checkout: &Checkout) -> BTreeSet<Vec<u8>> {
    let repo = Repo::discover(&checkout.path(), &OpenOptions { trust_owner: true });
    let repo = repo.expect("a repository").expect("there is one");
    let staged = Staged::read(&repo, None).expect("an index that can be read");
    let mut paths = BTreeSet::new();
    let mut coverage = Coverage::default();
    for at in 0..staged.len() {
        staged.visit(at, None, &mut coverage, &mut |file| {
            let id = file.id.expect("an object").to_string();
            let path = String::from_utf8_lossy(file.path.as_bytes()).into_owned();
            // Read the same object with git.
            assert_eq!(checkout.git(&["cat-file", "blob", &id]).stdout, file.bytes, "{path}");
            paths.insert(file.path.as_bytes().to_vec());
        });
    }
    assert!(coverage.is_complete(), "{:?}", coverage.gaps().collect::<Vec<_>>());
    paths
}

fn assert_equal(checkout: &Checkout, when: &str) {
    assert_eq!(by_us(checkout), by_git(checkout), "{when}");
}

/// Does something to the repository, by chance.
fn step(checkout: &Checkout, random: &mut StdRng) -> String {
    const NAMES: [&str; 9] =
        ["a", "a.b", "a-b/c", "b/a", "b/a.c", "b/c/d", "b/c/e f", "b-c", "c/\u{e9}\u{df}"];
    let name = NAMES[random.random_range(0..NAMES.len())];
    let content = format!("{}\n", random.random_range(0..4));
    let command: &[&str] = match random.random_range(0..9) {
        0..=3 => {
            let file = checkout.path().join(name);
            // What stands in the way of a file is a folder, and the other way round.
            let _gone = std::fs::remove_dir_all(&file);
            for above in file.ancestors().skip(1).take_while(|above| **above != checkout.path()) {
                let _gone = std::fs::remove_file(above);
            }
            checkout.write(name, &content);
            &["add", "-A"]
        }
        4 => &["rm", "-rqf", "--ignore-unmatch", "--", name],
        5 => &["commit", "-qm", "x", "--allow-empty"],
        6 => &["reset", "-q", "--soft", "HEAD~1"],
        7 => &["update-index", "--chmod=+x", "--ignore-missing", "--", name],
        _ => &["gc", "-q"],
    };
    // Some of it cannot be done now, which is as well.
    checkout.git(command);
    command.join(" ")
}

#[test]
fn every_form_of_the_index_is_compared_as_git_compares_it() {
    for (at, (form, init, setup)) in FORMS.iter().enumerate() {
        let checkout = Checkout::unborn_with(init);
        setup.iter().for_each(|command| {
            checkout.ok(command);
        });
        let mut random = StdRng::seed_from_u64(at as u64);
        for number in 0..14 {
            let done = step(&checkout, &mut random);
            assert_equal(&checkout, &format!("{form}, step {number}: git {done}"));
        }
        let shared =
            std::fs::read_dir(checkout.path().join(".git")).expect("readable").any(|entry| {
                entry.expect("readable").file_name().to_string_lossy().starts_with("sharedindex.")
            });
        assert_eq!(shared, form.contains("split"), "{form}");
    }
}

#[test]
fn many_folders_and_what_is_intended_conflicts_and_moves() {
    let checkout = Checkout::new();
    for folder in 0..30 {
        for file in 0..8 {
            checkout
                .write(&format!("d{folder}/e{}/f{file}", file % 3), format!("{folder} {file}\n"));
        }
    }
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "many"]);
    assert_equal(&checkout, "nothing staged");
    checkout.write("d7/e1/f1", "changed\n").write("d8/new", "intended\n");
    checkout.ok(&["add", "d7"]);
    checkout.ok(&["add", "--intent-to-add", "d8/new"]);
    checkout.ok(&["mv", "d9", "moved"]);
    checkout.ok(&["rm", "-rq", "d10/e2"]);
    assert_equal(&checkout, "staged, intended, moved and removed");
    checkout.ok(&["commit", "-qm", "again"]);
    checkout.ok(&["checkout", "-qb", "other", "HEAD~1"]);
    checkout.write("d7/e1/f1", "other\n").write("d7/e1/f4", "theirs\n");
    checkout.ok(&["commit", "-qam", "other"]);
    assert!(!checkout.git(&["merge", "-q", "main"]).status.success(), "it conflicts");
    assert_equal(&checkout, "in a conflict");
    checkout.ok(&["update-index", "--split-index"]);
    assert_equal(&checkout, "in a conflict, split");
}

#[test]
fn a_sparse_index_is_compared_folder_by_folder() {
    let checkout = Checkout::new();
    for folder in ["in", "out", "out/deep"] {
        checkout.write(&format!("{folder}/f"), folder).write(&format!("{folder}/g"), folder);
    }
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "first"]);
    checkout.write("out/deep/f", "changed\n").write("out/h", "new\n").write("in/f", "changed\n");
    checkout.ok(&["rm", "-q", "out/g"]);
    checkout.ok(&["add", "."]);
    checkout.ok(&["commit", "-qm", "second"]);
    checkout.ok(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    let listed = checkout.ok(&["ls-files", "--sparse"]);
    assert!(listed.lines().any(|line| line == "out/"), "a folder is one entry: {listed}");
    assert_equal(&checkout, "nothing staged");
    checkout.write("in/g", "staged\n");
    checkout.ok(&["add", "in"]);
    assert_equal(&checkout, "staged inside");
    checkout.ok(&["reset", "-q", "--soft", "HEAD~1"]);
    let listed = checkout.ok(&["ls-files", "--sparse"]);
    assert!(listed.lines().any(|line| line == "out/"), "still: {listed}");
    assert_equal(&checkout, "the folder that is one entry has changed");
}

#[test]
fn a_damaged_index_is_told_and_never_clean() {
    let checkout = Checkout::new();
    checkout.ok(&["update-index", "--index-version", "4"]);
    let file = checkout.path().join(".git/index");
    let whole = std::fs::File::open(&file).and_then(|mut file| {
        let mut bytes = vec![];
        std::io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok(bytes)
    });
    let whole = whole.expect("readable");
    let run = |bytes: &[u8], path: &Path| {
        std::fs::write(path, bytes).expect("written");
        checkout.run(&["scan", "--staged"])
    };
    let mut unknown = whole.clone();
    let end = unknown.len() - 20;
    unknown.splice(end..end, *b"zzzz\0\0\0\0");
    let mut version = whole.clone();
    version[7] = 9;
    let mut count = whole.clone();
    count[8] = 0xff;
    for (bytes, told) in [
        (&whole[..40], "it is damaged"),
        (b"", "it is no index of git"),
        (&unknown, "needs the extension `zzzz`"),
        (&version, "its version 9 is not known"),
        (&count, "it is damaged"),
    ] {
        let output = run(bytes, &file);
        let said = crate::support::stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told) && said.contains("git read-tree HEAD"), "{said}");
    }
    assert_eq!(run(&whole, &file).status.code(), Some(0));
    // Whatever a byte becomes, the program ends in order.
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        let code = run(&bytes, &file).status.code();
        assert!(matches!(code, Some(0..=3)), "byte {at}: {code:?}");
    }
}
