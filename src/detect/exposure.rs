//! How exposed the place of a value is: by its own URL, the file's name and folder, and the text's form.

use crate::blob::BlobPath;
use crate::finding::Exposure;
use crate::location::Span;
use crate::rule::Places;

/// Bytes before a value in which its variable's name stands, and those between the two.
const NAME_REACH: usize = 120;
const MAX_JOINT: usize = 12;
/// Bytes before a value in which the script around it begins.
const SCRIPT_REACH: usize = 64 * 1024;

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
    let is_shipped =
        places.client_resources.iter().any(|resource| path.contains(resource.as_str()));
    let is_page = places.client_pages.iter().any(|ending| name.ends_with(ending.as_str()));
    if is_script && (is_in(&places.client_folders) || holds(&places.client_names))
        || is_page && is_in_program(text, span)
        || is_minified
        || is_shipped
    {
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

/// Says how a value got into a bundle: by which variable of the build, as far as the text tells.
pub(super) fn how_exposed(places: &Places, text: &[u8], span: Span) -> String {
    let before = &text[span.start.saturating_sub(NAME_REACH)..span.start];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let end = before.iter().rposition(is_name).map_or(0, |last| last + 1);
    let start = before[..end].iter().rposition(|byte| !is_name(byte)).map_or(0, |at| at + 1);
    let joint = &before[end..];
    let is_assigned =
        joint.iter().any(|byte| matches!(byte, b':' | b'=')) && joint.len() <= MAX_JOINT;
    let name = String::from_utf8_lossy(&before[start..end]);
    let variable = name.find(|first: char| !first.is_ascii_digit()).filter(|_| is_assigned);
    let is_public = places
        .public_prefixes
        .iter()
        .any(|prefix| name.to_ascii_uppercase().starts_with(prefix.as_str()));
    match variable {
        Some(_) if is_public => {
            format!("sent to every visitor: the build wrote the variable `{name}` into the bundle")
        }
        Some(_) => format!("sent to every visitor, in the bundle as `{name}`"),
        None => "sent to every visitor with the bundle".to_owned(),
    }
}

/// Whether the value stands in a tag or in a script of a page, and not in a text of it.
fn is_in_program(text: &[u8], span: Span) -> bool {
    let before = &text[span.start.saturating_sub(SCRIPT_REACH)..span.start];
    let last = |mark: &[u8]| memchr::memmem::rfind(before, mark);
    last(b"<") > last(b">") || last(b"<script") > last(b"</script")
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
