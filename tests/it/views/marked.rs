//! A document that knows where the key stands in it, through every encoding that is put on it.

use std::io::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A document and the bytes of it that encode the key.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    pub(super) bytes: Vec<u8>,
    pub(super) key: Range<usize>,
    /// Line and columns as a person reads them, where `bytes` are not the text itself (UTF-16 and the like).
    reading: Option<(Vec<u8>, Range<usize>)>,
    /// Name of the innermost archive member.
    pub(super) member: Option<String>,
}

impl Marked {
    pub(super) fn new(before: &str, key: &str, behind: &str) -> Self {
        let bytes = format!("{before}{key}{behind}").into_bytes();
        Self { bytes, key: before.len()..before.len() + key.len(), reading: None, member: None }
    }

    /// Puts text around all of it.
    pub(super) fn within(self, before: &str, behind: &str) -> Self {
        let bytes = [before.as_bytes(), &self.bytes, behind.as_bytes()].concat();
        let key = self.key.start + before.len()..self.key.end + before.len();
        Self { bytes, key, ..self }
    }

    /// Encodes each byte by itself.
    pub(super) fn each(self, encode: impl Fn(u8) -> String) -> Self {
        let mut bytes = vec![];
        let (mut start, mut end) = (0, 0);
        for (at, byte) in self.bytes.iter().enumerate() {
            if at == self.key.start {
                start = bytes.len();
            }
            bytes.extend_from_slice(encode(*byte).as_bytes());
            if at + 1 == self.key.end {
                end = bytes.len();
            }
        }
        Self { bytes, key: start..end, ..self }
    }

    pub(super) fn base64(self) -> Self {
        let bytes = STANDARD.encode(&self.bytes).into_bytes();
        let end = (self.key.end.div_ceil(3) * 4).min(bytes.len());
        // What an archive holds has lines of its own.
        let reading = self.reading.filter(|_| self.member.is_some());
        Self { key: self.key.start / 3 * 4..end, bytes, reading, ..self }
    }

    /// Base64 in lines of 76 characters, as in mails and PEM files.
    pub(super) fn base64_lines(self) -> Self {
        let whole = self.base64();
        let line_break = |at: usize| at / 76;
        let bytes = whole.bytes.chunks(76).collect::<Vec<_>>().join(&b'\n');
        let key = whole.key.start + line_break(whole.key.start)
            ..whole.key.end + line_break(whole.key.end - 1);
        Self { bytes, key, ..whole }
    }

    pub(super) fn percent(self) -> Self {
        self.each(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
    }

    pub(super) fn json_string(self) -> Self {
        self.each(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b'\n' => "\\n".to_owned(),
            byte => char::from(byte).to_string(),
        })
    }

    pub(super) fn html(self) -> Self {
        self.each(|byte| match byte {
            b'"' => "&quot;".to_owned(),
            b'&' => "&amp;".to_owned(),
            b'<' => "&lt;".to_owned(),
            b'\'' => "&#39;".to_owned(),
            b'=' => "&#x3D;".to_owned(),
            byte => char::from(byte).to_string(),
        })
    }

    /// The text as UTF-16; lines and columns stay those of the text.
    pub(super) fn utf16(self, big_endian: bool, mark: bool) -> Self {
        let units = self.wide_text(mark);
        let units: Vec<u16> = units.encode_utf16().collect();
        let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        self.charset(units.into_iter().flat_map(bytes).collect(), 2, mark)
    }

    pub(super) fn utf32(self, big_endian: bool, mark: bool) -> Self {
        let units: Vec<u32> = self.wide_text(mark).chars().map(u32::from).collect();
        let bytes = |unit: u32| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        self.charset(units.into_iter().flat_map(bytes).collect(), 4, mark)
    }

    fn wide_text(&self, mark: bool) -> String {
        let text = String::from_utf8(self.bytes.clone()).expect("text");
        if mark { format!("\u{feff}{text}") } else { text }
    }

    fn charset(self, bytes: Vec<u8>, width: usize, mark: bool) -> Self {
        let shift = usize::from(mark);
        let key = (self.key.start + shift) * width..(self.key.end + shift) * width;
        Self { bytes, key, reading: Some((self.bytes, self.key)), member: self.member }
    }

    /// The text as Latin-1 with accents around the key.
    pub(super) fn latin1(self) -> Self {
        let before = b"# cl\xe9 de la d\xe9mo\n\xe9\xe8 ".to_vec();
        let key = self.key.start + before.len()..self.key.end + before.len();
        Self { bytes: [before, self.bytes, b" # \xe0\n".to_vec()].concat(), key, ..self }
    }

    pub(super) fn gzip(self) -> Self {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        encoder.write_all(&self.bytes).expect("written");
        let bytes = encoder.finish().expect("finished");
        self.packed(bytes, "")
    }

    pub(super) fn bzip2(self) -> Self {
        let mut encoder = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::default());
        encoder.write_all(&self.bytes).expect("written");
        let bytes = encoder.finish().expect("finished");
        self.packed(bytes, "")
    }

    pub(super) fn xz(self) -> Self {
        let mut bytes = vec![];
        lzma_rs::xz_compress(&mut &self.bytes[..], &mut bytes).expect("compressed");
        self.packed(bytes, "")
    }

    pub(super) fn zstd(self) -> Self {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let bytes = ruzstd::encoding::compress_to_vec(&self.bytes[..], level);
        self.packed(bytes, "")
    }

    pub(super) fn tar(self, name: &str) -> Self {
        let mut archive = tar::Builder::new(vec![]);
        let mut header = tar::Header::new_ustar();
        header.set_size(self.bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, &self.bytes[..]).expect("added");
        let bytes = archive.into_inner().expect("finished");
        self.packed(bytes, name)
    }

    pub(super) fn zip(self, name: &str) -> Self {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        archive.write_all(&self.bytes).expect("written");
        let bytes = archive.finish().expect("finished").into_inner();
        self.packed(bytes, name)
    }

    /// Lines and columns stay those of the innermost member.
    fn packed(self, bytes: Vec<u8>, name: &str) -> Self {
        let reading = self.reading.unwrap_or((self.bytes, self.key));
        let member = self.member.unwrap_or_else(|| name.to_owned());
        Self { bytes, key: 0..0, reading: Some(reading), member: Some(member) }
    }

    /// Line, column, end line and end column of the key, counted here and not by the code under test.
    pub(super) fn region(&self) -> (u32, u32, u32, u32) {
        let (text, key) = match &self.reading {
            Some((text, key)) => (text, key),
            None => (&self.bytes, &self.key),
        };
        let position = |offset: usize| {
            let before: String = match std::str::from_utf8(&text[..offset]) {
                Ok(text) => text.to_owned(),
                Err(_) => text[..offset].iter().map(|byte| char::from(*byte)).collect(),
            };
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
            (before.matches('\n').count() as u32 + 1, column as u32 + 1)
        };
        let ((line, column), (end_line, end_column)) = (position(key.start), position(key.end));
        (line, column, end_line, end_column)
    }
}
