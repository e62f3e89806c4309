//! Views and archives.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LIMITS;
use crate::blob::BlobPath;
use crate::coverage::Coverage;
use crate::decode;
use crate::decode::Reader;
use crate::decode::SourceMap;
use crate::decode::View;
use crate::location::Span;

/// A reader that is a closure.
struct Each<F>(F);

impl<F: FnMut(&View<'_>)> Reader for Each<F> {
    fn opens(&mut self, _text: &[u8], _member: Option<&BlobPath>) -> bool {
        true
    }

    fn read(&mut self, view: &View<'_>) {
        (self.0)(view);
    }

    fn landmarks(&self, text: &[u8], places: &mut Vec<Span>) {
        places.extend(memchr::memmem::find_iter(text, b"yousign").map(|at| Span::new(at, at + 7)));
    }
}

/// Any document: each part of each view maps into it, and the bounds on what is decoded hold.
pub(super) fn any(data: &[u8]) {
    let mut bytes = 0;
    let mut look = |view: &View<'_>| {
        bytes += view.text.len();
        let length = view.document.bytes().len();
        assert!(view.is_raw() == view.via.is_empty());
        let step = view.text.len() / 16 + 1;
        let mut before = 0;
        for start in (0..view.text.len()).step_by(step) {
            let span = Span::new(start, (start + step).min(view.text.len()));
            let source = view.document_span(span);
            assert!(source.end <= length);
            let region = view.region(span);
            assert!((region.line, region.column) <= (region.end_line, region.end_column));
            if view.is_raw() {
                assert!(source == span && source.start >= before);
            }
            before = source.start;
        }
    };
    decode::read_views(data, &LIMITS, &mut Coverage::default(), "", &mut Each(&mut look));
}

/// A source map: what it says stands in lines and columns that count from 1.
pub(super) fn source_map(data: &[u8]) {
    let Some(map) = SourceMap::parse(data) else { return };
    let places = [(1, 1), (1, 7), (2, 1), (u32::MAX, u32::MAX)];
    let origins = places.map(|place| map.origin(place, b"value"));
    for origin in origins.into_iter().chain([map.holding(b"value")]).flatten() {
        assert!(origin.line > 0 && origin.column > 0);
    }
}

/// A document in an archive whose bytes the input then changes: the first byte says which kind, the next how many changes.
pub(super) fn archives(data: &[u8]) {
    let Some((&[kind, changes], rest)) = data.split_first_chunk() else { return };
    let changes = usize::from(changes % 8);
    let Some((patches, content)) = rest.split_at_checked(3 * changes) else { return };
    let mut packed = pack(kind, content);
    for patch in patches.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]])) % packed.len();
        packed[at] = patch[2];
    }
    any(&packed);
}

/// Words under a few encodings, one over the other: a view shows them, and maps back into the document.
pub(super) fn round_trip(data: &[u8]) {
    let Some((&[count, rest @ ..], words)) = data.split_first_chunk::<4>() else { return };
    // Short words, which are no encoding of anything themselves.
    let letter =
        |byte: &u8| if byte.is_multiple_of(9) { ' ' } else { char::from(b'g' + byte % 18) };
    let text: String = words.iter().take(200).map(letter).collect();
    let text = format!(
        "the words are {} .",
        text.split_whitespace()
            .map(|word| &word[..word.len().min(9)])
            .collect::<Vec<_>>()
            .join(" ")
    );
    let mut document = text.clone().into_bytes();
    let mut is_text = true;
    for kind in &rest[..usize::from(count % 4)] {
        // Archives and UTF-16 are read in base64 and in archives, not in other encodings of theirs.
        let kind = if is_text { kind % 8 } else { [0, 6, 7][usize::from(kind % 3)] };
        // Less than this in base64 is taken for the beginning of an archive that somebody quotes.
        if !is_text && kind == 0 && document.len() < 64 {
            continue;
        }
        document = encode(kind, &document);
        is_text = kind < 5;
    }
    let mut is_seen = false;
    let mut look = |view: &View<'_>| {
        is_seen |= memchr::memmem::find(view.text, text.as_bytes()).is_some_and(|at| {
            let source = view.document_span(Span::new(at, at + text.len()));
            !source.is_empty() && source.end <= view.document.bytes().len()
        });
    };
    decode::read_views(&document, &LIMITS, &mut Coverage::default(), "", &mut Each(&mut look));
    assert!(is_seen, "{}", document.escape_ascii());
}

fn encode(kind: u8, text: &[u8]) -> Vec<u8> {
    let each =
        |write: fn(u8) -> String| text.iter().copied().map(write).collect::<String>().into_bytes();
    match kind {
        0 => STANDARD.encode(text).into_bytes(),
        1 => each(|byte| format!("%{byte:02X}")),
        2 => each(|byte| format!("\\u{byte:04x}")),
        3 => each(|byte| format!("&#{byte};")),
        4 => each(|byte| format!("{byte:02x}")),
        5 => [b"\xff\xfe".to_vec(), text.iter().flat_map(|byte| [*byte, 0]).collect()].concat(),
        6 => pack(0, text),
        _ => pack(1, text),
    }
}

/// A document alone in an archive.
fn pack(kind: u8, content: &[u8]) -> Vec<u8> {
    const IN_MEMORY: &str = "into memory";
    match kind % 5 {
        0 => {
            let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            packed.write_all(content).expect(IN_MEMORY);
            packed.finish().expect(IN_MEMORY)
        }
        1 => {
            let mut packed = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
            let options = zip::write::SimpleFileOptions::default();
            packed.start_file("a.env", options).expect(IN_MEMORY);
            packed.write_all(content).expect(IN_MEMORY);
            packed.finish().expect(IN_MEMORY).into_inner()
        }
        2 => {
            let mut packed = tar::Builder::new(vec![]);
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_cksum();
            packed.append_data(&mut header, "a.env", content).expect(IN_MEMORY);
            packed.into_inner().expect(IN_MEMORY)
        }
        3 => {
            let mut packed = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::fast());
            packed.write_all(content).expect(IN_MEMORY);
            packed.finish().expect(IN_MEMORY)
        }
        _ => {
            let mut packed = vec![];
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress(content, &mut packed, level);
            packed
        }
    }
}
