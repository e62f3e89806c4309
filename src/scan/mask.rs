//! Text that a report takes from the scanned repository may hold a secret itself: the name of a branch or a file, an
//! author, the reason of a comment. Every secret that was found is masked there by its value.

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::detect::Forms;
use crate::finding::Finding;
use crate::finding::Kind;
use crate::finding::Occurrence;
use crate::finding::Suppression;
use crate::provenance::CommitInfo;
use crate::secret::Secret;

const MASKED: &[u8] = b"********";
/// Shorter secrets, passwords of the retired API, may be words that stand in many paths.
const SHORTEST: usize = 8;

/// Masks the secrets of a run. An automaton over a hundred thousand of them would take more memory than all else.
pub(super) struct Mask(Option<Forms>);

impl Mask {
    /// Masks these secrets.
    pub(super) fn of<'s>(secrets: impl Iterator<Item = &'s Secret>) -> Self {
        let texts = secrets.map(Secret::expose).filter(|text| text.len() >= SHORTEST);
        Self(Forms::new(texts.map(<[u8]>::to_vec)))
    }

    /// Masks whatever a finding says beside its places.
    pub(super) fn finding(&self, finding: &mut Finding) {
        if finding.kind == Kind::Policy {
            self.text(&mut finding.secret.redacted);
        }
        finding.evidence.iter_mut().for_each(|evidence| self.text(&mut evidence.text));
        if let Some(Suppression { place, reason, .. }) = &mut finding.suppression {
            self.text(place);
            reason.iter_mut().for_each(|reason| self.text(reason));
        }
    }

    /// Masks a place.
    pub(super) fn occurrence(&self, occurrence: &mut Occurrence) {
        self.path(&mut occurrence.path);
        self.text(&mut occurrence.snippet);
        occurrence.original.iter_mut().for_each(|original| self.text(&mut original.path));
        occurrence.commit.iter_mut().for_each(|commit| self.commit(commit));
        if let Some(exposed) = occurrence.exposed.as_deref_mut() {
            let commits = exposed.introduced.iter_mut().chain(&mut exposed.last_commit);
            commits.chain(&mut exposed.removed).for_each(|commit| self.commit(commit));
            exposed.refs.iter_mut().for_each(|name| self.text(name));
            exposed.renamed_from.iter_mut().for_each(|path| self.path(path));
        }
    }

    /// Masks the places and details of gaps.
    pub(super) fn coverage(&self, coverage: &mut Coverage) {
        coverage.rewrite(|text| self.text(text));
    }

    fn path(&self, path: &mut BlobPath) {
        if let Some(masked) = self.masked(path.as_bytes()) {
            *path = BlobPath::new(&masked);
        }
    }

    fn commit(&self, commit: &mut CommitInfo) {
        self.text(&mut commit.author);
    }

    fn text(&self, text: &mut String) {
        if let Some(masked) = self.masked(text.as_bytes()) {
            *text = String::from_utf8_lossy(&masked).into_owned();
        }
    }

    /// The text without secrets, if there are any in it.
    fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut masked = vec![];
        let mut at = None;
        for span in self.0.as_ref()?.find_iter(text) {
            let end: usize = at.unwrap_or(0);
            // Of two that overlap, both are hidden by one mask.
            if at.is_none() || span.start >= end {
                masked.extend_from_slice(&text[end..span.start]);
                masked.extend_from_slice(MASKED);
            }
            at = Some(end.max(span.end));
        }
        masked.extend_from_slice(&text[at?..]);
        Some(masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_overlap_or_begin_alike_are_hidden_as_a_whole() {
        let secrets = ["abcdefgh", "abcdefghijkl", "ghijklmnop", "short"]
            .map(|text| Secret::new(text.as_bytes()));
        let mask = Mask::of(secrets.iter());
        for (text, masked) in [
            ("=abcdefghijkl=", "=********="),
            ("abcdefghi", "********i"),
            ("xabcdefghijklmnopx", "x********x"),
            ("abcdefghabcdefgh é", "**************** é"),
            ("short words stay", "short words stay"),
            ("", ""),
        ] {
            let mut changed = text.to_owned();
            mask.text(&mut changed);
            assert_eq!(changed, masked);
        }
        let mut text = "abcdefgh".to_owned();
        Mask::of(std::iter::empty()).text(&mut text);
        assert_eq!(text, "abcdefgh");
    }
}
