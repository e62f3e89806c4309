//! The rows of a database of `SQLite`, written as the statements that would insert them, so that each value has its column's name
//! and nothing is glued to it. The format is that of <https://www.sqlite.org/fileformat2.html>.

use std::cell::Cell;
use std::cell::RefCell;

use super::families::Decoded;
use super::splice::Group;
use super::splice::Splice;
use crate::location::Span;

/// How a database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of the header before the first page's own.
const HEADER: usize = 100;
/// Larger databases are read as they are, and those whose rows would take more memory.
const MAX_BYTES: usize = 64 << 20;
const MAX_SIZE: usize = 64 << 20;
/// Longer lists of columns are left out of the statements.
const MAX_HEAD: usize = 16 << 10;
/// Columns of one table.
const MAX_COLUMNS: usize = 2_000;

/// The statements that insert the rows of a database, and behind them what else it holds, such as rows that were deleted.
pub(super) fn rows(bytes: &[u8]) -> Decoded {
    if !bytes.starts_with(MAGIC) || bytes.len() > MAX_BYTES {
        return None;
    }
    let file = Database::open(bytes)?;
    let mut writer = Writer::new(bytes);
    let mut tables = vec![];
    file.walk(1, &mut |row| {
        let root = row.number(bytes, 3).filter(|root| *root > 0);
        let table = file.texts(row).zip(root);
        tables.extend(table.and_then(|(texts, root)| Table::of(bytes, &texts, root)));
        Some(())
    })?;
    for table in &tables {
        writer.begin(table);
        file.walk(table.root, &mut |row| writer.row(&file.texts(row).unwrap_or_default()))?;
    }
    writer.finish()
}

/// An open database.
struct Database<'d> {
    bytes: &'d [u8],
    page_size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    /// Bytes of rows that are still read: in a sound file each one stands in one row.
    left: Cell<usize>,
    /// Pages that were read.
    seen: RefCell<Vec<bool>>,
}

/// A row: where its bytes stand, which may be in several pieces, and the kinds of its values.
struct Row {
    /// Behind the record's header.
    content: Vec<Span>,
    kinds: Vec<u64>,
}

impl<'d> Database<'d> {
    fn open(bytes: &'d [u8]) -> Option<Self> {
        let page_size = match usize::from(u16::from_be_bytes(*bytes.get(16..)?.first_chunk()?)) {
            1 => 65_536,
            size => size,
        };
        let usable = page_size.checked_sub(usize::from(*bytes.get(20)?))?;
        // Texts in UTF-16 are found as such.
        let is_utf8 = bytes.get(59) == Some(&1);
        (usable >= 480 && page_size.is_power_of_two() && is_utf8).then(|| Self {
            bytes,
            page_size,
            usable,
            left: Cell::new(2 * bytes.len()),
            seen: RefCell::new(vec![false; bytes.len() / page_size]),
        })
    }

    fn page(&self, number: u32) -> Option<usize> {
        let start = usize::try_from(number).ok()?.checked_sub(1)?.checked_mul(self.page_size)?;
        (start + self.page_size <= self.bytes.len()).then_some(start)
    }

    fn number<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    /// Shows `see` each row of the table whose tree begins at page `root`; `None` if it ends the walk. What is damaged is passed by.
    fn walk(&self, root: u32, see: &mut dyn FnMut(&Row) -> Option<()>) -> Option<()> {
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            let Some(page) = self.page(number) else { continue };
            if std::mem::replace(&mut self.seen.borrow_mut()[page / self.page_size], true) {
                continue;
            }
            let head = if page == 0 { HEADER } else { page };
            let Some(&kind) = self.bytes.get(head) else { continue };
            let cells = self.number(head + 3).map_or(0, u16::from_be_bytes);
            let first = head + if kind == 5 { 12 } else { 8 };
            let cell = |at: u16| {
                let at = self.number(first + 2 * usize::from(at))?;
                Some(page + usize::from(u16::from_be_bytes(at)))
            };
            match kind {
                5 => {
                    open.extend(self.number(head + 8).map(u32::from_be_bytes));
                    let children = (0..cells).rev();
                    open.extend(
                        children.filter_map(|at| Some(u32::from_be_bytes(self.number(cell(at)?)?))),
                    );
                }
                13 => {
                    for row in (0..cells).filter_map(|at| self.row(cell(at)?, page)) {
                        see(&row)?;
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    /// The row in the cell at `at`.
    fn row(&self, at: usize, page: usize) -> Option<Row> {
        let mut at = at;
        let length = usize::try_from(varint(self.bytes, &mut at)?).ok()?;
        varint(self.bytes, &mut at)?;
        self.left.set(self.left.get().checked_sub(length)?);
        let content = self.payload(at, length, page)?;
        let header: Vec<u8> = content
            .iter()
            .flat_map(|part| &self.bytes[part.start..part.end])
            .take(4 * MAX_COLUMNS)
            .copied()
            .collect();
        let mut done = 0;
        let size = usize::try_from(varint(&header, &mut done)?).ok()?;
        let mut kinds = vec![];
        while done < size {
            kinds.push(varint(&header, &mut done)?);
        }
        Some(Row { content: part_of(&content, size, length.checked_sub(size)?), kinds })
    }

    /// Where the `length` bytes of a row stand that begins at `at`: the last ones may stand in pages of their own.
    fn payload(&self, at: usize, length: usize, page: usize) -> Option<Vec<Span>> {
        let most = self.usable - 35;
        let local = if length <= most {
            length
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let local = least + (length - least) % (self.usable - 4);
            if local <= most { local } else { least }
        };
        let end = at.checked_add(local).filter(|end| *end <= page + self.page_size)?;
        let mut parts = vec![Span::new(at, end)];
        let (mut left, mut next) = (length - local, end);
        while left > 0 {
            let page = self.page(u32::from_be_bytes(self.number(next)?))?;
            let part = left.min(self.usable - 4);
            parts.push(Span::new(page + 4, page + 4 + part));
            // A chain of pages that comes back to itself ends, since each one takes of what is left.
            (left, next) = (left - part, page);
        }
        Some(parts)
    }

    /// For each column its text, if it holds one, in pieces.
    fn texts(&self, row: &Row) -> Option<Vec<Vec<Span>>> {
        let mut at = 0;
        let mut texts = vec![];
        for kind in &row.kinds {
            let length = length_of(*kind)?;
            let is_text = *kind >= 13 && kind % 2 == 1;
            texts.push(if is_text { part_of(&row.content, at, length) } else { vec![] });
            at = at.checked_add(length)?;
        }
        Some(texts)
    }
}

impl Row {
    /// The whole number in a column, if it holds a small one.
    fn number(&self, bytes: &[u8], column: usize) -> Option<u32> {
        let before: usize =
            self.kinds.get(..column)?.iter().map(|kind| length_of(*kind)).sum::<Option<usize>>()?;
        match self.kinds.get(column)? {
            8 => Some(0),
            9 => Some(1),
            kind @ 1..=4 => {
                let place = part_of(&self.content, before, length_of(*kind)?);
                let digits = place.iter().flat_map(|part| &bytes[part.start..part.end]);
                Some(digits.fold(0, |number, digit| number << 8 | u32::from(*digit)))
            }
            _ => None,
        }
    }
}

/// Bytes of a value of this kind.
fn length_of(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((kind - 12) / 2).ok(),
    }
}

/// The `length` bytes from `start` of what stands in pieces.
fn part_of(pieces: &[Span], start: usize, length: usize) -> Vec<Span> {
    let (mut skip, mut left) = (start, length);
    let mut parts = vec![];
    for piece in pieces {
        let from = skip.min(piece.len());
        let taken = left.min(piece.len() - from);
        if taken > 0 {
            parts.push(Span::new(piece.start + from, piece.start + from + taken));
        }
        (skip, left) = (skip - from, left - taken);
    }
    parts
}

/// A number of up to nine bytes, of which each but the ninth gives seven bits.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// A table of the database.
struct Table {
    name: String,
    columns: Vec<String>,
    root: u32,
}

impl Table {
    /// The table that a row of the schema describes: type, name, table, page, statement.
    fn of(bytes: &[u8], texts: &[Vec<Span>], root: u32) -> Option<Self> {
        let text = |column: usize| {
            let parts = texts.get(column)?;
            let text: Vec<u8> =
                parts.iter().flat_map(|part| &bytes[part.start..part.end]).copied().collect();
            Some(String::from_utf8_lossy(&text).into_owned())
        };
        let statement = text(4).filter(|_| text(0).as_deref() == Some("table"))?;
        let columns = columns(&statement).unwrap_or_default();
        Some(Self { name: text(1)?, columns, root })
    }
}

/// The names of the columns in `CREATE TABLE name (column type, …)`.
fn columns(statement: &str) -> Option<Vec<String>> {
    const CONSTRAINTS: [&str; 5] = ["PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "CONSTRAINT"];
    let (_, definitions) = statement.split_once('(')?;
    let mut depth = 0_usize;
    let parts = definitions.split(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let is_mark = |letter: char| matches!(letter, '"' | '`' | '[' | ']' | '\'');
    let names = parts.filter_map(|part| part.split_whitespace().next());
    let names = names.filter(|name| !CONSTRAINTS.contains(&name.to_ascii_uppercase().as_str()));
    Some(names.map(|name| name.trim_matches(is_mark).to_owned()).take(MAX_COLUMNS).collect())
}

/// Writes statements, and what they leave.
struct Writer<'d> {
    bytes: &'d [u8],
    end: Span,
    splice: Splice<'d>,
    /// What the statements do not say.
    rest: Vec<u8>,
    head: String,
}

impl<'d> Writer<'d> {
    fn new(bytes: &'d [u8]) -> Self {
        let mut splice = Splice::new(bytes);
        splice.remove(Span::new(0, bytes.len()));
        let end = Span::new(bytes.len(), bytes.len());
        Self { bytes, end, splice, rest: bytes.to_vec(), head: String::new() }
    }

    fn begin(&mut self, table: &Table) {
        let columns = table.columns.join("\",\"");
        let columns = if columns.is_empty() { columns } else { format!(" (\"{columns}\")") };
        let head = format!("INSERT INTO \"{}\"{columns} VALUES ", table.name);
        self.head = if head.len() > MAX_HEAD { "INSERT INTO t VALUES ".to_owned() } else { head };
    }

    fn say(&mut self, text: &[u8]) {
        self.splice.replace_with(self.end, self.end, text, Group::WHOLE);
    }

    /// Writes a row; `None` if that takes too much memory.
    fn row(&mut self, texts: &[Vec<Span>]) -> Option<()> {
        if texts.iter().all(Vec::is_empty) {
            return Some(());
        }
        let head = std::mem::take(&mut self.head);
        self.say(head.as_bytes());
        self.head = head;
        for (column, parts) in texts.iter().enumerate() {
            self.say(if column == 0 { b"(" } else { b"," });
            if parts.is_empty() {
                self.say(b"NULL");
                continue;
            }
            self.say(b"'");
            for part in parts {
                self.quote(*part)?;
            }
            self.say(b"'");
        }
        self.say(b");\n");
        Some(())
    }

    /// Writes a piece of a text, in which a quote ends none.
    fn quote(&mut self, part: Span) -> Option<()> {
        let text = &self.bytes[part.start..part.end];
        for (number, piece) in text.split(|byte| *byte == b'\'').enumerate() {
            if number > 0 {
                self.say(b"''");
            }
            let start = piece.as_ptr().addr() - self.bytes.as_ptr().addr();
            let source = Span::new(start, start + piece.len());
            self.splice.replace_with(self.end, source, piece, Group::SAME);
            (self.splice.size() < MAX_SIZE).then_some(())?;
        }
        self.rest[part.start..part.end].fill(b' ');
        Some(())
    }

    fn finish(mut self) -> Decoded {
        let whole = Span::new(0, self.bytes.len());
        self.splice.replace_with(self.end, whole, &self.rest, Group::SAME);
        self.splice.finish()
    }
}
