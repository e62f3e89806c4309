//! Asks the processor for memory before it is read: a pass meets entries in an order that it cannot foresee, and waiting for each
//! would cost a tenth of the time.

/// Has `value` brought into the nearest cache, without waiting for it.
#[inline]
pub(super) fn fetch_ahead<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "the standard library has no safe call for it yet")]
        // SAFETY: a hint reads nothing for the program and never faults, wherever it points.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _unused = value;
}
