//! The second pass: once a secret is known for sure, every other copy of it is found, also where nothing around it
//! speaks of the provider. Costs nothing when nothing was found.

use std::collections::BTreeMap;

use super::Run;
use super::ScanError;
use super::Sighting;
use super::Target;
use super::lock;
use crate::detect::KnownSecrets;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::provenance::Provenance;
use crate::source::Piece;

impl Run<'_> {
    /// Looks for copies of all secrets that are known: with high confidence, or by their owner.
    pub(super) fn trace(&self, targets: &[Target]) -> Result<(), ScanError> {
        let mut sure: BTreeMap<_, Candidate> = BTreeMap::new();
        for Sighting { candidate, .. } in lock(&self.found).iter() {
            if candidate.confidence < Confidence::High {
                continue;
            }
            let known =
                sure.entry(candidate.secret.fingerprint()).or_insert_with(|| candidate.clone());
            if candidate.rule_id < known.rule_id {
                *known = candidate.clone();
            }
        }
        let proven = sure.into_values().collect();
        let known = KnownSecrets::new(proven, &self.options.known_keys, self.detector);
        let Some(known) = known else { return Ok(()) };
        self.observer.phase("looking for copies of what was found");
        // The first pass has counted all gaps and all that was read.
        let counted = std::mem::take(&mut *lock(&self.coverage));
        let traced = targets
            .iter()
            .enumerate()
            .try_for_each(|(number, target)| self.trace_target(number, target, &known));
        *lock(&self.coverage) = counted;
        traced
    }

    fn trace_target(
        &self,
        number: usize,
        target: &Target,
        known: &KnownSecrets,
    ) -> Result<(), ScanError> {
        let look = |text: Piece<'_>, places: &[Provenance]| {
            self.look_for_copies(known, text, places, number);
        };
        self.visit(target, known, &|_| true, &look)
    }

    fn look_for_copies(
        &self,
        known: &KnownSecrets,
        text: Piece<'_>,
        places: &[Provenance],
        target: usize,
    ) {
        for place in places {
            let copies = self.detector.copies(known, text.bytes, &place.path);
            let sightings =
                copies.into_iter().map(|candidate| self.sighting(text, candidate, place, target));
            let mut sightings: Vec<Sighting> = sightings.collect();
            if !sightings.is_empty() {
                lock(&self.found).append(&mut sightings);
            }
        }
    }
}
