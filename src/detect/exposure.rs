//! How exposed the place of a value is: by its own URL, the file's name and folder, and the text's form.

use crate::blob::BlobPath;
use crate::finding::Exposure;
use crate::location::Span;
use crate::rule::Places;

/// The kind of place in which the value at `span` stands.
pub(super) fn exposure(places: &Places, text: &[u8], span: Span, path: &BlobPath) -> Exposure {
    let path = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let holds = |parts: &[String]| parts.iter().any(|part| name.contains(part.as_str()));
    let is_in = |folders: &[String]| {
        folders
            .iter()
            .any(|folder| path.starts_with(folder.as_str()) || path.contains(&format!("/{folder}")))
    };
    let is_script = places.client_scripts.iter().any(|ending| name.ends_with(ending.as_str()));
    let is_minified =
        is_script && extension != "map" && is_in_long_line(text, span, places.minified_line);
    if is_script && (is_in(&places.client_folders) || holds(&places.client_names)) || is_minified {
        Exposure::ClientBundle
    } else if places.log_extensions.iter().any(|known| known == extension)
        || holds(&places.log_names)
        || is_in(&places.log_folders)
    {
        Exposure::Log
    } else if in_url(text, span) {
        Exposure::Url
    } else if places.config_extensions.iter().any(|known| known == extension)
        || holds(&places.config_names)
        || !name.contains('.')
    {
        Exposure::Config
    } else {
        Exposure::Source
    }
}

/// Whether the value's line has more than `limit` bytes.
fn is_in_long_line(text: &[u8], span: Span, limit: usize) -> bool {
    let before = &text[span.start.saturating_sub(limit)..span.start];
    let behind = &text[span.end..text.len().min(span.end + limit)];
    let head = memchr::memrchr(b'\n', before).map_or(before.len(), |at| before.len() - at - 1);
    let tail = memchr::memchr(b'\n', behind).unwrap_or(behind.len());
    head + span.len() + tail > limit
}

/// Whether the value is a part of a URL.
fn in_url(text: &[u8], span: Span) -> bool {
    let glued = text[..span.start]
        .iter()
        .rev()
        .take(2_000)
        .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`<>(){}[]".contains(byte))
        .count();
    memchr::memmem::find(&text[span.start - glued..span.end.min(text.len())], b"://").is_some()
}
