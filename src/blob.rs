//! What is scanned: bytes, the path they came under, and the sieve that says which bytes deserve a look.

use std::fmt;

use serde::{Serialize, Serializer};

/// Id of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256), shown in lowercase hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Tells which bytes deserve a full look. False positives cost time; a false negative would lose a leak, so none is allowed:
/// if `may_match(x)` is false, no part of `x` can make a finding without a hint from elsewhere.
pub trait Sieve: Sync {
    /// Whether `bytes` hold any form of a keyword.
    fn may_match(&self, bytes: &[u8]) -> bool;

    /// Whether content that starts with `head` hides its text (archives, compressed files) and is always looked into.
    fn is_opaque(&self, head: &[u8]) -> bool;

    /// Length in bytes of the longest form that `may_match` looks for: the margin needed around a seam of two pieces.
    fn longest_form(&self) -> usize;
}
