//! The rows of a workbook (XLSX). Its strings stand in one list, each once, in the order in which they were first used; what
//! stands beside what, only the sheets tell.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::families::Decoded;
use super::splice::Group;
use super::splice::Map;
use super::splice::Splice;
use crate::location::Span;

/// The list of strings in a workbook.
pub(super) const STRINGS: &str = "xl/sharedStrings.xml";
/// Workbooks with more cells or strings are read as they are, and those whose rows would take more memory.
pub(super) const MAX_CELLS: usize = 1 << 20;
const MAX_SIZE: usize = 64 << 20;
/// Empty cells before one are written out as far.
const MAX_COLUMN: usize = 64;

/// A text of rows, and where they stand.
pub(super) type Table = (Vec<u8>, Map);

/// Cells of a sheet, row by row.
#[derive(Debug, Default)]
pub(super) struct Rows {
    cells: Vec<Cell>,
}

#[derive(Debug)]
enum Cell {
    /// Begins a row.
    Row,
    /// Holds something at this column, 0-based, if it tells its column.
    Other(Option<usize>),
    /// Holds the string with this number.
    String(Option<usize>, usize),
}

/// Whether a member of a workbook is one of its sheets.
pub(super) fn is_sheet(name: &[u8]) -> bool {
    name.starts_with(b"xl/worksheets/") && name.ends_with(b".xml")
}

impl Rows {
    /// The rows of a sheet, if it has no more cells than are left.
    pub(super) fn new(sheet: &[u8], left: &mut usize) -> Option<Self> {
        static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let pattern = r#"(?-u)<(?:\w+:)?(?:(row)\b|c\b([^>]*)>(?:<(?:\w+:)?v>(\d{1,9})<)?)"#;
            Regex::new(pattern).ok()
        });
        let mut cells = vec![];
        for tag in TAG.as_ref()?.captures_iter(sheet) {
            *left = left.checked_sub(1)?;
            if tag.get(1).is_some() {
                cells.push(Cell::Row);
                continue;
            }
            let attributes = tag.get(2).map_or(&b""[..], |found| found.as_bytes());
            let number = tag.get(3).and_then(|found| str::from_utf8(found.as_bytes()).ok());
            let number = number.filter(|_| attribute(attributes, b" t=\"") == Some(b"s"));
            let column = attribute(attributes, b" r=\"").and_then(column);
            cells.push(match number.and_then(|number| number.parse().ok()) {
                Some(number) => Cell::String(column, number),
                None => Cell::Other(column),
            });
        }
        Some(Self { cells })
    }

    /// The list of strings as rows of each sheet, with tabs between the cells, and at last what stands in none; `None` if it is
    /// no list, or the sheets repeat too much of it.
    pub(super) fn tables(sheets: &[Self], list: &[u8]) -> Option<Vec<Table>> {
        let strings = strings(list)?;
        let mut used = vec![false; strings.len()];
        let mut left = MAX_SIZE;
        let mut tables = vec![];
        for sheet in sheets {
            tables.extend(sheet.write(list, &strings, &mut left)?);
            let numbers = sheet.cells.iter().filter_map(|cell| match cell {
                Cell::String(_, number) => Some(*number),
                _ => None,
            });
            numbers
                .for_each(|number| used.get_mut(number).into_iter().for_each(|used| *used = true));
        }
        let unused = used.iter().enumerate().filter(|(_, is_used)| !**is_used);
        let cells = unused.flat_map(|(number, _)| [Cell::Row, Cell::String(None, number)]);
        tables.extend(Self { cells: cells.collect() }.write(list, &strings, &mut left)?);
        Some(tables)
    }

    /// The same for a sheet whose strings stand in its cells.
    pub(super) fn inline(sheet: &[u8]) -> Decoded {
        static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let pattern =
                r"(?-u)<(?:\w+:)?(?:(row)\b|c\b([^>]*)>|t\b[^>]*[^/>]>([^<]*)<|t>([^<]*)<)";
            Regex::new(pattern).ok()
        });
        memchr::memmem::find(sheet, b"\"inlineStr\"")?;
        let (mut rows, mut strings) = (Self::default(), vec![]);
        for tag in TAG.as_ref()?.captures_iter(sheet) {
            if rows.cells.len() >= MAX_CELLS {
                return None;
            }
            if tag.get(1).is_some() {
                rows.cells.push(Cell::Row);
            } else if let Some(attributes) = tag.get(2) {
                let column = attribute(attributes.as_bytes(), b" r=\"").and_then(column);
                rows.cells.push(Cell::String(column, strings.len()));
                strings.push(vec![]);
            } else if let (Some(text), Some(string)) =
                (tag.get(3).or_else(|| tag.get(4)), strings.last_mut())
            {
                string.push(Span::new(text.start(), text.end()));
            }
        }
        rows.write(sheet, &strings, &mut { MAX_SIZE })?
    }

    /// Writes the strings of a text in rows, if they say something; `None` if fewer bytes of memory are left for it.
    fn write(&self, list: &[u8], strings: &[Vec<Span>], left: &mut usize) -> Option<Decoded> {
        let end = Span::new(list.len(), list.len());
        let mut splice = Splice::new(list);
        splice.remove(Span::new(0, list.len()));
        let write = |splice: &mut Splice<'_>, string: &[Span]| {
            for part in string {
                // A cell is one line, so that its row is.
                for line in list[part.start..part.end].split_inclusive(|byte| *byte == b'\n') {
                    let start = line.as_ptr().addr() - list.as_ptr().addr();
                    let text = line.strip_suffix(b"\n").unwrap_or(line);
                    let source = Span::new(start, start + text.len());
                    splice.replace_with(end, source, text, Group::SAME);
                    if text.len() < line.len() {
                        splice.replace_with(end, end, b" ", Group::WHOLE);
                    }
                    (splice.size() < *left).then_some(())?;
                }
            }
            Some(())
        };
        let (mut next, mut is_begun) = (0, false);
        for cell in &self.cells {
            let (column, number) = match cell {
                Cell::Row => {
                    // The first row may be the header.
                    let feed: &[u8] = if is_begun { b"\n" } else { b"" };
                    splice.replace_with(end, end, feed, Group::WHOLE);
                    next = 0;
                    continue;
                }
                Cell::Other(column) => (*column, None),
                Cell::String(column, number) => (*column, Some(*number)),
            };
            is_begun = true;
            let column = column.unwrap_or(next).min(next + MAX_COLUMN);
            let tabs = column.saturating_sub(next) + usize::from(next > 0);
            splice.replace_with(end, end, &[b'\t'; MAX_COLUMN + 1][..tabs], Group::WHOLE);
            next = column.max(next) + 1;
            let Some(string) = number.and_then(|number| strings.get(number)) else { continue };
            write(&mut splice, string)?;
        }
        *left = left.checked_sub(splice.size())?;
        let says_something = |text: &[u8]| text.iter().any(|byte| !byte.is_ascii_whitespace());
        Some(splice.finish().filter(|(text, _)| says_something(text)))
    }
}

/// The strings of the list, each by its runs.
fn strings(list: &[u8]) -> Option<Vec<Vec<Span>>> {
    static STRING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?-u)<(?:\w+:)?(?:(si)\b|t\b[^>]*[^/>]>([^<]*)<|t>([^<]*)<)").ok()
    });
    let mut strings: Vec<Vec<Span>> = vec![];
    for tag in STRING.as_ref()?.captures_iter(list) {
        if tag.get(1).is_some() {
            if strings.len() >= MAX_CELLS {
                return None;
            }
            strings.push(vec![]);
        } else if let Some(text) = tag.get(2).or_else(|| tag.get(3)) {
            strings.last_mut()?.push(Span::new(text.start(), text.end()));
        }
    }
    (!strings.is_empty()).then_some(strings)
}

/// The value of the attribute that `opening` opens.
fn attribute<'t>(attributes: &'t [u8], opening: &[u8]) -> Option<&'t [u8]> {
    let start = memchr::memmem::find(attributes, opening)? + opening.len();
    let length = memchr::memchr(b'"', &attributes[start..])?;
    Some(&attributes[start..start + length])
}

/// The column, 0-based, of a place such as `AB12`.
fn column(place: &[u8]) -> Option<usize> {
    let letters = place.iter().take_while(|byte| byte.is_ascii_uppercase()).take(3);
    let number = letters.fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stand_in_their_rows() {
        let list = "<sst><si><t>Name</t></si><si><t xml:space=\"preserve\">Key </t></si><si><t/></si><si><r><t>A</t></r><r><t>\ncme</t></r></si><si><t>k&amp;1</t></si><si><t>left</t></si></sst>";
        let sheet = "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" s=\"2\" t=\"s\"><v>1</v></c></row><row r=\"2\"><c t=\"s\"><v>3</v></c><c><v>7</v></c><c t=\"s\"><v>4</v></c></row><row><c r=\"A3\" t=\"s\"><v>0</v></c><c r=\"B3\" t=\"s\"><v>99</v></c></row></sheetData>";
        let sheets = [sheet.as_bytes(), &b"<row/><c t=\"s\"><v>1</v></c>"[..]]
            .map(|sheet| Rows::new(sheet, &mut 99).expect("few cells"));
        let tables = Rows::tables(&sheets, list.as_bytes()).expect("a list");
        let texts = ["Name\t\tKey \nA cme\t\tk&amp;1\nName\t", "Key ", "\nleft"];
        assert_eq!(
            tables.iter().map(|(text, _)| str::from_utf8(text).expect("text")).collect::<Vec<_>>(),
            texts
        );
        for (part, table) in [("Key", 0), ("k&amp;1", 0), ("cme", 0), ("Key", 1), ("left", 2)] {
            let (at, (_, map)) = (texts[table].find(part).expect("written"), &tables[table]);
            let source = map.source(Span::new(at, at + part.len()));
            assert_eq!(&list[source.start..source.end], part);
        }
    }

    #[test]
    fn strings_in_their_cells_stand_in_rows() {
        let sheet = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Name</t></is></c><c r=\"B1\"><v>3</v></c><c r=\"C1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">k1</t></is></c></row><row r=\"2\"><c t=\"inlineStr\"><is><r><t>A</t></r><r><t>cme</t></r></is></c></row>";
        let (text, map) = Rows::inline(sheet.as_bytes()).expect("a sheet");
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text, "Name\t\tk1\nAcme");
        let at = text.find("k1").expect("written");
        let source = map.source(Span::new(at, at + 2));
        assert_eq!(&sheet[source.start..source.end], "k1");
        assert!(Rows::inline(b"<row><c t=\"s\"><v>0</v></c></row>").is_none());
    }

    #[test]
    fn rows_that_would_take_much_memory_are_none() {
        let list = format!("<si><t>{}</t></si>", "x".repeat(100_000));
        let sheet = "<row><c t=\"s\"><v>0</v></c></row>".repeat(10_000);
        let sheet = Rows::new(sheet.as_bytes(), &mut { MAX_CELLS }).expect("few cells");
        assert!(Rows::tables(&[sheet], list.as_bytes()).is_none());
        let lines = format!("<si><t>{}</t></si>", "\n".repeat(2_000_000));
        let sheet = Rows::new(b"<c t=\"s\"><v>0</v></c>", &mut 9).expect("one cell");
        assert!(Rows::tables(&[sheet], lines.as_bytes()).is_none());
        let empty = "<c>".repeat(MAX_CELLS + 1);
        assert!(Rows::new(empty.as_bytes(), &mut { MAX_CELLS }).is_none());
        assert!(Rows::inline(format!("<c t=\"inlineStr\">{empty}").as_bytes()).is_none());
        assert!(strings("<si>".repeat(MAX_CELLS + 1).as_bytes()).is_none());
    }
}
