//! Applies suppressions to findings: one counts as suppressed when each of its present places is.

use super::Sighting;
use crate::finding::Suppression;
use crate::suppress::Day;
use crate::suppress::IgnoreFile;

/// All that suppresses findings in a run.
#[derive(Debug)]
pub struct Suppressions {
    /// Ignore files of the user and of the scanned repositories.
    pub ignore_files: Vec<IgnoreFile>,
    /// Whether comments beside a value count.
    pub inline: bool,
    /// The day on which entries may have expired.
    pub today: Day,
}

impl Suppressions {
    /// The suppression of a finding, if every place that can still be changed is suppressed. History cannot be changed,
    /// so its places matter only where there is no other.
    /// It has an `until` only if each of them has.
    pub(super) fn of(&self, rule_id: &str, sightings: &[Sighting]) -> Option<Suppression> {
        let is_present = |sighting: &&Sighting| sighting.provenance.reachability.is_none();
        let has_present = sightings.iter().any(|sighting| is_present(&sighting));
        let deciding = sightings.iter().filter(|sighting| !has_present || is_present(sighting));
        let all: Option<Vec<Suppression>> =
            deciding.map(|sighting| self.of_sighting(rule_id, sighting)).collect();
        let all = all?;
        let until = all.iter().map(|suppression| suppression.until.clone()).min().flatten();
        all.into_iter().next().map(|first| Suppression { until, ..first })
    }

    fn of_sighting(&self, rule_id: &str, sighting: &Sighting) -> Option<Suppression> {
        let path = match &sighting.candidate.member {
            Some(member) => &sighting.provenance.path.member(member.as_bytes()),
            None => &sighting.provenance.path,
        };
        let in_file = || {
            let fingerprint = sighting.candidate.secret.fingerprint();
            let found = self
                .ignore_files
                .iter()
                .find_map(|file| file.matching(&fingerprint, rule_id, path, &self.today))?;
            Some(Suppression {
                kind: "ignore_file".to_owned(),
                place: found.place,
                reason: found.reason,
                until: found.until.map(|day| day.to_string()),
            })
        };
        sighting.inline.clone().or_else(in_file)
    }
}
