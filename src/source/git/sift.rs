//! The pass over every object: what the sieve or a path hint points at is looked at, and what the look keeps is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use thiserror::Error;

use super::hints::{self, Hint};
use super::lfs;
use super::names::Names;
use super::object::{Mode, ObjectKind, message_text, tree_entries};
use super::pack::Reader;
use super::pack::delta::Delta;
use super::pack::entry::EntryError;
use super::pack::traverse::{Base, Seen, Visit};
use super::range::{self, RangeSpec};
use super::repo::Repo;
use super::settled::{self, Gram, MARGIN, Settled};
use super::sifted::{FirstPass, Kept, KeptText, Sifted};
use super::store::{Store, note_promised, report};
use super::verify;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::provenance::Origin;
use crate::sieve::{HEAD_BYTES, Sieve};
use crate::source::pieces;
use crate::stop::Stop;

/// Decides about bytes that the sieve let through; `true` keeps them. The flag says that a path or name may speak for them, so
/// that they need not speak for themselves.
pub type Look<'a> = dyn Fn(&[u8], bool) -> bool + Sync + 'a;

/// What is scanned and how.
#[derive(Clone, Debug, Default)]
pub struct SiftOptions {
    /// Larger blobs become a gap; `None` scans all.
    pub max_blob_size: Option<u64>,
    /// Hashes every object and compares it with its id.
    pub verify_objects: bool,
    /// Only what these commits introduce, at a cost that follows the range.
    pub range: Option<RangeSpec>,
    /// Bytes that the deltas of a small pack may unpack to, if that is more than the default.
    pub max_expansion: u64,
    /// When to leave the rest.
    pub stop: Stop,
}

/// Why nothing could be sifted.
#[derive(Debug, Error)]
pub enum SiftError {
    /// The range names no commits.
    #[error(transparent)]
    Range(#[from] range::RangeError),
}

impl Repo {
    /// Passes over every object, ref name and reflog line, and remembers what `look` keeps.
    ///
    /// `look` is called, in parallel, with the full bytes of what the sieve or a path hint points at; of commits and tags it
    /// is shown what people wrote. It must give the same answer to the same bytes. What cannot be scanned is noted in `coverage`.
    ///
    /// # Errors
    /// A range that names no commits; damage is a gap, never an error.
    pub fn sift(
        &self,
        sieve: &dyn Sieve,
        look: &Look<'_>,
        options: &SiftOptions,
        coverage: &mut Coverage,
    ) -> Result<Sifted, SiftError> {
        let first =
            FirstPass::of(Store::of(self, coverage).within(options.max_expansion, &options.stop));
        let FirstPass { store, settled } = &first;
        let sifter = Sifter {
            sieve,
            look,
            options,
            store,
            checks_entries: self.is_partial,
            pass: Pass::First(settled),
        };
        if let Some(spec) = &options.range {
            return Ok(range::sift(self, &sifter, spec, coverage)?);
        }
        // Tens of thousands of refs take a while, in which the other workers need not wait.
        let (mut sifted, mut hinted, mut missing) =
            (Sifted::default(), BTreeSet::new(), BTreeSet::new());
        let mut named = Coverage::default();
        let (shallow, states) = rayon::join(
            || {
                let names = Names::read(self, &mut named);
                sift_names(&sifter, &names, &mut sifted, &mut named);
                names.shallow.len()
            },
            || store.traverse(&sifter, coverage),
        );
        coverage.merge(named);
        for state in states {
            coverage.merge(state.coverage);
            sifted.objects.extend(state.kept);
            hinted.extend(state.hints);
            missing.extend(state.missing);
            settled.append(state.grams);
        }
        if options.stop.is_due() {
            let detail = "the scan was stopped before all of the history was read";
            coverage.gap(GapKind::Limit, self.git_dir.display().to_string(), detail);
        }
        missing.into_iter().for_each(|id| note_promised(coverage, id));
        hints::follow(&sifter, hinted, &mut sifted, coverage);
        if shallow > 0 {
            let detail = format!(
                "a shallow clone: history ends at {shallow} commits; run git fetch --unshallow"
            );
            coverage.gap(GapKind::Shallow, self.git_dir.display().to_string(), detail);
        }
        sifted.sort();
        // Where nothing was found there is nothing to spare, and other histories may need the memory.
        sifted.first = settled.is_awake().then(|| Arc::new(first));
        Ok(sifted)
    }
}

/// Looks at ref names and reflog lines.
pub(crate) fn sift_names(
    sifter: &Sifter<'_>,
    names: &Names,
    sifted: &mut Sifted,
    coverage: &mut Coverage,
) {
    coverage.refs += (names.refs.len() + names.log.len()) as u64;
    for (name, id) in &names.refs {
        if sifter.keeps(name) {
            let (bytes, name, id) = (name.clone(), name.clone(), Some(*id));
            sifted.texts.push(KeptText { origin: Origin::RefName, bytes, name, id });
        }
        if !sifter.store.contains(id.as_bytes()) {
            let place = String::from_utf8_lossy(name).escape_debug().to_string();
            coverage.gap(
                GapKind::MissingObject,
                place,
                format!("the ref names {id}, which is not here"),
            );
        }
    }
    for line in &names.log {
        if sifter.keeps(&line.text) {
            let (bytes, name, id) = (line.text.clone(), line.name.clone(), line.new.or(line.old));
            sifted.texts.push(KeptText { origin: Origin::Reflog, bytes, name, id });
        }
    }
}

/// What a pass needs to know.
pub(crate) struct Sifter<'a> {
    pub(crate) sieve: &'a dyn Sieve,
    pub(crate) look: &'a Look<'a>,
    pub(crate) options: &'a SiftOptions,
    pub(crate) store: &'a Store,
    /// Whether tree entries may name objects that are not here.
    pub(crate) checks_entries: bool,
    pub(crate) pass: Pass<'a>,
}

/// The first pass over a history, or the one that seeks copies of what was found.
pub(crate) enum Pass<'a> {
    /// Sees all objects, and remembers what need not be seen again.
    First(&'a Settled),
    /// Sees only blobs, since attribution reads the rest, and leaves out those that are settled.
    Copies(Option<&'a Settled>),
}

/// What one worker has seen.
#[derive(Default)]
pub(crate) struct SiftState {
    pub(crate) coverage: Coverage,
    pub(crate) kept: Vec<Kept>,
    pub(crate) hints: BTreeSet<Hint>,
    missing: BTreeSet<BlobId>,
    grams: Vec<Gram>,
    /// What stands around the seams of the delta that is seen.
    crossed: Vec<u8>,
    /// Whether that was gathered for [`Settled`], too.
    is_remembered: bool,
    /// The first bytes of the object that is seen.
    head: Vec<u8>,
}

impl Sifter<'_> {
    /// Whether a short text passes the sieve and the look.
    pub(crate) fn keeps(&self, text: &[u8]) -> bool {
        self.sieve.may_match(text) && (self.look)(text, true)
    }

    /// Looks at an object without asking the sieve, and remembers it if it is kept.
    pub(crate) fn force(&self, state: &mut SiftState, kept: Kept, bytes: &[u8], is_hinted: bool) {
        let Kept { kind, id } = kept;
        let is_kept = match kind {
            ObjectKind::Blob => {
                !self.is_too_large(state, id.as_bytes(), bytes.len() as u64)
                    && pieces(bytes).any(|piece| (self.look)(piece.bytes, is_hinted))
            }
            ObjectKind::Commit | ObjectKind::Tag => (self.look)(&message_text(bytes), true),
            ObjectKind::Tree => false,
        };
        if is_kept {
            state.kept.push(kept);
            if let Pass::First(settled) = self.pass {
                settled.wake();
            }
        }
    }

    /// Scans a whole object; returns whether the sieve matched.
    pub(crate) fn scan(&self, state: &mut SiftState, seen: &Seen<'_>, bytes: &[u8]) -> bool {
        let matched = self.sieve.may_match(bytes);
        // The id stands in the index, far from all else: it is read only for what needs it.
        let force = |state: &mut SiftState| {
            if let Some(id) = BlobId::from_bytes(seen.id) {
                self.force(state, Kept { kind: seen.kind, id }, bytes, false);
            }
        };
        match seen.kind {
            ObjectKind::Blob => {
                let is_opaque =
                    !matched && self.sieve.is_opaque(&bytes[..bytes.len().min(HEAD_BYTES)]);
                if matched || is_opaque {
                    force(state);
                }
                note_lfs(&mut state.coverage, seen.id, bytes, bytes.len() as u64);
                let settled = self.remembers(seen).filter(|_| !matched && !is_opaque);
                if let Some(settled) = settled {
                    settled.settle(seen.stored, &[bytes], &mut state.grams);
                }
                matched || is_opaque
            }
            ObjectKind::Commit | ObjectKind::Tag => {
                if matched {
                    force(state);
                }
                matched
            }
            ObjectKind::Tree => {
                if matched || self.checks_entries {
                    self.entries(state, bytes);
                }
                matched
            }
        }
    }

    /// Whether a delta does not tell enough, so that the object itself has to be seen.
    fn needs_whole(&self, seen: &Seen<'_>, base: &Base<bool>) -> bool {
        base.mark
            || self.options.verify_objects
            || (self.checks_entries && seen.kind == ObjectKind::Tree)
    }

    /// Where to remember that a blob need not be read in search of copies; `None` as long as nothing was found.
    fn remembers(&self, seen: &Seen<'_>) -> Option<&Settled> {
        match self.pass {
            Pass::First(settled) if seen.kind == ObjectKind::Blob && settled.is_awake() => {
                Some(settled)
            }
            _ => None,
        }
    }

    /// Collects hints from the names in a tree, and ids that are not here.
    pub(crate) fn entries(&self, state: &mut SiftState, bytes: &[u8]) {
        for entry in
            tree_entries(bytes, self.store.hash_len).filter(|entry| entry.mode != Mode::Submodule)
        {
            let Some(id) = BlobId::from_bytes(entry.id) else { continue };
            if self.sieve.may_match(entry.name) {
                state.hints.insert(Hint {
                    id,
                    is_tree: entry.mode == Mode::Tree,
                    name: entry.name.to_vec(),
                });
            }
            if self.checks_entries && !self.store.contains(entry.id) {
                state.missing.insert(id);
            }
        }
    }

    fn is_too_large(&self, state: &mut SiftState, id: &[u8], size: u64) -> bool {
        let Some(limit) = self.options.max_blob_size.filter(|&limit| size > limit) else {
            return false;
        };
        let place = BlobId::from_bytes(id).map_or_else(String::new, |id| id.to_string());
        state.coverage.gap(
            GapKind::TooLarge,
            place,
            format!("a blob of {size} bytes, over the limit of {limit}"),
        );
        true
    }
}

impl Visit for Sifter<'_> {
    type State = SiftState;
    type Mark = bool;

    fn state(&self) -> SiftState {
        SiftState::default()
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        matches!(self.pass, Pass::First(_)) || kind == ObjectKind::Blob
    }

    fn passes_by(&self) -> bool {
        matches!(self.pass, Pass::Copies(Some(_)))
    }

    fn pass_by(&self, stored: (usize, u32), base: Option<&bool>) -> Option<bool> {
        let Pass::Copies(Some(settled)) = self.pass else { return None };
        (base != Some(&true) && settled.holds_none(stored)).then_some(false)
    }

    /// Notes what stands around those seams that what is sought may cross.
    fn parse<'d>(
        &self,
        state: &mut SiftState,
        seen: &Seen<'_>,
        base: &Base<bool>,
        bytes: &'d [u8],
    ) -> Result<Delta<'d>, EntryError> {
        if self.needs_whole(seen, base) {
            return Delta::parse(bytes, base.bytes.len());
        }
        // Decided once, since it may change at any time.
        state.is_remembered = self.remembers(seen).is_some();
        let (base, crossed) = (&base.bytes, &mut state.crossed);
        let margin = self.sieve.longest_form().saturating_sub(1);
        match self.sieve.seams() {
            // Nearly always, so nothing else is asked for each of millions of seams.
            Some(seams) if !state.is_remembered => {
                let may_cross = |before: &[u8], behind: &[u8]| seams.may_cross(before, behind);
                Delta::parse_crossed(bytes, base, margin, may_cross, crossed)
            }
            seams => {
                let may_cross = |before: &[u8], behind: &[u8]| {
                    settled::may_cross(before, behind)
                        || seams.is_none_or(|seams| seams.may_cross(before, behind))
                };
                Delta::parse_crossed(bytes, base, margin.max(MARGIN), may_cross, crossed)
            }
        }
    }

    fn delta(
        &self,
        state: &mut SiftState,
        seen: &Seen<'_>,
        base: &Base<bool>,
        delta: &Delta<'_>,
    ) -> Option<bool> {
        if self.needs_whole(seen, base) {
            return None;
        }
        if seen.kind == ObjectKind::Blob && !delta.keeps_head(HEAD_BYTES) {
            delta.head(&base.bytes, HEAD_BYTES, &mut state.head);
            if self.sieve.is_opaque(&state.head) {
                return None;
            }
            note_lfs(&mut state.coverage, seen.id, &state.head, delta.size);
        }
        let brought = [delta.inserted(), &state.crossed];
        if brought.iter().any(|bytes| self.sieve.may_match(bytes)) {
            return None;
        }
        if let Some(settled) = self.remembers(seen).filter(|_| state.is_remembered) {
            settled.settle(seen.stored, &brought, &mut state.grams);
        }
        count(state, seen, delta.size);
        Some(false)
    }

    fn whole(&self, state: &mut SiftState, seen: &Seen<'_>, bytes: &[u8]) -> bool {
        count(state, seen, bytes.len() as u64);
        if self.options.verify_objects && !verify::id_fits(seen, bytes) {
            report(
                &mut state.coverage,
                seen.id,
                &EntryError::Io("its bytes do not have this id".to_owned()),
            );
        }
        self.scan(state, seen, bytes)
    }

    fn damaged(&self, state: &mut SiftState, seen: &Seen<'_>, error: &EntryError) {
        report(&mut state.coverage, seen.id, error);
    }
}

/// Reads objects in the order of the packs and hands each to `see`.
pub(crate) fn read_each(
    sifter: &Sifter<'_>,
    mut ids: Vec<BlobId>,
    see: impl Fn(&mut SiftState, BlobId, ObjectKind, &[u8]) + Sync,
) -> Vec<SiftState> {
    ids.sort_by_cached_key(|id| (sifter.store.place(id), *id));
    let fold = ids.par_iter().with_min_len(32).fold(
        || (SiftState::default(), Reader::new()),
        |(mut state, mut reader), id| {
            if sifter.store.stop.is_due() {
                return (state, reader);
            }
            match sifter.store.read(id, &mut reader) {
                Some(Ok(object)) => see(&mut state, *id, object.kind, &object.bytes),
                Some(Err(error)) => report(&mut state.coverage, id.as_bytes(), &error),
                None if sifter.checks_entries => {}
                None => report(&mut state.coverage, id.as_bytes(), &EntryError::Missing),
            }
            (state, reader)
        },
    );
    fold.map(|(state, _)| state).collect()
}

fn count(state: &mut SiftState, seen: &Seen<'_>, size: u64) {
    if seen.is_copy {
        return;
    }
    state.coverage.objects += 1;
    state.coverage.object_bytes += size;
    match seen.kind {
        ObjectKind::Blob => state.coverage.blobs += 1,
        ObjectKind::Commit => state.coverage.commits += 1,
        ObjectKind::Tree | ObjectKind::Tag => {}
    }
}

fn note_lfs(coverage: &mut Coverage, id: &[u8], head: &[u8], size: u64) {
    if lfs::is_pointer(head, size) {
        let place = BlobId::from_bytes(id).map_or_else(String::new, |id| id.to_string());
        coverage.gap(
            GapKind::LfsPointer,
            place,
            "a Git LFS pointer; the content it names was not scanned",
        );
    }
}
