//! Caps on memory and tables while a component runs.
//!
//! Asking for more than the cap ends the call rather than answering -1 to `memory.grow`: a guest cannot do anything
//! useful then, and the error names the reason instead of the `unreachable` that its allocator would run into.

use std::fmt;

use wasmtime::ResourceLimiter;

/// The caps of one store.
#[derive(Debug)]
pub(crate) struct MemoryCap {
    memory_bytes: usize,
    table_elements: usize,
    parts: usize,
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
        Self { memory_bytes, table_elements, parts }
    }
}

fn grows(what: &'static str, desired: usize, maximum: Option<usize>, cap: usize) -> wasmtime::Result<bool> {
    if desired > cap {
        return Err(MemoryRefused { what, desired, cap }.into());
    }
    // Past the maximum that the module declares itself, the answer is WebAssembly's own: -1.
    Ok(maximum.is_none_or(|maximum| desired <= maximum))
}

impl ResourceLimiter for MemoryCap {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        grows("bytes of memory", desired, maximum, self.memory_bytes)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        grows("table elements", desired, maximum, self.table_elements)
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
