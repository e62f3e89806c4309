//! Remembers what the first pass has seen of each blob, so that a search for copies of a secret need not read it again:
//! that it holds no letters and digits in a long row, or short hashes of those rows, chosen so that two equal rows
//! have one in common (winnowing: Schleimer, Wilkerson and Aiken, 2003). Kept only once something was found: a history
//! without findings pays nothing for it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::store::Store;
use crate::sieve::LONG_RUN;

/// Bytes that are tried at a time: a run as long as [`LONG_RUN`] fills at least one such block.
const BLOCK: usize = LONG_RUN.div_ceil(2);
/// Bytes of which a hash is made.
const GRAM: usize = 8;
/// Of as many hashes in a row the least is kept: one of each [`LONG_RUN`] bytes.
const WINDOW: usize = LONG_RUN - GRAM + 1;
/// Bytes around the seams of a delta in which each row of [`LONG_RUN`] stands that crosses one.
pub(crate) const MARGIN: usize = LONG_RUN - 1;
/// Hashes that one worker keeps.
const GRAMS: usize = 1 << 21;

/// What the first pass has seen.
#[derive(Debug)]
pub(crate) struct Settled {
    /// One bit for each object of each pack.
    packs: Vec<Box<[AtomicU64]>>,
    grams: Mutex<Vec<Gram>>,
    /// Whether something was found, so that it is worth while to remember.
    is_awake: AtomicBool,
}

/// The hash of some letters and digits of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gram {
    hash: u32,
    pack: u32,
    position: u32,
}

impl Settled {
    /// Nothing is settled yet.
    pub(crate) fn of(store: &Store) -> Self {
        let words =
            |count: u32| (0..count.div_ceil(u64::BITS)).map(|_| AtomicU64::new(0)).collect();
        let packs = store.packs.iter();
        Self {
            packs: packs.map(|pack| words(pack.index.count())).collect(),
            grams: Mutex::default(),
            is_awake: AtomicBool::new(false),
        }
    }

    /// Says that something was found.
    pub(crate) fn wake(&self) {
        self.is_awake.store(true, Ordering::Relaxed);
    }

    /// Whether something was found.
    pub(crate) fn is_awake(&self) -> bool {
        self.is_awake.load(Ordering::Relaxed)
    }

    /// Remembers the bytes of an object, or what a delta brings and what stands around its seams.
    pub(crate) fn settle(
        &self,
        (pack, position): (usize, u32),
        pieces: &[&[u8]],
        grams: &mut Vec<Gram>,
    ) {
        let (Some(words), Ok(number)) = (self.packs.get(pack), u32::try_from(pack)) else {
            return;
        };
        // UTF-16 has no long runs.
        if grams.len() >= GRAMS || pieces.iter().any(|piece| memchr::memchr(0, piece).is_some()) {
            return;
        }
        for piece in pieces {
            for_each_run(piece, &mut |run| {
                winnow(run, &mut |hash| grams.push(Gram { hash, pack: number, position }));
            });
        }
        words[(position / u64::BITS) as usize]
            .fetch_or(1 << (position % u64::BITS), Ordering::Relaxed);
    }

    /// Takes what a worker has kept.
    pub(crate) fn append(&self, mut grams: Vec<Gram>) {
        self.grams.lock().unwrap_or_else(PoisonError::into_inner).append(&mut grams);
    }

    /// Whether an object was remembered and, after [`Self::unsettle`], holds none of what is sought.
    pub(crate) fn holds_none(&self, (pack, position): (usize, u32)) -> bool {
        self.packs.get(pack).is_some_and(|words| {
            let word = words[(position / u64::BITS) as usize].load(Ordering::Relaxed);
            word >> (position % u64::BITS) & 1 != 0
        })
    }

    /// Forgets the objects that may hold one of `runs`. Fails if one of those is too short.
    pub(crate) fn unsettle(&self, runs: &[Vec<u8>]) -> bool {
        if runs.iter().any(|run| run.len() < LONG_RUN) {
            return false;
        }
        let mut sought = vec![];
        for run in runs {
            winnow(&run[..LONG_RUN], &mut |hash| sought.push(hash));
        }
        sought.sort_unstable();
        let grams = self.grams.lock().unwrap_or_else(PoisonError::into_inner);
        for gram in grams.iter().filter(|gram| sought.binary_search(&gram.hash).is_ok()) {
            self.packs[gram.pack as usize][(gram.position / u64::BITS) as usize]
                .fetch_and(!(1 << (gram.position % u64::BITS)), Ordering::Relaxed);
        }
        true
    }
}

/// Whether a run of [`LONG_RUN`] may cross a seam: there are letters and digits on both sides, and on one of them half of a run, or
/// nothing else.
pub(crate) fn may_cross(before: &[u8], behind: &[u8]) -> bool {
    let is_run = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_alphanumeric);
    let ends = before.last().zip(behind.first());
    let is_inside = ends.is_some_and(|(last, first)| is_run(&[*last, *first]));
    is_inside
        && (is_run(&before[before.len().saturating_sub(BLOCK)..])
            || is_run(&behind[..behind.len().min(BLOCK)]))
}

/// Calls `see` for each run of at least [`LONG_RUN`] letters and digits.
fn for_each_run(bytes: &[u8], see: &mut dyn FnMut(&[u8])) {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut end = 0;
    for (number, block) in blocks.iter().enumerate() {
        let at = number * BLOCK;
        if at < end || !block.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric()) {
            continue;
        }
        let is_end = |byte: &u8| !byte.is_ascii_alphanumeric();
        let start = bytes[..at].iter().rposition(is_end).map_or(0, |before| before + 1);
        end = bytes[at..].iter().position(is_end).map_or(bytes.len(), |len| at + len);
        if end - start >= LONG_RUN {
            see(&bytes[start..end]);
        }
    }
}

/// Hands on the hashes that are kept of a run: the least of each [`WINDOW`].
fn winnow(run: &[u8], keep: &mut dyn FnMut(u32)) {
    let hash = |gram: &[u8]| -> u32 {
        let word = gram.iter().fold(0_u64, |word, &byte| word << 8 | u64::from(byte));
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
    };
    let hashes: Vec<u32> = run.windows(GRAM).map(hash).collect();
    let mut kept: Option<usize> = None;
    for (start, window) in hashes.windows(WINDOW).enumerate() {
        let newest = start + WINDOW - 1;
        if kept.is_some_and(|kept| kept >= start && hashes[kept] <= hashes[newest]) {
            continue;
        }
        let least = (0..WINDOW).min_by_key(|&at| window[at]).map(|at| start + at);
        if let Some(least) = least.filter(|_| least != kept) {
            keep(hashes[least]);
        }
        kept = least;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grams(bytes: &[u8]) -> Vec<u32> {
        let mut grams = vec![];
        for_each_run(bytes, &mut |run| winnow(run, &mut |hash| grams.push(hash)));
        grams
    }

    proptest! {
        /// However a run is surrounded and continued, one of the hashes kept of it is that of its beginning.
        #[test]
        fn equal_runs_have_a_hash_in_common(before in "[ -~]{0,70}", run in "[A-Za-z0-9]{31,90}", behind in "[ -~]{0,70}") {
            let mut sought = vec![];
            winnow(&run.as_bytes()[..LONG_RUN], &mut |hash| sought.push(hash));
            prop_assert_eq!(sought.len(), 1);
            let kept = grams(format!("{before}{run}{behind}").as_bytes());
            prop_assert!(kept.contains(&sought[0]), "{:?} {:?}", kept, sought);
        }
    }

    proptest! {
        /// Wherever a long run is cut, each seam is told.
        #[test]
        fn no_run_crosses_a_seam_untold(
            before in "[ -~]{0,20}",
            run in "[A-Za-z0-9]{31,60}",
            behind in "[ -~]{0,20}",
            cuts in proptest::collection::vec(1_usize..90, 1..9),
        ) {
            let text = format!("{before}{run}{behind}").into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            cuts.dedup();
            for three in cuts.windows(3) {
                let is_inside = before.len() < three[1] && three[1] < before.len() + run.len();
                prop_assert!(!is_inside || may_cross(&text[three[0]..three[1]], &text[three[1]..three[2]]));
            }
        }
    }

    #[test]
    fn prose_and_code_leave_no_hash() {
        let code = b"fn equal_runs_have_a_hash_in_common(before: &str) -> bool { before.is_empty() } // words";
        assert!(grams(code).is_empty());
    }
}
