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
}

/// The column of the value, if it stands in a table.
pub(super) fn of(text: &[u8], lines: &Lines, span: Span) -> Option<Column> {
    in_insert(text, span).or_else(|| in_csv(text, lines, span))
}

/// The header of the first row, if that row has as many fields as the value's.
fn in_csv(text: &[u8], lines: &Lines, span: Span) -> Option<Column> {
    let row = lines.around(span.start);
    let header = lines.around(0);
    if row.start == 0 || row.len() > MAX_ROW || header.len() > MAX_ROW {
        return None;
    }
    let (row_text, header) = (&text[row.start..row.end], &text[..header.end]);
    let separator = [b',', b';', b'\t', b'|']
        .into_iter()
        .max_by_key(|separator| header.iter().filter(|byte| *byte == separator).count())?;
    let names = fields(header, separator);
    let is_header = names.len() > 1
        && names.iter().all(|name| {
            name.len() < 40
                && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_- .".contains(byte))
        });
    let values = fields(row_text, separator);
    let column = values.iter().position(|field| within(text, field).overlaps(span))?;
    (is_header && values.len() == names.len()).then(|| Column {
        name: within(text, names[column]),
        row,
        table: None,
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
    Some(Column {
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

fn rfind(text: &[u8], word: &[u8]) -> Option<usize> {
    (0..=text.len().checked_sub(word.len())?)
        .rev()
        .find(|&at| text[at..at + word.len()].eq_ignore_ascii_case(word))
}

/// Splits at separators that stand outside of quotes, and takes quotes and spaces off.
fn fields(row: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut quote = None;
    row.split(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        quote.is_none() && *byte == separator
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

    fn name(text: &str, value: &str) -> Option<String> {
        let start = text.rfind(value).expect("the value is there");
        let lines = Lines::new(text.as_bytes());
        of(text.as_bytes(), &lines, Span::new(start, start + value.len()))
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
