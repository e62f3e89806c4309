//! Turns a document into texts in which a value can be read: archives into their members, UTF-16 into UTF-8, and
//! encoded parts into what they say, in place, so that their surroundings stay. Each view maps back to the document.

mod archive;
mod charset;
mod families;
mod splice;

use std::fmt;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::location::Region;
use crate::location::Span;

use splice::Map;

/// Rounds of decoding: a value may be encoded this many times over.
const ROUNDS: usize = 3;

/// Bounds on what decoding may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Archives within archives.
    pub max_depth: usize,
    /// Bytes that one file may expand to in all.
    pub max_expansion: u64,
    /// Members of one file's archives in all.
    pub max_members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 5, max_expansion: 256 << 20, max_members: 100_000 }
    }
}

/// How a part of a document was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Backslash,
    Percent,
    Entity,
    QuotedPrintable,
    Base64,
    Hex,
    Concatenation,
    Folded,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backslash => "backslash escapes",
            Self::Percent => "percent-encoding",
            Self::Entity => "HTML entities",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal",
            Self::Concatenation => "joined string literals",
            Self::Folded => "folded lines",
        })
    }
}

/// One readable form of a document.
pub struct View<'a> {
    /// What detection reads.
    pub text: &'a [u8],
    /// The encodings that were taken off parts of it, in this order.
    pub via: &'a [Encoding],
    /// Path inside of an archive.
    pub member: Option<&'a BlobPath>,
    document: &'a [u8],
    maps: &'a [Map],
}

impl View<'_> {
    /// Where `span` of the text stands in the document: the smallest run of bytes that encodes it.
    #[must_use]
    pub fn document_span(&self, span: Span) -> Span {
        self.maps.iter().rev().fold(span, |span, map| map.source(span))
    }

    /// Line and columns of `span` in the document.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        Region::of(self.document, self.document_span(span))
    }

    /// The file's or member's text, as UTF-8 if it was UTF-16 or UTF-32.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        self.document
    }
}

/// Whether content that begins like this hides its text: archives, compressed files, UTF-16 and UTF-32.
#[must_use]
pub fn is_opaque(head: &[u8]) -> bool {
    archive::kind(head).is_some() || charset::guess(head).is_some()
}

/// Calls `look` with the document, with every member if it is an archive, and with each decoded form of those.
/// What a limit left out becomes a gap at `place`.
pub fn for_each_view(
    bytes: &[u8],
    limits: &Limits,
    coverage: &mut Coverage,
    place: &str,
    look: &mut dyn FnMut(&View<'_>),
) {
    let mut decoder = Decoder { limits, coverage, place, look, expanded: 0, members: 0 };
    decoder.document(bytes, None, 0);
}

/// The state of one file's decoding.
struct Decoder<'d> {
    limits: &'d Limits,
    coverage: &'d mut Coverage,
    place: &'d str,
    look: &'d mut dyn FnMut(&View<'_>),
    expanded: u64,
    members: usize,
}

impl Decoder<'_> {
    /// Looks at a file or member.
    fn document(&mut self, bytes: &[u8], member: Option<&BlobPath>, depth: usize) {
        if let Some(kind) = archive::kind(bytes) {
            if depth >= self.limits.max_depth {
                self.gap(GapKind::ArchiveLimit, member, "archives nest too deep");
                return;
            }
            self.archive(kind, bytes, member, depth);
            // The bytes of a stored member can be read as they are; a text that only looks like an archive must be.
        }
        match charset::decode(bytes) {
            Some(text) => self.texts(text.as_bytes(), member),
            None => self.texts(bytes, member),
        }
    }

    /// Looks at a document and its decoded forms.
    fn texts(&mut self, document: &[u8], member: Option<&BlobPath>) {
        (self.look)(&View { text: document, via: &[], member, document, maps: &[] });
        let mut text: Option<Vec<u8>> = None;
        let mut maps: Vec<Map> = vec![];
        let mut via: Vec<Encoding> = vec![];
        for _ in 0..ROUNDS {
            let before = maps.len();
            for (encoding, decode) in families::ALL {
                // What quoted-printable gave may look like more of it (`r=12ab`).
                if encoding == Encoding::QuotedPrintable && via.contains(&encoding) {
                    continue;
                }
                let Some((decoded, map)) = decode(text.as_deref().unwrap_or(document)) else {
                    continue;
                };
                self.expanded += decoded.len() as u64;
                if self.expanded > self.limits.max_expansion.max(32 * document.len() as u64) {
                    self.gap(GapKind::Limit, member, "its decoded forms are larger than the limit");
                    return;
                }
                maps.push(map);
                via.push(encoding);
                (self.look)(&View { text: &decoded, via: &via, member, document, maps: &maps });
                text = Some(decoded);
            }
            if maps.len() == before {
                break;
            }
        }
    }

    fn gap(&mut self, kind: GapKind, member: Option<&BlobPath>, detail: &str) {
        let place = member
            .map_or_else(|| self.place.to_owned(), |member| format!("{}!/{member}", self.place));
        self.coverage.gap(kind, place, detail);
    }
}

#[cfg(test)]
mod tests;
