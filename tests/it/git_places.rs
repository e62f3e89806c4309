//! A range finds what its commits introduce, and nothing else.

use std::path::Path;
use std::process::Command;

use signleak::coverage::Coverage;
use signleak::sieve::Sieve;
use signleak::source::git::{Located, OpenOptions, RangeSpec, Repo, SiftOptions};

/// Lets through what holds `yousign`.
pub(crate) struct Word;

impl Sieve for Word {
    fn may_match(&self, bytes: &[u8]) -> bool {
        memchr::memmem::find(bytes, b"yousign").is_some()
    }

    fn is_opaque(&self, _head: &[u8]) -> bool {
        false
    }

    fn longest_form(&self) -> usize {
        7
    }
}

fn build(target: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/repos/places.sh");
    let output = Command::new("sh").arg(script).arg(target).output().expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the manifest is UTF-8")
}

fn scan(path: &Path, range: Option<RangeSpec>) -> (Vec<Located>, Coverage) {
    let repo = Repo::discover(path, &OpenOptions::default()).expect("it opens").expect("it is one");
    let mut coverage = Coverage::default();
    let options = SiftOptions { range, ..SiftOptions::default() };
    // Everything the sieve or a hint points at is kept.
    let sifted = repo.sift(&Word, &|_, _| true, &options, &mut coverage).expect("it sifts");
    let mut located = vec![];
    let mut see = |seen: &[Located]| located.extend_from_slice(seen);
    repo.attribute(sifted, None, &options, &mut coverage, &mut see).expect("it attributes");
    (located, coverage)
}

/// The places of what holds `key`, in the manifest's form.
fn places(located: &[Located], key: &str) -> Vec<String> {
    let holding =
        located.iter().filter(|found| memchr::memmem::find(&found.bytes, key.as_bytes()).is_some());
    let places = holding.flat_map(|found| &found.places);
    places
        .map(|place| {
            let word =
                |value: serde_json::Value| value.as_str().map_or("-".to_owned(), str::to_owned);
            let origin = word(serde_json::to_value(place.origin).expect("it serialises"));
            let reached = word(serde_json::to_value(place.reachability).expect("it serialises"));
            let commit =
                place.commit.as_ref().map_or("-".to_owned(), |commit| commit.id.to_string());
            format!("{origin}\t{}\t{reached}\t{commit}", place.path)
        })
        .collect()
}

#[test]
fn a_range_finds_what_its_commits_introduce() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("repo");
    let manifest = build(&path);
    let of = |name: &str| {
        let line = manifest
            .lines()
            .find(|line| line.split('\t').nth(2) == Some(name))
            .expect("it is listed");
        (
            line.split('\t').next().expect("a key").to_owned(),
            line.split('\t').next_back().expect("a commit").to_owned(),
        )
    };
    let (evil, commit) = of("evil.txt");
    let (plain, _) = of("plain.txt");
    let (located, _) = scan(&path, Some(RangeSpec::parse(&commit)));
    assert_eq!(places(&located, &evil).len(), 1);
    assert!(places(&located, &plain).is_empty());
}
