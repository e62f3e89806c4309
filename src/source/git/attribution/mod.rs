//! Names the places of what a pass has kept: who introduced it, when, under which paths, and who can still see it.
//!
//! One more pass over trees and commits, and over blobs only if copies are sought: `links` finds what leads to the kept objects, with `changes`
//! reading trees as deltas; `paths` puts the names together, `graph` knows the commits, `stats` compares each commit with
//! its parents, `worktree` looks at what is checked out. Nothing kept costs nothing.

mod changes;
mod graph;
mod links;
mod paths;
mod places;
mod stats;
mod worktree;

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use self::graph::Graph;
use self::links::{Links, Numbering, Targets};
use self::paths::{Paths, Place};
use self::places::Scribe;
use self::stats::PlaceStats;
use super::hints;
use super::names::Names;
use super::pack::Reader;
use super::range;
use super::repo::Repo;
use super::sift::{Pass, SiftOptions, Sifted, Sifter, sift_names};
use super::store::Store;
use crate::blob::BlobId;
use crate::blob::Sieve;
use crate::coverage::Coverage;
use crate::provenance::Provenance;

/// Why places cannot be named.
#[derive(Debug, Error)]
pub enum AttributeError {
    /// An object that was kept can no longer be read.
    #[error("object {id} was read before and cannot be read again: {message}")]
    Lost {
        /// Its id.
        id: BlobId,
        /// Why.
        message: String,
    },
    /// The range names no commits any more.
    #[error(transparent)]
    Range(#[from] range::RangeError),
}

/// Something that was kept, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The bytes that were looked at.
    pub bytes: Vec<u8>,
    /// At least one place, in a fixed order.
    pub places: Vec<Provenance>,
}

/// What is sought once more in a history, when some of what it hides is known for sure.
pub struct Copies<'a> {
    /// Lets pass what may hold a copy.
    pub sieve: &'a dyn Sieve,
    /// As in the pass that found it.
    pub options: &'a SiftOptions,
}

impl Repo {
    /// Names the places of what [`Repo::sift`] has kept, and of all that may hold `copies`. Costs nothing when nothing
    /// was kept and nothing is sought; reads each object at most once.
    ///
    /// # Errors
    /// The repository has changed since.
    pub fn attribute(
        &self,
        sifted: Sifted,
        copies: Option<&Copies<'_>>,
    ) -> Result<Vec<Located>, AttributeError> {
        let mut located = self.locate(sifted, copies)?;
        if !self.prefix.is_empty() {
            let places = located.iter_mut().flat_map(|located| &mut located.places);
            places.for_each(|place| place.path = place.path.below(&self.prefix));
        }
        Ok(located)
    }

    fn locate(
        &self,
        mut sifted: Sifted,
        copies: Option<&Copies<'_>>,
    ) -> Result<Vec<Located>, AttributeError> {
        if sifted.is_empty() && copies.is_none() {
            return Ok(vec![]);
        }
        // What cannot be read was reported by the pass that sifted.
        let mut ignored = Coverage::default();
        let store = Store::of(self, &mut ignored);
        let runs = copies.and_then(|copies| copies.sieve.runs());
        let settled = sifted.settled.take().zip(runs);
        let settled =
            settled.and_then(|(settled, runs)| settled.unsettle(&runs, &store).then_some(settled));
        let sifter = copies.map(|copies| Sifter {
            sieve: copies.sieve,
            look: &|_, _| true,
            options: copies.options,
            store: &store,
            checks_entries: false,
            pass: Pass::Copies(settled.as_deref()),
        });
        if let Some(sifter) = &sifter
            && let Some(spec) = &sifter.options.range
        {
            sifted.append(range::sift(self, sifter, spec, &mut ignored)?);
        }
        if let Some(places) = &sifted.places {
            return places::of_range(&store, &sifted, places);
        }
        let names = Names::read(self, &mut ignored);
        if let Some(sifter) = &sifter {
            let states = store.traverse(sifter, &mut ignored);
            sifted.objects.extend(states.into_iter().flat_map(|state| state.kept));
            sift_names(sifter, &names, &mut sifted, &mut ignored);
            sifted.sort();
        }
        let numbering = Numbering::of(&store);
        let (mut links, seen) =
            Links::read(&store, &numbering, &Targets::of(&sifted), sifter.as_ref());
        sifted.objects.extend(seen.kept);
        if let Some(sifter) = sifter.as_ref().filter(|_| !seen.hints.is_empty()) {
            // Names that hold a copy lead to objects that nobody looked for.
            hints::follow(sifter, seen.hints, &mut sifted, &mut ignored);
            links = Links::read(&store, &numbering, &Targets::of(&sifted), None).0;
        }
        sifted.sort();
        let history = History::of(links, &numbering, &names);
        Scribe::new(self, &store, &history, &sifted).locate(&sifted)
    }
}

/// All that history knows about the targets.
pub(crate) struct History {
    graph: Graph,
    paths: Paths,
    places: BTreeMap<Place, PlaceStats>,
    /// Lists of the trees that no commit holds, and of those that a ref names directly.
    loose_tops: Vec<(Option<Vec<u8>>, paths::ListId)>,
}

impl History {
    fn of(links: Links, numbering: &Numbering<'_>, names: &Names) -> Self {
        let Links { commits, tags, trees, targets } = links;
        let (graph, paths) = rayon::join(
            move || Graph::of(&commits, tags, names),
            move || Paths::of(&trees, numbering, targets),
        );
        let places = stats::places(&graph, &paths);
        let roots: HashSet<u32> = graph.trees.iter().filter_map(|tree| paths.find(tree)).collect();
        let tops = paths.tops.iter().filter(|tree| !roots.contains(tree));
        let unnamed = tops.map(|&tree| (None, paths.list(tree)));
        let named = graph.others.iter().filter_map(|(name, id)| {
            let tree = paths.find(id)?;
            Some((Some(name.clone()), paths.list(tree)))
        });
        let loose_tops = named.chain(unnamed).filter(|(_, list)| *list != 0).collect();
        Self { graph, paths, places, loose_tops }
    }
}

/// Reads a kept object once more.
fn read(store: &Store, id: &BlobId, reader: &mut Reader) -> Result<Vec<u8>, AttributeError> {
    let lost = |message: String| AttributeError::Lost { id: *id, message };
    match store.read(id, reader) {
        Some(Ok(object)) => Ok(object.bytes.to_vec()),
        Some(Err(error)) => Err(lost(error.to_string())),
        None => Err(lost("it is gone".to_owned())),
    }
}
