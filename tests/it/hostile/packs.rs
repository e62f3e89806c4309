//! Packs, indexes and loose objects written by hand, so that they may lie.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::Digest as _;

/// Kinds of pack entries.
pub(super) const COMMIT: u8 = 1;
pub(super) const TREE: u8 = 2;
pub(super) const BLOB: u8 = 3;
pub(super) const TAG: u8 = 4;
const OFFSET_DELTA: u8 = 6;
const ID_DELTA: u8 = 7;

pub(super) type Id = [u8; 20];

/// A pack that grows entry by entry, and the index that goes with it.
pub(super) struct Pack {
    pub(super) bytes: Vec<u8>,
    /// Ids with the offsets that the index tells.
    pub(super) index: Vec<(Id, u64)>,
}

impl Pack {
    pub(super) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), index: vec![] }
    }

    /// Adds a whole object under its true id.
    pub(super) fn whole(&mut self, kind: u8, content: &[u8]) -> Id {
        let id = id_of(kind, content);
        self.whole_as(id, kind, content);
        id
    }

    /// Adds a whole object under any id.
    pub(super) fn whole_as(&mut self, id: Id, kind: u8, content: &[u8]) -> u64 {
        self.raw(id, &entry(kind, content.len() as u64, &[], &deflate(content)))
    }

    /// Adds a delta against the entry at `base`.
    pub(super) fn delta(&mut self, id: Id, base: u64, delta: &[u8]) -> u64 {
        let distance = distance(self.bytes.len() as u64 - base);
        self.raw(id, &entry(OFFSET_DELTA, delta.len() as u64, &distance, &deflate(delta)))
    }

    /// Adds a delta against an object by its id.
    pub(super) fn id_delta(&mut self, id: Id, base: Id, delta: &[u8]) -> u64 {
        self.raw(id, &entry(ID_DELTA, delta.len() as u64, &base, &deflate(delta)))
    }

    /// Adds bytes as an entry; returns their offset.
    pub(super) fn raw(&mut self, id: Id, bytes: &[u8]) -> u64 {
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        self.index.push((id, offset));
        offset
    }

    /// Writes pack and index below `.git/objects/pack`.
    pub(super) fn write(&mut self, git: &Path) {
        let (pack, index) = self.files();
        put(&git.join("objects/pack/pack-bad.pack"), &pack);
        put(&git.join("objects/pack/pack-bad.idx"), &index);
    }

    /// The bytes of pack and index.
    pub(super) fn files(&mut self) -> (Vec<u8>, Vec<u8>) {
        let count = u32::try_from(self.index.len()).expect("few");
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        let mut pack = self.bytes.clone();
        pack.extend_from_slice(&sha1::Sha1::digest(&self.bytes));
        let checksum = pack[pack.len() - 20..].to_vec();
        self.index.sort_unstable();
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255_u8 {
            let upto = self.index.partition_point(|(id, _)| id[0] <= first);
            index.extend(u32::try_from(upto).expect("few").to_be_bytes());
        }
        self.index.iter().for_each(|(id, _)| index.extend_from_slice(id));
        index.extend(std::iter::repeat_n(0, 4 * self.index.len()));
        let mut large: Vec<u8> = vec![];
        for (_, offset) in &self.index {
            let small = u32::try_from(*offset).ok().filter(|offset| offset >> 31 == 0);
            let next = u32::try_from(large.len() / 8).expect("few") | 0x8000_0000;
            if small.is_none() {
                large.extend(offset.to_be_bytes());
            }
            index.extend(small.unwrap_or(next).to_be_bytes());
        }
        index.extend(large);
        index.extend(checksum);
        index.extend_from_slice(&sha1::Sha1::digest(&index));
        (pack, index)
    }
}

/// Writes a file of a repository, whatever is there.
pub(super) fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
    drop(fs::remove_file(path));
    fs::write(path, bytes).expect("written");
}

/// Writes bytes as the loose object with this id.
pub(super) fn loose(git: &Path, id: Id, bytes: &[u8]) {
    let hex = hex(&id);
    put(&git.join("objects").join(&hex[..2]).join(&hex[2..]), bytes);
}

/// A made-up id, the same for the same number.
pub(super) fn made_up(number: u32) -> Id {
    sha1::Sha1::digest(number.to_be_bytes()).into()
}

pub(super) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id that an object has.
pub(super) fn id_of(kind: u8, content: &[u8]) -> Id {
    let name = ["", "commit", "tree", "blob", "tag"][usize::from(kind)];
    let header = format!("{name} {}\0", content.len());
    sha1::Sha1::digest([header.as_bytes(), content].concat()).into()
}

/// A pack entry: header, what a delta says of its base, compressed bytes.
pub(super) fn entry(kind: u8, size: u64, base: &[u8], compressed: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    let (mut byte, mut rest) = (kind << 4 | (size & 15) as u8, size >> 4);
    while rest > 0 {
        bytes.push(byte | 0x80);
        (byte, rest) = ((rest & 0x7f) as u8, rest >> 7);
    }
    bytes.push(byte);
    [&bytes, base, compressed].concat()
}

/// How an entry writes the distance to its base.
pub(super) fn distance(mut distance: u64) -> Vec<u8> {
    let mut bytes = vec![(distance & 0x7f) as u8];
    while distance >> 7 > 0 {
        distance = (distance >> 7) - 1;
        bytes.insert(0, 0x80 | (distance & 0x7f) as u8);
    }
    bytes
}

/// A delta: sizes of base and object, then instructions.
pub(super) fn delta(base: u64, object: u64, instructions: &[u8]) -> Vec<u8> {
    [varint(base), varint(object), instructions.to_vec()].concat()
}

/// An instruction that copies.
pub(super) fn copy(start: u32, len: u32) -> Vec<u8> {
    let (start, len) = (start.to_le_bytes(), len.to_le_bytes());
    [&[0xff_u8][..], &start, &len[..3]].concat()
}

/// An instruction that inserts up to 127 bytes.
pub(super) fn insert(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("few")], bytes].concat()
}

pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}

/// Zeros, compressed, without ever being in memory.
pub(super) fn deflated_zeros(before: &[u8], count: u64) -> Vec<u8> {
    use std::io::Read as _;
    let mut encoder = ZlibEncoder::new(vec![], Compression::best());
    encoder.write_all(before).expect("into memory");
    std::io::copy(&mut std::io::repeat(0).take(count), &mut encoder).expect("into memory");
    encoder.finish().expect("into memory")
}

/// One entry of a tree.
pub(super) fn tree_entry(mode: &str, name: &[u8], id: Id) -> Vec<u8> {
    [mode.as_bytes(), b" ", name, b"\0", &id].concat()
}

/// A commit of a tree.
pub(super) fn commit(tree: Id, parents: &[Id]) -> Vec<u8> {
    let parents: String =
        parents.iter().map(|parent| format!("parent {}\n", hex(parent))).collect();
    let who = "A U Thor <author@example.invalid> 1700000000 +0000";
    format!("tree {}\n{parents}author {who}\ncommitter {who}\n\nm\n", hex(&tree)).into_bytes()
}
