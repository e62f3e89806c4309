//! Mapped files. The system sends SIGBUS when a page is read that the file no longer has, because somebody cut it short:
//! then zeros take the place of what is gone, the file is marked, and whoever reads it says so in the coverage.

use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use crate::source::open::{Link, regular};

/// A whole file, mapped.
pub(crate) struct Mapped {
    // Given back before the file is no longer mapped.
    #[cfg(unix)]
    guard: Option<guard::Guard>,
    map: Mmap,
}

impl Mapped {
    /// Maps a regular file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = regular(path, Link::Follow)?;
        #[expect(
            unsafe_code,
            reason = "packs are far larger than what should be copied into memory"
        )]
        // SAFETY: the mapping is read-only and git never changes a pack, index or object in place: it writes new ones and
        // renames them. A file that somebody else cuts short is caught by the guard.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self {
            #[cfg(unix)]
            guard: guard::Guard::over(map.as_ptr_range()),
            map,
        })
    }

    /// Whether nothing of it was gone when it was read.
    pub(crate) fn is_whole(&self) -> bool {
        #[cfg(unix)]
        return self.guard.as_ref().is_none_or(guard::Guard::is_whole);
        #[cfg(not(unix))]
        true
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(unix)]
mod guard {
    use std::ops::Range;
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// Files that are guarded at the same time; further ones are read without.
    const SLOTS: usize = 1 << 12;

    /// Where a file is mapped; free if it ends at 0.
    struct Slot {
        start: AtomicUsize,
        end: AtomicUsize,
        is_torn: AtomicBool,
        is_taken: AtomicBool,
    }

    static FILES: [Slot; SLOTS] = [const {
        Slot {
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            is_torn: AtomicBool::new(false),
            is_taken: AtomicBool::new(false),
        }
    }; SLOTS];
    static PAGE: AtomicUsize = AtomicUsize::new(4096);
    static INSTALL: Once = Once::new();

    /// Guards one mapped file.
    pub(super) struct Guard(&'static Slot);

    impl Guard {
        /// `None` if too many files are mapped.
        pub(super) fn over(range: Range<*const u8>) -> Option<Self> {
            INSTALL.call_once(install);
            let is_free = |slot: &&Slot| !slot.is_taken.swap(true, Ordering::AcqRel);
            let slot = FILES.iter().find(is_free)?;
            slot.is_torn.store(false, Ordering::Release);
            slot.start.store(range.start.addr(), Ordering::Release);
            slot.end.store(range.end.addr(), Ordering::Release);
            Some(Self(slot))
        }

        pub(super) fn is_whole(&self) -> bool {
            !self.0.is_torn.load(Ordering::Acquire)
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.end.store(0, Ordering::Release);
            self.0.is_taken.store(false, Ordering::Release);
        }
    }

    fn install() {
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_fault;
        #[expect(unsafe_code, reason = "the standard library does not tell the size of a page")]
        // SAFETY: `sysconf` has no conditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        PAGE.store(usize::try_from(page).unwrap_or(4096), Ordering::Release);
        #[expect(unsafe_code, reason = "its fields differ between systems")]
        // SAFETY: all zeros are a valid `sigaction`: no flags, and an empty set of signals.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        #[expect(unsafe_code, reason = "there is no other way to learn that a file became shorter")]
        // SAFETY: both pointers are valid or null as the call allows; the handler has the signature that SA_SIGINFO asks for
        // and does only what a signal handler may do.
        unsafe {
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
        }
    }

    /// Puts zeros where the file has ended; of faults elsewhere the process dies as it would have without us.
    extern "C" fn on_fault(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        _context: *mut libc::c_void,
    ) {
        #[expect(
            unsafe_code,
            reason = "the place of the fault stands in what the system hands over"
        )]
        // SAFETY: the system hands over a valid structure.
        let info = unsafe { &*info };
        #[expect(unsafe_code, reason = "it is one of several things that may stand there")]
        // SAFETY: of SIGBUS it holds an address.
        let at = unsafe { info.si_addr() }.addr();
        let is_in = |slot: &&Slot| {
            let range = slot.start.load(Ordering::Acquire)..slot.end.load(Ordering::Acquire);
            range.contains(&at)
        };
        if let Some(slot) = FILES.iter().find(is_in) {
            let start = at & !(PAGE.load(Ordering::Acquire) - 1);
            let length = slot.end.load(Ordering::Acquire).saturating_sub(start);
            slot.is_torn.store(true, Ordering::Release);
            let place = std::ptr::without_provenance_mut(start);
            let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            #[expect(
                unsafe_code,
                reason = "what is gone must be replaced, or the fault comes again"
            )]
            // SAFETY: the pages lie in a mapping of ours, which is read-only, is only read through a shared reference, and
            // is unmapped as a whole; they are gone from the file, so nothing that was read changes. `mmap` is a bare
            // system call.
            let mapped = unsafe { libc::mmap(place, length, libc::PROT_READ, flags, -1, 0) };
            if mapped != libc::MAP_FAILED {
                return;
            }
        }
        #[expect(unsafe_code, reason = "the fault is not ours to mend")]
        // SAFETY: `signal` may be called in a handler; the default action follows when the fault comes again.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_has_lost_is_read_as_zeros_and_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, vec![7; 100_000]).expect("written");
        let (whole, torn) =
            (Mapped::open(&path).expect("mapped"), Mapped::open(&path).expect("mapped"));
        assert_eq!(whole[99_999], 7);
        let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opened");
        file.set_len(5_000).expect("cut");
        assert_eq!((torn[4_999], torn[5_000], torn[99_999]), (7, 0, 0));
        assert!(torn[50_000..].iter().all(|&byte| byte == 0));
        assert!(!torn.is_whole() && whole.is_whole());
    }
}
