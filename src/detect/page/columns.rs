//! Names of columns: the header row of a CSV file or of a table that a page or a console shows, the column list of an SQL
//! `INSERT`, or else of the `CREATE TABLE` before it.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;

use super::lines::Lines;
use super::randomness::could_be_digest;
use crate::location::Span;

/// Lines of notes above a table.
const MAX_NOTES: usize = 8;
/// Rows longer than this are not split into columns.
const MAX_ROW: usize = 4_000;
/// The same for a table that is drawn, and rows above a value in it that are read.
const MAX_DRAWN_ROW: usize = 500;
const MAX_DRAWN_ROWS: usize = 40;
/// Rows above a value in a `COPY` that are read.
const MAX_COPIED_ROWS: usize = 200;
/// How far above a value the first row of its table may stand, in bytes, where a page or a spreadsheet marks it up.
const MAX_TABLE: usize = 16 * 1024;
/// How tables, rows and cells begin there.
const TABLE_TAGS: [&[u8]; 3] = [b"<table ", b"<table>", b"<table:table "];
const ROW_TAGS: [&[u8]; 3] = [b"<tr", b"<row", b"<table:table-row"];
const CELL_TAGS: [&[u8]; 4] = [b"<td", b"<th", b"<cell", b"<table:table-cell"];
/// Bytes of a table's definition that are read.
const MAX_DEFINITION: usize = 16 * 1024;

/// The column in which a value stands.
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: Span,
    /// The value's row.
    pub(crate) row: Span,
    /// Of an SQL `INSERT`: from the keyword to the name of the table.
    pub(crate) table: Option<Span>,
    /// The row's fields, each with the name of its column.
    pub(crate) fields: Vec<(Span, Span)>,
}

impl Column {
    /// The one with this number, of a row's values under these names.
    fn numbered(
        text: &[u8],
        number: usize,
        (names, values): (&[&[u8]], &[&[u8]]),
        (row, table): (Span, Option<Span>),
    ) -> Option<Self> {
        let fields = names.iter().zip(values);
        Some(Self {
            name: within(text, names.get(number)?),
            row,
            table,
            fields: fields.map(|(name, field)| (within(text, name), within(text, field))).collect(),
        })
    }
}

/// The first line of a file whose other lines are rows.
pub(crate) struct Header {
    /// Where its line begins.
    start: usize,
    separator: u8,
    names: Vec<Span>,
}

impl Header {
    /// Reads the first line of a text; `None` if it is not of names alone.
    pub(crate) fn read(text: &[u8], lines: &Lines) -> Option<Self> {
        // Notes may stand above the table.
        let first = lines.around(0);
        let is_note = |line: &Span| text[line.start..line.end].starts_with(b"#");
        let mut all = std::iter::once(first).chain(lines.below(first)).take(MAX_NOTES + 1);
        let line = all.find(|line| !is_note(line))?;
        let row = &text[line.start..line.end.min(line.start + MAX_ROW + 1)];
        if row.len() > MAX_ROW {
            return None;
        }
        let separator = [b',', b';', b'\t', b'|']
            .into_iter()
            .max_by_key(|separator| row.iter().filter(|byte| *byte == separator).count())?;
        let names = fields(row, separator);
        let is_name = |name: &&[u8]| {
            let is_part =
                |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"_- .".contains(byte);
            name.len() < 40 && name.iter().all(is_part)
        };
        let told = names.iter().filter(|name| !name.is_empty()).count();
        (told > 1 && names.iter().all(is_name)).then(|| Self {
            start: line.start,
            separator,
            names: names.into_iter().map(|name| within(text, name)).collect(),
        })
    }
}

/// The column of the value, if it stands in a table.
pub(crate) fn of(
    text: &[u8],
    lines: &Lines,
    (header, tables): (Option<&Header>, &Tables<'_>),
    span: Span,
) -> Option<Column> {
    in_insert(text, tables, span)
        .or_else(|| in_csv(text, lines, header?, span))
        .or_else(|| in_copy(text, lines, span))
        .or_else(|| in_markup(text, span))
        .or_else(|| in_drawing(text, lines, span))
}

/// The name in the list of a `COPY t (a, b) FROM stdin;` whose rows stand below, with tabs.
fn in_copy(text: &[u8], lines: &Lines, span: Span) -> Option<Column> {
    let row = lines.around(span.start);
    let line = text[row.start..row.end].strip_suffix(b"\r").unwrap_or(&text[row.start..row.end]);
    if line.len() > MAX_ROW || memchr::memchr(b'\t', line).is_none() {
        return None;
    }
    let above = lines.above(row).take(MAX_COPIED_ROWS);
    let mut heads = above.filter(|line| text[line.start..].starts_with(b"COPY "));
    let head = heads.next()?;
    let list = &text[head.start..head.end];
    let (open, close) = (memchr::memchr(b'(', list)?, memchr::memrchr(b')', list)?);
    let names = fields(list.get(open + 1..close)?, b',');
    let values: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    let column = values.iter().position(|field| within(text, field).overlaps(span))?;
    let table = Span::new(head.start, head.start + open);
    Column::numbered(text, column, (&names, &values), (row, Some(table)))
}

/// The name in the first row of a table of HTML or of a spreadsheet's XML.
fn in_markup(text: &[u8], span: Span) -> Option<Column> {
    text[..span.start].trim_ascii_end().ends_with(b">").then_some(())?;
    let lower = |reach: usize| {
        let floor = span.start.saturating_sub(reach);
        (floor, text[floor..span.start].to_ascii_lowercase())
    };
    let last = |(floor, before): &(usize, Vec<u8>), tags: &[&[u8]]| {
        let starts = tags.iter().filter_map(|tag| memchr::memmem::rfind(before, tag));
        starts.max().map(|start| floor + start)
    };
    // Most values in markup stand in no table.
    let row = last(&lower(MAX_ROW), &ROW_TAGS)?;
    let before = lower(MAX_TABLE);
    let table = last(&before, &TABLE_TAGS).unwrap_or(before.0) - before.0;
    let first = |tag: &&[u8]| memchr::memmem::find(&before.1[table..], tag);
    let header = before.0 + table + ROW_TAGS.iter().filter_map(first).min()?;
    let end = text.len().min(span.end + MAX_ROW);
    let close = memchr::memmem::find_iter(&text[span.end..end], b"</").find(|at| {
        let tag = &text[span.end + at + 2..end];
        ROW_TAGS.iter().any(|row| {
            tag.len() >= row.len() && tag[..row.len() - 1].eq_ignore_ascii_case(&row[1..])
        })
    })?;
    let row = Span::new(row, span.end + close);
    let (names, values) =
        (markup_cells(text, Span::new(header, row.start)), markup_cells(text, row));
    let column = values.iter().position(|cell| cell.overlaps(span))?;
    Some(Column {
        name: names.get(column).copied().filter(|name| !name.is_empty())?,
        row,
        table: None,
        fields: names.into_iter().zip(values).collect(),
    })
}

/// The texts of the cells of the first row in a part of a page; empty ones count, too.
fn markup_cells(text: &[u8], part: Span) -> Vec<Span> {
    let row = &text[part.start..part.end];
    let lower = row[..row.len().min(MAX_ROW)].to_ascii_lowercase();
    let end = ROW_TAGS
        .iter()
        .filter_map(|tag| memchr::memmem::find(lower.get(4..)?, &[b"</", &tag[1..]].concat()))
        .min();
    let lower = &lower[..end.map_or(lower.len(), |end| end + 4)];
    let mut starts: Vec<usize> =
        CELL_TAGS.iter().flat_map(|tag| memchr::memmem::find_iter(lower, tag)).collect();
    starts.sort_unstable();
    starts.push(lower.len());
    let cell = |pair: &[usize]| {
        let pieces = row[pair[0]..pair[1]].split(|byte| matches!(byte, b'<' | b'>'));
        // What stands between tags, not in them.
        let texts = pieces.skip(2).step_by(2).map(<[u8]>::trim_ascii);
        let text_of_cell = texts.max_by_key(|text| text.len()).unwrap_or_default();
        if text_of_cell.is_empty() {
            Span::new(part.start + pair[0], part.start + pair[0])
        } else {
            within(text, text_of_cell)
        }
    };
    starts.windows(2).map(cell).collect()
}

/// The name above a value in a table that bars draw, as on pages and consoles, or above one that could be a digest if gaps do.
fn in_drawing(text: &[u8], lines: &Lines, span: Span) -> Option<Column> {
    let row = lines.around(span.start);
    let line = &text[row.start..row.end.min(row.start + MAX_DRAWN_ROW + 1)];
    let has_bars = memchr::memmem::find(line, b" | ").is_some();
    let is_plain = has_bars || could_be_digest(&text[span.start..span.end]);
    if line.len() > MAX_DRAWN_ROW || !is_plain {
        return None;
    }
    let cells = if has_bars { between_bars } else { between_gaps };
    let values = cells(line);
    let column = values.iter().position(|cell| within(text, cell).overlaps(span))?;
    if values.len() < 2 || values[column].len() > span.len() + 4 {
        return None;
    }
    let above = lines.above(row).map(|line| &text[line.start..line.end]).take(MAX_DRAWN_ROWS);
    let mut above = above.take_while(|line| !line.trim_ascii().is_empty());
    let mut is_header = |line: &&[u8]| {
        // The names stand above a rule of dashes, or in capitals.
        if has_bars {
            is_rule(line)
        } else {
            is_in_capitals(line) && cells(line).len() == values.len()
        }
    };
    let header = above.find(&mut is_header)?;
    let header = if has_bars { above.next()? } else { header };
    Column::numbered(text, column, (&cells(header), &values), (row, None))
}

fn between_bars(line: &[u8]) -> Vec<&[u8]> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"|").unwrap_or(line);
    let line = line.strip_suffix(b"|").unwrap_or(line);
    line.split(|byte| *byte == b'|').map(<[u8]>::trim_ascii).collect()
}

fn between_gaps(line: &[u8]) -> Vec<&[u8]> {
    let mut cells = vec![];
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let gap = memchr::memmem::find(rest, b"  ").unwrap_or(rest.len());
        let end = memchr::memchr(b'\t', rest).unwrap_or(rest.len()).min(gap);
        cells.push(&rest[..end]);
        rest = rest[end..].trim_ascii_start();
    }
    cells
}

fn is_rule(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"--").is_some()
        && line.trim_ascii().iter().all(|byte| b"-|:+ ".contains(byte))
}

fn is_in_capitals(line: &[u8]) -> bool {
    line.iter().any(u8::is_ascii_uppercase)
        && line.iter().all(|byte| byte.is_ascii_uppercase() || b" _-()#/.\t\r".contains(byte))
}

/// The name in the header, if that has as many fields as the value's row.
fn in_csv(text: &[u8], lines: &Lines, header: &Header, span: Span) -> Option<Column> {
    let row = lines.around(span.start);
    if row.start <= header.start || row.len() > MAX_ROW {
        return None;
    }
    let values = fields(&text[row.start..row.end], header.separator);
    let column = values.iter().position(|field| within(text, field).overlaps(span))?;
    // A value in a sentence is not what the column is called.
    if values[column].len() > span.len() + 20 && values[column].contains(&b' ') {
        return None;
    }
    (values.len() == header.names.len()).then(|| Column {
        name: header.names[column],
        row,
        table: None,
        fields: header
            .names
            .iter()
            .copied()
            .zip(values.iter().map(|field| within(text, field)))
            .collect(),
    })
}

/// The name in `INSERT INTO t (a, b) VALUES (x, y)`, or where the table was defined.
fn in_insert(text: &[u8], tables: &Tables<'_>, span: Span) -> Option<Column> {
    let floor = span.start.saturating_sub(MAX_ROW);
    let before = &text[floor..span.start];
    let values = rfind(before, b"values")?;
    let row_start = values + open_row(&before[values..])?;
    let ends_before = |line: &[u8]| line.trim_ascii_end().ends_with(b";");
    let mut lines_before = before[values..].split(|byte| *byte == b'\n').rev().skip(1);
    if lines_before.any(ends_before) {
        return None;
    }
    let head = &before[..values];
    let statement = memchr::memrchr(b';', head).map_or(0, |at| at + 1);
    let (names, table) = match head.trim_ascii_end().strip_suffix(b")") {
        Some(listed) => {
            let start = memchr::memrchr(b'(', listed)?;
            let before_list = memchr::memrchr3(b';', b'\n', b')', &listed[..start]);
            (fields(&listed[start + 1..], b','), before_list.map_or(0, |at| at + 1)..start)
        }
        None => {
            let name = head.trim_ascii().rsplit(u8::is_ascii_whitespace).next()?;
            (tables.0.get(name)?.clone(), statement..values)
        }
    };
    let own = literals(&before[row_start + 1..]);
    let row_end = memchr::memchr2(b')', b'\n', &text[span.end..]).unwrap_or(0);
    let row = Span::new(floor + row_start, span.end + row_end.min(MAX_ROW));
    let table = Span::new(floor + table.start, floor + table.end);
    Column::numbered(text, own.len() - 1, (&names, &own), (row, Some(table)))
}

/// Where the row opens that is not closed at the end of an `INSERT` so far; brackets in literals do not count.
fn open_row(text: &[u8]) -> Option<usize> {
    let (mut row, mut depth) = (None, 0_usize);
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'\'' => is_quoted = !is_quoted,
            b'(' if !is_quoted => {
                row = if depth == 0 { Some(at) } else { row };
                depth += 1;
            }
            b')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    row.filter(|_| depth > 0)
}

/// The tables that a text defines.
pub(crate) struct Tables<'t>(HashMap<&'t [u8], Vec<&'t [u8]>>);

impl<'t> Tables<'t> {
    /// Reads every `CREATE TABLE t (a int, b text)`.
    pub(crate) fn read(text: &'t [u8]) -> Self {
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(["create table"]);
        let found = words.iter().flat_map(|words| words.find_iter(text));
        Self(found.filter_map(|found| defined(&text[found.end()..])).collect())
    }
}

/// The name of a table, and those of its columns, in what stands behind `CREATE TABLE`.
fn defined(text: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let text = &text[..text.len().min(MAX_DEFINITION)];
    let open = memchr::memchr(b'(', text)?;
    let name = text[..open].trim_ascii().rsplit(u8::is_ascii_whitespace).next()?;
    let (mut depth, mut names, mut start) = (0_usize, vec![], open + 1);
    for (at, byte) in text.iter().enumerate().skip(open + 1) {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b',' | b')' if depth == 0 => {
                names.extend(column_name(&text[start..at]));
                start = at + 1;
                if *byte == b')' {
                    return Some((name, names));
                }
            }
            _ => {}
        }
    }
    None
}

/// The name with which a column's definition begins; `None` for a key or constraint.
fn column_name(definition: &[u8]) -> Option<&[u8]> {
    const OTHERS: [&[u8]; 7] =
        [b"primary", b"key", b"unique", b"constraint", b"index", b"foreign", b"check"];
    let word = definition.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    let is_other = OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other));
    let word = word.strip_prefix(b"`").or_else(|| word.strip_prefix(b"\"")).unwrap_or(word);
    let word = word.strip_suffix(b"`").or_else(|| word.strip_suffix(b"\"")).unwrap_or(word);
    (!is_other).then_some(word)
}

/// The fields of a row beside the value, with quotes and spaces taken off.
pub(crate) fn siblings(text: &[u8], column: &Column) -> Vec<Span> {
    let row = &text[column.row.start..column.row.end];
    row.split(|byte| b",;\t|()".contains(byte))
        .map(|field| within(text, field))
        .map(|field| trim(text, field))
        .filter(|field| !field.is_empty())
        .collect()
}

fn trim(text: &[u8], field: Span) -> Span {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`".contains(byte);
    let bytes = &text[field.start..field.end];
    let start = field.start + bytes.iter().take_while(|byte| is_edge(byte)).count();
    let end = field.end - bytes.iter().rev().take_while(|byte| is_edge(byte)).count();
    Span::new(start, end.max(start))
}

/// The last place of a lowercase word, written in any letter case.
fn rfind(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memrchr2_iter(word[0], word[0].to_ascii_uppercase(), text).find(|&at| {
        text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
    })
}

/// Splits at separators that stand outside of quotes, and takes quotes and spaces off.
fn fields(row: &[u8], separator: u8) -> Vec<&[u8]> {
    split(row, separator, b"")
}

/// Splits the values of a row in SQL, whose literals may have a letter before them (`N'VALUE'`).
fn literals(row: &[u8]) -> Vec<&[u8]> {
    split(row, b',', b"NnEeBb")
}

fn split<'r>(row: &'r [u8], separator: u8, prefixes: &[u8]) -> Vec<&'r [u8]> {
    let mut quote = None;
    // In the middle of a field a quote is an apostrophe.
    let mut is_begun = false;
    row.split(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') if !is_begun => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        let ends = quote.is_none() && *byte == separator;
        let is_before = byte.is_ascii_whitespace() || prefixes.contains(byte);
        is_begun = !ends && (is_begun || !is_before);
        ends
    })
    .map(|field| field.trim_ascii().trim_ascii_start())
    .map(|field| {
        field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
    })
    .map(|field| {
        field.strip_prefix(b"`").and_then(|field| field.strip_suffix(b"`")).unwrap_or(field)
    })
    .collect()
}

/// Where `field`, a part of `text`, stands in it.
pub(crate) fn within(text: &[u8], field: &[u8]) -> Span {
    let start = field.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    Span::new(start, start + field.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apostrophe_in_a_field_does_not_join_it_with_the_next() {
        assert_eq!(fields(b"A;l'API;'b;c';d", b';').len(), 4);
    }

    fn name(text: &str, value: &str) -> Option<String> {
        let start = text.rfind(value).expect("the value is there");
        let lines = Lines::new(text.as_bytes());
        let header = Header::read(text.as_bytes(), &lines);
        let tables = Tables::read(text.as_bytes());
        let span = Span::new(start, start + value.len());
        of(text.as_bytes(), &lines, (header.as_ref(), &tables), span)
            .map(|column| text[column.name.start..column.name.end].to_owned())
    }

    #[test]
    fn values_know_their_column() {
        assert_eq!(name("name,sha256,md5\nx,\"a,b\",VALUE\n", "VALUE").as_deref(), Some("md5"));
        assert_eq!(
            name("INSERT INTO t (`id`, `md5`) VALUES (1, 'VALUE')", "VALUE").as_deref(),
            Some("md5")
        );
        assert_eq!(
            name("INSERT INTO t (a, md5) VALUES\n(1, 'x'),\n(2, 'VALUE');", "VALUE").as_deref(),
            Some("md5")
        );
        assert_eq!(name("const a = f(1, 'VALUE')", "VALUE"), None);
        assert_eq!(
            name("CREATE TABLE p.t (\n  id int(3) NOT NULL,\n `md5` text,\n PRIMARY KEY (id)\n);\nINSERT INTO p.t VALUES (1,'VALUE');", "VALUE")
                .as_deref(),
            Some("md5")
        );
        assert_eq!(name("INSERT INTO t VALUES (1,'VALUE');", "VALUE"), None);
    }

    #[test]
    fn values_in_drawn_tables_know_their_column() {
        let value = "0123456789abcdef";
        assert_eq!(
            name(&format!("| Name | Digest |\n|---|---|\n| a | b |\n| c | `{value}` |\n"), value)
                .as_deref(),
            Some("Digest")
        );
        assert_eq!(
            name(
                &format!("$ ls\nNAME  DIGEST      CREATED AT\nA_B   {value}  3 days ago\n"),
                value
            )
            .as_deref(),
            Some("DIGEST")
        );
        assert_eq!(name(&format!("Two of them:\na | b\nc | {value}\n"), value), None);
    }
}
