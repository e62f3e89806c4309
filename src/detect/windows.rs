//! Finds where one of many literals may stand, several bytes at a time.
//!
//! Of each literal only a window of a few bytes is searched, the one that is rarest in text, so that all the windows fit
//! into a vectorised search (Teddy, of the crate `aho-corasick`). A place it names must be confirmed; a place it does
//! not name holds none of the literals.

use std::collections::BTreeSet;

use aho_corasick::packed;

/// Bytes of a window. Fewer are too common in text; more have too many spellings if letter case is ignored.
const WINDOW: usize = 4;
/// Windows that one vectorised search can hold.
const WINDOWS_PER_SEARCH: usize = 64;
/// How often the letters a to z stand in English text, in tenths of a percent.
const LETTERS: [u32; 26] = [
    82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2,
    20, 1,
];

/// A text to find.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Literal {
    /// Its bytes; ASCII lowercase if case is ignored.
    pub(super) bytes: Vec<u8>,
    /// Whether ASCII letters of either case count.
    pub(super) ignores_case: bool,
}

/// The searches for the windows of a set of literals.
pub(super) struct Windows {
    searches: Vec<packed::Searcher>,
}

impl Windows {
    /// Prepares the searches. `None` where the processor has no vectors for it or a literal is too short.
    pub(super) fn new(literals: &[Literal]) -> Option<Self> {
        if literals.iter().any(|literal| literal.bytes.len() < WINDOW) {
            return None;
        }
        let mut windows = BTreeSet::new();
        // Literals that ignore case first: what they need often covers a window of the others.
        let (loose, exact): (Vec<_>, Vec<_>) =
            literals.iter().partition(|literal| literal.ignores_case);
        for literal in loose.into_iter().chain(exact) {
            let mut offered = literal.bytes.windows(WINDOW);
            if !offered.any(|window| spellings(window, literal.ignores_case).is_subset(&windows)) {
                windows.append(&mut spellings(rarest(literal)?, literal.ignores_case));
            }
        }
        let windows: Vec<Vec<u8>> = windows.into_iter().collect();
        let search = |windows: &[Vec<u8>]| packed::Config::new().builder().extend(windows).build();
        let searches = windows.chunks(WINDOWS_PER_SEARCH).map(search).collect::<Option<_>>()?;
        Some(Self { searches })
    }

    /// Whether `confirm` accepts a place where a window stands. It is given the window's offset.
    pub(super) fn any(&self, bytes: &[u8], confirm: impl Fn(usize) -> bool) -> bool {
        self.searches.iter().any(|search| {
            let mut from = 0;
            while let Some(found) = search.find_in(bytes, (from..bytes.len()).into()) {
                if confirm(found.start()) {
                    return true;
                }
                from = found.start() + 1;
            }
            false
        })
    }
}

/// The window of a literal that text holds least often.
fn rarest(literal: &Literal) -> Option<&[u8]> {
    let frequency = |window: &&[u8]| -> u64 {
        let factor = |byte: &u8| match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' if literal.ignores_case || byte.is_ascii_lowercase() => {
                LETTERS[usize::from(letter - b'a')]
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => 8,
            _ => 2,
        };
        window.iter().map(|byte| u64::from(factor(byte))).product()
    };
    literal.bytes.windows(WINDOW).min_by_key(frequency)
}

/// All spellings of a window.
fn spellings(window: &[u8], ignores_case: bool) -> BTreeSet<Vec<u8>> {
    let mut spellings = BTreeSet::from([vec![]]);
    for &byte in window {
        let cases = if ignores_case {
            [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
        } else {
            [byte; 2]
        };
        let longer = |spelling: &Vec<u8>| cases.map(|case| [spelling.as_slice(), &[case]].concat());
        spellings = spellings.iter().flat_map(longer).collect();
    }
    spellings
}
