//! What was scanned and what was not. A gap never stops a scan and is never lost.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// Gaps that are listed with their place, per kind; further ones are only counted.
pub const LISTED_GAPS: usize = 50;

/// Why something was not scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A file or folder could not be read.
    Unreadable,
    /// A FIFO, socket or device.
    NotAFile,
    /// A symbolic link that leaves the target or goes round in a loop.
    Symlink,
    /// Larger than the limit, and the user asked not to scan such blobs.
    TooLarge,
    /// An archive or encoded part hit a limit on depth, ratio, count or total.
    ArchiveLimit,
    /// An archive that is encrypted, damaged or of a kind not supported.
    ArchiveUnreadable,
    /// A git object is damaged.
    CorruptObject,
    /// A git object is missing.
    MissingObject,
    /// The history ends at a shallow boundary.
    Shallow,
    /// A partial clone does not hold this object.
    Promised,
    /// A Git LFS pointer whose content is not here.
    LfsPointer,
    /// A submodule that is not checked out.
    Submodule,
    /// The repository could not be opened or uses a format that is not supported.
    Repository,
    /// A limit on work or time was reached.
    Limit,
    /// The scanner made a mistake.
    Failure,
}

/// One thing that was not scanned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// Where: a path, an object id or a ref, escaped for display.
    pub place: String,
    /// What happened and what to do about it, one sentence.
    pub detail: String,
}

/// Counts of what was scanned, and the gaps. Parts merge in any order to the same result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Coverage {
    /// Files, standard input included.
    pub files: u64,
    /// Bytes of those files.
    pub file_bytes: u64,
    /// Git objects of all kinds.
    pub objects: u64,
    /// Blobs among them.
    pub blobs: u64,
    /// Bytes of the objects after unpacking.
    pub object_bytes: u64,
    /// Commits among them.
    pub commits: u64,
    /// Ref names and reflog entries.
    pub refs: u64,
    gaps: BTreeMap<GapKind, (u64, Vec<Gap>)>,
}

impl Coverage {
    /// Notes a gap.
    pub fn gap(&mut self, kind: GapKind, place: impl Into<String>, detail: impl Into<String>) {
        self.insert(Gap { kind, place: place.into(), detail: detail.into() });
    }

    /// Adds what another worker, or a report from anywhere, has seen.
    pub fn merge(&mut self, other: Self) {
        self.files = self.files.saturating_add(other.files);
        self.file_bytes = self.file_bytes.saturating_add(other.file_bytes);
        self.objects = self.objects.saturating_add(other.objects);
        self.blobs = self.blobs.saturating_add(other.blobs);
        self.object_bytes = self.object_bytes.saturating_add(other.object_bytes);
        self.commits = self.commits.saturating_add(other.commits);
        self.refs = self.refs.saturating_add(other.refs);
        for (kind, (count, listed)) in other.gaps {
            let unlisted = count - listed.len() as u64;
            listed.into_iter().for_each(|gap| self.insert(gap));
            let sum = &mut self.gaps.entry(kind).or_default().0;
            *sum = sum.saturating_add(unlisted);
        }
    }

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Whether nothing at all was looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files == 0 && self.objects == 0 && self.refs == 0
    }

    /// Number of gaps by kind, in a fixed order.
    pub fn gap_counts(&self) -> impl Iterator<Item = (GapKind, u64)> + '_ {
        self.gaps.iter().map(|(kind, (count, _))| (*kind, *count))
    }

    /// The listed gaps, in a fixed order.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.values().flat_map(|(_, listed)| listed)
    }

    /// Changes the texts of all listed gaps.
    pub fn rewrite(&mut self, mut change: impl FnMut(&mut String)) {
        for (_, listed) in self.gaps.values_mut() {
            for gap in &mut *listed {
                change(&mut gap.place);
                change(&mut gap.detail);
            }
            listed.sort();
        }
    }

    /// Keeps the smallest gaps of each kind, so that the list does not depend on the order of arrival.
    fn insert(&mut self, gap: Gap) {
        let (count, listed) = self.gaps.entry(gap.kind).or_default();
        *count = count.saturating_add(1);
        let at = listed.binary_search(&gap).unwrap_or_else(|at| at);
        listed.insert(at, gap);
        listed.truncate(LISTED_GAPS);
    }
}

/// Coverage as reports spell it.
#[derive(Serialize, Deserialize)]
struct Wire {
    complete: bool,
    files: u64,
    file_bytes: u64,
    objects: u64,
    blobs: u64,
    commits: u64,
    object_bytes: u64,
    refs: u64,
    gap_counts: BTreeMap<GapKind, u64>,
    gaps: Vec<Gap>,
}

impl From<Coverage> for Wire {
    fn from(coverage: Coverage) -> Self {
        Self {
            complete: coverage.is_complete(),
            files: coverage.files,
            file_bytes: coverage.file_bytes,
            objects: coverage.objects,
            blobs: coverage.blobs,
            commits: coverage.commits,
            object_bytes: coverage.object_bytes,
            refs: coverage.refs,
            gap_counts: coverage.gap_counts().collect(),
            gaps: coverage.gaps.into_values().flat_map(|(_, listed)| listed).collect(),
        }
    }
}

impl TryFrom<Wire> for Coverage {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let mut coverage = Self {
            files: wire.files,
            file_bytes: wire.file_bytes,
            objects: wire.objects,
            blobs: wire.blobs,
            object_bytes: wire.object_bytes,
            commits: wire.commits,
            refs: wire.refs,
            gaps: BTreeMap::new(),
        };
        wire.gaps.into_iter().for_each(|gap| coverage.insert(gap));
        for (kind, count) in &mut coverage.gaps {
            let told = wire.gap_counts.get(kind).copied();
            count.0 = told
                .filter(|told| *told >= count.0)
                .ok_or("`gaps` lists more than `gap_counts` counts")?;
        }
        for (kind, told) in wire.gap_counts {
            coverage.gaps.entry(kind).or_insert((told, vec![]));
        }
        if wire.complete == coverage.is_complete() {
            Ok(coverage)
        } else {
            Err("`complete` contradicts `gap_counts`")
        }
    }
}
