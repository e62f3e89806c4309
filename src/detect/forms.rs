//! Finds whether any of many exact byte strings stands in a text, by leaps (Wu and Manber, 1994).
//!
//! Of each string the first bytes count, as many as the shortest has. A table tells for each block of three bytes how
//! far the next string can begin at the earliest, so that most of a text is never read. Hundreds of strings cost
//! little more than one; an automaton over them leaves the cache and is ten times slower.

use crate::location::Span;

/// Bytes of a block.
const BLOCK: usize = 3;
/// Bits of a block's hash: for few strings the table of leaps stays within the first cache, for many most blocks still
/// belong to none.
const HASH_BITS: std::ops::RangeInclusive<u32> = 15..=22;
/// As many strings with the same hash are compared one by one.
const FEW: usize = 8;

/// The prepared strings.
pub(super) struct Forms {
    /// Length of the shortest string.
    shortest: usize,
    longest: usize,
    /// All lengths, each once.
    lengths: Vec<usize>,
    bits: u32,
    /// For each block's hash, how far to leap when the block ends the window; 0 where a string may stand.
    leaps: Box<[u8]>,
    /// The strings, by the hash of the block that ends their first bytes.
    strings: Vec<(usize, Vec<u8>)>,
}

impl Forms {
    /// Prepares strings of at least three bytes. `None` if there is a shorter one, or none at all.
    pub(super) fn new(strings: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut strings: Vec<(usize, Vec<u8>)> =
            strings.into_iter().map(|string| (0, string)).collect();
        let shortest = strings.iter().map(|(_, string)| string.len()).min()?;
        let longest = strings.iter().map(|(_, string)| string.len()).max()?;
        let furthest = u8::try_from(shortest.checked_sub(BLOCK)? + 1).unwrap_or(u8::MAX);
        let bits = (strings.len() * 4).next_power_of_two().ilog2();
        let bits = bits.clamp(*HASH_BITS.start(), *HASH_BITS.end());
        let mut leaps = vec![furthest; 1 << bits].into_boxed_slice();
        for (hash, string) in &mut strings {
            for (at, block) in string[..shortest].windows(BLOCK).enumerate() {
                let leap = u8::try_from(shortest - BLOCK - at).unwrap_or(u8::MAX);
                *hash = hash_of(block, bits);
                leaps[*hash] = leaps[*hash].min(leap);
            }
        }
        strings.sort_unstable();
        strings.dedup();
        let mut lengths: Vec<usize> = strings.iter().map(|(_, string)| string.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Some(Self { shortest, longest, lengths, bits, leaps, strings })
    }

    /// Length of the longest string.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Whether one of the strings stands in `text`.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.find(text, 0).is_some()
    }

    /// Where strings stand in `text`, one for each beginning.
    pub(super) fn find_iter<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Span> + 't {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(text, from)?;
            from = found.start + 1;
            Some(found)
        })
    }

    /// The first place behind `from` where a string stands.
    fn find(&self, text: &[u8], from: usize) -> Option<Span> {
        let mut end = from + self.shortest;
        while let Some(block) = end.checked_sub(BLOCK).and_then(|at| text.get(at..end)) {
            let hash = hash_of(block, self.bits);
            let leap = usize::from(self.leaps[hash]);
            let start = end - self.shortest;
            if leap == 0
                && let Some(len) = self.len_at(&text[start..], hash)
            {
                return Some(Span::new(start, start + len));
            }
            end += leap.max(1);
        }
        None
    }

    /// The length of a string with this hash that begins `text`.
    fn len_at(&self, text: &[u8], hash: usize) -> Option<usize> {
        let first = self.strings.partition_point(|(known, _)| *known < hash);
        let same = &self.strings[first..];
        if same.get(FEW).is_none_or(|(known, _)| *known != hash) {
            let mut same = same.iter().take_while(|(known, _)| *known == hash);
            return same
                .find(|(_, string)| text.starts_with(string))
                .map(|(_, string)| string.len());
        }
        let stands = |length: &usize| {
            let begins = |text: &[u8]| {
                same.binary_search_by(|(known, string)| (*known, &**string).cmp(&(hash, text)))
            };
            text.get(..*length).is_some_and(|text| begins(text).is_ok())
        };
        self.lengths.iter().copied().find(|length| stands(length))
    }
}

fn hash_of(block: &[u8], bits: u32) -> usize {
    let word = block.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
    (word.wrapping_mul(0x9E37_79B1) >> (u32::BITS - bits)) as usize
}

#[cfg(test)]
mod tests {
    use aho_corasick::AhoCorasick;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What an automaton finds is found, and nothing else.
        #[test]
        fn leaps_miss_nothing(
            strings in proptest::collection::vec("[ab]{3,9}|[a-zA-Z0-9]{3,40}", 1..90),
            text in "[ab]{0,30}",
            chosen in 0_usize..1000,
            cut in 0_usize..3,
        ) {
            let bytes: Vec<Vec<u8>> = strings.iter().map(|string| string.clone().into_bytes()).collect();
            let forms = Forms::new(bytes.clone()).expect("none is too short");
            let automaton = AhoCorasick::new(&bytes).expect("few strings");
            let string = &strings[chosen % strings.len()];
            for text in [text.clone(), format!("{text}{string}{text}"), format!("{text}{}", &string[cut..]), format!("{string}{text}")] {
                prop_assert_eq!(forms.is_match(text.as_bytes()), automaton.is_match(&text), "{:?} in {:?}", strings, text);
            }
        }
    }

    #[test]
    fn nothing_to_find_is_no_search() {
        assert!(Forms::new([]).is_none());
        assert!(Forms::new([b"ab".to_vec()]).is_none());
    }
}
