//! What a pass over a history keeps, and what it leaves to a second one.

use std::fmt;
use std::sync::Arc;

use super::object::ObjectKind;
use super::range::RangePlace;
use super::settled::Settled;
use super::store::Store;
use crate::blob::BlobId;
use crate::provenance::Origin;

/// An object that the look kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) kind: ObjectKind,
    pub(crate) id: BlobId,
}

/// A text outside of objects' contents that the look kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeptText {
    pub(crate) origin: Origin,
    /// The text that was looked at: a ref's name, a reflog line, or a path from the entry that hit downwards.
    pub(crate) bytes: Vec<u8>,
    /// The ref's name; the last part of a path.
    pub(crate) name: Vec<u8>,
    /// What the name names.
    pub(crate) id: Option<BlobId>,
}

/// What a pass has kept.
#[derive(Clone, Debug, Default)]
pub struct Sifted {
    pub(crate) objects: Vec<Kept>,
    pub(crate) texts: Vec<KeptText>,
    /// Places that are already known, when only a range was scanned.
    pub(crate) places: Option<Vec<RangePlace>>,
    /// What need not be done again when the places are named.
    pub(crate) first: Option<Arc<FirstPass>>,
}

/// What the first pass over a history leaves to the second.
pub(crate) struct FirstPass {
    /// The objects, sorted out.
    pub(crate) store: Store,
    /// What a search for copies may leave out.
    pub(crate) settled: Settled,
}

impl FirstPass {
    /// Nothing is settled yet.
    pub(crate) fn of(store: Store) -> Self {
        Self { settled: Settled::of(&store), store }
    }
}

impl fmt::Debug for FirstPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstPass").finish_non_exhaustive()
    }
}

impl Sifted {
    /// Whether nothing was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.texts.is_empty()
    }

    /// Adds what another pass over the same history or range has kept.
    pub(crate) fn append(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.texts.extend(other.texts);
        match &mut self.places {
            Some(places) => places.extend(other.places.into_iter().flatten()),
            None => self.places = other.places,
        }
        self.sort();
    }

    /// Brings all into order, each thing once.
    pub(crate) fn sort(&mut self) {
        self.objects.sort_unstable();
        self.objects.dedup();
        self.texts.sort_unstable();
        self.texts.dedup();
        if let Some(places) = &mut self.places {
            places.sort_unstable();
            places.dedup();
        }
    }
}
