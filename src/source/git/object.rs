//! Parses commits, trees and tags.

use crate::blob::BlobId;
use crate::provenance::CommitInfo;

/// Kind of a git object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ObjectKind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl ObjectKind {
    /// The kind's name in object headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// The kind with this name.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeEntry<'a> {
    pub(crate) mode: Mode,
    pub(crate) name: &'a [u8],
    pub(crate) id: &'a [u8],
}

/// What a tree entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Tree,
    Blob,
    Submodule,
}

/// Splits the first entry off a tree; returns it and its length.
pub(crate) fn split_entry(bytes: &[u8], hash_len: usize) -> Option<(TreeEntry<'_>, usize)> {
    let space = bytes.iter().take(8).position(|&byte| byte == b' ')?;
    let mode = match &bytes[..space] {
        b"40000" | b"040000" => Mode::Tree,
        b"160000" => Mode::Submodule,
        _ => Mode::Blob,
    };
    let rest = &bytes[space + 1..];
    let end = memchr::memchr(0, rest)?;
    let id = rest.get(end + 1..end + 1 + hash_len)?;
    Some((TreeEntry { mode, name: &rest[..end], id }, space + end + 2 + hash_len))
}

/// Iterates over a tree's entries; ends early at a damaged one.
pub(crate) fn tree_entries(
    mut bytes: &[u8],
    hash_len: usize,
) -> impl Iterator<Item = TreeEntry<'_>> {
    std::iter::from_fn(move || {
        let (entry, len) = split_entry(bytes, hash_len)?;
        bytes = &bytes[len..];
        Some(entry)
    })
}

/// The links of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) tree: BlobId,
    pub(crate) parents: Vec<BlobId>,
    /// Committer time in seconds since 1970.
    pub(crate) time: i64,
}

impl Commit {
    /// Parses a commit object.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut tree = None;
        // Most have one.
        let mut parents = Vec::with_capacity(1);
        let mut time = 0;
        for (key, value) in headers(bytes) {
            match key {
                b"tree" if tree.is_none() => tree = Some(hex_id(value)?),
                b"parent" => parents.push(hex_id(value)?),
                b"committer" => {
                    time = signature(value).map_or(0, |signature| signature.seconds);
                    break;
                }
                _ => {}
            }
        }
        Some(Self { tree: tree?, parents, time })
    }
}

/// What an annotated tag points to.
pub(crate) fn tag_target(bytes: &[u8]) -> Option<(BlobId, ObjectKind)> {
    let id = headers(bytes).find(|(key, _)| *key == b"object")?.1;
    let kind = headers(bytes).find(|(key, _)| *key == b"type")?.1;
    Some((hex_id(id)?, ObjectKind::from_name(kind)?))
}

/// The name in an annotated tag.
pub(crate) fn tag_name(bytes: &[u8]) -> &[u8] {
    headers(bytes).find(|(key, _)| *key == b"tag").map_or(b"", |(_, value)| value)
}

/// The author and author date of a commit.
pub(crate) fn commit_info(id: BlobId, bytes: &[u8]) -> CommitInfo {
    let author = headers(bytes)
        .find(|(key, _)| *key == b"author")
        .map_or(b"".as_slice(), |(_, value)| value);
    match signature(author) {
        Some(signature) => CommitInfo {
            id,
            author: String::from_utf8_lossy(signature.who).into_owned(),
            date: rfc3339(signature.seconds, signature.offset_minutes),
        },
        None => CommitInfo {
            id,
            author: String::from_utf8_lossy(author).into_owned(),
            date: rfc3339(0, 0),
        },
    }
}

/// The part of a commit or tag that people write: everything but object ids and signatures, which are random by nature.
pub(crate) fn message_text(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut skipping = false;
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let line = &rest[..end];
        if line == b"\n" {
            text.extend_from_slice(rest);
            break;
        }
        if !line.starts_with(b" ") {
            let ids: [&[u8]; 5] = [b"tree ", b"parent ", b"object ", b"gpgsig", b"type "];
            skipping = ids.iter().any(|key| line.starts_with(key));
        }
        if !skipping {
            text.extend_from_slice(line);
        }
        rest = &rest[end..];
    }
    text
}

/// Parses an id in hexadecimal.
pub(crate) fn hex_id(hex: &[u8]) -> Option<BlobId> {
    if hex.len() != 40 && hex.len() != 64 {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (at, pair) in hex.chunks_exact(2).enumerate() {
        let digits = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        bytes[at] = u8::from_str_radix(digits, 16).ok()?;
    }
    BlobId::from_bytes(&bytes[..hex.len() / 2])
}

/// Iterates over the header lines of a commit or tag, continuation lines left out.
fn headers(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty()).filter_map(|line| {
        let space = memchr::memchr(b' ', line).filter(|&at| at > 0)?;
        Some((&line[..space], &line[space + 1..]))
    })
}

struct Signature<'a> {
    /// `Name <address>`.
    who: &'a [u8],
    seconds: i64,
    offset_minutes: i32,
}

fn signature(value: &[u8]) -> Option<Signature<'_>> {
    let end = memchr::memrchr(b'>', value)? + 1;
    let rest = std::str::from_utf8(&value[end..]).ok()?;
    let mut words = rest.split_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let zone: i32 = words.next().and_then(|zone| zone.parse().ok()).unwrap_or(0);
    let offset_minutes = (zone / 100 * 60 + zone % 100).clamp(-1439, 1439);
    Some(Signature { who: &value[..end], seconds, offset_minutes })
}

/// Writes a time as RFC 3339. Days to civil date after Howard Hinnant's `civil_from_days`.
pub(crate) fn rfc3339(seconds: i64, offset_minutes: i32) -> String {
    // Years 0 to 9999; a commit may claim any number.
    let local = seconds.clamp(-62_135_500_000, 253_402_200_000) + i64::from(offset_minutes) * 60;
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let (zone_hour, zone_minute) = (offset_minutes.abs() / 60, offset_minutes.abs() % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{zone_hour:02}:{zone_minute:02}"
    )
}
