//! Candidates of one document over all its views: a place is reported once, by its surest view.

use std::collections::BTreeMap;

use crate::blob::BlobPath;
use crate::finding::Candidate;
use crate::location::Span;

/// Gathers candidates by document and place.
#[derive(Default)]
pub(super) struct Found {
    members: BTreeMap<Option<BlobPath>, Member>,
}

/// What one document, or one member of an archive, holds.
#[derive(Default)]
struct Member {
    /// By where they begin; the number tells those apart that begin together.
    candidates: BTreeMap<(usize, u32), (Span, Candidate)>,
    longest: usize,
    next: u32,
}

impl Found {
    /// Adds a candidate, in the place of less sure ones.
    pub(super) fn keep(&mut self, span: Span, candidate: Candidate) {
        match self.members.get_mut(&candidate.member) {
            Some(member) => member.keep(span, candidate),
            None => self.members.entry(candidate.member.clone()).or_default().keep(span, candidate),
        }
    }

    /// All of them, in a fixed order.
    pub(super) fn into_candidates(self) -> Vec<Candidate> {
        let mut all = vec![];
        for member in self.members.into_values() {
            let candidates = member.candidates.into_values().map(|(_, candidate)| candidate);
            let mut candidates: Vec<Candidate> = candidates.collect();
            candidates.sort_by(|a, b| (a.region, &a.rule_id).cmp(&(b.region, &b.rule_id)));
            all.append(&mut candidates);
        }
        all
    }
}

impl Member {
    fn keep(&mut self, span: Span, candidate: Candidate) {
        let near = (span.start.saturating_sub(self.longest), 0)..(span.end.max(span.start + 1), 0);
        // A longer value that was decoded, such as a link, swallows what looked like a key in it.
        let is_swallowed = |(known_span, known): &(Span, Candidate)| {
            known.kind == candidate.kind
                && known.rule_id != candidate.rule_id
                && known.secret.len() < candidate.secret.len()
                && span.start <= known_span.start
                && known_span.end <= span.end
        };
        let swallowed =
            self.candidates.range(near.clone()).filter(|(_, known)| is_swallowed(known));
        let swallowed: Vec<(usize, u32)> = swallowed.map(|(key, _)| *key).collect();
        for key in swallowed {
            self.candidates.remove(&key);
        }
        let rival = self.candidates.range(near).find(|(_, (known_span, known))| {
            known.kind == candidate.kind
                && known_span.overlaps(span)
                && (known.secret == candidate.secret || known.rule_id == candidate.rule_id)
        });
        if let Some((key, (_, known))) = rival {
            // A link with its escapes decoded is the true one, and later views are the decoded ones.
            let stays = known.confidence > candidate.confidence
                || known.confidence == candidate.confidence && known.secret == candidate.secret
                || is_overrun(known.secret.expose(), candidate.secret.expose());
            if stays {
                return;
            }
            let key = *key;
            self.candidates.remove(&key);
        }
        self.longest = self.longest.max(span.len());
        self.candidates.insert((span.start, self.next), (span, candidate));
        self.next += 1;
    }
}

/// Whether a link that was whole goes on in `longer` with what is no part of one, as where the literals of a log's line were joined.
fn is_overrun(whole: &[u8], longer: &[u8]) -> bool {
    let is_joint = |byte: &u8| b"&?#/=%;".contains(byte);
    let rest = longer.strip_prefix(whole).unwrap_or_default();
    memchr::memmem::find(whole, b"://").is_some()
        && !whole.last().is_none_or(is_joint)
        && rest.first().is_some_and(|byte| !is_joint(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_with_its_literal_in_a_log() {
        let key = "k".repeat(32);
        let link = format!("https://yousign.app/signatures/x?s=1&k={key}");
        assert!(is_overrun(link.as_bytes(), format!("{link}-Mozilla/5.0").as_bytes()));
        assert!(!is_overrun(link.as_bytes(), format!("{link}&r=2").as_bytes()));
        let cut = link.strip_suffix(&key).expect("it ends so");
        assert!(!is_overrun(cut.as_bytes(), link.as_bytes()));
        assert!(!is_overrun(b"half-a-password", b"half-a-password-and-the-rest"));
    }
}
