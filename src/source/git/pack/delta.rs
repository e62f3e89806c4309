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
/// Bytes by which a buffer grows at most at a time.
const MORE: usize = 1 << 20;

impl<'a> Delta<'a> {
    /// Checks a delta against a base of `base_len` bytes.
    pub(crate) fn parse(bytes: &'a [u8], base_len: usize) -> Result<Self, EntryError> {
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
            match steps.next().ok_or(EntryError::Delta)? {
                Step::Copy { start, len } if start + len > base_len => {
                    return Err(EntryError::Delta);
                }
                Step::Copy { len, .. } => sum += len as u64,
                Step::Insert { len, .. } => sum += len as u64,
            }
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
        debug_assert_eq!(at, size, "parse has summed up the steps");
        Ok(())
    }

    /// Collects in `out`, whose content is lost, what may hold a form that the base does not hold: inserted bytes, and `margin`
    /// bytes on both sides of each seam. Every run of up to `margin + 1` bytes of the object that is not wholly inside of one copied
    /// run stands there; joins that the object does not have can only add false alarms.
    pub(crate) fn novel<'o>(&self, base: &[u8], margin: usize, out: &'o mut Vec<u8>) -> &'o [u8] {
        let mut at = 0;
        for step in self.steps() {
            let (head, len) = step.head(base);
            let (ends, tail) = match step {
                Step::Copy { .. } if len > 2 * margin => (margin, &head[len - margin..]),
                _ => (len, &[][..]),
            };
            let needed = at + 2 * ends + SHORT;
            if out.len() < needed {
                out.resize(needed + needed.min(MORE), 0);
            }
            put(out, at, head, ends);
            at += ends;
            if !tail.is_empty() {
                put(out, at, tail, margin);
                at += margin;
            }
        }
        &out[..at]
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
