//! Fills the judge templates: `{{kind:name:argument}}` becomes a fresh random value.
//!
//! One name is one value within a file. What may stand in a template:
//!
//! - values: `v3` `hex` `HEX` `uuid` `pw` `word` `hexN:n:40` `b62:n:48` `b64u:n:43` `b64r:n:32` (bytes) `letters:n:32`
//!   `low36:n:32` `num:n:9`;
//! - a named value in another form: `ref` `b64of` `hexof` `pct` `pct2` `uesc` `xesc` `htmlent` `htmlhex` `html` `jslash` `jamp`
//!   `pctc` `pctc2` `qp` `qpsoft` `cut:n:0:16` `rev`;
//! - longer texts with `<kind:name>` inside: `b64text:…` `pcttext:…` `hextext:…`;
//! - `{{let:n:text with <kind:name>}}`, `{{filler:lines:language}}`;
//! - for the whole file: `{{crlf}}` `{{encoding:utf16le-bom}}` `{{wrap:zip:member}}` (`gz`, `zip`, `tar`, `targz`).
//!
//! Anything else in double braces is text.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use rand::rngs::StdRng;
use regex::{Captures, Regex};

use super::filler;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";

static PLACEHOLDER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{\{([A-Za-z0-9]+)(?::([^{}]*))?\}\}(\n?)").unwrap());
static INNER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<([A-Za-z0-9]+):([A-Za-z0-9]+)((?::[A-Za-z0-9]+)*)>").unwrap());

/// A file made from a template, and the values that were put into it.
pub(super) struct Filled {
    pub(super) bytes: Vec<u8>,
    pub(super) values: BTreeMap<String, String>,
}

/// `length` random characters of `alphabet`.
pub(super) fn random(rng: &mut StdRng, alphabet: &str, length: usize) -> String {
    let alphabet = alphabet.as_bytes();
    (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
}

/// `length` random characters with at least one capital, one small letter and one digit.
pub(super) fn mixed(rng: &mut StdRng, length: usize) -> String {
    let alphabet = format!("{LOWER}{UPPER}{DIGITS}");
    loop {
        let text = random(rng, &alphabet, length);
        let has = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
        if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) {
            return text;
        }
    }
}

pub(super) fn uuid(rng: &mut StdRng) -> String {
    let hex = random(rng, HEX, 32);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

pub(super) fn bytes_base64(rng: &mut StdRng, length: usize) -> String {
    let bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
    STANDARD.encode(bytes)
}

/// Fills `template`.
pub(super) fn fill(template: &str, rng: &mut StdRng) -> Filled {
    let mut filling =
        Filling { rng, values: BTreeMap::new(), encoding: None, wrap: None, crlf: false };
    let mut text = PLACEHOLDER
        .replace_all(template, |found: &Captures<'_>| filling.placeholder(found))
        .into_owned();
    if filling.crlf {
        text = text.replace('\n', "\r\n");
    }
    let bytes = encode(&text, filling.encoding.as_deref());
    let bytes = match &filling.wrap {
        Some(wrap) => pack(wrap, &bytes),
        None => bytes,
    };
    Filled { bytes, values: filling.values }
}

struct Filling<'rng> {
    rng: &'rng mut StdRng,
    values: BTreeMap<String, String>,
    encoding: Option<String>,
    wrap: Option<String>,
    crlf: bool,
}

impl Filling<'_> {
    fn placeholder(&mut self, found: &Captures<'_>) -> String {
        let kind = &found[1];
        let rest = found.get(2).map_or("", |rest| rest.as_str());
        let newline = &found[3];
        match kind {
            "let" => {
                let (name, body) = rest.split_once(':').expect("let:name:text");
                let value = self.inner(body);
                self.values.insert(name.to_owned(), value);
                return String::new();
            }
            "encoding" => {
                self.encoding = Some(rest.to_owned());
                return String::new();
            }
            "wrap" => {
                self.wrap = Some(rest.to_owned());
                return String::new();
            }
            "crlf" => {
                self.crlf = true;
                return String::new();
            }
            _ => {}
        }
        let (name, arguments) = rest.split_once(':').unwrap_or((rest, ""));
        let text = match kind {
            "filler" => {
                let lines = name.parse().expect("filler:lines");
                Some(filler::lines(self.rng, lines, arguments))
            }
            "b64text" => Some(STANDARD.encode(self.inner(rest).replace("\\n", "\n"))),
            "pcttext" => Some(percent_component(&self.inner(rest))),
            "hextext" => Some(hex(&self.inner(rest))),
            _ => self.value(kind, name, arguments),
        };
        text.map_or_else(|| found[0].to_owned(), |text| text + newline)
    }

    fn inner(&mut self, text: &str) -> String {
        INNER
            .replace_all(text, |found: &Captures<'_>| {
                self.value(&found[1], &found[2], found[3].trim_start_matches(':'))
                    .unwrap_or_else(|| found[0].to_owned())
            })
            .into_owned()
    }

    /// The value `name`, drawn now or shown in another form; `None` if `kind` is none of ours.
    fn value(&mut self, kind: &str, name: &str, arguments: &str) -> Option<String> {
        if let Some(value) = self.values.get(name) {
            return transform(kind, value, arguments)
                .or_else(|| is_leaf(kind).then(|| value.clone()));
        }
        if is_leaf(kind) {
            let value = draw(kind, arguments, self.rng);
            self.values.insert(name.to_owned(), value.clone());
            return Some(value);
        }
        transform(kind, "", "0:0")?;
        let value = mixed(self.rng, 32);
        let shown = transform(kind, &value, arguments);
        self.values.insert(name.to_owned(), value);
        shown
    }
}

fn is_leaf(kind: &str) -> bool {
    const LEAVES: &[&str] = &[
        "v3", "hex", "HEX", "uuid", "pw", "word", "hexN", "b62", "b64u", "b64r", "letters",
        "low36", "num",
    ];
    LEAVES.contains(&kind)
}

fn draw(kind: &str, arguments: &str, rng: &mut StdRng) -> String {
    let length = || arguments.parse().expect("a length after the name");
    match kind {
        "v3" => mixed(rng, 32),
        "hex" => random(rng, HEX, 32),
        "HEX" => random(rng, "0123456789ABCDEF", 32),
        "uuid" => uuid(rng),
        "pw" => format!("{}{}{}", mixed(rng, 9), random(rng, "!#@*", 1), mixed(rng, 4)),
        "word" => filler::word(rng),
        "hexN" => random(rng, HEX, length()),
        "b62" => mixed(rng, length()),
        "b64u" => random(rng, &format!("{LOWER}{UPPER}{DIGITS}-_"), length() - 1) + "a",
        "b64r" => bytes_base64(rng, length()),
        "letters" => random(rng, &format!("{LOWER}{UPPER}"), length()),
        "low36" => random(rng, &format!("{LOWER}{DIGITS}"), length()),
        "num" => random(rng, "123456789", length()),
        other => unreachable!("{other} is not a leaf"),
    }
}

fn transform(kind: &str, value: &str, arguments: &str) -> Option<String> {
    let each = |form: &dyn Fn(u32) -> String| {
        value.chars().map(|c| form(u32::from(c))).collect::<String>()
    };
    Some(match kind {
        "ref" => value.to_owned(),
        "b64of" => STANDARD.encode(value),
        "hexof" => hex(value),
        "codes" => each(&|c| format!("{c}, ")),
        "pct" => each(&|c| format!("%{c:02X}")),
        "pct2" => each(&|c| format!("%25{c:02X}")),
        "uesc" => each(&|c| format!("\\u{c:04x}")),
        "xesc" => each(&|c| format!("\\x{c:02x}")),
        "htmlent" => each(&|c| format!("&#{c};")),
        "htmlhex" => each(&|c| format!("&#x{c:x};")),
        "html" => value.replace('&', "&amp;"),
        "jslash" => value.replace('/', "\\/"),
        "jamp" => value.replace('&', "\\u0026"),
        "pctc" => percent_component(value),
        "pctc2" => percent_component(&percent_component(value)),
        "qp" => value
            .chars()
            .enumerate()
            .map(|(at, c)| {
                if c == '=' || at % 5 == 2 {
                    format!("={:02X}", u32::from(c))
                } else {
                    c.to_string()
                }
            })
            .collect(),
        "qpsoft" => {
            let (head, tail) = value.split_at(value.len().min(20));
            format!("{}=\n{}", head.replace('=', "=3D"), tail.replace('=', "=3D"))
        }
        "cut" => {
            let (from, to) = arguments.split_once(':').expect("cut:name:from:to");
            value[from.parse().expect("from")..to.parse().expect("to")].to_owned()
        }
        "rev" => value.chars().rev().collect(),
        _ => return None,
    })
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn percent_component(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn encode(text: &str, encoding: Option<&str>) -> Vec<u8> {
    let little = || text.encode_utf16().flat_map(u16::to_le_bytes);
    let big = || text.encode_utf16().flat_map(u16::to_be_bytes);
    match encoding {
        None => text.as_bytes().to_vec(),
        Some("utf8-bom") => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        Some("utf16le") => little().collect(),
        Some("utf16be") => big().collect(),
        Some("utf16le-bom") => [0xff, 0xfe].into_iter().chain(little()).collect(),
        Some("utf16be-bom") => [0xfe, 0xff].into_iter().chain(big()).collect(),
        Some("latin1") => text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect(),
        Some(other) => panic!("unknown encoding {other}"),
    }
}

fn pack(wrap: &str, bytes: &[u8]) -> Vec<u8> {
    let (kind, member) = wrap.split_once(':').unwrap_or((wrap, ""));
    match kind {
        "gz" => gzip(bytes),
        "tar" => tarball(member, bytes),
        "targz" => gzip(&tarball(member, bytes)),
        "zip" => {
            let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
            archive.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
            archive.finish().unwrap().into_inner()
        }
        other => panic!("unknown wrap {other}"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarball(member: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(bytes.len()).unwrap());
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, member, bytes).unwrap();
    archive.into_inner().unwrap()
}
