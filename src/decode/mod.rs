//! Turns a document into texts in which a value can be read: archives into their members, UTF-16 into UTF-8, and
//! encoded parts into what they say, in place, so that their surroundings stay. Each view maps back to the document.
//!
//! A short document is decoded whole. Of a long one (a bundle, a log) only the parts are decoded in which that could
//! show a value: around the reader's landmarks, and around what is encoded letter by letter or as base64 text.

mod archive;
mod charset;
mod document;
mod families;
mod parts;
mod sheet;
mod source_map;
mod splice;
mod sqlite;

use std::fmt;

use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::location::Region;
use crate::location::Span;
use crate::stop::Stop;

pub use document::Document;
use families::Hidden;
pub use parts::parts_around;
pub use source_map::MapPlace;
pub use source_map::Origin;
pub use source_map::SourceMap;
use splice::Map;

/// Rounds of decoding: a value may be encoded this many times over.
const ROUNDS: usize = 8;
/// Longer documents are decoded in parts.
pub const WHOLE: usize = 512 * 1024;
/// Bytes of decoded forms of one document, and as many more for each of its bytes.
const MAX_DECODED: u64 = 64 << 20;
const MAX_FORMS: u64 = 32;

/// What is said of a text whose rest was left.
const STOPPED: &str = "the scan was stopped before all of it was decoded";

/// Bounds on what decoding may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Archives within archives.
    pub max_depth: usize,
    /// Bytes that one file may expand to in all.
    pub max_expansion: u64,
    /// Members of one file's archives in all.
    pub max_members: usize,
    /// Times that a member may be larger than its compressed form, once it is larger than a megabyte.
    pub max_ratio: u64,
    /// When to leave the rest.
    pub stop: Stop,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_depth: 5,
            max_expansion: 256 << 20,
            max_members: 100_000,
            max_ratio: 1_000,
            stop: Stop::default(),
        }
    }
}

/// How a part of a document was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Rows,
    QuotedPrintable,
    Entity,
    TextRuns,
    RichText,
    Backslash,
    Colour,
    Percent,
    Codes,
    Concatenation,
    Reversed,
    Folded,
    Alias,
    Wide,
    Base64,
    Hex,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rows => "the rows of a table",
            Self::QuotedPrintable => "quoted-printable",
            Self::Entity => "HTML entities",
            Self::TextRuns => "joined text runs",
            Self::RichText => "rich text",
            Self::Backslash => "backslash escapes",
            Self::Colour => "colours of a terminal",
            Self::Percent => "percent-encoding",
            Self::Codes => "character codes",
            Self::Concatenation => "joined string literals",
            Self::Reversed => "reversed text",
            Self::Folded => "folded lines",
            Self::Alias => "a YAML alias",
            Self::Wide => "UTF-16",
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal",
        })
    }
}

/// One readable form of a document, or of a part of it.
pub struct View<'a> {
    /// What detection reads.
    pub text: &'a [u8],
    /// The encodings that were taken off parts of it, in this order.
    pub via: &'a [Encoding],
    /// Path inside of an archive.
    pub member: Option<&'a BlobPath>,
    /// The file's or member's text, as UTF-8 if it was UTF-16 or UTF-32.
    pub document: &'a Document<'a>,
    /// The part of the document that the text is a form of.
    pub part: Span,
    maps: &'a [Map],
}

impl View<'_> {
    /// Where `span` of the text stands in the document: the smallest run of bytes that encodes it.
    #[must_use]
    pub fn document_span(&self, span: Span) -> Span {
        let in_part = self.maps.iter().rev().fold(span, |span, map| map.source(span));
        Span::new(self.part.start + in_part.start, self.part.start + in_part.end)
    }

    /// Line and columns of `span` in the document.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        self.document.region(self.document_span(span))
    }

    /// The link at `span` without what is no part of it: where it was a parameter of another one, that one's further parameters
    /// stand behind it now (`?url=https%3A%2F%2F…%3Fs%3D…&data=…`).
    #[must_use]
    pub fn own_link(&self, span: Span) -> Span {
        let text = &self.text[span.start..span.end];
        let length =
            |at: usize| self.document_span(Span::new(span.start + at, span.start + at + 1)).len();
        let question = memchr::memchr(b'?', text).map_or(1, length);
        let mut ends = memchr::memchr_iter(b'&', text).filter(|at| length(*at) != question);
        let end = if question > 1 { ends.next() } else { None };
        Span::new(span.start, end.map_or(span.end, |at| span.start + at))
    }

    /// Whether the value at `span`, percent-encoded in part, stands in no URL: its `%76` is meant as it is.
    #[must_use]
    pub fn is_no_url(&self, span: Span) -> bool {
        const REACH: usize = 400;
        let (document, place) = (self.document.bytes(), self.document_span(span));
        let value = &document[place.start..place.end];
        if !self.via.contains(&Encoding::Percent) || !value.contains(&b'%') {
            return false;
        }
        let before = document[..place.start].iter().rev().take(REACH);
        let is_part = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`<>".contains(byte);
        let mut glued = before.take_while(is_part);
        memchr::memmem::find(value, b"://").is_none() && !glued.any(|byte| b"?&%/".contains(byte))
    }

    /// Whether the value at `span` is the scalar of a YAML anchor that stands elsewhere by its alias (`&name VALUE`, `*name`).
    #[must_use]
    pub fn is_anchor(&self, span: Span) -> bool {
        const LONGEST: usize = 80;
        let before = &self.text[span.start.saturating_sub(LONGEST)..span.start];
        let before = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")).unwrap_or(before);
        let before = before.trim_ascii_end();
        let length = before.iter().rev().take_while(|byte| document::is_alias(byte)).count();
        let (before, name) = before.split_at(before.len() - length);
        length > 0 && before.ends_with(b" &") && self.document.has_alias(name)
    }

    /// Whether string literals were joined, but none at `span`: it was seen as it stands, and what stands around it now, such as the
    /// rows of a table, may be joined wrongly.
    #[must_use]
    pub fn is_unjoined(&self, span: Span) -> bool {
        self.via == [Encoding::Concatenation] && self.document_span(span).len() == span.len()
    }

    /// Whether the value at `span` is put together from literals or spelled by numbers in the document.
    #[must_use]
    pub fn is_in_pieces(&self, span: Span) -> bool {
        let joins = [Encoding::Concatenation, Encoding::Codes];
        self.via.iter().any(|encoding| joins.contains(encoding))
            && self.document_span(span).len() > span.len()
    }

    /// Whether the text is the whole document as it stands.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.maps.is_empty()
    }
}

/// Whether content that begins like this hides its text: archives, compressed files, UTF-16 and UTF-32.
#[must_use]
pub fn is_opaque(head: &[u8]) -> bool {
    archive::kind(head).is_some() || charset::guess(head).is_some()
}

/// Reads the views of documents.
pub trait Reader {
    /// Whether a document is read at all: its text as it stands, and its path inside of an archive.
    fn opens(&mut self, text: &[u8], member: Option<&BlobPath>) -> bool;

    /// Reads one view. The raw one of a document comes before its decoded ones.
    fn read(&mut self, view: &View<'_>);

    /// Appends the places of a long text near which its decoded forms may matter.
    fn landmarks(&self, text: &[u8], places: &mut Vec<Span>);
}

/// Hands `reader` the document, or every member if it is an archive, and each decoded form of those.
/// What a limit left out becomes a gap at `place`.
pub fn read_views(
    bytes: &[u8],
    limits: &Limits,
    coverage: &mut Coverage,
    place: &str,
    reader: &mut dyn Reader,
) {
    let mut decoder =
        Decoder { limits, coverage, place, reader, expanded: 0, decoded: 0, members: 0 };
    decoder.document(bytes, None, 0);
}

/// The state of one file's decoding.
struct Decoder<'d> {
    limits: &'d Limits,
    coverage: &'d mut Coverage,
    place: &'d str,
    reader: &'d mut dyn Reader,
    /// Bytes that archives gave.
    expanded: u64,
    /// Bytes of decoded forms of the document at hand.
    decoded: u64,
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
            // What cannot be unpacked whole may hold more in its bytes, or only look like an archive.
            if self.archive(kind, bytes, member, depth) {
                return;
            }
        }
        if let Some(rows) = sqlite::rows(bytes) {
            return self.rows(bytes, vec![rows], member, depth);
        }
        match charset::decode(bytes) {
            Some(text) => self.texts(text.as_bytes(), member, depth),
            None => self.texts(bytes, member, depth),
        }
    }

    /// Looks at a document and its decoded forms.
    fn texts(&mut self, bytes: &[u8], member: Option<&BlobPath>, depth: usize) {
        if !self.reader.opens(bytes, member) {
            return;
        }
        let document = Document::new(bytes);
        let part = Span::new(0, bytes.len());
        let mut hidden = Hidden::default();
        let raw = View { text: bytes, via: &[], member, document: &document, part, maps: &[] };
        if bytes.len() <= WHOLE {
            self.reader.read(&raw);
            self.decoded = 0;
            self.part(&document, part, member, None, &mut hidden);
        } else {
            let parts = self.read_long(&raw);
            self.decoded = 0;
            for part in parts {
                self.part(&document, part, member, None, &mut hidden);
            }
        }
        self.contents(&document, hidden, member, depth);
    }

    /// Reads a long document as it stands, and finds the parts of it in which decoded forms may matter, both at once.
    fn read_long(&mut self, raw: &View<'_>) -> Vec<Span> {
        let mut landmarks = vec![];
        let places = std::thread::scope(|scope| {
            let search = || parts::encoded(raw.text);
            let searching = std::thread::Builder::new().spawn_scoped(scope, search);
            self.reader.read(raw);
            self.reader.landmarks(raw.text, &mut landmarks);
            // Without another thread it is done by this one.
            let found = searching.ok().and_then(|searching| searching.join().ok());
            found.unwrap_or_else(search)
        });
        landmarks.extend(places);
        parts::around(raw.text, landmarks)
    }

    /// Looks at the rows of tables that a document holds instead of at the document.
    fn rows(
        &mut self,
        bytes: &[u8],
        tables: Vec<(Vec<u8>, Map)>,
        member: Option<&BlobPath>,
        depth: usize,
    ) {
        if !self.reader.opens(bytes, member) {
            return;
        }
        let document = Document::new(bytes);
        let whole = Span::new(0, bytes.len());
        let mut hidden = Hidden::default();
        self.decoded = 0;
        for (text, map) in tables {
            self.decoded += text.len() as u64;
            let first = (Encoding::Rows, text, map);
            self.part(&document, whole, member, Some(first), &mut hidden);
        }
        self.contents(&document, hidden, member, depth);
    }

    /// Looks at what was found in encoded text and is a document of its own.
    fn contents(
        &mut self,
        document: &Document<'_>,
        hidden: Hidden,
        member: Option<&BlobPath>,
        depth: usize,
    ) {
        for (at, content) in hidden.into_contents() {
            let line = document.region(Span::new(at, at)).line;
            let name = format!("base64:{line}");
            let name = match member {
                Some(member) => member.member(name.as_bytes()),
                None => BlobPath::new(name.as_bytes()),
            };
            self.document(&content, Some(&name), depth + 1);
        }
    }

    /// Takes encodings off one part of a document, one after the other and several times over; `first` is one that is off already.
    fn part(
        &mut self,
        document: &Document<'_>,
        part: Span,
        member: Option<&BlobPath>,
        first: Option<(Encoding, Vec<u8>, Map)>,
        hidden: &mut Hidden,
    ) {
        let source = &document.bytes()[part.start..part.end];
        let mut text: Option<Vec<u8>> = None;
        let mut maps: Vec<Map> = vec![];
        let mut via: Vec<Encoding> = vec![];
        if let Some((encoding, decoded, map)) = first {
            maps.push(map);
            via.push(encoding);
            let view = View { text: &decoded, via: &via, member, document, part, maps: &maps };
            self.reader.read(&view);
            text = Some(decoded);
        }
        for round in 0..ROUNDS {
            if self.limits.stop.is_due() {
                self.gap(GapKind::Limit, member, STOPPED);
                return;
            }
            let before = maps.len();
            for (encoding, decode) in families::ALL {
                // What quoted-printable gave may look like more of it (`r=12ab`).
                if encoding == Encoding::QuotedPrintable && via.contains(&encoding) {
                    continue;
                }
                let Some((decoded, map)) = decode(text.as_deref().unwrap_or(source)) else {
                    continue;
                };
                self.decoded += decoded.len() as u64;
                if self.decoded > MAX_DECODED + MAX_FORMS * document.bytes().len() as u64 {
                    self.gap(GapKind::Limit, member, "its decoded forms are larger than the limit");
                    return;
                }
                maps.push(map);
                via.push(encoding);
                let view = View { text: &decoded, via: &via, member, document, part, maps: &maps };
                self.reader.read(&view);
                text = Some(decoded);
            }
            hidden.find(text.as_deref().unwrap_or(source), |span| {
                let in_part = maps.iter().rev().fold(span, |span, map| map.source(span));
                part.start + in_part.start
            });
            if maps.len() == before {
                return;
            }
            // Rows of backslashes halve with every round.
            if round + 1 == ROUNDS && via[before..] != [Encoding::Backslash] {
                self.gap(GapKind::Limit, member, "is encoded more often than is decoded");
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
