//! Copies of secrets that are already known: certainty without context.

use aho_corasick::AhoCorasick;

use super::Detector;
use super::Found;
use super::exposure;
use super::full_path;
use super::prefilter;
use super::snippet;
use crate::blob::BlobPath;
use crate::blob::Sieve;
use crate::coverage::Coverage;
use crate::decode;
use crate::finding::Candidate;
use crate::finding::Evidence;
use crate::finding::Kind;
use crate::location::Span;

/// Shorter values are not searched: they would match by chance.
const SHORTEST: usize = 16;

/// Secrets whose copies are searched, each with the candidate it was found as.
pub struct KnownSecrets {
    templates: Vec<Candidate>,
    plain: AhoCorasick,
    forms: AhoCorasick,
    longest: usize,
}

impl KnownSecrets {
    /// Takes candidates of which each holds another secret; `None` if there is nothing to search.
    #[must_use]
    pub fn new(mut templates: Vec<Candidate>) -> Option<Self> {
        templates
            .retain(|template| template.kind == Kind::Leak && template.secret.len() >= SHORTEST);
        let values: Vec<&[u8]> =
            templates.iter().map(|template| template.secret.expose()).collect();
        if values.is_empty() {
            return None;
        }
        let forms: Vec<Vec<u8>> = values.iter().flat_map(|value| forms(value)).collect();
        let longest = forms.iter().map(Vec::len).max().unwrap_or(SHORTEST);
        let plain = AhoCorasick::new(&values).ok()?;
        let forms = AhoCorasick::new(&forms).ok()?;
        Some(Self { templates, plain, forms, longest })
    }
}

/// The value as it stands in text, in UTF-16, base64 and hexadecimal.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let wide = value.iter().flat_map(|byte| [*byte, 0]).take(value.len() * 2 - 1).collect();
    let encoded = prefilter::encoded_forms(&String::from_utf8_lossy(value));
    [value.to_vec(), wide].into_iter().chain(encoded.into_iter().map(String::into_bytes)).collect()
}

impl Sieve for KnownSecrets {
    fn may_match(&self, bytes: &[u8]) -> bool {
        self.forms.is_match(bytes)
    }

    fn is_opaque(&self, head: &[u8]) -> bool {
        decode::is_opaque(head)
    }

    fn longest_form(&self) -> usize {
        self.longest
    }
}

impl Detector {
    /// Finds the copies of known secrets in one document.
    #[must_use]
    pub fn copies(&self, known: &KnownSecrets, bytes: &[u8], path: &BlobPath) -> Vec<Candidate> {
        if !known.may_match(bytes) && !known.is_opaque(&bytes[..bytes.len().min(64)]) {
            return vec![];
        }
        let mut found = Found::default();
        // The first pass has already counted the gaps of this document.
        let mut counted = Coverage::default();
        decode::for_each_view(bytes, &self.limits, &mut counted, &path.to_string(), &mut |view| {
            let path = full_path(path, view.member);
            let matches = known.plain.find_iter(view.text);
            let spans: Vec<(usize, Span)> = matches
                .map(|at| (at.pattern().as_usize(), Span::new(at.start(), at.end())))
                .collect();
            let masked: Vec<Span> =
                spans.iter().map(|(_, span)| view.document_span(*span)).collect();
            for ((pattern, span), in_document) in spans.into_iter().zip(&masked) {
                let template = &known.templates[pattern];
                let evidence = Evidence {
                    weight: 100,
                    text: "a copy of a secret that another place proves".to_owned(),
                };
                found.keep(
                    *in_document,
                    Candidate {
                        exposure: exposure::exposure(&self.rules.places, view.text, span, &path),
                        evidence: vec![evidence],
                        region: view.region(span),
                        snippet: snippet::masked(view.document(), *in_document, &masked, false),
                        member: view.member.cloned(),
                        ..template.clone()
                    },
                );
            }
        });
        found.into_candidates()
    }
}
