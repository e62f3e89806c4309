//! Reads secrets again from the places that a report names, since reports hold none. A value counts only if its hash is
//! the one in the report.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::detect::Detector;
use crate::finding::Candidate;
use crate::finding::Finding;
use crate::finding::Occurrence;
use crate::finding::ScanReport;
use crate::provenance::Origin;
use crate::source::git::OpenOptions;
use crate::source::git::Repo;

/// Larger files are not read again.
const MAX_FILE: u64 = 1 << 30;

/// The leaks of a report with their secrets, as far as their places still hold them; in the report's order. `roots` are
/// the folders to which the paths of each target are relative.
#[must_use]
pub fn reread(report: &ScanReport, roots: &[PathBuf], detector: &Detector) -> Vec<Candidate> {
    let open =
        |root: &PathBuf| Repo::discover(root, &OpenOptions { trust_owner: true }).ok().flatten();
    let places: Vec<(&PathBuf, Option<Repo>)> =
        roots.iter().map(|root| (root, open(root))).collect();
    let leaks = report.findings.iter().filter(|finding| finding.is_leak());
    leaks
        .filter_map(|finding| {
            finding.occurrences.iter().find_map(|occurrence| {
                let (root, repo) = places.get(occurrence.target)?;
                let bytes = bytes(occurrence, root, repo.as_ref())?;
                candidate(finding, occurrence, &bytes, detector)
            })
        })
        .collect()
}

/// What stands at a place: a name, a git object, or a file.
fn bytes(occurrence: &Occurrence, root: &Path, repo: Option<&Repo>) -> Option<Vec<u8>> {
    if matches!(occurrence.origin, Origin::RefName | Origin::FileName) {
        return Some(occurrence.path.as_bytes().to_vec());
    }
    if let Some(id) = &occurrence.blob_id {
        return repo?.read_text(id);
    }
    let shown = outer_path(occurrence).to_string();
    let path = Path::new(&shown);
    // A report comes from anywhere; it cannot name files outside of its target.
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    is_below.then(|| crate::source::git::read_file(&root.join(path), MAX_FILE).ok()).flatten()
}

/// The path without the member of an archive.
fn outer_path(occurrence: &Occurrence) -> BlobPath {
    let path = occurrence.path.as_bytes();
    let end = memchr::memmem::find(path, b"!/").unwrap_or(path.len());
    BlobPath::new(&path[..end])
}

/// The value with the finding's hash, with what the report knows about it.
fn candidate(
    finding: &Finding,
    occurrence: &Occurrence,
    bytes: &[u8],
    detector: &Detector,
) -> Option<Candidate> {
    let found = detector.candidates(bytes, &outer_path(occurrence), &mut Coverage::default());
    let same = found
        .into_iter()
        .find(|candidate| candidate.secret.fingerprint() == finding.secret.sha256)?;
    Some(Candidate { rule_id: finding.rule_id.clone(), environment: finding.environment, ..same })
}
