//! Asks the source maps that stand beside scripts where what was found in them stood before the build. Only for files: in
//! a history a map may be of another day than its script.

use std::collections::BTreeMap;
use std::path::Component;
use std::path::Path;

use super::Options;
use super::Sighting;
use super::Target;
use super::target;
use crate::decode::MapPlace;
use crate::detect::Detector;
use crate::finding::Candidate;
use crate::finding::Exposure;
use crate::provenance::Origin;
use crate::source::git::read_end;
use crate::source::git::read_file;

/// Larger maps are not read.
const MAX_FILE: u64 = 256 << 20;
/// Bytes at the end of a script in which its map is named.
const TAIL: u64 = 64 << 10;

/// Adds to the candidates of each script what its map tells.
pub(super) fn find(
    found: &mut [Sighting],
    targets: &[Target],
    options: &Options,
    detector: &Detector,
) {
    let mut scripts: BTreeMap<(usize, Vec<u8>), Vec<&mut Candidate>> = BTreeMap::new();
    for sighting in found.iter_mut().filter(|sighting| is_in_script(sighting)) {
        let path = sighting.provenance.path.as_bytes().to_vec();
        scripts.entry((sighting.target, path)).or_default().push(&mut sighting.candidate);
    }
    for ((number, path), candidates) in scripts {
        let map = target::place(&targets[number], options)
            .and_then(|(base, _)| map_of(&base, Path::new(std::str::from_utf8(&path).ok()?)));
        if let Some(map) = map {
            detector.find_originals(candidates.into_iter(), &map);
        }
    }
}

fn is_in_script(sighting: &Sighting) -> bool {
    let candidate = &sighting.candidate;
    sighting.provenance.origin == Origin::Worktree
        && candidate.exposure == Exposure::ClientBundle
        && candidate.member.is_none()
        && candidate.original.is_none()
        && !sighting.provenance.path.as_bytes().ends_with(b".map")
}

/// The map that the script at `path` names, or that has its name. A script comes from anywhere; it cannot name files
/// outside of its target.
fn map_of(base: &Path, path: &Path) -> Option<Vec<u8>> {
    let script = read_end(&base.join(path), TAIL).ok()?;
    let name = match MapPlace::of(&script) {
        Some(MapPlace::File(name)) => name,
        Some(MapPlace::Inline(_)) => return None,
        None => format!("{}.map", path.file_name()?.to_str()?),
    };
    let map = path.parent()?.join(name);
    let is_below =
        map.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    is_below.then(|| read_file(&base.join(map), MAX_FILE).ok()).flatten()
}
