//! Says at memory speed which bytes deserve a look: those that hold a keyword of a provider in any of its forms.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

use super::samples;
use super::samples::Samples;
use super::windows;
use super::windows::Literal;
use super::windows::Windows;
use crate::decode;
use crate::rule::Provider;
use crate::rule::RuleSet;
use crate::sieve::Seams;
use crate::sieve::Sieve;
use crate::sieve::is_zero;

/// Letters of a word that is searched in base64 of base64.
const SHORTEST_TWICE: usize = 7;
/// Beginnings of archives in base64.
const MARKS: [&str; 5] = ["H4sI", "UEsDB", "QlpoO", "/Td6WFo", "KLUv/"];
/// What says that a mail is encoded in lines, whose ends may stand in the middle of a keyword.
const WRAPPED: [&str; 2] = ["encoding: base64", "encoding: quoted-printable"];

/// The compiled forms of all keywords: plain, in UTF-16 and with each letter escaped, all in any letter case; base64, once and
/// twice, and hexadecimal in the usual spellings. And how archives begin in base64, and what says that lines are encoded.
pub struct Prefilter {
    pattern: String,
    /// The pattern, compiled if it is used.
    forms: OnceLock<Regex>,
    longest: usize,
    /// Where a form may cross a seam; `None` if there is one that is too short for it.
    seams: Option<Seams>,
    /// The faster search for the same forms, short and long ones; `None` where it is not to be had.
    fast: Option<(Windows, Samples)>,
}

impl Prefilter {
    /// Compiles the keywords of `rules`.
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut literals = vec![];
        for provider in &rules.providers {
            for keyword in &provider.keywords {
                let wide: Vec<String> = keyword.chars().map(String::from).collect();
                literals.extend([keyword.clone(), wide.join("\0")].map(Literal::of_any_case));
                literals.extend(escaped_forms(keyword).into_iter().map(Literal::of_any_case));
            }
            for spelling in spellings(provider) {
                literals.extend(encoded_forms(&spelling).into_iter().map(Literal::exact));
                // Of shorter words too few letters are left.
                if spelling.len() < SHORTEST_TWICE {
                    continue;
                }
                let forms = base64_forms(spelling.as_bytes());
                let forms = forms.iter().flat_map(|form| base64_forms(form.as_bytes()));
                literals.extend(forms.map(Literal::exact));
            }
        }
        if !literals.is_empty() {
            literals.extend(MARKS.map(|mark| Literal::exact(mark.to_owned())));
            literals.extend(WRAPPED.map(|mark| Literal::of_any_case(mark.to_owned())));
        }
        literals.sort_unstable();
        literals.dedup();
        let pattern = match literals.iter().map(Literal::pattern).collect::<Vec<_>>().join("|") {
            none if none.is_empty() => "[^\\x00-\\xff]".to_owned(),
            pattern => pattern,
        };
        let longest = literals.iter().map(|literal| literal.bytes.len()).max().unwrap_or(1);
        let is_short = |literal: &Literal| literal.bytes.len() < Seams::SHORTEST;
        let seams = (!literals.iter().any(is_short))
            .then(|| Seams::new(literals.iter().map(|literal| &literal.bytes[..])));
        let is_long = |literal: &Literal| literal.bytes.len() >= samples::SHORTEST;
        let (long, short): (Vec<_>, Vec<_>) = literals.into_iter().partition(is_long);
        let fast = Windows::new(&short).map(|short| (short, Samples::new(long)));
        Self { pattern, forms: OnceLock::new(), longest, seams, fast }
    }

    fn forms(&self) -> &Regex {
        self.forms.get_or_init(|| {
            let forms = RegexBuilder::new(&self.pattern).unicode(false).build();
            forms.expect("keywords are plain ASCII, as the rule parser checks")
        })
    }
}

impl Sieve for Prefilter {
    fn may_match(&self, bytes: &[u8]) -> bool {
        // Sparse files and bombs; the search is slow on zeros, of which UTF-16 is full.
        if is_zero(bytes) {
            return false;
        }
        match &self.fast {
            Some((short, long)) => short.any(bytes) || long.any(bytes),
            None => self.forms().is_match(bytes),
        }
    }

    fn is_opaque(&self, head: &[u8]) -> bool {
        decode::is_opaque(head)
    }

    fn longest_form(&self) -> usize {
        self.longest
    }

    fn seams(&self) -> Option<&Seams> {
        self.seams.as_ref()
    }
}

/// The usual spellings of a provider's keywords.
fn spellings(provider: &Provider) -> Vec<String> {
    let mut spellings: Vec<String> = provider.spellings.clone();
    for keyword in &provider.keywords {
        let capital = keyword[..1].to_ascii_uppercase() + &keyword[1..];
        spellings.extend([keyword.clone(), keyword.to_ascii_uppercase(), capital]);
    }
    spellings
}

/// The first two letters of a word, each escaped, in any letter case: hardly anything else escapes letters. And the
/// first three as a list of codes, since tables of numbers are common.
fn escaped_forms(word: &str) -> Vec<String> {
    let pairs = windows::spellings(&word.as_bytes()[..2], true);
    let pairs = pairs.iter().flat_map(|pair| ESCAPED.map(|escape| escape(pair[0], pair[1])));
    let lists = windows::spellings(&word.as_bytes()[..3], true);
    let listed = |codes: &Vec<u8>| {
        let decimal: Vec<String> = codes.iter().map(u8::to_string).collect();
        let hex: Vec<String> = codes.iter().map(|code| format!("0x{code:02x}")).collect();
        [decimal.join(", "), decimal.join(","), hex.join(", "), hex.join(",")]
    };
    pairs.chain(lists.iter().flat_map(listed)).collect()
}

/// How two letters in a row are written otherwise.
const ESCAPED: [fn(u8, u8) -> String; 11] = [
    |a, b| format!("%{a:02x}%{b:02x}"),
    |a, b| format!("%25{a:02x}%25{b:02x}"),
    |a, b| format!("00{a:02x}\\u00{b:02x}"),
    |a, b| format!("00{a:02x}\\u000000{b:02x}"),
    |a, b| format!("00{a:02x}%u00{b:02x}"),
    |a, b| format!("00{a:02x};&#x00{b:02x}"),
    |a, b| format!("\\x{a:02x}\\x{b:02x}"),
    |a, b| format!("{{{a:02x}}}\\u{{{b:02x}}}"),
    |a, b| format!("#{a};&#{b};"),
    |a, b| format!("#x{a:02x};&#x{b:02x};"),
    |a, b| format!("\\{a:03o}\\{b:03o}"),
];

/// Base64 at its three alignments, of the word and of its UTF-16, and both cases of hexadecimal.
pub(crate) fn encoded_forms(spelling: &str) -> Vec<String> {
    let wide: Vec<u8> = spelling.bytes().flat_map(|byte| [byte, 0]).collect();
    let mut forms = base64_forms(spelling.as_bytes());
    forms.extend(base64_forms(&wide));
    let hex: String = spelling.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(hex.to_ascii_uppercase());
    forms.push(hex);
    forms.sort();
    forms.dedup();
    forms
}

/// The characters of base64 that depend on `bytes` alone, for each of the three offsets at which they may begin.
fn base64_forms(bytes: &[u8]) -> Vec<String> {
    (0..3)
        .map(|shift| {
            let padded = [&vec![0; shift], bytes].concat();
            let encoded = STANDARD_NO_PAD.encode(&padded);
            let first = (shift * 8).div_ceil(6);
            let last = padded.len() * 8 / 6;
            encoded[first..last].to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn prefilter() -> &'static Prefilter {
        static PREFILTER: LazyLock<Prefilter> = LazyLock::new(|| {
            Prefilter::new(&RuleSet::built_in().expect("built-in rules are valid"))
        });
        &PREFILTER
    }

    proptest! {
        /// The vectorised search and the plain one must agree on everything, hits across its blocks included.
        #[test]
        fn windows_miss_nothing(before in "[yousigntrapYOUS\\x00-\\x03]{0,80}", at in 0_usize..1000, behind in "[ -~]{0,90}") {
            let prefilter = prefilter();
            let forms: Vec<String> = RuleSet::built_in().expect("valid").providers.iter()
                .flat_map(|provider| spellings(provider).iter().flat_map(|spelling| encoded_forms(spelling)).collect::<Vec<_>>())
                .chain(["yOuSiGn".to_owned(), "y\0O\0u\0T\0R\0u\0s\0t".to_owned(), "YSAPI".to_owned(), "YOUSIG".to_owned()])
                .collect();
            let text = format!("{before}{}{behind}", forms[at % forms.len()]);
            prop_assert!(prefilter.fast.is_some());
            for bytes in [text.as_bytes(), before.as_bytes(), behind.as_bytes()] {
                prop_assert_eq!(prefilter.may_match(bytes), prefilter.forms().is_match(bytes));
            }
        }

        #[test]
        fn no_form_of_a_keyword_is_missed(before in "[ -~]{0,40}", behind in "[ -~]{0,40}", word in "[yY][oO][uU]([sS][iI][gG][nN]|[tT][rR][uU][sS][tT])|[yY][sS][aA][pP][iI]", spelled in "yousign|YOUSIGN|YouSign|Yousign|youSign|youtrust|YOUTRUST") {
            let prefilter = prefilter();
            let plain = format!("{before}{word}{behind}");
            prop_assert!(prefilter.may_match(plain.as_bytes()));
            let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert!(prefilter.may_match(&wide));
            let text = format!("{before}{spelled}{behind}");
            prop_assert!(prefilter.may_match(STANDARD_NO_PAD.encode(&text).as_bytes()));
            let encoded_wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert!(prefilter.may_match(STANDARD_NO_PAD.encode(&encoded_wide).as_bytes()));
            let encoded = [&text.into_bytes(), &encoded_wide].map(|bytes| STANDARD_NO_PAD.encode(bytes).into_bytes());
            // Nor where a seam cuts it.
            let seams = prefilter.seams().expect("no form is too short");
            for text in encoded.into_iter().chain([plain.into_bytes(), wide]) {
                for cut in 0..=text.len() {
                    let (before, behind) = text.split_at(cut);
                    prop_assert!(seams.may_cross(before, behind) || [before, behind].iter().any(|piece| prefilter.may_match(piece)));
                }
            }
        }
    }

    /// Found on an exam: the keyword stood across the end of a line of base64.
    #[test]
    fn a_mail_whose_lines_cut_the_keyword_is_looked_into() {
        let encoded = STANDARD_NO_PAD.encode("la clé de Yousign est prête");
        for cut in 1..encoded.len() {
            let (line, next) = encoded.split_at(cut);
            let mail = format!("Content-Transfer-Encoding: base64\n\n{line}\n{next}\n");
            assert!(prefilter().may_match(mail.as_bytes()));
        }
        let quoted = "Content-Transfer-Encoding: quoted-printable\n\nla cl=C3=A9 de You=\nsign\n";
        assert!(prefilter().may_match(quoted.as_bytes()));
    }
}
