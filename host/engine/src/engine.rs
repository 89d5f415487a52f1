//! The engine: wasmtime configured for untrusted detections, and the clock of their deadlines.

use std::{fmt, io, sync::Arc};

use wasmtime::Config;

use crate::{Limits, ticker::Ticker};

/// Unmapped address space after each memory. Accesses are bounds-checked against the memory's length; the guard only
/// lets Cranelift fold small constant offsets into one check.
const MEMORY_GUARD_BYTES: u64 = 64 << 10;

/// Compiles and runs detections. Cheap to clone; every [`crate::Detection`] keeps its engine alive.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    wasmtime: wasmtime::Engine,
    limits: Limits,
    // Held for its drop: the clock stops with the last user of the engine.
    _ticker: Ticker,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that holds components to these limits. Fails where the machine cannot run one: no thread to be had,
    /// or limits that contradict each other.
    pub fn new(limits: Limits) -> io::Result<Self> {
        let wasmtime = wasmtime::Engine::new(&config(&limits)).map_err(|error| io::Error::other(error.to_string()))?;
        let ticker = Ticker::start(wasmtime.clone())?;
        Ok(Self { shared: Arc::new(Shared { wasmtime, limits, _ticker: ticker }) })
    }

    /// What components are held to.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.shared.wasmtime
    }
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    // Components are called synchronously; with it on, a call costs four times as much.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.max_wasm_stack(limits.stack_bytes);
    config.wasm_backtrace_max_frames(None);
    // Same component, same events: same verdicts, on every machine (invariant 4).
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // What a pure function over one batch has no use for is not there to be attacked. Threads, garbage collection and
    // asynchrony are not compiled in at all.
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_tail_call(false);
    // Thousands of instances live side by side: reserve what one may use, not wasmtime's 4 GiB and guard for each, and
    // never move a memory.
    config.memory_reservation(limits.memory_bytes as u64);
    config.memory_reservation_for_growth(0);
    config.memory_guard_size(MEMORY_GUARD_BYTES);
    // Copy-on-write images hold one file descriptor for each component; a thousand rules would exhaust the usual limit
    // of 1,024. Instances are long-lived, so copying their few KB of data once is as good.
    config.memory_init_cow(false);
    config
}
