//! Memory for one call: allocations only move forward, and the host's post-return call takes all of it back.
//!
//! A trap leaves the arena as it is; the host never calls an instance again that trapped.

use core::arch::wasm32::{memory_grow, memory_size, unreachable};

const PAGE_BYTES: usize = 65536;

#[link(wasm_import_module = "linker")]
unsafe extern "C" {
    /// Where the module's static data ends. Defined by the linker of the compiler, which appends data of its own.
    safe fn heap_base() -> usize;
}

/// The first free byte; 0 before the first allocation. Single-threaded: the module has no shared memory.
static mut TOP: usize = 0;

/// Bytes at a multiple of `align`, which is a power of two. Traps when memory cannot grow.
pub(crate) fn allocate(bytes: usize, align: usize) -> usize {
    let from = top();
    let Some(start) = from.checked_add(align - 1).map(|end| end & !(align - 1)) else { unreachable() };
    let Some(end) = start.checked_add(bytes) else { unreachable() };
    let have = memory_size(0).saturating_mul(PAGE_BYTES);
    if end > have && memory_grow(0, (end - have).div_ceil(PAGE_BYTES)) == usize::MAX {
        unreachable()
    }
    set_top(end);
    start
}

/// Where the next allocation starts, to be given to [`set_top`] when it is no longer needed.
pub(crate) fn top() -> usize {
    // SAFETY: no other thread and no interrupt exists, and no reference to TOP is ever made.
    let top = unsafe { TOP };
    if top == 0 { heap_base() } else { top }
}

/// Frees everything above `top`.
pub(crate) fn set_top(top: usize) {
    // SAFETY: as in `top`.
    unsafe { TOP = top }
}

/// Frees everything.
pub(crate) fn reset() {
    set_top(heap_base());
}
