//! Git's deltas: copies from a base and inserted bytes.

use super::buffer::Buffer;
use super::entry::{EntryError, OBJECT_LIMIT};

/// A delta whose instructions were all checked against its base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delta<'a> {
    instructions: &'a [u8],
    /// Bytes of the object it makes.
    pub(crate) size: u64,
}

/// One step of a delta.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// Take bytes of the base.
    Copy { start: usize, len: usize },
    /// Take the first `len` of these bytes; what is behind them are other steps.
    Insert { head: &'a [u8], len: usize },
}

/// A piece of up to as many bytes is moved as if it were as long, where there is room for that: a call takes longer.
const SHORT: usize = 32;

impl<'a> Delta<'a> {
    /// Checks a delta against a base of `base_len` bytes.
    pub(crate) fn parse(bytes: &'a [u8], base_len: usize) -> Result<Self, EntryError> {
        Self::check(bytes, base_len, |_| ())
    }

    /// Checks a delta, and collects in `out`, whose content is lost, up to `margin` bytes on both sides of those seams of two
    /// steps that `may_cross` lets through. If it lets through all that a run of up to `margin + 1` bytes crosses, the run
    /// stands there; joins that the object does not have can only add false alarms.
    pub(crate) fn parse_crossed<'b>(
        bytes: &'a [u8],
        base: &'b [u8],
        margin: usize,
        may_cross: impl Fn(&[u8], &[u8]) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<Self, EntryError>
    where
        'a: 'b,
    {
        out.clear();
        let (mut before, mut is_there): (&[u8], _) = (&[], true);
        Self::check(bytes, base.len(), |step| {
            let behind = step.bytes(base);
            let is_crossed = may_cross(before, behind);
            if is_crossed {
                if !is_there {
                    out.extend_from_slice(&before[before.len().saturating_sub(margin)..]);
                }
                out.extend_from_slice(&behind[..behind.len().min(margin)]);
            }
            is_there = is_crossed && behind.len() <= margin;
            before = behind;
        })
    }

    /// Checks a delta and calls `see` for each step in order.
    #[inline]
    fn check(
        bytes: &'a [u8],
        base_len: usize,
        mut see: impl FnMut(Step<'a>),
    ) -> Result<Self, EntryError> {
        let mut at = 0;
        let source = size(bytes, &mut at).ok_or(EntryError::Delta)?;
        let target = size(bytes, &mut at).ok_or(EntryError::Delta)?;
        if source != base_len as u64 {
            return Err(EntryError::Delta);
        }
        if target > OBJECT_LIMIT {
            return Err(EntryError::Size(target));
        }
        let instructions = &bytes[at..];
        let mut steps = Steps(instructions);
        let mut sum = 0_u64;
        while !steps.0.is_empty() {
            let step = steps.next().ok_or(EntryError::Delta)?;
            match step {
                Step::Copy { start, len } if start + len > base_len => {
                    return Err(EntryError::Delta);
                }
                Step::Copy { len, .. } | Step::Insert { len, .. } => sum += len as u64,
            }
            see(step);
        }
        if sum != target {
            return Err(EntryError::Delta);
        }
        Ok(Self { instructions, size: target })
    }

    /// The steps in order.
    pub(crate) fn steps(&self) -> Steps<'a> {
        Steps(self.instructions)
    }

    /// Builds the object into `out`, whose former content is lost.
    pub(crate) fn apply(&self, base: &[u8], out: &mut Buffer) -> Result<(), EntryError> {
        let size = out.resize(self.size)?;
        let (out, mut at) = (&mut **out, 0);
        for step in self.steps() {
            let (head, len) = step.head(base);
            put(out, at, head, len);
            at += len;
        }
        debug_assert_eq!(at, size, "the check has summed up the steps");
        Ok(())
    }

    /// The inserted bytes, each piece in one, with the codes of the steps between them.
    pub(crate) fn inserted(&self) -> &'a [u8] {
        self.instructions
    }

    /// Whether the object's first `len` bytes are the base's.
    pub(crate) fn keeps_head(&self, len: usize) -> bool {
        matches!(self.steps().next(), Some(Step::Copy { start: 0, len: copied }) if copied >= len)
    }

    /// Builds the first `len` bytes of the object.
    pub(crate) fn head(&self, base: &[u8], len: usize, out: &mut Vec<u8>) {
        out.clear();
        for step in self.steps() {
            let piece = step.bytes(base);
            let missing = len - out.len();
            if missing <= piece.len() {
                out.extend_from_slice(&piece[..missing]);
                return;
            }
            out.extend_from_slice(piece);
        }
    }
}

impl<'a> Step<'a> {
    /// The bytes that it adds.
    pub(crate) fn bytes(self, base: &'a [u8]) -> &'a [u8] {
        let (head, len) = self.head(base);
        &head[..len]
    }

    /// The bytes that it adds with all that stands behind them, and how many it adds.
    #[inline]
    fn head(self, base: &'a [u8]) -> (&'a [u8], usize) {
        match self {
            Step::Copy { start, len } => (&base[start..], len),
            Step::Insert { head, len } => (head, len),
        }
    }
}

/// Puts the first `len` bytes of `head` at `at`, and behind them anything.
#[inline]
fn put(out: &mut [u8], at: usize, head: &[u8], len: usize) {
    if len <= SHORT
        && let (Some(to), Some(from)) = (out[at..].first_chunk_mut(), head.first_chunk::<SHORT>())
    {
        *to = *from;
    } else {
        out[at..at + len].copy_from_slice(&head[..len]);
    }
}

/// Iterates over instructions; ends early at a damaged one.
pub(crate) struct Steps<'a>(&'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    #[inline]
    fn next(&mut self) -> Option<Step<'a>> {
        let (&code, rest) = self.0.split_first()?;
        if code == 0 {
            return None;
        }
        if code & 0x80 == 0 {
            let len = usize::from(code);
            self.0 = rest.get(len..)?;
            return Some(Step::Insert { head: rest, len });
        }
        let (start, len, used) = run(code, rest);
        self.0 = rest.get(used..)?;
        Some(Step::Copy { start, len: if len == 0 { 0x1_0000 } else { len } })
    }
}

/// Where a copied run starts, how long it is, and how many bytes tell it. They are nearly always the lowest bytes of both
/// numbers, which then stand in one piece each.
#[inline]
fn run(code: u8, rest: &[u8]) -> (usize, usize, usize) {
    let (starts, lens) = (code & 15, code >> 4 & 7);
    if let Some(head) = rest.first_chunk()
        && starts & (starts + 1) == 0
        && lens & (lens + 1) == 0
    {
        let word = u64::from_le_bytes(*head);
        let (starts, lens) = (starts.count_ones(), lens.count_ones());
        let low = |word: u64, bytes: u32| (word & ((1 << (8 * bytes)) - 1)) as usize;
        return (low(word, starts), low(word >> (8 * starts), lens), (starts + lens) as usize);
    }
    let (operands, used) = operands(code, rest);
    let [a, b, c, d, e, f, g, _] = operands.to_le_bytes().map(usize::from);
    (a | b << 8 | c << 16 | d << 24, e | f << 8 | g << 16, used)
}

/// The operands of a copy, each in its place, and how many bytes they take. Which of the seven are there changes from one
/// copy to the next, so that a branch for each would be guessed wrongly half of the time.
fn operands(code: u8, rest: &[u8]) -> (u64, usize) {
    let head = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        padded
    });
    let word = u64::from_le_bytes(head);
    let (mut operands, mut used) = (0, 0);
    for place in 0..7 {
        let is_there = code >> place & 1;
        operands |= (word >> (8 * used) & 0xff & u64::from(is_there).wrapping_neg()) << (8 * place);
        used += usize::from(is_there);
    }
    (operands, used)
}

fn size(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut size = 0_u64;
    let mut shift = 0;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(size);
        }
        shift += 7;
        if shift > 57 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sieve::Seams;

    /// A delta of copied runs (start, length) and inserted texts.
    fn delta(base: &[u8], steps: &[Result<(u8, u8), String>]) -> Vec<u8> {
        let mut instructions = vec![];
        let mut made = 0;
        for step in steps {
            match step {
                Ok((start, len)) => instructions.extend([0b1001_0001, *start, *len]),
                Err(text) => {
                    instructions.push(u8::try_from(text.len()).expect("a short text"));
                    instructions.extend(text.bytes());
                }
            }
            made += step.as_ref().map_or_else(String::len, |(_, len)| usize::from(*len));
        }
        let size = |size: usize| {
            [
                0x80 | u8::try_from(size % 128).expect("7 bits"),
                u8::try_from(size / 128).expect("short"),
            ]
        };
        [&size(base.len())[..], &size(made), &instructions].concat()
    }

    proptest! {
        /// Where a form stands in the object and not within a copied run, it stands in one piece in what is shown to the sieve.
        #[test]
        fn no_form_that_a_delta_brings_is_missed(
            base in "[abAB]{60}",
            steps in vec(prop_oneof![(0_u8..50, 1_u8..10).prop_map(Ok), "[abAB]{1,5}".prop_map(Err)], 1..30),
            form in "[ab]{3,9}",
        ) {
            let bytes = delta(base.as_bytes(), &steps);
            let seams = Seams::new([form.as_bytes()]);
            let may_cross = |before: &[u8], behind: &[u8]| seams.may_cross(before, behind);
            let mut crossed = vec![];
            let delta = Delta::parse_crossed(&bytes, base.as_bytes(), form.len() - 1, may_cross, &mut crossed);
            let delta = delta.expect("it is sound");
            let mut object = Buffer::default();
            delta.apply(base.as_bytes(), &mut object).expect("there is memory");
            let form_len = form.len();
            let copied = delta.steps().flat_map(|step| {
                let is_copied = matches!(step, Step::Copy { .. });
                let len = step.bytes(base.as_bytes()).len();
                (0..len).map(move |at| is_copied && at + form_len <= len)
            });
            let shown = [delta.inserted(), &crossed].map(|bytes| bytes.to_ascii_lowercase());
            for (place, is_copied) in object.windows(form.len()).zip(copied) {
                let is_shown = shown.iter().any(|bytes| memchr::memmem::find(bytes, form.as_bytes()).is_some());
                prop_assert!(is_copied || is_shown || !place.eq_ignore_ascii_case(form.as_bytes()));
            }
        }
    }
}
