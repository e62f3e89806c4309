//! Counts the memory that the process holds, so that a scan ends with its report before the system ends it without one.
//! Mapped files are not counted: the system takes their pages back.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicIsize;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use super::input;

/// A thread tells the others of this many bytes at once, so that they do not fight over the sum.
const BATCH: usize = 1 << 16;
/// Files of the system that are read here are shorter.
const MAX_FILE: u64 = 1 << 16;

thread_local! {
    static UNTOLD: Cell<isize> = const { Cell::new(0) };
}
static HELD: AtomicIsize = AtomicIsize::new(0);
static LIMIT: AtomicIsize = AtomicIsize::new(isize::MAX);
/// Memory that is given back when there is no more, so that the report can be written; and its size, which is 0 when it is gone.
static RESERVE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static RESERVED: AtomicUsize = AtomicUsize::new(0);

/// Whether the process holds as much as it may.
pub(crate) fn is_full() -> bool {
    HELD.load(Ordering::Relaxed) > LIMIT.load(Ordering::Relaxed)
}

/// Sets the limit; without one, what the machine allows.
pub(crate) fn limit(asked: Option<u64>) {
    let space = address_space();
    let allowed = asked.or_else(|| lowest([machine(), space.map(|space| space / 4)]));
    if let Some(bytes) = allowed {
        LIMIT.store(isize::try_from(bytes).unwrap_or(isize::MAX), Ordering::Relaxed);
    }
    if let Some(space) = space {
        share_one_heap();
        reserve(usize::try_from(space / 4).unwrap_or(usize::MAX));
    }
}

/// Three quarters of the memory of the machine, or of the control group if that is less.
fn machine() -> Option<u64> {
    let text = read("/proc/meminfo");
    let total = field(&text, "MemTotal:").and_then(|kilobytes| kilobytes.checked_mul(1024));
    let group = read("/proc/self/cgroup");
    let group = group.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let folder = Path::new("/sys/fs/cgroup").join(group);
    let folders = folder.ancestors().take_while(|folder| folder.starts_with("/sys/fs/cgroup"));
    let groups = folders.map(|folder| field(&read(folder.join("memory.max")), ""));
    let older = field(&read("/sys/fs/cgroup/memory/memory.limit_in_bytes"), "");
    Some(lowest(groups.chain([total, older]))? / 4 * 3)
}

/// What `ulimit -v` allows: memory, stacks and mapped files together.
fn address_space() -> Option<u64> {
    field(&read("/proc/self/limits"), "Max address space")
}

fn lowest(limits: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    limits.into_iter().flatten().min()
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

/// A file of the system; where there is none it says nothing.
fn read(path: impl AsRef<Path>) -> String {
    let text = input::read_capped(path.as_ref(), MAX_FILE).unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

/// The system's allocator, which counts.
pub(crate) struct Counting;

// Never inlined: there are thousands of callers, and each would hold the counting.
#[expect(unsafe_code, reason = "there is no other way to see what is allocated")]
// SAFETY: each call goes to `System` as it came; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        counted(|| unsafe { System.alloc(layout) }, 0, layout.size())
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        counted(|| unsafe { System.alloc_zeroed(layout) }, 0, layout.size())
    }

    #[inline(never)]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract; a call that failed has left the memory as it was.
        counted(|| unsafe { System.realloc(memory, layout, size) }, layout.size(), size)
    }

    #[inline(never)]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) };
        count(layout.size(), 0);
    }
}

/// Allocates, if need be from the reserve.
fn counted(allocate: impl Fn() -> *mut u8, before: usize, after: usize) -> *mut u8 {
    let mut memory = allocate();
    while memory.is_null() {
        // Another thread may be giving it back, or may just have done so.
        let is_gone = RESERVED.load(Ordering::Acquire) == 0;
        give_back();
        memory = allocate();
        if is_gone {
            break;
        }
    }
    if !memory.is_null() {
        count(before, after);
    }
    memory
}

/// Notes that what had `before` bytes has `after`.
fn count(before: usize, after: usize) {
    // No allocation has more than `isize::MAX` bytes.
    let change = after.wrapping_sub(before).cast_signed();
    let told = UNTOLD.try_with(|untold| {
        let sum = untold.get().wrapping_add(change);
        let is_much = sum.unsigned_abs() >= BATCH;
        untold.set(if is_much { 0 } else { sum });
        if is_much { sum } else { 0 }
    });
    let told = told.unwrap_or(change);
    if told != 0 {
        HELD.fetch_add(told, Ordering::Relaxed);
    }
}

/// Lets all threads take memory from one place: the C library of GNU would set aside 64 MiB of addresses for each.
fn share_one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "there is no other way to tell the C library")]
        // SAFETY: it is called before other threads start.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

/// Takes a reserve, which costs addresses and no memory.
fn reserve(bytes: usize) {
    let Ok(layout) = Layout::from_size_align(bytes, 1) else { return };
    if bytes == 0 || RESERVED.load(Ordering::Relaxed) > 0 {
        return;
    }
    #[expect(unsafe_code, reason = "nobody else may get it")]
    // SAFETY: the layout is not empty.
    let memory = unsafe { System.alloc(layout) };
    if !memory.is_null() {
        RESERVE.store(memory, Ordering::Relaxed);
        RESERVED.store(bytes, Ordering::Release);
    }
}

/// Gives the reserve back, once, and ends the scan.
fn give_back() {
    LIMIT.store(-1, Ordering::Relaxed);
    let layout = Layout::from_size_align(RESERVED.load(Ordering::Acquire), 1);
    let memory = RESERVE.swap(std::ptr::null_mut(), Ordering::Relaxed);
    if let (false, Ok(layout)) = (memory.is_null(), layout) {
        #[expect(unsafe_code, reason = "it came from there")]
        // SAFETY: `reserve` has allocated it with this layout, and only one thread can take it out of its place.
        unsafe {
            System.dealloc(memory, layout);
        }
        RESERVED.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted() {
        let before = HELD.load(Ordering::Relaxed);
        let many: Vec<Vec<u8>> = (0..1000).map(|_| vec![1; 100_000]).collect();
        let held = HELD.load(Ordering::Relaxed) - before;
        assert!(held > 90_000_000, "{held}");
        drop(many);
        let left = HELD.load(Ordering::Relaxed) - before;
        assert!(left < 50_000_000, "{left}");
    }

    #[test]
    fn limits_of_the_system_are_read() {
        let text = "Limit  Soft Limit\nMax address space         409600000            unlimited            bytes\n";
        assert_eq!(field(text, "Max address space"), Some(409_600_000));
        assert_eq!(
            field("Max address space         unlimited  unlimited", "Max address space"),
            None
        );
        assert_eq!(field("max\n", ""), None);
        assert_eq!(lowest([None, Some(3), Some(2)]), Some(2));
    }
}
