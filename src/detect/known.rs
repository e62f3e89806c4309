//! Copies of secrets that are already known: certainty without context.

use std::collections::BTreeSet;

use super::Detector;
use super::exposure;
use super::found::Found;
use super::full_path;
use super::original;
use super::search::forms::Forms;
use super::search::prefilter;
use super::search::token;
use super::snippet;
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::decode;
use crate::decode::Reader;
use crate::decode::View;
use crate::finding::Candidate;
use crate::finding::Confidence;
use crate::finding::Environment;
use crate::finding::Evidence;
use crate::finding::Exposure;
use crate::finding::Kind;
use crate::location::Region;
use crate::location::Span;
use crate::location::SpanSet;
use crate::rule::RuleKind;
use crate::secret::Fingerprint;
use crate::secret::Secret;
use crate::sieve::LONG_RUN;
use crate::sieve::Sieve;

/// Shorter values are not searched: they would match by chance.
const SHORTEST: usize = 16;
/// Longest value that is hashed.
const LONGEST: usize = 128;
/// Letters at an end of a value that are searched, so that a copy in pieces passes the sieve.
const PIECE: usize = 8;
/// Letters at the beginning of a value that are searched where each letter is escaped.
const ESCAPED: usize = 3;
/// Of more values than this, one letter less: what of so many begins with three letters is too much to be held, and little less
/// stands in any text.
const MANY: usize = 10_000;
/// Points of what the owner knows.
const CERTAIN: i32 = 200;
/// Points of a copy: what proves the secret elsewhere says more.
const COPY: i32 = 1;

/// A secret that its owner knows and wants to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownKey {
    /// Its value.
    Value(Secret),
    /// The SHA-256 of its value.
    Hash(Fingerprint),
}

impl KnownKey {
    /// Reads a value or 64 hexadecimal digits, with or without `sha256:` before them. A value too short to be told
    /// from chance is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hash = Fingerprint::from_hex(text.strip_prefix("sha256:").unwrap_or(text));
        match hash {
            Some(hash) => Some(Self::Hash(hash)),
            None => (text.len() >= SHORTEST).then(|| Self::Value(Secret::new(text.as_bytes()))),
        }
    }

    /// The hash of its value.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Value(secret) => secret.fingerprint(),
            Self::Hash(hash) => *hash,
        }
    }
}

/// Secrets whose copies are searched, each with the candidate that its copies become.
pub struct KnownSecrets {
    /// Sorted by their values.
    templates: Vec<Candidate>,
    /// What a token becomes whose hash is known.
    hashed: Option<Candidate>,
    hashes: BTreeSet<Fingerprint>,
    /// The values as they are.
    plain: Option<Forms>,
    /// What opens a document; `None` if all do, or nothing but hashes is known.
    forms: Option<Forms>,
    /// Those of them that hold the whole value.
    whole: Option<Forms>,
    /// Whether their owner asked for some of them.
    is_owned: bool,
}

impl KnownSecrets {
    /// Takes what other places prove, and what the owner knows; `None` if there is nothing to search.
    #[must_use]
    pub fn new(proven: Vec<Candidate>, owned: &[KnownKey], detector: &Detector) -> Option<Self> {
        let mut templates: Vec<Candidate> = proven
            .into_iter()
            .filter(|proven| proven.kind == Kind::Leak && proven.secret.len() >= SHORTEST)
            .map(|proven| with_reason(proven, COPY, "a copy of a secret that another place proves"))
            .collect();
        let mut hashes = BTreeSet::new();
        for key in owned {
            match key {
                KnownKey::Hash(hash) => {
                    hashes.insert(*hash);
                }
                KnownKey::Value(secret) => {
                    let known = templates.iter().position(|known| known.secret == *secret);
                    let template = known.map(|at| templates.swap_remove(at));
                    let template = template.or_else(|| detector.template(secret.clone()));
                    let reason = "one of the keys that its owner asked for (--known-keys)";
                    templates
                        .extend(template.map(|template| with_reason(template, CERTAIN, reason)));
                }
            }
        }
        if templates.is_empty() && hashes.is_empty() {
            return None;
        }
        templates.sort_by(|a, b| a.secret.expose().cmp(b.secret.expose()));
        let values: Vec<&[u8]> =
            templates.iter().map(|template| template.secret.expose()).collect();
        let escaped = if values.len() > MANY { ESCAPED - 1 } else { ESCAPED };
        let beginnings: BTreeSet<&[u8]> = values.iter().map(|value| &value[..escaped]).collect();
        let escapes = beginnings.iter().flat_map(|letters| escaped_forms(letters));
        let forms = Forms::new(values.iter().flat_map(|value| forms(value)).chain(escapes));
        let whole = Forms::new(values.iter().flat_map(|value| whole_forms(value)));
        let plain = Forms::new(values.iter().map(|value| value.to_vec()));
        let reason = "its SHA-256 is one of those that its owner asked for (--known-keys)";
        let hashed = detector.template(Secret::new(b""));
        let hashed = hashed.map(|template| with_reason(template, CERTAIN, reason));
        let is_owned = !owned.is_empty();
        Some(Self { templates, hashed, hashes, plain, forms, whole, is_owned })
    }

    /// Lets pass what may hold a copy in a history: all that is in one piece, however encoded, and what the owner asked
    /// for in any form. Documents that pass are searched for every form.
    #[must_use]
    pub fn in_history(&self) -> InHistory<'_> {
        InHistory(self)
    }

    /// The copies in a text: where, and what each becomes.
    fn find(&self, text: &[u8]) -> Vec<(Span, Candidate)> {
        let places = self.plain.iter().flat_map(|plain| plain.find_iter(text));
        let mut found: Vec<(Span, Candidate)> = places
            .filter_map(|span| {
                let value = &text[span.start..span.end];
                let by_value = |known: &Candidate| known.secret.expose().cmp(value);
                let at = self.templates.binary_search_by(by_value).ok()?;
                Some((span, self.templates[at].clone()))
            })
            .collect();
        let Some(hashed) = self.hashed.as_ref().filter(|_| !self.hashes.is_empty()) else {
            return found;
        };
        for span in token::words(text, SHORTEST, LONGEST) {
            let secret = Secret::new(&text[span.start..span.end]);
            if self.hashes.contains(&secret.fingerprint()) {
                found.push((span, Candidate { secret, ..hashed.clone() }));
            }
        }
        found
    }
}

fn with_reason(candidate: Candidate, weight: i32, reason: &str) -> Candidate {
    let evidence = vec![Evidence { weight, text: reason.to_owned() }];
    Candidate { evidence, ..candidate }
}

/// What may stand in a document that holds the value, plain or encoded: the value's beginning and end, also in
/// UTF-16 and reversed, its base64 and hexadecimal.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let (head, tail) = (&value[..PIECE], &value[value.len() - PIECE..]);
    let reversed = tail.iter().rev().copied().collect();
    let mut forms = vec![head.to_vec(), tail.to_vec(), wide(head), reversed];
    forms.extend(encoded_forms(value));
    forms
}

/// What stands where each of these letters is escaped by itself, or is a number or letter of a list.
fn escaped_forms(letters: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let written = |write: &fn(u8) -> String, between: &str| {
        let letters: Vec<String> = letters.iter().map(|byte| write(*byte)).collect();
        letters.join(between).into_bytes()
    };
    let listed = move |item| [",", ", ", " "].map(|between| written(item, between));
    let escapes = ESCAPES.iter().map(move |escape| written(escape, ""));
    escapes.chain(ITEMS.iter().flat_map(listed))
}

/// What stands in a document that holds the value in one piece: as it is, in UTF-16, base64 or hexadecimal.
fn whole_forms(value: &[u8]) -> Vec<Vec<u8>> {
    [value.to_vec(), wide(value)].into_iter().chain(encoded_forms(value)).collect()
}

fn encoded_forms(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let encoded = prefilter::encoded_forms(&String::from_utf8_lossy(value));
    encoded.into_iter().map(String::into_bytes)
}

/// UTF-16 of either byte order.
fn wide(piece: &[u8]) -> Vec<u8> {
    piece.iter().flat_map(|byte| [*byte, 0]).take(piece.len() * 2 - 1).collect()
}

/// How single letters are written otherwise, one behind the other.
const ESCAPES: [fn(u8) -> String; 8] = [
    |byte| format!("%{byte:02x}"),
    |byte| format!("%{byte:02X}"),
    |byte| format!("\\u{byte:04x}"),
    |byte| format!("\\u{byte:04X}"),
    |byte| format!("\\x{byte:02x}"),
    |byte| format!("\\x{byte:02X}"),
    |byte| format!("&#{byte};"),
    |byte| format!("&#x{byte:x};"),
];

/// And how in lists.
const ITEMS: [fn(u8) -> String; 4] = [
    |byte| format!("0x{byte:02x}"),
    |byte| format!("0x{byte:02X}"),
    |byte| byte.to_string(),
    |byte| format!("'{}'", char::from(byte)),
];

impl Sieve for KnownSecrets {
    fn may_match(&self, bytes: &[u8]) -> bool {
        !self.hashes.is_empty() || self.forms.as_ref().is_none_or(|forms| forms.is_match(bytes))
    }

    fn is_opaque(&self, head: &[u8]) -> bool {
        decode::is_opaque(head)
    }

    fn longest_form(&self) -> usize {
        self.forms.as_ref().map_or(LONGEST, |forms| forms.longest().max(LONGEST))
    }
}

/// The sieve for a history; see [`KnownSecrets::in_history`].
pub struct InHistory<'k>(&'k KnownSecrets);

impl Sieve for InHistory<'_> {
    fn may_match(&self, bytes: &[u8]) -> bool {
        match &self.0.whole {
            Some(whole) if !self.0.is_owned => whole.is_match(bytes),
            _ => self.0.may_match(bytes),
        }
    }

    fn is_opaque(&self, head: &[u8]) -> bool {
        self.0.is_opaque(head)
    }

    fn longest_form(&self) -> usize {
        match &self.0.whole {
            Some(whole) if !self.0.is_owned => whole.longest(),
            _ => self.0.longest_form(),
        }
    }

    fn runs(&self) -> Option<Vec<Vec<u8>>> {
        if self.0.is_owned {
            return None;
        }
        let values = self.0.templates.iter().map(|template| template.secret.expose());
        let forms = values.flat_map(|value| encoded_forms(value).chain([value.to_vec()]));
        forms.map(|form| longest_run(&form)).collect()
    }
}

/// The most letters and digits in a row, if they are enough to be sought by.
fn longest_run(form: &[u8]) -> Option<Vec<u8>> {
    let is_run = |a: &u8, b: &u8| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric();
    let longest = form.chunk_by(is_run).max_by_key(|run| run.len())?;
    (longest.len() >= LONG_RUN).then(|| longest.to_vec())
}

/// Looks for copies in every view.
struct Copies<'c> {
    detector: &'c Detector,
    known: &'c KnownSecrets,
    path: &'c BlobPath,
    found: Found,
}

impl Reader for Copies<'_> {
    fn opens(&mut self, text: &[u8], _member: Option<&BlobPath>) -> bool {
        self.known.may_match(text)
    }

    fn read(&mut self, view: &View<'_>) {
        let copies = self.known.find(view.text);
        if copies.is_empty() {
            return;
        }
        let path = full_path(self.path, view.member);
        let places = copies.iter().map(|(span, _)| view.document_span(*span));
        let masked = SpanSet::new(places.collect());
        for (span, template) in copies {
            let in_document = view.document_span(span);
            let places = &self.detector.rules.places;
            let value = Some(&view.text[span.start..span.end]);
            let candidate = Candidate {
                exposure: exposure::exposure(places, view.text, span, &path),
                region: view.region(span),
                snippet: snippet::masked(view.document.bytes(), in_document, value, &masked),
                member: view.member.cloned(),
                ..template
            };
            self.found.keep(in_document, candidate);
        }
    }

    fn landmarks(&self, text: &[u8], places: &mut Vec<Span>) {
        places.extend(self.known.forms.iter().flat_map(|forms| forms.find_iter(text)));
    }
}

impl Detector {
    /// Finds the copies of known secrets in one document.
    #[must_use]
    pub fn copies(&self, known: &KnownSecrets, bytes: &[u8], path: &BlobPath) -> Vec<Candidate> {
        if !known.may_match(bytes) && !known.is_opaque(&bytes[..bytes.len().min(512)]) {
            return vec![];
        }
        // The first pass has already counted the gaps of this document.
        let mut counted = Coverage::default();
        let mut copies = Copies { detector: self, known, path, found: Found::default() };
        decode::read_views(bytes, &self.limits, &mut counted, &path.to_string(), &mut copies);
        let mut candidates = copies.found.into_candidates();
        original::find(&mut candidates, bytes, path.as_bytes(), &self.rules.places);
        candidates
    }

    /// What a secret becomes of which nothing but its value is known: a value of the first rule without cues.
    fn template(&self, secret: Secret) -> Option<Candidate> {
        let is_default = |kind: &RuleKind| matches!(kind, RuleKind::Token(token) if token.cues == crate::rule::Cues::default());
        let rule = self.rules.rules().find(|rule| is_default(&rule.kind))?;
        let severity = rule.severity_in(Environment::Unknown);
        Some(Candidate {
            rule_id: rule.id.clone(),
            kind: Kind::Leak,
            secret,
            severity,
            confidence: Confidence::High,
            environment: Environment::Unknown,
            exposure: Exposure::Source,
            evidence: vec![],
            region: Region { line: 1, column: 1, end_line: 1, end_column: 1 },
            snippet: String::new(),
            member: None,
            original: None,
        })
    }
}
