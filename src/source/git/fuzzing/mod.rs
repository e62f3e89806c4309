//! What fuzzers hand to the readers of git's files. Each function takes hostile bytes and, where there is a plain way to read
//! the same, compares: entries with another inflater, deltas with a few lines of their own, a pass over a pack with each
//! chain of deltas applied alone. Not part of the interface.

mod make;
mod plain;

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use super::loose;
use super::names::{self, Names};
use super::object::{self, Commit};
use super::pack::buffer::{Buffer, HUGE};
use super::pack::delta::{Delta, Step};
use super::pack::entry::Entry;
use super::pack::index::Index;
use super::pack::inflater::Inflater;
use super::repo::Repo;
use super::staged;
use super::store::Store;
use crate::blob::BlobId;
use crate::coverage::Coverage;

thread_local! {
    /// Where readers that take a path find what is to be read.
    static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder");
}

/// One entry of a pack: our inflater and another one read the same or nothing.
pub fn pack_entry(data: &[u8]) {
    let Some((&offset, _)) = data.split_first() else { return };
    for hash_len in [20, 32] {
        let parsed = Entry::parse(data, u64::from(offset), data.len() as u64, hash_len);
        let Ok(entry) = parsed else { continue };
        let mut ours = Buffer::default();
        let read = entry.inflate(&mut Inflater::new(), &mut ours);
        let theirs = plain::inflate(entry.deflated, entry.size);
        assert_eq!(read.ok().map(|()| &ours[..]), theirs.as_deref());
    }
}

/// An index of a pack: what a walk over sorted ids finds, the search finds at the same position.
pub fn pack_index(data: &[u8]) {
    for hash_len in [20, 32] {
        in_file(data, |path| {
            let Ok(index) = Index::open(path, hash_len) else { return };
            let ids: Vec<&[u8]> = (0..index.count()).map(|at| index.id(at)).collect();
            assert!((0..index.count()).filter_map(|at| index.offset(at)).count() <= ids.len());
            let sought = data.last_chunk::<32>().map_or(&data[..0], |tail| &tail[..hash_len]);
            let found = index.find(sought);
            assert!(found.is_none_or(|at| ids[at as usize] == sought));
            if is_sound(data, &ids) {
                for (at, id) in (0_u32..).zip(&ids) {
                    assert_eq!(index.find(id), Some(at));
                }
                assert_eq!(found.is_some(), ids.contains(&sought));
            }
        });
    }
}

/// A delta against a base: the object is the one that a plain reader makes, and what may hold a form that the base does not
/// hold is shown to the sieve.
pub fn delta(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let cut = usize::from(u16::from_be_bytes([high, low])) % (rest.len() + 1);
    let (base, bytes) = rest.split_at(cut);
    let theirs = plain::apply(base, bytes);
    let Ok(delta) = Delta::parse(bytes, base.len()) else {
        assert_eq!(theirs, None);
        return;
    };
    let mut ours = Buffer::default();
    delta.apply(base, &mut ours).expect("there is memory");
    assert_eq!(Some(&ours[..]), theirs.as_deref());
    let len = usize::from(low);
    let mut head = vec![];
    delta.head(base, len, &mut head);
    assert_eq!(head, ours[..len.min(ours.len())]);
    assert!(!delta.keeps_head(len) || ours[..len] == base[..len]);
    let margin = usize::from(high % 8);
    let mut crossed = vec![];
    Delta::parse_crossed(bytes, base, margin, |_, _| true, &mut crossed).expect("it is sound");
    let holds = |run: &[u8]| {
        [delta.inserted(), &crossed].iter().any(|text| memchr::memmem::find(text, run).is_some())
    };
    for run in ours.windows(margin + 1).zip(origins(&delta).windows(margin + 1)).take(2_048) {
        let is_copied = run.1[0].is_some() && run.1.iter().all(|origin| *origin == run.1[0]);
        assert!(is_copied || holds(run.0));
    }
}

/// A pack and its index as they are: a pass over them sees what random access reads, and tells of the rest.
pub fn pack_files(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let cut = usize::from(u16::from_be_bytes([high, low])) % (rest.len() + 1);
    let (index, pack) = rest.split_at(cut);
    in_repo(&[("objects/pack/pack-x.idx", index), ("objects/pack/pack-x.pack", pack)], |repo| {
        compare(repo, |_| None);
    });
}

/// A pack that a small program describes: a pass over it sees what each chain of deltas gives alone.
pub fn pack_forest(data: &[u8]) {
    let made = make::pack(data);
    let (index, pack) = (made.index(), made.bytes());
    in_repo(&[("objects/pack/pack-x.idx", &index), ("objects/pack/pack-x.pack", pack)], |repo| {
        compare(repo, |id| made.read(id));
    });
}

/// Sizes that a buffer takes one after the other, beyond what stays in memory too.
pub fn buffer(data: &[u8]) {
    const SIZES: [usize; 6] = [0, 1, 4096, HUGE, HUGE + 1, HUGE + HUGE / 32];
    let mut buffer = Buffer::default();
    for choice in data.iter().take(6) {
        let size = SIZES[usize::from(*choice) % SIZES.len()];
        buffer.resize(size as u64).expect("there is room");
        assert!(buffer.len() == size && buffer.capacity() >= size);
        buffer.fill(*choice);
        assert!(buffer.iter().all(|byte| byte == choice));
    }
}

/// A loose object, against another inflater.
pub fn loose_object(data: &[u8]) {
    in_file(data, |path| {
        let mut bytes = Buffer::default();
        let ours = loose::read(path, &mut Inflater::new(), &mut bytes);
        let theirs = plain::loose(data);
        assert_eq!(
            ours.ok().map(|kind| (kind, &bytes[..])),
            theirs.as_ref().map(|(kind, bytes)| (*kind, &bytes[..]))
        );
    });
}

/// Commits, trees and tags.
pub fn object(data: &[u8]) {
    drop(Commit::parse(data));
    let _ = (object::tag_target(data), object::tag_name(data));
    let id = BlobId::from_bytes(&[1; 20]).expect("20 bytes");
    drop(object::commit_info(id, data));
    assert!(object::message_text(data).len() <= data.len());
    for hash_len in [20, 32] {
        let names = object::tree_entries(data, hash_len).map(|entry| entry.name.len() + hash_len);
        assert!(names.sum::<usize>() <= data.len());
    }
}

/// The files of a git folder that name objects, each behind a line of four equal signs.
pub fn git_folder(data: &[u8]) {
    const NAMES: [&str; 7] = [
        "HEAD",
        "packed-refs",
        "logs/HEAD",
        "shallow",
        "objects/info/alternates",
        "refs/heads/a",
        "config",
    ];
    let parts: Vec<&[u8]> = plain::split(data, b"====\n");
    let files: Vec<(&str, &[u8])> = NAMES.into_iter().zip(parts).collect();
    in_repo(&files, |repo| {
        let mut coverage = Coverage::default();
        drop(Names::read(repo, &mut coverage));
        let _ = names::head(repo);
        drop(Store::of(repo, &mut coverage));
    });
}

/// The index of a working tree; what follows a line of four equal signs is the shared part of a split one.
pub fn staged_index(data: &[u8]) {
    let parts = plain::split(data, b"====\n");
    let shared = parts.get(1).copied().unwrap_or_default();
    for hash_len in [20, 32] {
        let name = format!("sharedindex.{}", "01".repeat(hash_len));
        in_repo(&[("index", parts[0]), (&name, shared)], |repo| {
            let Ok(index) =
                staged::Index::read(&repo.git_dir.join("index"), &repo.git_dir, hash_len)
            else {
                return;
            };
            assert!(index.entries().is_sorted_by(|a, b| index.name(a) <= index.name(b)));
        });
    }
}

/// Compares a pass over all objects with random access, and with what `reference` says of an id if it says anything.
fn compare(repo: &Repo, reference: impl Fn(&[u8]) -> Option<Option<Vec<u8>>>) {
    let mut coverage = Coverage::default();
    let store = Store::of(repo, &mut coverage);
    let Some(pack) = store.packs.first() else { return };
    let seen = std::sync::Mutex::new(BTreeMap::<BlobId, Vec<Vec<u8>>>::new());
    repo.walk(
        &|id, _, bytes| seen.lock().expect("no panic").entry(id).or_default().push(bytes.to_vec()),
        &mut coverage,
    );
    let seen = seen.into_inner().expect("no panic");
    let mut reader = super::pack::Reader::new();
    let mut is_whole = true;
    for position in 0..pack.index.count() {
        let id = pack.index.id(position);
        let alone = pack.read(position, &mut reader).ok().map(|object| object.bytes.to_vec());
        let passed = BlobId::from_bytes(id).and_then(|id| seen.get(&id));
        is_whole &= alone.is_some();
        match (&alone, passed) {
            (Some(alone), Some(passed)) => assert!(passed.contains(alone)),
            (None, None) => {}
            // Ids that stand in the index more than once are found at one of their places.
            _ => {
                assert!(
                    (0..pack.index.count()).any(|at| at != position && pack.index.id(at) == id)
                );
            }
        }
        if let Some(theirs) = reference(id) {
            assert_eq!(alone, theirs);
        }
    }
    assert!(is_whole || !coverage.is_complete());
}

/// For each byte of a delta's object the number of the step that copied it; `None` for inserted ones.
fn origins(delta: &Delta<'_>) -> Vec<Option<usize>> {
    let of_step = |(number, step)| match step {
        Step::Copy { len, .. } => vec![Some(number); len],
        Step::Insert { len, .. } => vec![None; len],
    };
    delta.steps().enumerate().flat_map(of_step).collect()
}

/// Whether ids rise and the fan-out table counts them, so that a search must find each.
fn is_sound(data: &[u8], ids: &[&[u8]]) -> bool {
    let table = if data.starts_with(b"\xfftOc") { &data[8..] } else { data };
    let counted = table.chunks_exact(4).take(256).zip(0_u8..=255).all(|(slot, first)| {
        slot == (ids.iter().filter(|id| id[0] <= first).count() as u32).to_be_bytes()
    });
    counted && ids.is_sorted_by(|a, b| a < b)
}

/// Writes a file and shows its path.
fn in_file(data: &[u8], see: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let path = folder.path().join("file");
        std::fs::write(&path, data).expect("written");
        see(&path);
    });
}

/// Writes the files of a git folder, and what makes it one, and opens it.
fn in_repo(files: &[(&str, &[u8])], see: impl FnOnce(&Repo)) {
    FOLDER.with(|folder| {
        let git_dir = folder.path().join("git");
        drop(std::fs::remove_dir_all(&git_dir));
        for (name, data) in [("HEAD", b"ref: refs/heads/a\n".as_slice())].iter().chain(files) {
            let path = git_dir.join(name);
            std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
            std::fs::write(path, data).expect("written");
        }
        std::fs::create_dir_all(git_dir.join("objects/pack")).expect("made");
        if let Ok(repo) = Repo::at(&git_dir, None) {
            see(&repo);
        }
    });
}
