//! Finds whether one of many literals stands in a text by looking at every fourth place only.
//!
//! A literal of seven bytes or more covers four bytes at one of these places, wherever it stands. A table tells by their hash
//! whether some literal holds the four bytes that are found there; then it is compared.

use super::windows::Literal;

/// Bytes from one place to the next, all of which are looked at together.
const GRAM: usize = 4;
/// Shorter literals may stand between two places.
pub(crate) const SHORTEST: usize = 2 * GRAM - 1;
/// Places whose entries of the table are joined before anything is decided.
const PLACES: usize = 8;
/// Makes one of both cases of a letter.
const FOLD: u32 = 0x2020_2020;
/// So many that few grams share one by chance, so few that the table stays in the nearest cache.
const WORD_BITS: u32 = 13;
/// So many that a drawer holds a few grams.
const DRAWER_BITS: u32 = 10;

/// The prepared literals.
pub(crate) struct Samples {
    literals: Vec<Literal>,
    /// A bit for each hash of four bytes: whether a literal holds such.
    table: Box<[u32; 1 << WORD_BITS]>,
    /// Four bytes, the literal that holds them, and how far from its start; those of a drawer together.
    grams: Vec<(u32, usize, usize)>,
    /// For each drawer the first of its grams, and where the last ends.
    drawers: Vec<usize>,
}

impl Samples {
    /// Prepares literals of at least [`SHORTEST`] bytes.
    pub(crate) fn new(literals: Vec<Literal>) -> Self {
        let mut table = Box::new([0; 1 << WORD_BITS]);
        let mut grams = vec![];
        for (number, literal) in literals.iter().enumerate() {
            debug_assert!(literal.bytes.len() >= SHORTEST, "{literal:?}");
            for (offset, gram) in literal.bytes.windows(GRAM).take(GRAM).enumerate() {
                let gram = folded([gram[0], gram[1], gram[2], gram[3]]);
                let (word, bit) = slot(gram);
                table[word] |= 1 << bit;
                grams.push((gram, number, offset));
            }
        }
        grams.sort_unstable_by_key(|&gram| (drawer(gram.0), gram));
        let before = |number| grams.partition_point(|&(gram, ..)| drawer(gram) < number);
        let drawers = (0..=1 << DRAWER_BITS).map(before).collect();
        Self { literals, table, grams, drawers }
    }

    /// Whether one of the literals stands in `bytes`.
    pub(crate) fn any(&self, bytes: &[u8]) -> bool {
        let (places, _) = bytes.as_chunks::<GRAM>();
        let (groups, rest) = places.as_chunks::<PLACES>();
        let mut groups = groups.iter().enumerate();
        let behind = groups.len() * PLACES * GRAM;
        groups.any(|(group, places)| {
            self.joined(places) && self.stands(bytes, group * PLACES * GRAM, places)
        }) || self.stands(bytes, behind, rest)
    }

    fn joined(&self, places: &[[u8; GRAM]; PLACES]) -> bool {
        places.iter().fold(false, |found, &place| found | self.knows(folded(place)))
    }

    /// Whether a literal may hold `gram`.
    fn knows(&self, gram: u32) -> bool {
        let (word, bit) = slot(gram);
        self.table[word] >> bit & 1 != 0
    }

    /// Whether a literal covers one of these places, which begin at `start`.
    fn stands(&self, bytes: &[u8], start: usize, places: &[[u8; GRAM]]) -> bool {
        places.iter().enumerate().any(|(number, &place)| {
            let (at, gram) = (start + number * GRAM, folded(place));
            self.knows(gram) && self.covers(bytes, at, gram)
        })
    }

    /// Whether a literal that holds `gram` has it at `at`.
    fn covers(&self, bytes: &[u8], at: usize, gram: u32) -> bool {
        let drawer = drawer(gram);
        let grams = &self.grams[self.drawers[drawer]..self.drawers[drawer + 1]];
        grams.iter().filter(|&&(known, ..)| known == gram).any(|&(_, literal, offset)| {
            let start = at.checked_sub(offset);
            start.is_some_and(|start| self.literals[literal].starts(&bytes[start..]))
        })
    }
}

fn folded(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | FOLD
}

/// Where a gram's bit stands in the table.
fn slot(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(0x9E37_79B1);
    // A processor takes the lowest bits for the place of a bit without being asked.
    ((hash >> (u32::BITS - WORD_BITS)) as usize, hash & 31)
}

/// In which drawer a gram is kept: that of its word.
fn drawer(gram: u32) -> usize {
    slot(gram).0 >> (WORD_BITS - DRAWER_BITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::*;

    proptest! {
        /// What a regular expression finds is found, and nothing else.
        #[test]
        fn samples_miss_nothing(
            texts in proptest::collection::vec("[ab]{7,12}|[a-z0-9%;]{7,20}", 1..30),
            ignores_case: bool,
            around in "[abAB]{0,30}",
            chosen in 0_usize..1000,
            cut in 0_usize..3,
        ) {
            let literal = |text: &String| Literal { bytes: text.clone().into_bytes(), ignores_case };
            let literals: Vec<Literal> = texts.iter().map(literal).collect();
            let pattern = literals.iter().map(Literal::pattern).collect::<Vec<_>>().join("|");
            let regex = Regex::new(&pattern).expect("escaped");
            let samples = Samples::new(literals);
            let text = &texts[chosen % texts.len()];
            let upper = text.to_ascii_uppercase();
            for text in [around.clone(), format!("{around}{text}{around}"), format!("{around}{}", &text[cut..]), format!("{upper}{around}")] {
                prop_assert_eq!(samples.any(text.as_bytes()), regex.is_match(text.as_bytes()), "{:?} in {:?}", texts, text);
            }
        }
    }
}
