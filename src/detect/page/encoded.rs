//! Values that are pieces of something longer: of encoded or encrypted data, of a wrapped block, of a hashed password.

use memchr::memmem;

use super::Page;
use crate::location::Span;

/// Whether the value is one of many pieces of a run without spaces or quotes, as in the mappings of a source map.
pub(crate) fn is_in_data(text: &[u8], span: Span) -> bool {
    const REACH: usize = 200;
    let is_data = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=,;_-".contains(byte);
    let before = text[..span.start].iter().rev().take(REACH).take_while(is_data).count();
    let behind = text[span.end..].iter().take(REACH).take_while(is_data).count();
    before + behind >= REACH
}

/// Whether a value that stands alone on its line goes on a run that is wrapped at its line ends, as in a certificate.
pub(crate) fn is_last_of_lines(page: &Page<'_>, span: Span) -> bool {
    const SHORTEST: usize = 60;
    let is_data = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut above = page.lines.above(page.lines.around(span.start));
    above.next().is_some_and(|above| {
        let text = page.slice(above).trim_ascii();
        (SHORTEST..200).contains(&text.len()) && text.iter().all(is_data)
    })
}

/// Whether a text ends in the mark of a hashed password (`$2y$10$`, `$P$`).
pub(crate) fn is_in_crypt_format(before: &[u8]) -> bool {
    let Some(rest) = before.strip_suffix(b"$") else { return false };
    let mark = rest.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (1..=8).contains(&mark) && rest[..rest.len() - mark].ends_with(b"$")
}

/// Whether the mark of an encrypted value stands before this one in its line. The letters of a mark inside of a word are none:
/// another key may hold them.
pub(crate) fn is_encrypted(page: &Page<'_>, span: Span) -> bool {
    const REACH: usize = 40;
    let line = page.lines.around(span.start).start.max(span.start.saturating_sub(REACH));
    let goes_on = |at: usize| {
        page.text[at].is_ascii_alphanumeric()
            && at.checked_sub(1).is_some_and(|before| page.text[before].is_ascii_alphanumeric())
    };
    let before = &page.text[line..span.start];
    let marks = &page.vocabulary().encrypted_before;
    marks.iter().any(|mark| memmem::find_iter(before, mark).any(|at| !goes_on(line + at)))
}
