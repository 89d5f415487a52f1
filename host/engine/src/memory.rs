//! Caps on memory and tables while a component runs.
//!
//! Asking for more than the cap ends the call rather than answering -1 to `memory.grow`: a guest cannot do anything
//! useful then, and the error names the reason instead of the `unreachable` that its allocator would run into.

use std::fmt;

use wasmtime::ResourceLimiter;

/// The caps of one store.
#[derive(Debug)]
pub(crate) struct MemoryCap {
    memory_bytes: Share,
    table_elements: Share,
    parts: usize,
}

/// What all memories, or all tables, of a store may have together, and have.
#[derive(Debug)]
struct Share {
    what: &'static str,
    cap: usize,
    used: usize,
}

/// The error that ends a call which asks for too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryRefused {
    what: &'static str,
    desired: usize,
    cap: usize,
}

impl fmt::Display for MemoryRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "asked for {} {}, more than its cap of {}", self.desired, self.what, self.cap)
    }
}

impl std::error::Error for MemoryRefused {}

impl MemoryCap {
    pub(crate) fn new(memory_bytes: usize, table_elements: usize, parts: usize) -> Self {
        let share = |what, cap| Share { what, cap, used: 0 };
        Self {
            memory_bytes: share("bytes of memory", memory_bytes),
            table_elements: share("table elements", table_elements),
            parts,
        }
    }
}

impl MemoryCap {
    /// How many bytes all memories have together.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.used
    }
}

impl Share {
    /// One of them grows from `current` to `desired`.
    fn grows(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let together = self.used.saturating_sub(current).saturating_add(desired);
        if together > self.cap {
            return Err(MemoryRefused { what: self.what, desired: together, cap: self.cap }.into());
        }
        // Past the maximum that the module declares itself, the answer is WebAssembly's own: -1.
        let allowed = maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.used = together;
        }
        Ok(allowed)
    }
}

impl ResourceLimiter for MemoryCap {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_bytes.grows(current, desired, maximum)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements.grows(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.parts
    }

    fn tables(&self) -> usize {
        self.parts
    }

    fn memories(&self) -> usize {
        self.parts
    }
}
