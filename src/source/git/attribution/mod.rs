//! Names the places of what a pass has kept: who introduced it, when, under which paths, and who can still see it.
//!
//! One more pass over trees and commits, never over blobs: `links` finds what leads to the kept objects, with `changes`
//! reading trees as deltas; `paths` puts the names together, `graph` knows the commits, `stats` compares each commit with
//! its parents. Nothing kept costs nothing.

mod changes;
mod graph;
mod links;
mod paths;
mod places;
mod stats;

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use self::graph::Graph;
use self::links::{Links, Numbering, Targets};
use self::paths::{Paths, Place};
use self::places::Scribe;
use self::stats::PlaceStats;
use super::names::Names;
use super::object::{ObjectKind, message_text};
use super::pack::Reader;
use super::repo::Repo;
use super::sift::Sifted;
use super::store::Store;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::provenance::Origin;
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
}

/// Something that was kept, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The bytes that were looked at.
    pub bytes: Vec<u8>,
    /// At least one place, in a fixed order.
    pub places: Vec<Provenance>,
}

impl Repo {
    /// Names the places of what [`Repo::sift`] has kept. Costs nothing when nothing was kept.
    ///
    /// # Errors
    /// The repository has changed since.
    pub fn attribute(&self, sifted: &Sifted) -> Result<Vec<Located>, AttributeError> {
        let mut located = self.locate(sifted)?;
        if !self.prefix.is_empty() {
            let places = located.iter_mut().flat_map(|located| &mut located.places);
            places.for_each(|place| place.path = place.path.below(&self.prefix));
        }
        Ok(located)
    }

    fn locate(&self, sifted: &Sifted) -> Result<Vec<Located>, AttributeError> {
        if sifted.is_empty() {
            return Ok(vec![]);
        }
        // What cannot be read was reported by the pass that sifted.
        let mut ignored = Coverage::default();
        let store = Store::of(self, &mut ignored);
        if let Some(places) = &sifted.places {
            return places::of_range(&store, sifted, places);
        }
        let names = Names::read(self, &mut ignored);
        let blobs =
            sifted.objects.iter().filter(|kept| kept.kind == ObjectKind::Blob).map(|kept| kept.id);
        let named = sifted
            .texts
            .iter()
            .filter(|text| text.origin == Origin::FileName)
            .filter_map(|text| text.id);
        let targets = Targets::new(blobs.chain(named).collect());
        let history = History::read(&store, &names, &targets);
        let mut scribe = Scribe::new(self, &store, &history);
        let mut located = vec![];
        for kept in &sifted.objects {
            let bytes = read(&store, &kept.id, &mut scribe.reader)?;
            let (bytes, places) = match kept.kind {
                ObjectKind::Blob | ObjectKind::Tree => (bytes, scribe.blob(&kept.id)),
                ObjectKind::Commit => (message_text(&bytes), vec![scribe.commit(&kept.id)]),
                ObjectKind::Tag => (message_text(&bytes), vec![scribe.tag(&kept.id, &bytes)]),
            };
            located.push(Located { bytes, places });
        }
        for text in &sifted.texts {
            located.push(Located { bytes: text.bytes.clone(), places: scribe.text(text) });
        }
        Ok(located)
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
    fn read(store: &Store, names: &Names, targets: &Targets) -> Self {
        let numbering = Numbering::of(store);
        let mut links = Links::read(store, &numbering, targets);
        let graph = Graph::of(&mut links, names);
        let paths = Paths::of(&links.trees, numbering.len(), targets.ids.clone());
        drop(links);
        let places = stats::places(&graph, &numbering, &paths);
        let roots: HashSet<u32> =
            graph.trees.iter().filter_map(|tree| numbering.find(tree.as_bytes())).collect();
        let tops = paths.tops.iter().filter(|tree| !roots.contains(tree));
        let unnamed = tops.map(|&tree| (None, paths.list(tree)));
        let named = graph.others.iter().filter_map(|(name, id)| {
            let tree = numbering.find(id.as_bytes())?;
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
