//! Inflates entries, most of which are tiny.

use libdeflater::{DecompressionError, Decompressor};

/// Two decompressors, since one keeps the tables of the fixed code until it meets other tables: in a pack that is at every
/// other entry, and to make them anew takes longer than to inflate what most deltas have.
pub(crate) struct Inflater {
    fixed: Decompressor,
    other: Decompressor,
}

impl Inflater {
    /// Makes one.
    pub(crate) fn new() -> Self {
        Self { fixed: Decompressor::new(), other: Decompressor::new() }
    }

    /// Inflates a zlib stream into `out`; returns how many bytes that were.
    pub(crate) fn inflate(
        &mut self,
        compressed: &[u8],
        out: &mut [u8],
    ) -> Result<usize, DecompressionError> {
        // Bits 1 and 2 behind the two bytes of the zlib header say how the first block is compressed, mostly the only one.
        let is_fixed = compressed.get(2).is_some_and(|bits| bits >> 1 & 3 == 1);
        let decompressor = if is_fixed { &mut self.fixed } else { &mut self.other };
        decompressor.zlib_decompress(compressed, out)
    }
}
