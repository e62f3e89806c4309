//! Packs that a few bytes describe: whole objects, deltas against earlier, later and missing ones, and lies.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::plain;

/// Entries of one pack, at most.
const MOST: usize = 12;

/// A pack, its ids with their offsets, and what each entry is for the plain reader.
pub(super) struct Made {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    offset: usize,
    kind: Kind,
}

enum Kind {
    /// Holds these bytes.
    Whole(Vec<u8>),
    /// A delta against what stands at this offset.
    Offset(usize, Vec<u8>),
    /// A delta against the entry with this number.
    Id(usize, Vec<u8>),
    /// Cannot be read.
    Broken,
}

/// Takes bytes one after the other; behind the end there are zeros.
struct Program<'a>(&'a [u8]);

impl Program<'_> {
    fn next(&mut self) -> usize {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(byte)
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| u8::try_from(self.next()).unwrap_or(0)).collect()
    }
}

/// Runs the program.
pub(super) fn pack(program: &[u8]) -> Made {
    let mut program = Program(program);
    let count = 1 + program.next() % MOST;
    let mut made = Made { bytes: b"PACK\0\0\0\x02\0\0\0\x01".to_vec(), entries: vec![] };
    // What each entry holds if all goes well, so that deltas can fit.
    let mut contents: Vec<Vec<u8>> = vec![];
    for number in 0..count {
        let offset = made.bytes.len();
        let (choice, other) = (program.next() % 8, program.next() % (count + 1));
        let earlier = if number == 0 { None } else { Some(other % number) };
        let base = earlier.map_or_else(Vec::new, |at| contents[at].clone());
        let kind = match (choice, earlier) {
            (0 | 1, _) | (2 | 3, None) => {
                let len = program.next();
                Kind::Whole(program.take(len))
            }
            (2 | 3, Some(at)) => Kind::Offset(made.entries[at].offset, delta(&mut program, &base)),
            (4 | 5, _) => Kind::Id(other, delta(&mut program, &base)),
            (6, _) => {
                Kind::Offset(offset - program.next().clamp(1, offset), delta(&mut program, &base))
            }
            _ => Kind::Broken,
        };
        contents.push(match &kind {
            Kind::Whole(bytes) => bytes.clone(),
            Kind::Offset(_, delta) | Kind::Id(_, delta) => {
                plain::apply(&base, delta).unwrap_or_default()
            }
            Kind::Broken => vec![],
        });
        write(&mut made.bytes, offset, &kind);
        made.entries.push(Entry { offset, kind });
    }
    made.bytes.extend_from_slice(&[0xee; 20]);
    made
}

impl Made {
    /// The pack.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its index, of version 2.
    pub(super) fn index(&self) -> Vec<u8> {
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255 {
            let below = (0..self.entries.len()).filter(|&number| id(number)[0] <= first).count();
            index.extend_from_slice(&word(below));
        }
        (0..self.entries.len()).for_each(|number| index.extend_from_slice(&id(number)));
        index.extend(vec![0; 4 * self.entries.len()]);
        self.entries.iter().for_each(|entry| index.extend_from_slice(&word(entry.offset)));
        index.extend_from_slice(&[0xee; 40]);
        index
    }

    /// What the object with this id holds, by following its bases one after the other; `None` where a base is said to begin
    /// within another entry, whose bytes may happen to be one.
    pub(super) fn read(&self, id: &[u8]) -> Option<Option<Vec<u8>>> {
        let number = (0..self.entries.len()).find(|&number| self::id(number) == *id);
        let Some(number) = number else { return Some(None) };
        let places: BTreeMap<usize, usize> =
            self.entries.iter().enumerate().map(|(number, entry)| (entry.offset, number)).collect();
        self.follow(number, &places, 0)
    }

    fn follow(
        &self,
        number: usize,
        places: &BTreeMap<usize, usize>,
        depth: usize,
    ) -> Option<Option<Vec<u8>>> {
        let entry = self.entries.get(number).filter(|_| depth <= MOST);
        let Some(entry) = entry else { return Some(None) };
        let (base, delta) = match &entry.kind {
            Kind::Whole(bytes) => return Some(Some(bytes.clone())),
            Kind::Broken => return Some(None),
            Kind::Offset(offset, delta) => (*places.get(offset)?, delta),
            Kind::Id(base, delta) => (*base, delta),
        };
        let base = self.follow(base, places, depth + 1)?;
        Some(base.and_then(|base| plain::apply(&base, delta)))
    }
}

/// The id of the entry with this number; ids rise.
fn id(number: usize) -> [u8; 20] {
    let mut id = [0x5a; 20];
    id[0] = u8::try_from(number * 20).unwrap_or(u8::MAX);
    id
}

/// A delta that fits a base of this content, unless the program says otherwise.
fn delta(program: &mut Program<'_>, base: &[u8]) -> Vec<u8> {
    let (mut steps, mut target) = (vec![], 0);
    for _ in 0..program.next() % 5 {
        let choice = program.next();
        if choice & 1 == 0 && !base.is_empty() {
            let start = program.next() % base.len();
            let len = (1 + program.next()).min(base.len() - start);
            steps.extend([0x80 | 0x01 | 0x10, start as u8, len as u8].map(|byte| byte));
            // A length of zero says 65,536.
            target += if len == 256 { 0x1_0000 } else { len };
        } else {
            let len = 1 + program.next() % 20;
            steps.push(len as u8);
            steps.extend(program.take(len));
            target += len;
        }
    }
    let lie = usize::from(program.next() == 255);
    [varint(base.len() + lie), varint(target), steps].concat()
}

fn write(pack: &mut Vec<u8>, offset: usize, kind: &Kind) {
    let (number, bytes): (u8, &[u8]) = match kind {
        Kind::Whole(bytes) => (3, bytes),
        Kind::Offset(_, delta) => (6, delta),
        Kind::Id(_, delta) => (7, delta),
        Kind::Broken => (5, &[]),
    };
    let rest = bytes.len() >> 4;
    pack.push((bytes.len() & 15) as u8 | number << 4 | if rest > 0 { 0x80 } else { 0 });
    if rest > 0 {
        pack.extend(varint(rest));
    }
    match kind {
        Kind::Offset(base, _) => {
            let distance = offset - base;
            // Two bytes reach 16,511; no pack of these is larger.
            match distance.checked_sub(128) {
                Some(more) => pack.extend([0x80 | (more >> 7) as u8, (more & 0x7f) as u8]),
                None => pack.push(distance as u8),
            }
        }
        Kind::Id(base, _) => pack.extend_from_slice(&id(*base)),
        _ => {}
    }
    let mut encoder = ZlibEncoder::new(pack, Compression::none());
    encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop)).expect("into memory");
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a small pack").to_be_bytes()
}
