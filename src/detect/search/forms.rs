//! Finds where any of many exact byte strings stands in a text, by samples of the text.
//!
//! Of each string the first bytes count, as many as the shortest has. Wherever a string stands, it covers four bytes at one of
//! the places that are looked at, which are as far apart as that allows; a table tells by their hash whether some string holds
//! them. No look waits for another, so hundreds of strings cost little more than one; an automaton over them leaves the cache
//! and is ten times slower.

use crate::location::Span;

/// Bytes that are looked at together.
const GRAM: usize = 4;
/// Places whose entries of the table are joined before anything is decided.
const PLACES: usize = 8;
/// Bits of the table for each gram in it, so that few others share one.
const BITS_FOR_GRAM: usize = 64;
/// Binary logarithm of the table's bits: for few strings it stays within the nearest cache, and for many within the farthest.
const TABLE_BITS: std::ops::RangeInclusive<u32> = 15..=25;
/// As many grams at most: of more strings fewer are in the table, and more places are looked at.
const MOST_GRAMS: usize = 1 << 20;
/// Bytes by which a string is looked up.
const HEAD: usize = 8;
/// As many strings with the same hash are compared one by one.
const FEW: usize = 8;

/// The prepared strings.
pub(crate) struct Forms {
    /// Length of the shortest string.
    shortest: usize,
    longest: usize,
    /// All lengths, each once.
    lengths: Vec<usize>,
    /// Bytes of a string's head.
    head: usize,
    /// From one place to the next.
    stride: usize,
    /// A bit for the hash of each gram.
    table: Table,
    /// A bit for the hash of each string's head: looking for it among millions takes long.
    heads: Table,
    /// The bytes of all strings, one after the other: a hundred thousand secrets have millions of forms.
    bytes: Vec<u8>,
    /// The strings, by the hash of their heads.
    strings: Vec<Entry>,
}

/// Bits for hashes.
struct Table {
    shift: u32,
    words: Box<[u64]>,
}

impl Table {
    /// Room for about as many bits.
    fn new(bits: usize) -> Self {
        let bits = bits.next_power_of_two().ilog2();
        let bits = bits.clamp(*TABLE_BITS.start(), *TABLE_BITS.end());
        Self { shift: u32::BITS - bits, words: vec![0; 1 << (bits - 6)].into() }
    }

    fn add(&mut self, hash: u32) {
        let bit = hash >> self.shift;
        self.words[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    fn has(&self, hash: u32) -> bool {
        let bit = hash >> self.shift;
        self.words[(bit / 64) as usize] >> (bit % 64) & 1 != 0
    }
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
    /// Prepares strings of at least four bytes. `None` if there is a shorter one, none at all, or more than 4 GiB.
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
        let stride = shortest.checked_sub(GRAM)? + 1;
        let head = shortest.min(HEAD);
        entries.iter_mut().for_each(|entry| entry.hash = head_hash(&entry.of(&bytes)[..head]));
        entries.sort_unstable_by(|a, b| a.key(&bytes).cmp(&b.key(&bytes)));
        entries.dedup_by(|a, b| a.key(&bytes) == b.key(&bytes));
        entries.shrink_to_fit();
        let stride = stride.min(MOST_GRAMS / entries.len()).max(1);
        let mut table = Table::new(entries.len() * stride * BITS_FOR_GRAM);
        let mut heads = Table::new(entries.len() * BITS_FOR_GRAM);
        for entry in &entries {
            let grams = entry.of(&bytes).windows(GRAM).take(stride);
            grams.for_each(|gram| table.add(gram_hash(gram)));
            heads.add(entry.hash);
        }
        Some(Self {
            shortest,
            longest,
            lengths,
            head,
            stride,
            table,
            heads,
            bytes,
            strings: entries,
        })
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
        let knows = |at: usize| self.table.has(gram_hash(&text[at..at + GRAM]));
        let stride = self.stride;
        let mut at = from + stride - 1;
        while at + (PLACES - 1) * stride + GRAM <= text.len() {
            let places = (0..PLACES).map(|place| at + place * stride);
            if places.clone().fold(false, |any, at| any | knows(at)) {
                let known = places.filter(|at| knows(*at));
                if let Some(found) = known.filter_map(|at| self.find_around(text, at)).next() {
                    return Some(found);
                }
            }
            at += PLACES * stride;
        }
        let places = (at..(text.len() + 1).saturating_sub(GRAM)).step_by(stride);
        places.filter(|at| knows(*at)).find_map(|at| self.find_around(text, at))
    }

    /// The first string whose gram at `at` is one that is in the table.
    fn find_around(&self, text: &[u8], at: usize) -> Option<Span> {
        let last = at.min(text.len().checked_sub(self.shortest)?);
        (at + 1 - self.stride..=last).find_map(|start| {
            let hash = head_hash(&text[start..start + self.head]);
            let len = self.heads.has(hash).then(|| self.len_at(&text[start..], hash))??;
            Some(Span::new(start, start + len))
        })
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

/// The hash of a string's head.
fn head_hash(head: &[u8]) -> u32 {
    let word = head.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; HEAD];
        word[..head.len()].copy_from_slice(head);
        word
    });
    (u64::from_le_bytes(word).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

/// The hash of a gram.
fn gram_hash(gram: &[u8]) -> u32 {
    gram.first_chunk().map_or(0, |gram| u32::from_le_bytes(*gram).wrapping_mul(0x9E37_79B1))
}

#[cfg(test)]
mod tests {
    use aho_corasick::AhoCorasick;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What an automaton finds is found, and nothing else.
        #[test]
        fn samples_miss_nothing(
            strings in proptest::collection::vec("[ab]{4,9}|[a-zA-Z0-9]{4,40}", 1..90),
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
        assert!(Forms::new([b"abc".to_vec()]).is_none());
    }
}
