//! Finds whether one of many literals stands in a text, several bytes at a time.
//!
//! Of each literal only a window of a few bytes is searched, the one that is rarest in text, so that all the windows fit
//! into a vectorised search (Teddy, of the crate `aho-corasick`). At a place that it names, the literals that have this
//! window are compared; a place that it does not name holds none of them.

use std::collections::BTreeMap;

use aho_corasick::packed;

/// Bytes of a window. Fewer are too common in text; more have too many spellings if letter case is ignored.
const WINDOW: usize = 4;
/// Windows that one vectorised search is given. It takes 127, and one search of so many costs less than two of half as many.
const WINDOWS_PER_SEARCH: usize = 110;
/// How often the letters a to z stand in English text, in tenths of a percent.
const LETTERS: [u32; 26] = [
    82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2,
    20, 1,
];

/// A text to find.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literal {
    /// Its bytes; ASCII lowercase if case is ignored.
    pub(crate) bytes: Vec<u8>,
    /// Whether ASCII letters of either case count.
    pub(crate) ignores_case: bool,
}

impl Literal {
    /// One that stands as it is.
    pub(crate) fn exact(text: String) -> Self {
        Self { bytes: text.into_bytes(), ignores_case: false }
    }

    /// One, in lowercase, whose letters may be of either case.
    pub(crate) fn of_any_case(text: String) -> Self {
        Self { bytes: text.into_bytes(), ignores_case: true }
    }

    /// A regular expression for it.
    pub(crate) fn pattern(&self) -> String {
        let text = regex::escape(&String::from_utf8_lossy(&self.bytes));
        if self.ignores_case { format!("(?i:{text})") } else { text }
    }

    /// Whether `bytes` begin with it.
    pub(crate) fn starts(&self, bytes: &[u8]) -> bool {
        bytes.get(..self.bytes.len()).is_some_and(|bytes| {
            if self.ignores_case {
                bytes.eq_ignore_ascii_case(&self.bytes)
            } else {
                bytes == self.bytes
            }
        })
    }
}

/// A literal, and how far from its start a window stands.
type Placed = (Literal, usize);

/// The searches for the windows of a set of literals.
pub(crate) struct Windows {
    searches: Vec<Search>,
}

/// One search, and for each of its windows the literals that have it.
struct Search {
    windows: packed::Searcher,
    literals: Vec<Vec<Placed>>,
}

impl Windows {
    /// Prepares the searches. `None` where the processor has no vectors for it or a literal is too short.
    pub(crate) fn new(literals: &[Literal]) -> Option<Self> {
        if literals.iter().any(|literal| literal.bytes.len() < WINDOW) {
            return None;
        }
        let mut windows: BTreeMap<Vec<u8>, Vec<Placed>> = BTreeMap::new();
        // Literals that ignore case first: what they need often covers a window of the others.
        let (loose, exact): (Vec<_>, Vec<_>) =
            literals.iter().partition(|literal| literal.ignores_case);
        for literal in loose.into_iter().chain(exact) {
            let mut offered = literal.bytes.windows(WINDOW).enumerate();
            let known = offered.find(|(_, window)| {
                let spellings = spellings(window, literal.ignores_case);
                spellings.iter().all(|spelling| windows.contains_key(spelling))
            });
            let (offset, window) = known.or_else(|| rarest(literal))?;
            for spelling in spellings(window, literal.ignores_case) {
                windows.entry(spelling).or_default().push((literal.clone(), offset));
            }
        }
        let windows: Vec<_> = windows.into_iter().collect();
        let search = |windows: &[(Vec<u8>, Vec<Placed>)]| {
            Some(Search {
                windows: packed::Config::new()
                    .heuristic_pattern_limits(false)
                    .builder()
                    .extend(windows.iter().map(|(window, _)| window))
                    .build()?,
                literals: windows.iter().map(|(_, literals)| literals.clone()).collect(),
            })
        };
        let searches = windows.chunks(WINDOWS_PER_SEARCH).map(search).collect::<Option<_>>()?;
        Some(Self { searches })
    }

    /// Whether one of the literals stands in `bytes`.
    pub(crate) fn any(&self, bytes: &[u8]) -> bool {
        self.searches.iter().any(|search| {
            let mut from = 0;
            while let Some(found) = search.windows.find_in(bytes, (from..bytes.len()).into()) {
                let literals = &search.literals[found.pattern().as_usize()];
                let stands = |(literal, offset): &Placed| {
                    found
                        .start()
                        .checked_sub(*offset)
                        .is_some_and(|at| literal.starts(&bytes[at..]))
                };
                if literals.iter().any(stands) {
                    return true;
                }
                from = found.start() + 1;
            }
            false
        })
    }
}

/// The window of a literal that text holds least often, and how far from its start.
fn rarest(literal: &Literal) -> Option<(usize, &[u8])> {
    let frequency = |(_, window): &(usize, &[u8])| -> u64 {
        let factor = |byte: &u8| match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' if literal.ignores_case || byte.is_ascii_lowercase() => {
                LETTERS[usize::from(letter - b'a')]
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => 8,
            _ => 2,
        };
        window.iter().map(|byte| u64::from(factor(byte))).product()
    };
    literal.bytes.windows(WINDOW).enumerate().min_by_key(frequency)
}

/// All spellings of some bytes, each once: in any letter case, or as they are.
pub(crate) fn spellings(window: &[u8], ignores_case: bool) -> Vec<Vec<u8>> {
    let mut spellings = vec![Vec::with_capacity(window.len())];
    for &byte in window {
        if ignores_case && byte.is_ascii_alphabetic() {
            let mut upper = spellings.clone();
            upper.iter_mut().for_each(|spelling| spelling.push(byte.to_ascii_uppercase()));
            spellings.iter_mut().for_each(|spelling| spelling.push(byte.to_ascii_lowercase()));
            spellings.append(&mut upper);
        } else {
            spellings.iter_mut().for_each(|spelling| spelling.push(byte));
        }
    }
    spellings
}
