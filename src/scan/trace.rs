//! The second pass: once a secret is known for sure, every other copy of it is found, also where nothing around it
//! speaks of the provider. Costs nothing when nothing was found.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::LineStarts;
use super::Run;
use super::ScanError;
use super::Sighting;
use super::Target;
use super::history::History;
use super::lock;
use super::spared;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::detect::KnownKey;
use crate::detect::KnownSecrets;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::provenance::Provenance;
use crate::secret::Fingerprint;
use crate::source::Piece;

/// For each secret the candidate that proves it.
pub(super) type Proven = BTreeMap<Fingerprint, Candidate>;

impl Run<'_> {
    /// Looks at what histories have kept, and for copies of all secrets that are known: with high confidence, or by their
    /// owner.
    pub(super) fn trace(
        &self,
        targets: &[Target],
        mut histories: Vec<History>,
    ) -> Result<(), ScanError> {
        let mut sought = BTreeSet::new();
        let mut copies = vec![];
        let mut fresh = std::mem::take(&mut *lock(&self.suspects));
        fresh.extend(self.proven());
        let mut owned = self.options.known_keys.as_slice();
        loop {
            fresh.retain(|fingerprint, _| sought.insert(*fingerprint));
            // Many secrets take much memory to be sought.
            let known = (!self.options.stop.is_due())
                .then(|| KnownSecrets::new(fresh.into_values().collect(), owned, self.detector))
                .flatten();
            if known.is_none() && !histories.iter().any(History::is_pending) {
                break;
            }
            copies.append(&mut self.round(targets, &mut histories, known.as_ref())?);
            owned = &[];
            // What only its path has made sure was not sought yet.
            fresh = self.proven();
        }
        let proven = self.proven();
        let owned: BTreeSet<Fingerprint> =
            self.options.known_keys.iter().map(KnownKey::fingerprint).collect();
        let adopted = copies.into_iter().filter_map(|copy| adopt(copy, &proven, &owned));
        lock(&self.found).extend(adopted);
        Ok(())
    }

    /// The secrets that are known with high confidence.
    fn proven(&self) -> Proven {
        let mut proven = Proven::new();
        let order = |candidate: &Candidate| {
            (candidate.rule_id.clone(), candidate.environment, candidate.region)
        };
        for Sighting { candidate, .. } in lock(&self.found).iter() {
            if candidate.confidence < Confidence::High {
                continue;
            }
            let known =
                proven.entry(candidate.secret.fingerprint()).or_insert_with(|| candidate.clone());
            if order(candidate) < order(known) {
                *known = candidate.clone();
            }
        }
        proven
    }

    /// Goes through everything once more, and returns the copies.
    fn round(
        &self,
        targets: &[Target],
        histories: &mut [History],
        known: Option<&KnownSecrets>,
    ) -> Result<Vec<Sighting>, ScanError> {
        let copies = std::sync::Mutex::new(vec![]);
        let collect = |known, text: Piece<'_>, places: &[Provenance], target| {
            let mut found = self.copies(known, text, places, target);
            if !found.is_empty() {
                lock(&copies).append(&mut found);
            }
        };
        if let Some(known) = known {
            self.observer.phase("looking for copies of what was found");
            // The first pass has counted all gaps and all that was read.
            let counted = std::mem::take(&mut *lock(&self.coverage));
            let visited = targets.iter().enumerate().try_for_each(|(number, target)| {
                let look = |text: Piece<'_>, places: &[Provenance]| {
                    collect(known, text, places, number);
                };
                self.visit(target, known, &look).map(drop)
            });
            *lock(&self.coverage) = counted;
            if let Err(error) = visited {
                let detail = format!("is not searched for copies: {error}");
                lock(&self.coverage).gap(GapKind::Unreadable, "", detail);
            }
        }
        for history in histories {
            let target = history.target;
            let look = |text: Piece<'_>, places: &[Provenance]| {
                self.look(text, places, target);
                if let Some(known) = known {
                    collect(known, text, places, target);
                }
            };
            self.locate(history, known, &look)?;
        }
        Ok(super::into_inner(copies))
    }

    /// The copies in one blob.
    fn copies(
        &self,
        known: &KnownSecrets,
        text: Piece<'_>,
        places: &[Provenance],
        target: usize,
    ) -> Vec<Sighting> {
        let mut sightings = vec![];
        let lines = LineStarts::of(text);
        for place in places {
            let mut coverage = Coverage::default();
            let copies = spared(&mut coverage, &place.path, |_| {
                self.detector.copies(known, text.bytes, &place.path)
            });
            lock(&self.coverage).merge(coverage);
            let copies = copies.into_iter().flatten();
            sightings.extend(copies.map(|copy| self.sighting(&lines, copy, place, target)));
        }
        sightings
    }
}

/// A copy of a proven secret is what that secret is. What only its owner knows stays what it is, and what was taken for
/// sure before its path was known and is not is none.
fn adopt(mut copy: Sighting, proven: &Proven, owned: &BTreeSet<Fingerprint>) -> Option<Sighting> {
    let fingerprint = copy.candidate.secret.fingerprint();
    let Some(known) = proven.get(&fingerprint) else {
        return owned.contains(&fingerprint).then_some(copy);
    };
    let candidate = &mut copy.candidate;
    (candidate.rule_id, candidate.kind) = (known.rule_id.clone(), known.kind);
    (candidate.severity, candidate.confidence) = (known.severity, known.confidence);
    candidate.environment = known.environment;
    Some(copy)
}
