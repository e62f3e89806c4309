//! Applies suppressions to findings: one counts as suppressed when each of its present places is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Sighting;
use crate::finding::Kind;
use crate::finding::StaleSuppression;
use crate::finding::Suppression;
use crate::suppress::IgnoreFile;
use crate::suppress::Judge;
use crate::suppress::Subject;

/// Takes the comment away from values that share a line with others, unless it says which of them it means: whoever wrote
/// it has seen one value, and a further one must not hide behind it.
pub(super) fn refuse_ambiguous(sightings: &mut [Sighting]) {
    let line = |sighting: &Sighting| {
        let place = &sighting.provenance;
        let commit = place.commit.as_ref().map(|commit| commit.id);
        (sighting.target, place.path.clone(), place.blob_id, commit, sighting.candidate.region.line)
    };
    let is_bare = |sighting: &Sighting| {
        sighting.candidate.kind == Kind::Leak
            && sighting.inline.as_ref().is_some_and(|inline| !inline.names_it)
    };
    let mut values: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| is_bare(sighting)) {
        values.entry(line(sighting)).or_default().insert(sighting.candidate.secret.fingerprint());
    }
    values.retain(|_, values| values.len() > 1);
    for sighting in sightings.iter_mut().filter(|sighting| is_bare(sighting)) {
        if values.contains_key(&line(sighting)) {
            sighting.inline = None;
        }
    }
}

/// All that suppresses findings in a run.
#[derive(Debug)]
pub struct Suppressions {
    /// Ignore files of the user and of the scanned repositories.
    pub ignore_files: Vec<IgnoreFile>,
    /// Whether comments beside a value count.
    pub inline: bool,
    /// The day, and the key of `hmac:` entries.
    pub judge: Judge,
    /// Whether whole repositories are scanned, so that an entry which matches nothing is stale.
    pub is_whole: bool,
}

impl Suppressions {
    /// The entries that do nothing: after a whole scan those that match nothing, and always those that need a key.
    pub(super) fn stale(&self) -> Vec<StaleSuppression> {
        let mut stale = vec![];
        for file in &self.ignore_files {
            if file.needs_hmac_key() && self.judge.hmac_key.is_none() {
                let detail = "its `hmac:` entries count only with SIGNLEAK_FINGERPRINT_KEY";
                stale.push(StaleSuppression {
                    place: file.name().to_owned(),
                    detail: detail.to_owned(),
                });
                continue;
            }
            stale.extend(file.unused_lines().filter(|_| self.is_whole).map(|line| {
                StaleSuppression {
                    place: format!("{}:{line}", file.name()),
                    detail: "is stale: nothing matches it any more; take it out".to_owned(),
                }
            }));
        }
        stale.sort();
        stale.dedup();
        stale
    }

    /// The suppression of a finding, if every place that can still be changed is suppressed. History cannot be changed,
    /// so its places matter only where there is no other.
    /// It has an `until` only if each of them has.
    pub(super) fn of(&self, rule_id: &str, sightings: &[Sighting]) -> Option<Suppression> {
        // Every place is judged, so that no entry seems to match nothing.
        let judged = sightings.iter().map(|sighting| {
            (sighting.provenance.reachability.is_none(), self.of_sighting(rule_id, sighting))
        });
        let judged: Vec<(bool, Option<Suppression>)> = judged.collect();
        let has_present = judged.iter().any(|(is_present, _)| *is_present);
        let deciding = judged.into_iter().filter(|(is_present, _)| !has_present || *is_present);
        let all: Vec<Suppression> =
            deciding.map(|(_, suppression)| suppression).collect::<Option<_>>()?;
        let until = all.iter().map(|suppression| suppression.until.clone()).min().flatten();
        all.into_iter().next().map(|first| Suppression { until, ..first })
    }

    fn of_sighting(&self, rule_id: &str, sighting: &Sighting) -> Option<Suppression> {
        let path = match &sighting.candidate.member {
            Some(member) => &sighting.provenance.path.member(member.as_bytes()),
            None => &sighting.provenance.path,
        };
        let subject = Subject {
            secret: &sighting.candidate.secret,
            rule_id,
            path,
            line: sighting.candidate.region.line,
            commit: sighting.provenance.commit.as_ref().map(|commit| commit.id),
        };
        let in_files = self.ignore_files.iter().map(|file| file.matching(&subject, &self.judge));
        let in_file = in_files.fold(None, Option::or);
        let inline = sighting.inline.as_ref().map(|inline| inline.suppression.clone());
        inline.or(in_file)
    }
}
