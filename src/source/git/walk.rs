//! Every object of a repository, unfiltered: for checks against git itself and for measurements.

use super::object::ObjectKind;
use super::pack::delta::Delta;
use super::pack::entry::EntryError;
use super::pack::traverse::{Base, Seen, Visit};
use super::repo::Repo;
use super::store::{Store, report};
use crate::blob::BlobId;
use crate::coverage::Coverage;

impl Repo {
    /// Calls `see` with the id, kind and bytes of every object, in parallel and in no particular order.
    /// An object that is stored several times is seen once, unless one of its copies is damaged.
    pub fn walk(&self, see: &(dyn Fn(BlobId, ObjectKind, &[u8]) + Sync), coverage: &mut Coverage) {
        let store = Store::of(self, coverage);
        for state in store.traverse(&Walk { see }, coverage) {
            coverage.merge(state);
        }
    }
}

struct Walk<'a> {
    see: &'a (dyn Fn(BlobId, ObjectKind, &[u8]) + Sync),
}

impl Visit for Walk<'_> {
    type State = Coverage;
    type Mark = bool;

    fn state(&self) -> Coverage {
        Coverage::default()
    }

    fn wants(&self, _kind: ObjectKind) -> bool {
        true
    }

    fn delta(
        &self,
        _state: &mut Coverage,
        _seen: &Seen<'_>,
        _base: &Base<bool>,
        _delta: &Delta<'_>,
    ) -> Option<bool> {
        None
    }

    fn whole(&self, state: &mut Coverage, seen: &Seen<'_>, bytes: &[u8]) -> bool {
        if let Some(id) = BlobId::from_bytes(seen.id).filter(|_| !seen.is_copy) {
            state.objects += 1;
            state.object_bytes += bytes.len() as u64;
            (self.see)(id, seen.kind, bytes);
        }
        false
    }

    fn damaged(&self, state: &mut Coverage, seen: &Seen<'_>, error: &EntryError) {
        report(state, seen.id, error);
    }
}
