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
use std::ops::Deref;
use std::sync::Arc;

use thiserror::Error;

use self::graph::Graph;
use self::links::{Links, Numbering, Targets};
use self::paths::{Paths, Place};
use self::places::Scribe;
use self::stats::PlaceStats;
use super::hints;
use super::names::Names;
use super::pack::Reader;
use super::pack::buffer::Buffer;
use super::pack::entry::EntryError;
use super::range;
use super::repo::Repo;
use super::sift::{Look, Pass, SiftOptions, Sifter, sift_names};
use super::sifted::{FirstPass, Sifted};
use super::store::Store;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::provenance::Provenance;
use crate::sieve::Sieve;

/// Why places cannot be named.
#[derive(Debug, Error)]
pub enum AttributeError {
    /// The range names no commits any more.
    #[error(transparent)]
    Range(#[from] range::RangeError),
}

/// Something that was kept, and where it was seen.
#[derive(Clone, Debug)]
pub struct Located {
    /// The bytes that were looked at.
    pub bytes: Content,
    /// At least one place, in a fixed order.
    pub places: Vec<Provenance>,
}

impl Repo {
    /// Names the places of what [`Repo::sift`] has kept with these options, and of all that holds `copies`, and hands them to `see`, as many
    /// at a time as do not fill the memory. Costs nothing when nothing was kept and nothing is sought. What can no longer be
    /// read is noted in `coverage`. A scan that is stopped names no places.
    ///
    /// # Errors
    /// The repository has changed since, so that the range is no longer one.
    pub fn attribute(
        &self,
        mut sifted: Sifted,
        copies: Option<(&dyn Sieve, &Look<'_>)>,
        options: &SiftOptions,
        coverage: &mut Coverage,
        see: &mut dyn FnMut(&[Located]),
    ) -> Result<(), AttributeError> {
        if sifted.is_empty() && copies.is_none() {
            return Ok(());
        }
        let mut batch = Batch { see, prefix: &self.prefix, located: vec![], bytes: 0 };
        // What cannot be read was reported by the pass that sifted.
        let mut ignored = Coverage::default();
        let first = sifted.first.take().unwrap_or_else(|| {
            let store = Store::of(self, &mut ignored).within(options.max_expansion, &options.stop);
            Arc::new(FirstPass::of(store))
        });
        let store = &first.store;
        if options.stop.is_due() {
            places::unnamed(store, &sifted, coverage, &mut batch);
            batch.flush();
            return Ok(());
        }
        store.allow(options.max_expansion);
        let runs = copies.and_then(|(sieve, _)| sieve.runs());
        let settled = runs.filter(|runs| first.settled.unsettle(runs)).map(|_| &first.settled);
        let sifter = copies.map(|(sieve, look)| Sifter {
            sieve,
            look,
            options,
            store,
            checks_entries: false,
            pass: Pass::Copies(settled),
        });
        if let Some(sifter) = &sifter
            && let Some(spec) = &options.range
        {
            sifted.append(range::sift(self, sifter, spec, &mut ignored)?);
        }
        if let Some(places) = &sifted.places {
            places::of_range(store, &sifted, places, coverage, &mut batch);
            batch.flush();
            return Ok(());
        }
        let names = Names::read(self, &mut ignored);
        if let Some(sifter) = &sifter {
            let states = store.traverse(sifter, &mut ignored);
            sifted.objects.extend(states.into_iter().flat_map(|state| state.kept));
            sift_names(sifter, &names, &mut sifted, &mut ignored);
            sifted.sort();
        }
        let numbering = Numbering::of(store);
        let (mut links, seen) =
            Links::read(store, &numbering, &Targets::of(&sifted), sifter.as_ref());
        sifted.objects.extend(seen.kept);
        if let Some(sifter) = sifter.as_ref().filter(|_| !seen.hints.is_empty()) {
            // Names that hold a copy lead to objects that nobody looked for.
            hints::follow(sifter, seen.hints, &mut sifted, &mut ignored);
            links = Links::read(store, &numbering, &Targets::of(&sifted), None).0;
        }
        sifted.sort();
        let history = History::of(links, &numbering, &names);
        Scribe::new(self, store, &history, &sifted).locate(&sifted, coverage, &mut batch);
        batch.flush();
        Ok(())
    }
}

/// What was located and not yet seen.
struct Batch<'b> {
    see: &'b mut dyn FnMut(&[Located]),
    /// Where the repository stands in the one that was asked for.
    prefix: &'b [u8],
    located: Vec<Located>,
    bytes: usize,
}

impl Batch<'_> {
    /// Bytes that may wait.
    const BYTES: usize = 32 << 20;

    fn push(&mut self, bytes: Content, mut places: Vec<Provenance>) {
        if !self.prefix.is_empty() {
            places.iter_mut().for_each(|place| place.path = place.path.below(self.prefix));
        }
        self.bytes += bytes.len();
        self.located.push(Located { bytes, places });
        if self.bytes >= Self::BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        (self.see)(&self.located);
        self.located.clear();
        self.bytes = 0;
    }
}

/// Bytes that were looked at: an object as the store has read it, or a text.
#[derive(Clone, Debug)]
pub struct Content(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Object(Arc<Buffer>),
    Text(Vec<u8>),
}

impl Content {
    fn text(text: Vec<u8>) -> Self {
        Self(Kind::Text(text))
    }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Object(buffer) => buffer,
            Kind::Text(text) => text,
        }
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

/// Reads a kept object once more. One that is gone since is a gap.
fn read(
    store: &Store,
    id: &BlobId,
    reader: &mut Reader,
    coverage: &mut Coverage,
) -> Option<Arc<Buffer>> {
    match store.read(id, reader).unwrap_or(Err(EntryError::Missing)) {
        Ok(object) => Some(object.bytes),
        Err(error) => {
            let detail = format!("was read before and cannot be read again: {error}; scan again");
            coverage.gap(GapKind::MissingObject, id.to_string(), detail);
            None
        }
    }
}
