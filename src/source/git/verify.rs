//! Compares objects with their ids.

use sha2::Digest as _;

use super::object::ObjectKind;
use super::pack::traverse::Seen;

/// Whether an object's bytes hash to its id.
pub(crate) fn id_fits(seen: &Seen<'_>, bytes: &[u8]) -> bool {
    if seen.id.len() == 32 {
        let mut hash = sha2::Sha256::new();
        hash.update(format!("{} {}\0", seen.kind.name(), bytes.len()));
        hash.update(bytes);
        return hash.finalize().as_slice() == seen.id;
    }
    let kind = match seen.kind {
        ObjectKind::Commit => git2::ObjectType::Commit,
        ObjectKind::Tree => git2::ObjectType::Tree,
        ObjectKind::Blob => git2::ObjectType::Blob,
        ObjectKind::Tag => git2::ObjectType::Tag,
    };
    git2::Oid::hash_object(kind, bytes).is_ok_and(|id| id.as_bytes() == seen.id)
}
