//! Variables that stand below each other and are joined somewhere: a literal in two pieces.

use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem;

use super::Span;
use super::is_part_of_name;

/// Letters and digits of a piece, and of both.
const PIECE: std::ops::RangeInclusive<usize> = 4..=60;
const WHOLE: std::ops::RangeInclusive<usize> = 20..=80;
/// Bytes of a line before its literal.
const HEAD: usize = 120;
/// How far from the variables they are looked for where they are joined, in bytes; how often, and for how many of them.
const REACH: usize = 8 * 1024;
const MAX_PLACES: usize = 64;
const MAX_PAIRS: usize = 32;
/// Bytes of operators between two names.
const MAX_OPERATOR: usize = 6;

/// What stands between the pieces (`$a = 'abc';`, `$b = 'def';`, `"Bearer " . $a . $b`).
pub(super) fn joints(text: &[u8]) -> Vec<Span> {
    let pairs = memchr_iter(b'\n', text).filter_map(|newline| Pair::around(text, newline));
    pairs.take(MAX_PAIRS).filter(|pair| pair.is_joined(text)).map(|pair| pair.between).collect()
}

/// Two variables that are given literals in two lines.
struct Pair<'t> {
    names: [&'t [u8]; 2],
    /// From the quote that closes the first literal to behind the one that opens the second.
    between: Span,
}

impl<'t> Pair<'t> {
    /// The pair of the lines that `newline` parts.
    fn around(text: &'t [u8], newline: usize) -> Option<Self> {
        let from = newline.saturating_sub(2 * HEAD);
        let line = text[from..newline].strip_suffix(b"\r").unwrap_or(&text[from..newline]);
        let line = line.strip_suffix(b";").or_else(|| line.strip_suffix(b",")).unwrap_or(line);
        let (quote, line) = line.split_last().filter(|(quote, _)| is_quote(**quote))?;
        let close = from + line.len();
        let first = line.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let before = line[..line.len() - first].strip_suffix(&[*quote])?;
        let behind = &text[newline + 1..text.len().min(newline + 1 + 2 * HEAD)];
        let open = behind.iter().take(HEAD).position(|byte| is_quote(*byte) || *byte == b'\n')?;
        let literal = &behind[open + 1..];
        let second = memchr(behind[open], literal).filter(|_| is_quote(behind[open]))?;
        let is_plain = literal[..second].iter().all(u8::is_ascii_alphanumeric)
            && [first, second].iter().all(|length| PIECE.contains(length))
            && WHOLE.contains(&(first + second));
        let names = [assigned(before)?, assigned(&behind[..open])?];
        (is_plain && names[0] != names[1])
            .then(|| Self { names, between: Span::new(close, newline + open + 2) })
    }

    /// Whether the text joins the two, not far from where they are given their values.
    fn is_joined(&self, text: &[u8]) -> bool {
        let start = self.between.start.saturating_sub(REACH);
        let window = &text[start..text.len().min(self.between.end + REACH)];
        memmem::find_iter(window, self.names[0]).take(MAX_PLACES).any(|at| {
            let behind = &window[at + self.names[0].len()..];
            let operator = behind.iter().take(MAX_OPERATOR);
            let length = operator.take_while(|byte| b" +.&|<>~{}$#".contains(byte)).count();
            let (operator, rest) = behind.split_at(length);
            let rest = rest.strip_prefix(self.names[1]);
            operator.iter().any(|byte| *byte != b' ')
                && rest.is_some_and(|rest| !rest.first().is_some_and(|byte| is_part_of_name(*byte)))
        })
    }
}

/// The name to which what stands behind is assigned (`const a = `, `$a = `, `a := `).
fn assigned(before: &[u8]) -> Option<&[u8]> {
    let name = before.trim_ascii_end().strip_suffix(b"=")?;
    let name = name.strip_suffix(b":").unwrap_or(name).trim_ascii_end();
    let length = name.iter().rev().take_while(|byte| is_part_of_name(**byte)).count();
    (length > 0).then(|| &name[name.len() - length..])
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Option<String> {
        let joint = *joints(text.as_bytes()).first()?;
        Some(format!("{}{}", &text[..joint.start], &text[joint.end..]))
    }

    #[test]
    fn pieces_in_two_variables_are_joined_where_the_text_joins_them() {
        let lines = "$a1 = 'Zx8Kq0TnB3vL';\n$b1 = 'w7RmD2yFh5Jc';\n";
        let whole = "$a1 = 'Zx8Kq0TnB3vLw7RmD2yFh5Jc';\n";
        for use_ in
            ["'Bearer ' . $a1 . $b1", "\"Bearer $a1$b1\"", "`${a1}${b1}`", "f'{a1}{b1}'", "a1 + b1"]
        {
            assert_eq!(joined(&format!("{lines}{use_}")), Some(format!("{whole}{use_}")));
        }
        for use_ in ["", "f(a1, b1)", "a1 + b12", "b1 + a1"] {
            assert_eq!(joined(&format!("{lines}{use_}")), None, "{use_}");
        }
    }
}
