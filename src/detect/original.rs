//! Where a value stood before the build that wrote it into a bundle, and in place of which variable.

use crate::decode::MapPlace;
use crate::decode::Origin;
use crate::decode::SourceMap;
use crate::finding::Candidate;
use crate::finding::Evidence;
use crate::finding::Exposure;
use crate::finding::Original;
use crate::rule::Places;

/// Adds it to the candidates of a file which is a source map, or a script that holds its own.
pub(super) fn find(candidates: &mut [Candidate], bytes: &[u8], path: &[u8], places: &Places) {
    if path.ends_with(b".map") && !candidates.is_empty() {
        let Some(map) = SourceMap::parse(bytes) else { return };
        for candidate in candidates.iter_mut().filter(|candidate| candidate.member.is_none()) {
            add(candidate, map.holding(candidate.secret.expose()), places);
        }
    } else if candidates.iter().any(wants)
        && let Some(MapPlace::Inline(map)) = MapPlace::of(bytes)
    {
        find_in_map(candidates.iter_mut(), &map, places);
    }
}

/// Adds it to candidates of a script whose source map is `map`.
pub(super) fn find_in_map<'c>(
    candidates: impl Iterator<Item = &'c mut Candidate>,
    map: &[u8],
    places: &Places,
) {
    let Some(map) = SourceMap::parse(map) else { return };
    for candidate in candidates.filter(|candidate| wants(candidate)) {
        let region = candidate.region;
        let origin = map.origin((region.line, region.column), candidate.secret.expose());
        let origin = origin.or_else(|| map.holding(candidate.secret.expose()));
        add(candidate, origin, places);
    }
}

/// Whether a source map could tell more of a candidate.
fn wants(candidate: &Candidate) -> bool {
    candidate.exposure == Exposure::ClientBundle
        && candidate.member.is_none()
        && candidate.original.is_none()
}

fn add(candidate: &mut Candidate, origin: Option<Origin<'_>>, places: &Places) {
    let Some(origin) = origin else { return };
    if let Some(name) = origin.text.and_then(|text| public_variable(text, places)) {
        let text = format!("`{name}` stands in its place before the build");
        candidate.evidence.push(Evidence { weight: 0, text });
    }
    candidate.original =
        Some(Original { path: origin.path.to_owned(), line: origin.line, column: origin.column });
}

/// The variable in a line that a build tool replaces by its value.
fn public_variable<'t>(text: &'t str, places: &Places) -> Option<&'t str> {
    let mut words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.find(|word| {
        let rest = places.public_prefixes.iter().find_map(|prefix| word.strip_prefix(&**prefix));
        rest.is_some_and(|rest| rest.bytes().any(|byte| byte.is_ascii_uppercase()))
    })
}
