//! The plain way to read what the engine reads, for comparison: another inflater, deltas byte by byte.

use std::io::Read as _;

use super::super::object::ObjectKind;

/// Larger objects are not compared.
const MOST: u64 = 64 << 20;

/// What a zlib stream of exactly `size` bytes holds.
pub(super) fn inflate(deflated: &[u8], size: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    let mut stream = flate2::read::ZlibDecoder::new(deflated);
    stream.by_ref().take(size.min(MOST) + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == size).then_some(bytes)
}

/// A loose object's kind and bytes.
pub(super) fn loose(deflated: &[u8]) -> Option<(ObjectKind, Vec<u8>)> {
    let mut bytes = vec![];
    let stream = flate2::read::ZlibDecoder::new(deflated);
    stream.take(MOST).read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().take(32).position(|&byte| byte == 0)?;
    let (kind, size) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    let kind = ObjectKind::from_name(kind.as_bytes())?;
    let content = bytes[end + 1..].to_vec();
    (size.parse() == Ok(content.len())).then_some((kind, content))
}

/// The object that a delta makes of a base.
pub(super) fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = delta.iter().copied();
    let (source, target) = (size(&mut bytes)?, size(&mut bytes)?);
    let mut out = vec![];
    while let Some(code) = bytes.next() {
        if code == 0 {
            return None;
        } else if code < 0x80 {
            for _ in 0..code {
                out.push(bytes.next()?);
            }
        } else {
            let mut field = [0_u8; 7];
            for (bit, byte) in field.iter_mut().enumerate() {
                if code >> bit & 1 == 1 {
                    *byte = bytes.next()?;
                }
            }
            let [a, b, c, d, e, f, g] = field;
            let start = u32::from_le_bytes([a, b, c, d]) as usize;
            let len = match u32::from_le_bytes([e, f, g, 0]) as usize {
                0 => 0x1_0000,
                len => len,
            };
            out.extend_from_slice(base.get(start..start + len)?);
        }
    }
    (source == base.len() as u64 && target == out.len() as u64).then_some(out)
}

/// The parts of `data` between separators.
pub(super) fn split<'a>(data: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = vec![];
    let mut rest = data;
    while let Some(at) = memchr::memmem::find(rest, separator) {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

fn size(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let byte = bytes.next()?;
        size |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(size);
        }
    }
    None
}
