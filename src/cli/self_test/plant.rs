//! Draws keys and plants them: in texts and encodings in memory, in a merge commit and in the index of a repository of its own.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io::Cursor;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::Oid;
use git2::Repository;
use git2::Signature;
use signleak::blob::BlobPath;
use signleak::provenance::Origin;
use signleak::provenance::Provenance;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A key that nobody was ever given.
pub(super) struct Key(String);

/// A key at a place.
pub(super) struct Planted {
    /// What kind of place it is, for people.
    pub(super) name: &'static str,
    pub(super) key: Key,
    pub(super) place: Provenance,
    /// What stands there; nothing if the place is in a repository.
    pub(super) bytes: Vec<u8>,
}

impl Key {
    /// Draws a key in the form of the third version: 32 letters of either case and digits.
    fn draw() -> Self {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        loop {
            // Each state is seeded by the system; good enough for keys that open nothing.
            let seeds = RandomState::new();
            let letter = |at: u32| ALPHABET[seeds.hash_one(at) as usize % ALPHABET.len()];
            let key: Vec<u8> = (0..32).map(letter).collect();
            let has = |is: fn(&u8) -> bool| key.iter().any(is);
            if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
            {
                return Self(key.iter().map(|&byte| char::from(byte)).collect());
            }
        }
    }

    /// The key itself.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// As an environment file holds it.
    fn assigned(&self) -> String {
        format!("YOUSIGN_API_KEY={}\n", self.0)
    }
}

impl Planted {
    fn new(name: &'static str, path: &str, text: impl FnOnce(&Key) -> Vec<u8>) -> Self {
        let key = Key::draw();
        let bytes = text(&key);
        let place = Provenance::plain(Origin::Worktree, BlobPath::new(path.as_bytes()));
        Self { name, key, place, bytes }
    }
}

/// Keys in texts and encodings.
pub(super) fn in_memory() -> anyhow::Result<Vec<Planted>> {
    let mut planted = vec![
        Planted::new("raw", "app/.env", |key| key.assigned().into_bytes()),
        Planted::new("UTF-16", "app/settings.txt", |key| {
            format!("\u{feff}{}", key.assigned())
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect()
        }),
        Planted::new("base64", "deploy/secret.yaml", |key| {
            let encoded = STANDARD.encode(key.assigned());
            format!("kind: Secret\ndata:\n  app.env: {encoded}\n").into_bytes()
        }),
        Planted::new("URL", "app/client.js", |key| {
            format!("fetch('https://api.yousign.app/v3/users?api_key={}')\n", key.text())
                .into_bytes()
        }),
    ];
    let key = Key::draw();
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    archive.start_file("app/.env", SimpleFileOptions::default())?;
    archive.write_all(key.assigned().as_bytes())?;
    let bytes = archive.finish()?.into_inner();
    planted.push(Planted { key, bytes, ..Planted::new("archive", "backup.zip", |_| vec![]) });
    Ok(planted)
}

/// A new repository whose history holds a key that only a merge commit brought, and a later one took away.
pub(super) fn merged(folder: &Path) -> Result<Planted, git2::Error> {
    let planted = Planted::new("merge blob", "app/.env", |_| vec![]);
    let git = Repository::init(folder)?;
    let empty = [("readme", "nothing here\n")];
    let base = commit(&git, &empty, &[])?;
    let ours = commit(&git, &[("readme", "nothing here\n"), ("ours", "1\n")], &[base])?;
    let theirs = commit(&git, &[("readme", "nothing here\n"), ("theirs", "1\n")], &[base])?;
    let text = planted.key.assigned();
    let merge = commit(&git, &[("readme", "nothing here\n"), (".env", &text)], &[ours, theirs])?;
    let tip = commit(&git, &empty, &[merge])?;
    git.reference("refs/heads/self-test", tip, true, "self-test")?;
    git.set_head("refs/heads/self-test")?;
    let mut index = git.index()?;
    index.read_tree(&git.find_commit(tip)?.tree()?)?;
    index.write()?;
    Ok(planted)
}

/// A key in the index of that repository, and nowhere in its working tree.
pub(super) fn staged(folder: &Path) -> Result<Planted, git2::Error> {
    let planted = Planted::new("staged", "staged.env", |_| vec![]);
    let git = Repository::open(folder)?;
    let mut index = git.index()?;
    let now = git2::IndexTime::new(0, 0);
    let entry = git2::IndexEntry {
        ctime: now,
        mtime: now,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id: git.blob(planted.key.assigned().as_bytes())?,
        flags: 0,
        flags_extended: 0,
        path: b"staged.env".to_vec(),
    };
    index.add(&entry)?;
    index.write()?;
    Ok(planted)
}

fn commit(git: &Repository, files: &[(&str, &str)], parents: &[Oid]) -> Result<Oid, git2::Error> {
    let mut tree = git.treebuilder(None)?;
    for (name, text) in files {
        tree.insert(name, git.blob(text.as_bytes())?, 0o100_644)?;
    }
    let tree = git.find_tree(tree.write()?)?;
    let who = Signature::now("signleak self-test", "self-test@example.invalid")?;
    let parents: Vec<_> =
        parents.iter().map(|id| git.find_commit(*id)).collect::<Result<_, _>>()?;
    let parents: Vec<_> = parents.iter().collect();
    git.commit(None, &who, &who, "self-test", &tree, &parents)
}
