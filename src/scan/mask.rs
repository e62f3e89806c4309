//! Text that a report takes from the scanned repository may hold a secret itself: the name of a branch or a file, an
//! author, the reason of a comment. Every secret that was found is masked there by its value.

use aho_corasick::AhoCorasick;
use aho_corasick::MatchKind;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::finding::Finding;
use crate::finding::Kind;
use crate::finding::Occurrence;
use crate::finding::Suppression;
use crate::provenance::CommitInfo;
use crate::secret::Secret;

const MASKED: &str = "********";
/// Shorter secrets, passwords of the retired API, may be words that stand in many paths.
const SHORTEST: usize = 8;

/// Masks the secrets of a run.
pub(super) struct Mask(AhoCorasick);

impl Mask {
    /// Masks these secrets.
    pub(super) fn of<'s>(secrets: impl Iterator<Item = &'s Secret>) -> Self {
        let texts = secrets.map(Secret::expose).filter(|text| text.len() >= SHORTEST);
        let matcher = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts);
        Self(matcher.expect("what was found is far below the limit of 2^31 states"))
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
        if let Some(exposed) = &mut occurrence.exposed {
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
        if self.0.is_match(path.as_bytes()) {
            let mut masked = vec![];
            self.0.replace_all_with_bytes(path.as_bytes(), &mut masked, |_, _, out| {
                out.extend_from_slice(MASKED.as_bytes());
                true
            });
            *path = BlobPath::new(&masked);
        }
    }

    fn commit(&self, commit: &mut CommitInfo) {
        self.text(&mut commit.author);
    }

    fn text(&self, text: &mut String) {
        if self.0.is_match(text.as_str()) {
            let mut masked = String::with_capacity(text.len());
            self.0.replace_all_with(text, &mut masked, |_, _, out| {
                out.push_str(MASKED);
                true
            });
            *text = masked;
        }
    }
}
