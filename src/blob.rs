//! What is scanned: the id and the path of some bytes.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::secret::hex_byte;

/// Id of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256), shown in lowercase hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlobId {
    bytes: [u8; 32],
    len: u8,
}

impl BlobId {
    /// Takes an id of 20 or 32 bytes; any other length is none.
    #[must_use]
    pub fn from_bytes(id: &[u8]) -> Option<Self> {
        if id.len() != 20 && id.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..id.len()].copy_from_slice(id);
        Some(Self { bytes, len: u8::try_from(id.len()).ok()? })
    }

    /// The 20 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Ord for BlobId {
    /// By their bytes; the first few nearly always decide, and many are sorted.
    fn cmp(&self, other: &Self) -> Ordering {
        let head = |id: &Self| id.bytes.first_chunk().copied().map(u64::from_be_bytes);
        head(self)
            .cmp(&head(other))
            .then_with(|| (self.bytes, self.len).cmp(&(other.bytes, other.len)))
    }
}

impl PartialOrd for BlobId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs = text.as_bytes().chunks(2).map(hex_byte);
        let bytes: Option<Vec<u8>> = pairs.collect();
        bytes
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or_else(|| de::Error::custom("a git id has 40 or 64 hexadecimal digits"))
    }
}

/// A path as reports show it: `/` between its parts, relative to the repository's root or else to the target.
/// Members of archives follow their archive after `!/`. The bytes need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlobPath(Box<[u8]>);

impl BlobPath {
    /// Takes the path's bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The path's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path in the folder at `prefix`, which ends with a slash; without a path the folder itself.
    #[must_use]
    pub fn below(&self, prefix: &[u8]) -> Self {
        let path = [prefix, &self.0].concat();
        Self(path.strip_suffix(b"/").unwrap_or(&path).into())
    }

    /// The path of `member` inside the archive at this path.
    #[must_use]
    pub fn member(&self, member: &[u8]) -> Self {
        Self([&self.0, b"!/".as_slice(), member].concat().into())
    }
}

impl fmt::Display for BlobPath {
    /// Bytes that are not UTF-8 are shown as `\xNN`, so that no two paths look the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02X}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BlobPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobPath {
    /// Reads the form that is shown: `\xNN` becomes a byte again, unless the path really spells it like that.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = String::deserialize(deserializer)?;
        let read = Self(unescape(shown.as_bytes()).into());
        Ok(if read.to_string() == shown { read } else { Self::new(shown.as_bytes()) })
    }
}

/// Replaces each `\xNN` by its byte.
fn unescape(shown: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(shown.len());
    let mut rest = shown;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = rest.strip_prefix(b"\\x").and_then(|digits| hex_byte(digits.get(..2)?));
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &rest[4..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_paths_survive_their_text_form() {
        let id = BlobId::from_bytes(&[0xab; 20]).expect("20 bytes");
        let text = serde_json::to_string(&id).expect("JSON");
        assert_eq!(serde_json::from_str::<BlobId>(&text).expect("an id"), id);
        assert!(serde_json::from_str::<BlobId>("\"abc\"").is_err());
        for bytes in [
            &b"a/b.env"[..],
            b"not-\xff-utf8",
            b"spelled\\xFF",
            b"both\\xC3\\xA9",
            "\u{e9}".as_bytes(),
        ] {
            let path = BlobPath::new(bytes);
            let text = serde_json::to_string(&path).expect("JSON");
            let read: BlobPath = serde_json::from_str(&text).expect("a path");
            assert_eq!(read.to_string(), path.to_string());
        }
        let read: BlobPath = serde_json::from_str(r#""not-\\xFF-utf8""#).expect("a path");
        assert_eq!(read.as_bytes(), b"not-\xff-utf8");
    }
}
