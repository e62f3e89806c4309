//! Source maps (ECMA-426): from a place in what a build wrote to the place that it came from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde::Deserialize;

use crate::location::Region;
use crate::location::Span;

/// Behind this mark a script tells where its map is.
const MARK: &[u8] = b"sourceMappingURL=";
/// Bytes of a name that a map may have.
const MAX_NAME: usize = 1_000;
/// Bytes at the end of a script in which its map's name is looked for first.
const TAIL: usize = 64 << 10;
/// The digits of a mapping.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A source map.
#[derive(Debug)]
pub struct SourceMap {
    sources: Vec<Source>,
    /// Sorted by line and column.
    mappings: Vec<Mapping>,
}

/// A file before the build.
#[derive(Debug)]
struct Source {
    path: String,
    content: Option<String>,
}

/// From here on, the text comes from there. All counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mapping {
    at: (u32, u32),
    source: usize,
    line: u32,
    column: u32,
}

/// A place before the build; lines and columns from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'m> {
    /// Path of the file as the map tells it.
    pub path: &'m str,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// The text of that line, if the map holds it.
    pub text: Option<&'m str>,
}

/// Where a script says that its map is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapPlace {
    /// In the script itself.
    Inline(Vec<u8>),
    /// In a file, by a name relative to the script.
    File(String),
}

#[derive(Deserialize)]
struct Json {
    #[serde(default, rename = "sourceRoot")]
    root: Option<String>,
    sources: Vec<Option<String>>,
    #[serde(default, rename = "sourcesContent")]
    contents: Vec<Option<String>>,
    mappings: String,
}

/// A map of what several builds wrote one behind the other.
#[derive(Deserialize)]
struct Index {
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    offset: Offset,
    map: Json,
}

/// Where a section begins, from 0.
#[derive(Clone, Copy, Default, Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

impl MapPlace {
    /// Reads what `script` says last about its map.
    #[must_use]
    pub fn of(script: &[u8]) -> Option<Self> {
        // Nearly always it ends the script; the way forward is the faster one.
        let tail = script.len().saturating_sub(TAIL);
        let last = memmem::rfind(&script[tail..], MARK).map(|at| tail + at);
        let last = last.or_else(|| memmem::find_iter(script, MARK).last())?;
        let url = &script[last + MARK.len()..];
        let end = url.iter().position(|byte| byte.is_ascii_whitespace() || b"'\"*<".contains(byte));
        let url = &url[..end.unwrap_or(url.len())];
        if url.starts_with(b"data:") {
            let data = &url[memmem::find(url, b"base64,")? + b"base64,".len()..];
            return STANDARD.decode(data).ok().map(Self::Inline);
        }
        let name = std::str::from_utf8(url).ok().filter(|name| name.len() <= MAX_NAME)?;
        (!name.is_empty() && !name.contains(':')).then(|| Self::File(name.to_owned()))
    }
}

impl SourceMap {
    /// Reads a map; `None` if it is none.
    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        // Some servers put this before JSON, so that it cannot be run as a script.
        let json = json.strip_prefix(b")]}'\n").unwrap_or(json);
        let mut map = Self { sources: vec![], mappings: vec![] };
        if let Ok(index) = serde_json::from_slice::<Index>(json) {
            for section in index.sections {
                map.add(section.map, section.offset)?;
            }
        } else {
            map.add(serde_json::from_slice(json).ok()?, Offset::default())?;
        }
        map.mappings.sort_by_key(|mapping| mapping.at);
        Some(map)
    }

    /// Adds a map of what begins at `offset`.
    fn add(&mut self, json: Json, offset: Offset) -> Option<()> {
        let root = json.root.unwrap_or_default();
        let first = self.sources.len();
        let mut contents = json.contents.into_iter();
        self.sources.extend(json.sources.into_iter().map(|path| Source {
            path: format!("{root}{}", path.unwrap_or_default()),
            content: contents.next().flatten(),
        }));
        for mut mapping in mappings(json.mappings.as_bytes())? {
            let (line, column) = mapping.at;
            // Only the first line of a section begins in the middle of one.
            let indent = if line == 0 { offset.column } else { 0 };
            mapping.at = (line.checked_add(offset.line)?, column.checked_add(indent)?);
            mapping.source = mapping.source.checked_add(first)?;
            self.mappings.push(mapping);
        }
        Some(())
    }

    /// Where `value`, which stands at `line` and `column` (from 1) of what was built, came from. If the original line holds
    /// it, its column there counts, and otherwise what the map tells.
    #[must_use]
    pub fn origin(&self, (line, column): (u32, u32), value: &[u8]) -> Option<Origin<'_>> {
        let at = (line.checked_sub(1)?, column.checked_sub(1)?);
        let behind = self.mappings.partition_point(|mapping| mapping.at <= at);
        let mapping = self.mappings.get(behind.checked_sub(1)?)?;
        let source = self.sources.get(mapping.source).filter(|_| mapping.at.0 == at.0)?;
        let lines = source.content.as_deref().map(str::lines);
        let text = lines.and_then(|mut lines| lines.nth(mapping.line as usize));
        let column = text.and_then(|text| {
            let start = memmem::find(text.as_bytes(), value)?;
            Some(Region::of(text.as_bytes(), Span::new(start, start)).column)
        });
        Some(Origin {
            path: &source.path,
            line: mapping.line.saturating_add(1),
            column: column.unwrap_or_else(|| mapping.column.saturating_add(1)),
            text,
        })
    }

    /// The first place in the files before the build that holds `value`.
    #[must_use]
    pub fn holding(&self, value: &[u8]) -> Option<Origin<'_>> {
        self.sources.iter().find_map(|source| {
            let content = source.content.as_deref()?;
            let start = memmem::find(content.as_bytes(), value)?;
            let Region { line, column, .. } =
                Region::of(content.as_bytes(), Span::new(start, start));
            let text = content.lines().nth(line as usize - 1);
            Some(Origin { path: &source.path, line, column, text })
        })
    }
}

/// Reads the field `mappings`: lines are parted by semicolons, mappings by commas, and numbers tell the difference to the
/// one before.
fn mappings(text: &[u8]) -> Option<Vec<Mapping>> {
    let mut all = vec![];
    let (mut source, mut line, mut column) = (0, 0, 0);
    for (built_line, mappings) in text.split(|byte| *byte == b';').enumerate() {
        let mut built_column = 0;
        for mapping in mappings.split(|byte| *byte == b',').filter(|mapping| !mapping.is_empty()) {
            let mut numbers = numbers(mapping);
            built_column += numbers.next()??;
            // A mapping of one number tells that its text comes from nowhere.
            let Some(difference) = numbers.next() else { continue };
            source += difference?;
            line += numbers.next()??;
            column += numbers.next()??;
            all.push(Mapping {
                at: (u32::try_from(built_line).ok()?, u32::try_from(built_column).ok()?),
                source: usize::try_from(source).ok()?,
                line: u32::try_from(line).ok()?,
                column: u32::try_from(column).ok()?,
            });
        }
    }
    Some(all)
}

/// The numbers of a mapping: digits of five bits, the lowest first, and the sign in the lowest bit. `None` is an error.
fn numbers(text: &[u8]) -> impl Iterator<Item = Option<i64>> {
    let mut digits = text.iter();
    std::iter::from_fn(move || {
        let mut number = 0_i64;
        for place in 0.. {
            let Some(digit) = digits.next() else { return (place > 0).then_some(None) };
            let digit = DIGITS.iter().position(|known| known == digit);
            let Some(digit) = digit.and_then(|digit| i64::try_from(digit).ok()) else {
                return Some(None);
            };
            if place > 6 {
                return Some(None);
            }
            number |= (digit & 31) << (5 * place);
            if digit & 32 == 0 {
                break;
            }
        }
        Some(Some(if number & 1 == 1 { -(number >> 1) } else { number >> 1 }))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(number: i64) -> String {
        let mut rest = if number < 0 { (-number << 1) | 1 } else { number << 1 };
        let mut text = String::new();
        loop {
            let more = if rest >> 5 > 0 { 32 } else { 0 };
            text.push(char::from(DIGITS[usize::try_from(rest & 31 | more).expect("six bits")]));
            rest >>= 5;
            if rest == 0 {
                return text;
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(written in proptest::collection::vec((0_u32..4, 0_u32..5_000, 0_usize..3, 0_u32..900, 0_u32..90_000), 0..40)) {
            let mut expected: Vec<Mapping> = vec![];
            let mut text = String::new();
            let (mut built, mut last) = (0, Mapping::default());
            for (down, right, source, line, column) in written {
                text.push_str(if down == 0 { "," } else { "" });
                (0..down).for_each(|_| text.push(';'));
                built = if down == 0 { built + right } else { right };
                let before = if down == 0 { last.at.1 } else { 0 };
                let mapping = Mapping { at: (last.at.0 + down, built), source, line, column };
                text.push_str(&number(i64::from(built) - i64::from(before)));
                text.push_str(&number(source as i64 - last.source as i64));
                text.push_str(&number(i64::from(line) - i64::from(last.line)));
                text.push_str(&number(i64::from(column) - i64::from(last.column)));
                expected.push(mapping);
                last = mapping;
            }
            prop_assert_eq!(mappings(text.as_bytes()), Some(expected));
        }

        #[test]
        fn nothing_panics(text in "[A-Za-z0-9+/,;!]{0,60}", line in 0_u32..3, column in 0_u32..9) {
            let json = format!(r#"{{"sources":["a"],"sourcesContent":["b\nc"],"mappings":"{text}"}}"#);
            if let Some(map) = SourceMap::parse(json.as_bytes()) {
                let _origin = map.origin((line, column), b"c");
            }
        }
    }

    #[test]
    fn a_map_in_sections_knows_the_places_of_each() {
        let section = |line: u32, column: u32, name: &str| {
            let offset = format!(r#"{{"line":{line},"column":{column}}}"#);
            let map = format!(r#"{{"sources":["{name}"],"mappings":"AAAA;CACA"}}"#);
            format!(r#"{{"offset":{offset},"map":{map}}}"#)
        };
        let json = format!(
            r#"{{"version":3,"sections":[{},{}]}}"#,
            section(0, 0, "a"),
            section(1, 9, "b")
        );
        let map = SourceMap::parse(json.as_bytes()).expect("a map");
        let origin =
            |line, column| map.origin((line, column), b"").map(|origin| (origin.path, origin.line));
        assert_eq!(origin(1, 1), Some(("a", 1)));
        assert_eq!(origin(2, 5), Some(("a", 2)));
        assert_eq!(origin(2, 10), Some(("b", 1)));
        assert_eq!(origin(3, 2), Some(("b", 2)));
    }

    #[test]
    fn a_script_tells_where_its_map_is() {
        let of = |script: &str| MapPlace::of(script.as_bytes());
        let file = |name: &str| Some(MapPlace::File(name.to_owned()));
        assert_eq!(of("x\n//# sourceMappingURL=app.js.map\n"), file("app.js.map"));
        assert_eq!(of("x\n/*# sourceMappingURL=a.css.map */"), file("a.css.map"));
        assert_eq!(of("//# sourceMappingURL=https://example.org/a.map"), None);
        let inline = "//# sourceMappingURL=data:application/json;base64,e30=";
        assert_eq!(of(inline), Some(MapPlace::Inline(b"{}".to_vec())));
    }
}
