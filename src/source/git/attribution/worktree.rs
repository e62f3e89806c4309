//! Whether the working tree still has what history has.

use std::path::{Component, Path};

use super::super::files;

/// Whether the file at `path` below `folder`, which is canonical, holds these bytes, apart from carriage returns that git may
/// have put in. A path out of a tree may be hostile: no link is followed out of the folder.
pub(crate) fn holds(folder: &Path, path: &[u8], bytes: &[u8]) -> bool {
    let Ok(path) = std::str::from_utf8(path).map(Path::new) else { return false };
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return false;
    }
    let file = folder.join(path);
    let is_below = file
        .parent()
        .and_then(|parent| parent.canonicalize().ok())
        .is_some_and(|parent| parent.starts_with(folder));
    let is_file = std::fs::symlink_metadata(&file).is_ok_and(|data| data.is_file());
    let most = (bytes.len() as u64).saturating_mul(2);
    is_below && is_file && files::read(&file, most).is_ok_and(|found| is_same(&found, bytes))
}

fn is_same(found: &[u8], bytes: &[u8]) -> bool {
    found == bytes || lines(found).eq(lines(bytes))
}

/// The lines of a text without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
