//! What the surroundings of a value tell beyond the verdict: its environment, how exposed it is, and short quotes of
//! them for the evidence.

use super::context::Context;
use super::lex;
use super::mention::Mentions;
use crate::blob::BlobPath;
use crate::finding::Environment;
use crate::finding::Exposure;
use crate::location::Span;
use crate::rule::Provider;

/// Words that name an environment in identifiers, values and paths.
const SANDBOX: [&str; 10] = [
    "sandbox",
    "staging",
    "demo",
    "test",
    "testing",
    "dev",
    "development",
    "preprod",
    "recette",
    "uat",
];
const PRODUCTION: [&str; 4] = ["production", "prod", "live", "prd"];

/// Objects whose `environment` is the provider's when a key of the provider stands nearby.
const GENERIC_OWNERS: [&str; 8] =
    ["config", "options", "settings", "client", "self", "this", "params", "credentials"];

/// Infers the environment: from the value's name, its statement, the nearest API host, a flag nearby, or the path.
pub(super) fn environment(
    provider: &Provider,
    mentions: &Mentions,
    text: &[u8],
    span: Span,
    place: (&Context, &BlobPath),
) -> Environment {
    let (context, path) = place;
    let named = context.names.iter().map(|name| &text[name.span.start..name.span.end]);
    if let Some(environment) =
        named.chain(context.callee.map(|callee| &text[callee.start..callee.end])).find_map(in_words)
    {
        return environment;
    }
    if let Some(environment) =
        context.statement.and_then(|statement| in_words(&text[statement.start..statement.end]))
    {
        return environment;
    }
    let header = context
        .blocks
        .iter()
        .take(2)
        .find_map(|block| in_words(&text[block.header.start..block.header.end]));
    let host = || nearest_api_host(mentions, span.start);
    let flag = || flag_nearby(provider, text, span);
    let in_path = || in_words(path.as_bytes());
    header.or_else(host).or_else(flag).or_else(in_path).unwrap_or_default()
}

/// The environment of the nearest API host in the text.
fn nearest_api_host(mentions: &Mentions, at: usize) -> Option<Environment> {
    let hosts = mentions.in_text.iter().filter(|mention| mention.api);
    hosts.min_by_key(|mention| mention.span.start.abs_diff(at)).and_then(|mention| mention.host)
}

/// `YOUSIGN_ENV=sandbox`, `sandbox: true`, `environment: "production"` within 400 bytes.
fn flag_nearby(provider: &Provider, text: &[u8], span: Span) -> Option<Environment> {
    let window = Span::new(span.start.saturating_sub(400), text.len().min(span.end + 400));
    let lines = text[window.start..window.end].split(|byte| *byte == b'\n' || *byte == b',');
    lines
        .filter(|line| line.len() < 200)
        .map(|line| line.trim_ascii_start().strip_prefix(b":").unwrap_or(line))
        .find_map(|line| {
            let separator = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
            let name = lex::subwords(&line[..separator]);
            let value = lex::subwords(&line[separator..]);
            let joined = name.concat();
            let is_flag = name.last().is_some_and(|last| {
                matches!(last.as_str(), "env" | "environment" | "mode" | "stage")
            });
            if is_flag
                && (name.len() == 1
                    || GENERIC_OWNERS.contains(&name[0].as_str())
                    || provider.keywords.iter().any(|keyword| joined.contains(keyword.as_str())))
            {
                return value.iter().find_map(|word| of_word(word));
            }
            match (name.last().map(String::as_str), value.first().map(String::as_str)) {
                (Some("sandbox"), Some("true" | "1")) => Some(Environment::Sandbox),
                (Some("sandbox"), Some("false" | "0")) => Some(Environment::Production),
                _ => None,
            }
        })
}

fn in_words(name: &[u8]) -> Option<Environment> {
    lex::subwords(name).iter().find_map(|word| of_word(word))
}

fn of_word(word: &str) -> Option<Environment> {
    if SANDBOX.contains(&word) {
        return Some(Environment::Sandbox);
    }
    PRODUCTION.contains(&word).then_some(Environment::Production)
}

/// Kind of place: from the value's own URL, the file's name and folder, and the text's form.
pub(super) fn exposure(text: &[u8], span: Span, path: &BlobPath) -> Exposure {
    let path = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    if is_bundle(text, span, &path, name) {
        return Exposure::ClientBundle;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if extension == "log"
        || name.contains(".log.")
        || name.starts_with("access_log")
        || path.contains("/logs/")
        || path.starts_with("logs/")
    {
        return Exposure::Log;
    }
    if in_url(text, span) {
        return Exposure::Url;
    }
    const CONFIG: [&str; 28] = [
        "env",
        "ini",
        "yml",
        "yaml",
        "json",
        "toml",
        "conf",
        "cfg",
        "config",
        "properties",
        "xml",
        "tf",
        "tfvars",
        "plist",
        "sql",
        "csv",
        "dist",
        "local",
        "example",
        "sample",
        "production",
        "sandbox",
        "staging",
        "txt",
        "editorconfig",
        "http",
        "bru",
        "ipynb",
    ];
    let is_config = CONFIG.contains(&extension)
        || name.starts_with(".env")
        || name.contains("config")
        || !name.contains('.');
    if is_config { Exposure::Config } else { Exposure::Source }
}

/// Whether browsers or phones get this file.
fn is_bundle(text: &[u8], span: Span, path: &str, name: &str) -> bool {
    let folders = [
        "dist/",
        "build/static/",
        "public/",
        ".next/static/",
        "_next/static/",
        "wwwroot/",
        "static/js/",
        "assets/index-",
        "www/",
        "out/_next/",
    ];
    let is_script = [".js", ".mjs", ".html", ".htm", ".map", ".bundle", ".jsbundle"]
        .iter()
        .any(|ending| name.ends_with(ending));
    let in_folder = is_script
        && folders
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")));
    let is_page = name.ends_with(".html") || name.ends_with(".htm");
    let minified = is_page
        || name.ends_with(".min.js")
        || name.ends_with(".js.map")
        || name.contains("bundle.js")
        || name.contains("chunk.js");
    let line = crate::location::line_around(text, span.start);
    in_folder || minified || is_script && !name.ends_with(".map") && line.len() > 2_000
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

/// The end of a data block that begins at `start`: its closing bracket, or the line where its indentation ends.
pub(super) fn block_end(text: &[u8], start: usize) -> usize {
    let window = &text[start..text.len().min(start + 16 * 1024)];
    if !matches!(window.first(), Some(b'{' | b'[' | b'('))
        || window.starts_with(b"[") && crate::location::line_around(text, start).start == start
    {
        return start + indented_end(window);
    }
    let mut depth = 0_usize;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' if depth <= 1 => return start + at,
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
    }
    start + window.len()
}

fn indented_end(window: &[u8]) -> usize {
    let is_section = window.starts_with(b"[");
    let own = window.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut at = window.iter().position(|byte| *byte == b'\n').map_or(window.len(), |end| end + 1);
    while at < window.len() {
        let line = &window[at..at
            + window[at..].iter().position(|byte| *byte == b'\n').unwrap_or(window.len() - at)];
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends = if is_section {
            line.starts_with(b"[")
        } else {
            indent <= own && !line.trim_ascii().is_empty()
        };
        if ends {
            return at;
        }
        at += line.len() + 1;
    }
    window.len()
}

/// A name as evidence may quote it: never with the value in it.
pub(super) fn visible(name: &str, value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    name.replace(&*value, "…")
}

/// A header as evidence may quote it: words only, no long tokens, at most 40 characters.
pub(super) fn excerpt(header: &[u8]) -> String {
    let text = String::from_utf8_lossy(header);
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.len() < 32).collect();
    words.join(" ").chars().filter(|character| !character.is_control()).take(40).collect()
}
