//! Follows path hints: a tree entry whose name passes the sieve makes its blob, or every blob below it, worth a look.

use std::collections::BTreeSet;

use super::object::{Mode, ObjectKind, tree_entries};
use super::pack::Reader;
use super::sift::{Sifter, read_each};
use super::sifted::{Kept, KeptText, Sifted};
use super::store::report;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::provenance::Origin;

/// A tree entry whose name passed the sieve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hint {
    pub(crate) id: BlobId,
    pub(crate) is_tree: bool,
    pub(crate) name: Vec<u8>,
}

/// Looks at everything the hints point at.
pub(crate) fn follow(
    sifter: &Sifter<'_>,
    hints: BTreeSet<Hint>,
    sifted: &mut Sifted,
    coverage: &mut Coverage,
) {
    let mut blobs = BTreeSet::new();
    let mut trees = BTreeSet::new();
    let mut reader = Reader::new();
    for hint in hints {
        keep_name(sifter, &hint.name, hint.id, sifted);
        if !hint.is_tree {
            blobs.insert(hint.id);
            continue;
        }
        let mut stack = vec![(hint.id, hint.name)];
        while let Some((tree, path)) = stack.pop() {
            if !trees.insert(tree) {
                continue;
            }
            let bytes = match sifter.store.read(&tree, &mut reader) {
                Some(Ok(object)) if object.kind == ObjectKind::Tree => object.bytes,
                Some(Err(error)) => {
                    report(coverage, tree.as_bytes(), &error);
                    continue;
                }
                _ => continue,
            };
            for entry in tree_entries(&bytes, sifter.store.hash_len) {
                let Some(id) = BlobId::from_bytes(entry.id) else { continue };
                let path = [&path, b"/".as_slice(), entry.name].concat();
                keep_name(sifter, &path, id, sifted);
                match entry.mode {
                    Mode::Tree => stack.push((id, path)),
                    Mode::Blob => drop(blobs.insert(id)),
                    Mode::Submodule => {}
                }
            }
        }
    }
    let states = read_each(sifter, blobs.into_iter().collect(), |state, id, kind, bytes| {
        sifter.force(state, Kept { kind, id }, bytes, true);
    });
    for state in states {
        coverage.merge(state.coverage);
        sifted.objects.extend(state.kept);
    }
}

/// Looks at a path, from the entry that passed the sieve downwards.
fn keep_name(sifter: &Sifter<'_>, path: &[u8], id: BlobId, sifted: &mut Sifted) {
    if (sifter.look)(path, true) {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path).to_vec();
        sifted.texts.push(KeptText {
            origin: Origin::FileName,
            bytes: path.to_vec(),
            name,
            id: Some(id),
        });
    }
}
