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
/// Strings that share a word of 64 bits.
const HEADS_IN_WORD: usize = 4;

/// The prepared strings.
pub(crate) struct Forms {
    /// Length of the shortest string.
    shortest: usize,
    longest: usize,
    /// All lengths, each once.
    lengths: Vec<usize>,
    bits: u32,
    /// For each block's hash, how far to leap when the block ends the window; 0 where a string may stand.
    leaps: Box<[u8]>,
    /// A bit for the hash of each string's first bytes: where there are many strings, most blocks end the first bytes of
    /// some, and looking for it among millions takes long.
    heads: Box<[u64]>,
    /// The bytes of all strings, one after the other: a hundred thousand secrets have millions of forms.
    bytes: Vec<u8>,
    /// The strings, by the hash of the block that ends their first bytes.
    strings: Vec<Entry>,
}

/// A string among the bytes.
#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    start: u32,
    len: u32,
}

impl Entry {
    fn of<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start as usize..][..self.len as usize]
    }

    /// What they are sorted by.
    fn key<'b>(&self, bytes: &'b [u8]) -> (u32, &'b [u8]) {
        (self.hash, self.of(bytes))
    }
}

impl Forms {
    /// Prepares strings of at least three bytes. `None` if there is a shorter one, none at all, or more than 4 GiB.
    pub(crate) fn new(strings: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let (mut bytes, mut entries) = (vec![], vec![]);
        for string in strings {
            let (start, len) =
                (u32::try_from(bytes.len()).ok()?, u32::try_from(string.len()).ok()?);
            bytes.extend_from_slice(&string);
            entries.push(Entry { hash: 0, start, len });
        }
        let mut lengths: Vec<usize> = entries.iter().map(|entry| entry.len as usize).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let (&shortest, &longest) = lengths.first().zip(lengths.last())?;
        let furthest = u8::try_from(shortest.checked_sub(BLOCK)? + 1).unwrap_or(u8::MAX);
        let bits = (entries.len() * 4).next_power_of_two().ilog2();
        let bits = bits.clamp(*HASH_BITS.start(), *HASH_BITS.end());
        let mut leaps = vec![furthest; 1 << bits].into_boxed_slice();
        for entry in &mut entries {
            let string = entry.of(&bytes);
            for (at, block) in string[..shortest].windows(BLOCK).enumerate() {
                let leap = u8::try_from(shortest - BLOCK - at).unwrap_or(u8::MAX);
                entry.hash = hash_of(block, bits);
                let known = &mut leaps[entry.hash as usize];
                *known = leap.min(*known);
            }
        }
        entries.sort_unstable_by(|a, b| a.key(&bytes).cmp(&b.key(&bytes)));
        entries.dedup_by(|a, b| a.key(&bytes) == b.key(&bytes));
        entries.shrink_to_fit();
        let mut heads = vec![0; (entries.len() / HEADS_IN_WORD + 1).next_power_of_two()];
        for entry in &entries {
            let (word, bit) = head_of(&entry.of(&bytes)[..shortest], heads.len());
            heads[word] |= bit;
        }
        let heads = heads.into_boxed_slice();
        Some(Self { shortest, longest, lengths, bits, leaps, heads, bytes, strings: entries })
    }

    /// Length of the longest string.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Whether one of the strings stands in `text`.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.find(text, 0).is_some()
    }

    /// Where strings stand in `text`, the longest for each beginning.
    pub(crate) fn find_iter<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Span> + 't {
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
            let leap = usize::from(self.leaps[hash as usize]);
            let start = end - self.shortest;
            if leap == 0
                && self.has_head(&text[start..end])
                && let Some(len) = self.len_at(&text[start..], hash)
            {
                return Some(Span::new(start, start + len));
            }
            end += leap.max(1);
        }
        None
    }

    /// Whether a string may begin with these bytes.
    fn has_head(&self, head: &[u8]) -> bool {
        let (word, bit) = head_of(head, self.heads.len());
        self.heads[word] & bit != 0
    }

    /// The length of the longest string with this hash that begins `text`.
    fn len_at(&self, text: &[u8], hash: u32) -> Option<usize> {
        let first = self.strings.partition_point(|entry| entry.hash < hash);
        let same = &self.strings[first..];
        if same.get(FEW).is_none_or(|entry| entry.hash != hash) {
            // A string stands before those that it begins.
            let same = same.iter().take_while(|entry| entry.hash == hash);
            let found = same.filter(|entry| text.starts_with(entry.of(&self.bytes)));
            return found.last().map(|entry| entry.len as usize);
        }
        let stands = |length: &usize| {
            let begins = |text: &[u8]| {
                same.binary_search_by(|entry| entry.key(&self.bytes).cmp(&(hash, text)))
            };
            text.get(..*length).is_some_and(|text| begins(text).is_ok())
        };
        self.lengths.iter().rev().copied().find(|length| stands(length))
    }
}

/// The word among `words`, a power of two, and the bit in it that stand for a string's first bytes.
fn head_of(head: &[u8], words: usize) -> (usize, u64) {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    let hash = head.iter().fold(0xCBF2_9CE4_8422_2325, mix);
    // The upper bits depend on all bytes.
    ((hash >> 32) as usize & (words - 1), 1 << (hash >> 26 & 63))
}

fn hash_of(block: &[u8], bits: u32) -> u32 {
    let word = block.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
    word.wrapping_mul(0x9E37_79B1) >> (u32::BITS - bits)
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
                let longest = |start: usize| {
                    let begin = strings.iter().filter(|string| text[start..].starts_with(*string));
                    begin.map(|string| Span::new(start, start + string.len())).max_by_key(|span| span.len())
                };
                let expected: Vec<Span> = (0..text.len()).filter_map(longest).collect();
                prop_assert_eq!(forms.find_iter(text.as_bytes()).collect::<Vec<_>>(), expected, "{:?} in {:?}", strings, text);
            }
        }
    }

    #[test]
    fn nothing_to_find_is_no_search() {
        assert!(Forms::new([]).is_none());
        assert!(Forms::new([b"ab".to_vec()]).is_none());
    }
}
