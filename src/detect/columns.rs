//! Names of columns: the header row of a CSV file, the column list of an SQL `INSERT`.

use crate::location::Span;
use crate::location::line_around;

/// Rows longer than this are not split into columns.
const MAX_ROW: usize = 4_000;

/// The name of the column in which the value stands, if it stands in a table.
pub(super) fn name_of(text: &[u8], span: Span) -> Option<&[u8]> {
    in_insert(text, span).or_else(|| in_csv(text, span))
}

/// The header of the first row, if that row has as many fields as the value's.
fn in_csv(text: &[u8], span: Span) -> Option<&[u8]> {
    let row = line_around(text, span.start);
    let header = line_around(text, 0);
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
    let column =
        fields(row_text, separator).iter().position(|field| contains(text, field, span))?;
    (is_header && fields(row_text, separator).len() == names.len()).then(|| names[column])
}

/// The name in `INSERT INTO t (a, b) VALUES (x, y)`.
fn in_insert(text: &[u8], span: Span) -> Option<&[u8]> {
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
    fields(&before[list_start + 1..list_end], b',').get(column).copied()
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

/// Whether `field`, a part of `text`, holds the value.
fn contains(text: &[u8], field: &[u8], span: Span) -> bool {
    let start = field.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    (start..start + field.len().max(1)).contains(&span.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, value: &str) -> Option<String> {
        let start = text.rfind(value).expect("the value is there");
        name_of(text.as_bytes(), Span::new(start, start + value.len()))
            .map(|name| String::from_utf8_lossy(name).into_owned())
    }

    #[test]
    fn values_know_their_column() {
        assert_eq!(name("name,sha256,md5\nx,\"a,b\",VALUE\n", "VALUE").as_deref(), Some("md5"));
        assert_eq!(
            name("INSERT INTO t (`id`, `md5`) VALUES (1, 'VALUE')", "VALUE").as_deref(),
            Some("md5")
        );
        assert_eq!(name("const a = f(1, 'VALUE')", "VALUE"), None);
    }
}
