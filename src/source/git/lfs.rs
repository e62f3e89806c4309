//! Git LFS pointers: small text files that stand for content kept elsewhere.

use std::path::PathBuf;

/// Largest content that is read from the local LFS folder.
pub(crate) const LARGEST: u64 = 256 << 20;
/// How every pointer starts, and the most bytes it may have.
const HEAD: &[u8] = b"version https://git-lfs.github.com/spec/v1";
const MOST: u64 = 1024;

/// Whether a file of `size` bytes that starts with `head` is a pointer.
pub(crate) fn is_pointer(head: &[u8], size: u64) -> bool {
    size <= MOST && head.starts_with(HEAD)
}

/// Where, below `lfs/objects`, the content that a pointer names is kept.
pub(crate) fn object(bytes: &[u8]) -> Option<PathBuf> {
    if !is_pointer(bytes, bytes.len() as u64) {
        return None;
    }
    let lines = bytes.split(|&byte| byte == b'\n');
    let hex = lines.filter_map(|line| line.strip_prefix(b"oid sha256:")).next()?.trim_ascii();
    let hex = std::str::from_utf8(hex)
        .ok()
        .filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some([&hex[..2], &hex[2..4], hex].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_names_its_content() {
        let oid = "4d7a".repeat(16);
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n");
        let expected: PathBuf = ["4d", "7a", &oid].iter().collect();
        assert_eq!(object(pointer.as_bytes()), Some(expected));
        let outside = pointer.replace(&oid, "../../../../etc/passwd");
        assert_eq!(object(outside.as_bytes()), None);
        assert_eq!(object(b"version 2"), None);
    }
}
