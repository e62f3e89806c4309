//! Who brought a blob to a path, who took it away, from where, and where it still is, as git's own reading of random histories says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use signleak::blob::BlobId;
use signleak::coverage::Coverage;
use signleak::provenance::{CommitInfo, Provenance};
use signleak::source::git::{Located, OpenOptions, Repo, SiftOptions};

use crate::git_places::Word;

const COMMITS: usize = 60;
const BLOBS: usize = 4;
const PATHS: [&str; 7] = ["a", "b", "d/a", "d/c", "d/e/a", "f/e/g", "f/h"];

type Tree = BTreeMap<&'static str, usize>;

/// Writes a random history in the language of `git fast-import`: branches, merges (also evil ones), renames, copies, deletions,
/// and commits that no ref names any more.
fn stream(random: &mut StdRng) -> (String, Vec<String>) {
    let mut text = String::new();
    for blob in 0..BLOBS {
        let content = format!("yousign {blob}\n{}", "x\n".repeat(blob * 20));
        write!(text, "blob\nmark :{}\ndata {}\n{content}\n", blob + 1, content.len())
            .expect("text");
    }
    text += "blob\nmark :9\ndata 5\nother\n";
    let mut trees: Vec<Tree> = vec![];
    for at in 0..COMMITS {
        let pick =
            |random: &mut StdRng| (at > 0).then(|| random.random_range(at.saturating_sub(8)..at));
        let first = pick(random).filter(|_| random.random_range(0..20) > 0);
        let second = pick(random).filter(|&other| first.is_some_and(|first| first != other));
        let second = second.filter(|_| random.random_range(0..4) == 0);
        let mut tree = first.map_or(Tree::new(), |first| trees[first].clone());
        for (&path, &blob) in second.iter().flat_map(|&other| &trees[other]) {
            tree.entry(path).or_insert(blob);
        }
        for _ in 0..random.random_range(0..3) {
            change(&mut tree, random);
        }
        // Not only rising, and no two alike.
        let skew = random.random_range(0..900) + random.random_range(0..3) * 5000;
        let time = 1_500_000_000 + (at * 1000 + skew) * COMMITS + at;
        write!(
            text,
            "commit refs/heads/c{at}\nmark :{}\ncommitter C <c@example.org> {time} +0000\ndata 1\nm\n",
            100 + at
        )
        .expect("text");
        first.iter().for_each(|first| writeln!(text, "from :{}", 100 + first).expect("text"));
        second.iter().for_each(|other| writeln!(text, "merge :{}", 100 + other).expect("text"));
        text += "deleteall\n";
        for (path, blob) in &tree {
            writeln!(text, "M 100644 :{} {path}", blob + 1).expect("text");
        }
        text += "M 100644 :9 readme\n";
        trees.push(tree);
    }
    let gone = (0..COMMITS)
        .filter(|_| random.random_range(0..10) < 7)
        .map(|at| format!("refs/heads/c{at}"));
    (text, gone.collect())
}

fn change(tree: &mut Tree, random: &mut StdRng) {
    let path = PATHS[random.random_range(0..PATHS.len())];
    let other = PATHS[random.random_range(0..PATHS.len())];
    match (random.random_range(0..5), tree.get(path).copied()) {
        (0, Some(_)) => drop(tree.remove(path)),
        (1, Some(blob)) => {
            tree.remove(path);
            tree.insert(other, blob);
        }
        (2, Some(blob)) => drop(tree.insert(other, blob)),
        _ => drop(tree.insert(path, random.random_range(0..BLOBS))),
    }
}

fn git(repo: &Path, args: &[&str]) -> String {
    let output = Command::new("git").args(args).current_dir(repo).output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn import(repo: &Path, stream: &str) {
    git(repo.parent().expect("a parent"), &["init", "-q", "--bare", "repo"]);
    let mut child = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(repo)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    child.stdin.take().expect("a pipe").write_all(stream.as_bytes()).expect("it is read");
    assert!(child.wait().expect("it ends").success());
}

/// A commit as git tells it.
struct ByGit {
    parents: Vec<String>,
    time: i64,
    /// Blob and path of each entry.
    holds: BTreeSet<(String, String)>,
    is_reachable: bool,
}

fn commits(repo: &Path) -> BTreeMap<String, ByGit> {
    let reachable = git(repo, &["rev-list", "--all", "HEAD"]);
    let reachable: BTreeSet<&str> = reachable.lines().collect();
    let objects = git(repo, &["cat-file", "--batch-all-objects", "--batch-check"]);
    let ids = objects.lines().filter_map(|line| line.split_once(" commit ").map(|(id, _)| id));
    ids.map(|id| {
        let about = git(repo, &["show", "-s", "--format=%ct %P", id]);
        let mut words = about.split_whitespace();
        let time = words.next().and_then(|time| time.parse().ok()).expect("a time");
        let tree = git(repo, &["ls-tree", "-r", id]);
        let entries = tree.lines().map(|line| {
            let (about, path) = line.split_once('\t').expect("a path");
            (about.rsplit(' ').next().expect("an id").to_owned(), path.to_owned())
        });
        let commit = ByGit {
            parents: words.map(str::to_owned).collect(),
            time,
            holds: entries.collect(),
            is_reachable: reachable.contains(id),
        };
        (id.to_owned(), commit)
    })
    .collect()
}

/// What is told of one place, in one line.
fn told(place: &Provenance) -> String {
    let exposed = place.exposed.as_ref().expect("places in commits are exposed");
    let id = |commit: &CommitInfo| commit.id.to_string();
    format!(
        "{} commit={:?} introduced={:?} count={} last={:?} removed={:?} renamed={} head={} refs={:?} {:?}",
        place.path,
        place.commit.as_ref().map(id),
        exposed.introduced.iter().map(id).collect::<Vec<_>>(),
        exposed.introduced_count,
        exposed.last_commit.as_ref().map(id),
        exposed.removed.as_ref().map(id),
        exposed.renamed_from.is_some(),
        exposed.in_head,
        exposed.refs,
        place.reachability.expect("it is in history"),
    )
}

/// The same line, from what git says.
fn expected(
    commits: &BTreeMap<String, ByGit>,
    place: &(String, String),
    head: &str,
    refs: &[(String, String)],
) -> String {
    let parents = |commit: &ByGit| commit.parents.iter().map(|id| &commits[id]).collect::<Vec<_>>();
    let holding = || commits.iter().filter(|(_, commit)| commit.holds.contains(place));
    let mut introduced: Vec<(&String, &ByGit)> = holding()
        .filter(|(_, commit)| !parents(commit).iter().any(|parent| parent.holds.contains(place)))
        .collect();
    introduced.sort_by_key(|(id, commit)| (!commit.is_reachable, commit.time, *id));
    let removed = commits.iter().filter(|(_, commit)| {
        !commit.holds.contains(place)
            && parents(commit).iter().any(|parent| parent.holds.contains(place))
    });
    let newest = |commit: &(&String, &ByGit)| commit.1.time;
    let was_renamed = |commit: &ByGit| {
        parents(commit)
            .iter()
            .flat_map(|parent| &parent.holds)
            .any(|held| held.0 == place.0 && !commit.holds.contains(held))
    };
    let names =
        refs.iter().filter(|(_, id)| commits[id].holds.contains(place)).map(|(name, _)| name);
    let is_reachable = holding().any(|(_, commit)| commit.is_reachable);
    format!(
        "{} commit={:?} introduced={:?} count={} last={:?} removed={:?} renamed={} head={} refs={:?} {}",
        place.1,
        introduced.first().map(|(id, _)| id),
        introduced.iter().take(20).map(|(id, _)| id).collect::<Vec<_>>(),
        introduced.len(),
        holding().max_by_key(newest).map(|(id, _)| id),
        removed.max_by_key(newest).map(|(id, _)| id),
        introduced.first().is_some_and(|(_, commit)| was_renamed(commit)),
        commits[head].holds.contains(place),
        names.take(20).collect::<Vec<_>>(),
        if is_reachable { "Reachable" } else { "Dangling" },
    )
}

fn located(path: &Path) -> Vec<Located> {
    let repo = Repo::discover(path, &OpenOptions::default()).expect("it opens").expect("it is one");
    let mut coverage = Coverage::default();
    let sifted =
        repo.sift(&Word, &|_, _| true, &SiftOptions::default(), &mut coverage).expect("it sifts");
    let mut located = vec![];
    let mut see = |seen: &[Located]| located.extend_from_slice(seen);
    let options = SiftOptions::default();
    repo.attribute(sifted, None, &options, &mut coverage, &mut see).expect("it attributes");
    located
}

#[test]
fn random_histories_are_attributed_as_git_tells_them() {
    for _ in 0..4 {
        let seed = rand::rng().random();
        let mut random = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let repo = folder.path().join("repo");
        let (stream, gone) = stream(&mut random);
        import(&repo, &stream);
        git(&repo, &["symbolic-ref", "HEAD", "refs/heads/c50"]);
        for name in gone.iter().filter(|name| *name != "refs/heads/c50") {
            git(&repo, &["update-ref", "-d", name]);
        }
        let commits = commits(&repo);
        let head = git(&repo, &["rev-parse", "HEAD"]);
        let refs = git(&repo, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        let refs: Vec<(String, String)> = refs
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .collect();
        let mut count = 0;
        for located in located(&repo) {
            let places = located.places.iter().filter(|place| place.exposed.is_some());
            let blob = located
                .places
                .iter()
                .find_map(|place| place.blob_id)
                .as_ref()
                .map(BlobId::to_string);
            let blob = blob.expect("what is kept is an object");
            let all =
                commits.values().flat_map(|commit| &commit.holds).filter(|(id, _)| *id == blob);
            let all: BTreeSet<&(String, String)> = all.collect();
            let wanted: BTreeSet<String> =
                all.into_iter().map(|place| expected(&commits, place, &head, &refs)).collect();
            count += wanted.len();
            let told: BTreeSet<String> = places.map(told).collect();
            assert_eq!(told, wanted, "seed {seed}");
        }
        assert!(count >= BLOBS, "seed {seed}: {count} places");
    }
}
