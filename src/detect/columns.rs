//! Names of columns: the header row of a CSV file, the column list of an SQL `INSERT`.

use super::lines::Lines;
use crate::location::Span;

/// Rows longer than this are not split into columns.
const MAX_ROW: usize = 4_000;

/// The column in which a value stands.
pub(super) struct Column {
    /// Its name.
    pub(super) name: Span,
    /// The value's row.
    pub(super) row: Span,
    /// Of an SQL `INSERT`: from the keyword to the name of the table.
    pub(super) table: Option<Span>,
    /// The row's fields, each with the name of its column.
    pub(super) fields: Vec<(Span, Span)>,
}

/// The first line of a file whose other lines are rows.
pub(super) struct Header {
    separator: u8,
    names: Vec<Span>,
}

impl Header {
    /// Reads the first line of a text; `None` if it is not of names alone.
    pub(super) fn read(text: &[u8], lines: &Lines) -> Option<Self> {
        let line = lines.around(0);
        let row = &text[..line.end.min(MAX_ROW + 1)];
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
        (names.len() > 1 && names.iter().all(is_name)).then(|| Self {
            separator,
            names: names.into_iter().map(|name| within(text, name)).collect(),
        })
    }
}

/// The column of the value, if it stands in a table.
pub(super) fn of(
    text: &[u8],
    lines: &Lines,
    header: Option<&Header>,
    span: Span,
) -> Option<Column> {
    in_insert(text, span).or_else(|| in_csv(text, lines, header?, span))
}

/// The name in the header, if that has as many fields as the value's row.
fn in_csv(text: &[u8], lines: &Lines, header: &Header, span: Span) -> Option<Column> {
    let row = lines.around(span.start);
    if row.start == 0 || row.len() > MAX_ROW {
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

/// The name in `INSERT INTO t (a, b) VALUES (x, y)`.
fn in_insert(text: &[u8], span: Span) -> Option<Column> {
    let floor = span.start.saturating_sub(MAX_ROW);
    let before = &text[floor..span.start];
    let values = rfind(before, b"values")?;
    let list_end = before[..values].iter().rposition(|byte| *byte == b')')?;
    let list_start = before[..list_end].iter().rposition(|byte| *byte == b'(')?;
    if !before[list_end + 1..values].trim_ascii().is_empty() {
        return None;
    }
    let row_start = before.iter().rposition(|byte| *byte == b'(').filter(|at| *at > values)?;
    let column = fields(&before[row_start + 1..], b',').len() - 1;
    let names = fields(&before[list_start + 1..list_end], b',');
    let row_end = memchr::memchr2(b')', b'\n', &text[span.end..]).unwrap_or(0);
    let table_start = memchr::memrchr3(b';', b'\n', b')', &before[..list_start]);
    let values = fields(&before[row_start + 1..], b',');
    let own = names.iter().zip(&values);
    Some(Column {
        fields: own.map(|(name, field)| (within(text, name), within(text, field))).collect(),
        name: within(text, names.get(column)?),
        row: Span::new(floor + row_start, span.end + row_end.min(MAX_ROW)),
        table: Some(Span::new(floor + table_start.map_or(0, |at| at + 1), floor + list_start)),
    })
}

/// The fields of a row beside the value, with quotes and spaces taken off.
pub(super) fn siblings(text: &[u8], column: &Column) -> Vec<Span> {
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
        is_begun = !ends && (is_begun || !byte.is_ascii_whitespace());
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
fn within(text: &[u8], field: &[u8]) -> Span {
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
        of(text.as_bytes(), &lines, header.as_ref(), Span::new(start, start + value.len()))
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
    }
}
