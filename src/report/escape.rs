//! Makes text from a scanned repository harmless for where it goes.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// Shows control characters, bidirectional controls and zero-width characters as escapes, so that no file name or
/// line can drive a terminal or reorder what is read.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_dangerous(character) {
            // Writing into a String cannot fail.
            let _written = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Percent-encodes a path for a SARIF `uri`: everything but unreserved characters and `/`.
#[must_use]
pub fn uri(path: &[u8]) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    percent_encoding::percent_encode(path, KEPT).to_string()
}

/// Escapes text for XML, in content and in attributes, and shows what XML 1.0 forbids as [`terminal`] does.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {
                let _written = write!(escaped, "\\u{{{:x}}}", u32::from(character));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// Passes JSON on, with `\\u` in the place of characters beyond ASCII that would drive or confuse whoever prints it; those in
/// ASCII are escaped by the writer of JSON itself.
pub(super) struct Json<'o>(pub(super) &'o mut dyn io::Write);

impl io::Write for Json<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Texts come whole, so that no character is cut.
        match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().any(is_dangerous_in_json) => {
                for character in text.chars() {
                    let mut units = [0; 2];
                    if is_dangerous_in_json(character) {
                        for unit in character.encode_utf16(&mut units) {
                            write!(self.0, "\\u{unit:04x}")?;
                        }
                    } else {
                        write!(self.0, "{character}")?;
                    }
                }
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Line ends stand between the parts of JSON, too.
fn is_dangerous_in_json(character: char) -> bool {
    character >= '\u{7f}' && is_dangerous(character)
}

fn is_dangerous(character: char) -> bool {
    (character.is_control() && character != '\t')
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        assert_eq!(terminal("a\u{1b}[2Jb\u{202e}c\r\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{d}\\u{a}");
        assert!(matches!(terminal("plain é"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_reads_the_same_and_reorders_nothing() {
        let text = "a\u{202e}b\u{9b}c\u{e0041}é\u{7f}\n🦀";
        let mut written = vec![];
        serde_json::to_writer_pretty(Json(&mut written), &[text]).expect("into memory");
        let json = String::from_utf8(written).expect("UTF-8");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).expect("JSON"), [text]);
        assert!(!json.chars().any(is_dangerous_in_json), "{json}");
        assert!(
            json.contains("é") && json.contains("\\u202e") && json.contains("\\u009b"),
            "{json}"
        );
    }

    #[test]
    fn xml_holds_no_markup_and_nothing_forbidden() {
        assert_eq!(
            xml("<a b='\"'>&\u{0}\u{ffff}"),
            "&lt;a b=&#39;&quot;&#39;&gt;&amp;\\u{0}\\u{ffff}"
        );
    }

    #[test]
    fn uris_hold_no_reserved_character() {
        assert_eq!(uri("a b/é#?.env".as_bytes()), "a%20b/%C3%A9%23%3F.env");
    }
}
