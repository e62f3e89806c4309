//! The sieve that says which bytes deserve a look, and which seams of two pieces do.

use std::iter;

/// Bytes of a content's start that [`Sieve::is_opaque`] is shown.
pub const HEAD_BYTES: usize = 512;

/// Letters and digits that a secret has in a row at least, plain, in base64 or in hexadecimal, so that where there are
/// none it need not be sought.
pub const LONG_RUN: usize = 31;

/// Tells which bytes deserve a full look. False positives cost time; a false negative would lose a leak, so none is allowed:
/// if `may_match(x)` is false, no part of `x` can make a finding without a hint from elsewhere.
pub trait Sieve: Sync {
    /// Whether `bytes` hold any form of a keyword.
    fn may_match(&self, bytes: &[u8]) -> bool;

    /// Whether content that starts with `head` hides its text (archives, compressed files) and is always looked into.
    fn is_opaque(&self, head: &[u8]) -> bool;

    /// Length in bytes of the longest form that `may_match` looks for: the margin needed around a seam of two pieces.
    fn longest_form(&self) -> usize;

    /// Tells where a form may stand across a seam of two pieces; without it every seam has to be looked at.
    fn seams(&self) -> Option<&Seams> {
        None
    }

    /// For each form, UTF-16 left out, a piece of at least [`LONG_RUN`] letters and digits in a row; `None` if there is a
    /// form without one.
    fn runs(&self) -> Option<Vec<Vec<u8>>> {
        None
    }
}

/// Whether there are only zeros; compares the bytes with themselves, one further, since that is fastest.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|&first| first == 0 && bytes[1..] == bytes[..bytes.len() - 1])
}

/// Tells, by the few bytes on both sides of a seam, where none of a set of forms can stand across it.
///
/// Two bytes that touch at a seam inside of a form stand next to each other in the form; and so do the two before the seam and
/// the two behind it, as far as the form reaches.
pub struct Seams {
    /// A bit for each two bytes that stand next to each other in a form, in any letter case.
    pairs: Box<[u64; 1 << (PAIR_BITS - 6)]>,
    /// A bit for the hash of each four bytes in a row in a form, and of the three at either of its ends.
    rows: Box<[u64; 1 << (ROW_BITS - 6)]>,
}

/// Bits of two bytes.
const PAIR_BITS: u32 = 16;
/// So many that few rows share one by chance, so few that the table stays in the nearest cache.
const ROW_BITS: u32 = 16;
/// What stands before and behind a form in a row: no byte that is left after [`folded`].
const EDGE: u8 = 0x1f;

impl Seams {
    /// Shorter forms cannot be told.
    pub(crate) const SHORTEST: usize = 3;

    /// Prepares forms of at least [`Self::SHORTEST`] bytes. The case of ASCII letters is left out of account.
    pub(crate) fn new<'f>(forms: impl IntoIterator<Item = &'f [u8]>) -> Self {
        let mut seams = Self { pairs: Box::new([0; _]), rows: Box::new([0; _]) };
        for form in forms {
            debug_assert!(form.len() >= Self::SHORTEST, "{form:?}");
            for pair in form.windows(2) {
                for before in cases(pair[0]) {
                    for behind in cases(pair[1]) {
                        let (word, bit) = pair_slot(before, behind);
                        seams.pairs[word] |= bit;
                    }
                }
            }
            let edged: Vec<u8> =
                iter::once(EDGE).chain(form.iter().copied().map(folded)).chain([EDGE]).collect();
            for row in edged.windows(4) {
                let (word, bit) = row_slot([row[0], row[1], row[2], row[3]]);
                seams.rows[word] |= bit;
            }
        }
        seams
    }

    /// Whether a form may end or go on in `behind` that begins in `before`.
    #[inline]
    pub(crate) fn may_cross(&self, before: &[u8], behind: &[u8]) -> bool {
        let (Some(&last), Some(&first)) = (before.last(), behind.first()) else { return false };
        let (word, bit) = pair_slot(last, first);
        self.pairs[word] & bit != 0 && self.may_row_cross(before, behind)
    }

    fn may_row_cross(&self, before: &[u8], behind: &[u8]) -> bool {
        let (Some(&[a, b]), Some(&[c, d])) = (before.last_chunk(), behind.first_chunk()) else {
            return true;
        };
        let [a, b, c, d] = [a, b, c, d].map(folded);
        [[a, b, c, d], [EDGE, b, c, d], [a, b, c, EDGE]].into_iter().any(|row| {
            let (word, bit) = row_slot(row);
            self.rows[word] & bit != 0
        })
    }
}

/// A byte in lowercase if it is a letter, and so that few others become equal.
fn folded(byte: u8) -> u8 {
    byte | 0x20
}

/// A byte in both letter cases.
fn cases(byte: u8) -> [u8; 2] {
    [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
}

fn pair_slot(before: u8, behind: u8) -> (usize, u64) {
    let slot = u16::from_le_bytes([behind, before]);
    (usize::from(slot >> 6), 1 << (slot & 63))
}

fn row_slot(row: [u8; 4]) -> (usize, u64) {
    let slot = u32::from_le_bytes(row).wrapping_mul(0x9E37_79B1) >> (u32::BITS - ROW_BITS);
    ((slot >> 6) as usize, 1 << (slot & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A form that stands across some seams is told at each of them.
        #[test]
        fn no_form_crosses_a_seam_untold(
            forms in proptest::collection::vec("[a-zA-Z0-9%\\\\\\x00-\\x20]{3,20}", 1..9),
            chosen in 0_usize..100,
            before in "[ -~]{0,5}",
            behind in "[ -~]{0,5}",
            flips: u32,
            cuts in proptest::collection::vec(1_usize..30, 1..6),
        ) {
            let seams = Seams::new(forms.iter().map(String::as_bytes));
            let form = &forms[chosen % forms.len()];
            let in_case = |(at, byte): (usize, u8)| if flips >> (at % 32) & 1 == 0 { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
            let spelled: Vec<u8> = form.bytes().enumerate().map(in_case).collect();
            let text = [before.as_bytes(), &spelled, behind.as_bytes()].concat();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut < text.len()).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            cuts.dedup();
            for three in cuts.windows(3) {
                let is_inside = before.len() < three[1] && three[1] < before.len() + form.len();
                let told = seams.may_cross(&text[three[0]..three[1]], &text[three[1]..three[2]]);
                prop_assert!(told || !is_inside, "{three:?} of {text:?}");
            }
        }
    }

    #[test]
    fn most_seams_are_crossed_by_nothing() {
        let seams = Seams::new([&b"keyword"[..], b"another"]);
        assert!(seams.may_cross(b"my KEY", b"WORD = 5"));
        for (before, behind) in [("a ", "cat"), ("the key", "hole"), ("me", "yes"), ("", "keyword")]
        {
            assert!(!seams.may_cross(before.as_bytes(), behind.as_bytes()), "{before}|{behind}");
        }
    }
}
