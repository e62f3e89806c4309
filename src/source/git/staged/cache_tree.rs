//! What the index remembers of the trees that git would write for its folders: where such a tree is `HEAD`'s, nothing below
//! is staged. `git commit` writes these trees, so trusting them looks at what would be committed.

use std::str;

use crate::blob::BlobId;

/// Folders within folders, at most.
const DEPTH: usize = 1024;

/// A folder.
pub(super) struct CacheTree {
    name: Vec<u8>,
    /// The tree and the number of the entries below it; `None` once something below has changed.
    tree: Option<(BlobId, usize)>,
    folders: Vec<Self>,
}

impl CacheTree {
    /// Reads the extension; `None` if it is damaged, since it only saves work.
    pub(super) fn parse(mut data: &[u8], hash_len: usize) -> Option<Self> {
        let root = Self::folder(&mut data, hash_len, 0)?;
        data.is_empty().then_some(root)
    }

    /// Whether `entries` entries make the tree `id`.
    pub(super) fn is(&self, id: BlobId, entries: usize) -> bool {
        self.tree == Some((id, entries))
    }

    /// The folder with this name in this one.
    pub(super) fn child(&self, name: &[u8]) -> Option<&Self> {
        self.folders.iter().find(|folder| folder.name == name)
    }

    /// Reads a folder and those in it: `name NUL entries SPACE folders LF [id]`.
    fn folder(data: &mut &[u8], hash_len: usize, depth: usize) -> Option<Self> {
        let name = until(data, 0)?.to_vec();
        let entries: i64 = number(until(data, b' ')?)?;
        let count: usize = number(until(data, b'\n')?)?;
        let tree = match usize::try_from(entries) {
            Ok(entries) => {
                let id = BlobId::from_bytes(data.split_off(..hash_len)?)?;
                Some((id, entries))
            }
            Err(_) => None,
        };
        if depth == DEPTH || count > data.len() {
            return None;
        }
        let folders = (0..count).map(|_| Self::folder(data, hash_len, depth + 1));
        Some(Self { name, tree, folders: folders.collect::<Option<_>>()? })
    }
}

/// Takes what stands before the next `end`, and that.
fn until<'a>(data: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let at = memchr::memchr(end, data)?;
    let taken = data.split_off(..at)?;
    *data = &data[1..];
    Some(taken)
}

fn number<N: str::FromStr>(digits: &[u8]) -> Option<N> {
    str::from_utf8(digits).ok()?.parse().ok()
}
