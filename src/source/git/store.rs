//! The object store: packs and loose objects of a repository and of its alternates.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::discover;
use super::files;
use super::loose;
use super::object::ObjectKind;
use super::pack::buffer::Buffer;
use super::pack::entry::EntryError;
use super::pack::forest::{Damaged, Forest};
use super::pack::traverse::{Seen, Visit, traverse};
use super::pack::{Object, Pack, Reader};
use super::repo::Repo;
use crate::blob::BlobId;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::stop::Stop;

/// Alternates of alternates are followed this deep, as in git.
const ALTERNATE_DEPTH: usize = 5;

/// Loose objects of one `objects` folder.
pub(crate) struct LooseFolder {
    objects: PathBuf,
    ids: Vec<BlobId>,
}

/// All packs and loose objects.
pub(crate) struct Store {
    /// The largest pack first.
    pub(crate) packs: Vec<Pack>,
    pub(crate) loose: Vec<LooseFolder>,
    pub(crate) hash_len: usize,
    /// Which entries of each pack are made from which, and what has no place there; sorted out when it is needed.
    forests: OnceLock<Vec<(Forest, Vec<Damaged>)>>,
    /// When to leave the rest.
    pub(crate) stop: Stop,
    /// By id the pack and the position of what a search does not find; sorted out when it is needed.
    misplaced: OnceLock<HashMap<BlobId, (usize, u32)>>,
}

impl Store {
    /// Opens all objects of a repository. What cannot be opened becomes a gap.
    pub(crate) fn of(repo: &Repo, coverage: &mut Coverage) -> Self {
        let mut store = Self {
            packs: vec![],
            loose: vec![],
            hash_len: repo.hash_len,
            forests: OnceLock::new(),
            stop: Stop::default(),
            misplaced: OnceLock::new(),
        };
        for folder in &object_folders(repo, coverage) {
            store.packs.extend(open_packs(folder, repo.hash_len, coverage));
            match loose::list(folder, repo.hash_len) {
                Ok(ids) => store.loose.push(LooseFolder { objects: folder.clone(), ids }),
                Err(error) => coverage.gap(
                    GapKind::Unreadable,
                    folder.display().to_string(),
                    format!("the loose objects cannot be listed: {error}"),
                ),
            }
        }
        store.packs.sort_by(|a, b| (b.index.count(), &a.path).cmp(&(a.index.count(), &b.path)));
        store
    }

    /// Lets each pack unpack to `expansion` bytes even if its size does not allow that, and stops when asked.
    pub(crate) fn within(mut self, expansion: u64, stop: &Stop) -> Self {
        self.allow(expansion);
        self.stop = stop.clone();
        self
    }

    /// Lets each pack unpack from now on to `expansion` bytes, or to what its size allows.
    pub(crate) fn allow(&self, expansion: u64) {
        self.packs.iter().for_each(|pack| pack.allow(expansion));
    }

    /// Whether the object is here.
    pub(crate) fn contains(&self, id: &[u8]) -> bool {
        self.packs.iter().any(|pack| pack.index.find(id).is_some())
            || self.loose.iter().any(|folder| folder.holds(id))
    }

    /// Reads an object; a damaged copy is passed over if there is another. `None` if there is none.
    pub(crate) fn read(
        &self,
        id: &BlobId,
        reader: &mut Reader,
    ) -> Option<Result<Object, EntryError>> {
        let mut failed = None;
        for pack in &self.packs {
            if let Some(position) = pack.index.find(id.as_bytes()) {
                match pack.read(position, reader) {
                    Ok(object) => return Some(Ok(object)),
                    Err(error) => failed = Some(Err(error)),
                }
            }
        }
        for folder in self.loose.iter().filter(|folder| folder.holds(id.as_bytes())) {
            let mut bytes = Buffer::default();
            match loose::read(&loose::path(&folder.objects, id), &mut reader.inflater, &mut bytes) {
                Ok(kind) => return Some(Ok(Object { kind, bytes: Arc::new(bytes) })),
                Err(error) => failed = Some(Err(error)),
            }
        }
        failed.or_else(|| {
            let &(pack, position) = self.misplaced().get(id)?;
            Some(self.packs[pack].read(position, reader))
        })
    }

    /// Where the objects are that no search finds, since a damaged index has its ids out of order or counts them wrongly.
    fn misplaced(&self) -> &HashMap<BlobId, (usize, u32)> {
        self.misplaced.get_or_init(|| {
            let mut misplaced = HashMap::new();
            for (at, pack) in
                self.packs.iter().enumerate().filter(|(_, pack)| !pack.index.finds_all())
            {
                let lost = |position: &u32| pack.index.find(pack.index.id(*position)).is_none();
                for position in (0..pack.index.count()).filter(lost) {
                    let id = BlobId::from_bytes(pack.index.id(position));
                    misplaced.extend(id.map(|id| (id, (at, position))));
                }
            }
            misplaced
        })
    }

    /// Visits every object of the wanted kinds, copies in several packs each time; the newest first, which stand loose or
    /// in small packs.
    pub(crate) fn traverse<V: Visit>(&self, visitor: &V, coverage: &mut Coverage) -> Vec<V::State> {
        let mut states = vec![];
        for at in 0..self.loose.len() {
            states.extend(self.traverse_loose(at, visitor));
        }
        let forests = self.forests.get_or_init(|| self.packs.iter().map(Forest::of).collect());
        for (at, (pack, (forest, damaged))) in self.packs.iter().zip(forests).enumerate().rev() {
            states.extend(traverse((pack, forest), &self.packs[..at], visitor, &self.stop));
            report_unplaced(pack, forest, damaged, coverage);
            if !pack.is_whole() {
                let detail = "the pack became shorter while it was read; scan again";
                coverage.gap(GapKind::CorruptObject, pack.path.display().to_string(), detail);
            }
        }
        states
    }

    fn traverse_loose<V: Visit>(&self, at: usize, visitor: &V) -> Vec<V::State> {
        let folder = &self.loose[at];
        let is_copy = |id: &[u8]| {
            self.packs.iter().any(|pack| pack.index.find(id).is_some())
                || self.loose[..at].iter().any(|folder| folder.holds(id))
        };
        let fold = folder.ids.par_iter().enumerate().with_min_len(64).fold(
            || (visitor.state(), Reader::new(), Buffer::default()),
            |(mut state, mut reader, mut bytes), (position, id)| {
                if self.stop.is_due() {
                    return (state, reader, bytes);
                }
                let raw = id.as_bytes();
                let stored = (self.packs.len() + at, u32::try_from(position).unwrap_or(u32::MAX));
                let seen =
                    |kind| Seen { id: raw, kind, is_copy: is_copy(raw), is_last: true, stored };
                match loose::read(
                    &loose::path(&folder.objects, id),
                    &mut reader.inflater,
                    &mut bytes,
                ) {
                    Ok(kind) if visitor.wants(kind) => {
                        visitor.whole(&mut state, &seen(kind), &bytes);
                    }
                    Ok(_) => {}
                    Err(error) => visitor.damaged(&mut state, &seen(ObjectKind::Blob), &error),
                }
                (state, reader, bytes)
            },
        );
        fold.map(|(state, ..)| state).collect()
    }

    /// Where an object is kept, to read many in a good order.
    pub(crate) fn place(&self, id: &BlobId) -> (usize, u64) {
        let packed = self.packs.iter().enumerate().find_map(|(at, pack)| {
            Some((
                at,
                pack.index.find(id.as_bytes()).and_then(|position| pack.index.offset(position))?,
            ))
        });
        packed.unwrap_or((usize::MAX, 0))
    }
}

/// Opens the packs of one `objects` folder.
pub(super) fn open_packs(objects: &Path, hash_len: usize, coverage: &mut Coverage) -> Vec<Pack> {
    let Ok(listing) = std::fs::read_dir(objects.join("pack")) else { return vec![] };
    let paths = listing.filter_map(|entry| Some(entry.ok()?.path()));
    let mut packs = vec![];
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "idx")) {
        let place = || path.display().to_string();
        match Pack::open(&path, hash_len) {
            Ok(pack) => {
                if !pack.fits_index() {
                    let detail = "the pack does not end with the checksum that its index names; run git fsck";
                    coverage.gap(GapKind::CorruptObject, place(), detail);
                }
                packs.push(pack);
            }
            Err(error) => {
                coverage.gap(GapKind::CorruptObject, place(), format!("{error}; run git fsck"));
            }
        }
    }
    packs
}

impl LooseFolder {
    /// The ids, sorted.
    pub(crate) fn ids(&self) -> &[BlobId] {
        &self.ids
    }

    /// Where `id` stands among the ids.
    pub(crate) fn position(&self, id: &[u8]) -> Option<u32> {
        let at = self.ids.binary_search_by(|own| own.as_bytes().cmp(id)).ok()?;
        u32::try_from(at).ok()
    }

    fn holds(&self, id: &[u8]) -> bool {
        self.position(id).is_some()
    }
}

/// Notes an object that cannot be read.
pub(crate) fn report(coverage: &mut Coverage, id: &[u8], error: &EntryError) {
    let kind = match error {
        EntryError::Base | EntryError::Missing => GapKind::MissingObject,
        EntryError::Size(_) | EntryError::Memory(_) => GapKind::TooLarge,
        EntryError::Expansion => GapKind::Limit,
        _ => GapKind::CorruptObject,
    };
    let place = BlobId::from_bytes(id).map_or_else(String::new, |id| id.to_string());
    coverage.gap(kind, place, format!("git object not scanned: {error}"));
}

/// Notes an object that a partial clone has left with its remote.
pub(crate) fn note_promised(coverage: &mut Coverage, id: BlobId) {
    let detail = "a partial clone does not hold this object; fetch it, or scan a full clone";
    coverage.gap(GapKind::Promised, id.to_string(), detail);
}

/// Reports entries without a place in the forest, what is made from them, and deltas that go round in a circle.
fn report_unplaced(pack: &Pack, forest: &Forest, damaged: &[Damaged], coverage: &mut Coverage) {
    let mut reported = BTreeSet::new();
    for entry in damaged {
        report(coverage, pack.index.id(entry.position), &entry.error);
        reported.insert(entry.position);
    }
    if forest.is_whole() {
        return;
    }
    for position in forest.unreached().into_iter().map(|entry| forest.position(entry)) {
        if reported.insert(position) {
            report(coverage, pack.index.id(position), &EntryError::Base);
        }
    }
}

/// The `objects` folders of a repository and of its alternates.
pub(super) fn object_folders(repo: &Repo, coverage: &mut Coverage) -> BTreeSet<PathBuf> {
    let named = std::iter::once(&repo.common_dir).chain(&repo.more_objects);
    let trusted = named.map(|folder| canonical(folder)).collect();
    let mut folders = Folders { repo, trusted, found: BTreeSet::new() };
    for objects in std::iter::once(&repo.common_dir.join("objects")).chain(&repo.more_objects) {
        folders.collect(objects, 0, coverage);
    }
    folders.found
}

/// Collects `objects` folders.
struct Folders<'r> {
    repo: &'r Repo,
    /// The repository, whose owner was looked at, and what git itself has named; what is in there is trusted.
    trusted: Vec<PathBuf>,
    found: BTreeSet<PathBuf>,
}

impl Folders<'_> {
    /// Adds a folder and its alternates.
    fn collect(&mut self, objects: &Path, depth: usize, coverage: &mut Coverage) {
        let real = canonical(objects);
        let is_trusted =
            self.repo.trust_owner || self.trusted.iter().any(|trusted| real.starts_with(trusted));
        if !is_trusted && !discover::may_lend(&real) {
            let detail = "objects are borrowed from here, and it belongs to another user; if you trust its owner, pass --trust-owner";
            coverage.gap(GapKind::Repository, objects.display().to_string(), detail);
            return;
        }
        if !self.found.insert(real) {
            return;
        }
        let text = files::read(&objects.join("info/alternates"), files::TEXT_LIMIT);
        let text = text.unwrap_or_default();
        let lines = text.split(|&byte| byte == b'\n');
        for line in lines.filter(|line| !line.is_empty() && line[0] != b'#') {
            let path = objects.join(String::from_utf8_lossy(line).as_ref());
            if !path.is_dir() || depth >= ALTERNATE_DEPTH {
                let detail = "objects borrowed from here (objects/info/alternates) cannot be read";
                coverage.gap(GapKind::MissingObject, path.display().to_string(), detail);
                continue;
            }
            self.collect(&path, depth + 1, coverage);
        }
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
