//! The engine: wasmtime configured for untrusted detections, and the clock of their deadlines.

use std::{fmt, io, sync::Arc};

use wasmtime::Config;

use crate::{
    Limits,
    cache::{CacheError, MachineCode, PrivateDir},
    functions::Functions,
    ticker::Ticker,
};

/// The most bytes of machine code that a cache holds: that of some ten thousand detections.
pub const MACHINE_CODE_BYTES_MAX: u64 = 1 << 30;

/// The folder of machine code in a cache.
const MACHINE_CODE: &str = "code";

/// Address space reserved for each memory: all that a 32-bit address reaches, so that no access needs a bounds check.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;

/// Unmapped address space on either side of a memory's reservation, for the offsets that instructions add to an address.
const MEMORY_GUARD_BYTES: u64 = 32 << 20;

/// Compiles and runs detections. Cheap to clone; every [`crate::Detection`] keeps its engine alive.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    wasmtime: wasmtime::Engine,
    limits: Limits,
    cache: Option<Cache>,
    // Held for its drop: the clock stops with the last user of the engine.
    _ticker: Ticker,
}

/// What is kept between runs.
struct Cache {
    folder: PrivateDir,
    machine_code: MachineCode,
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
        let wasmtime = wasmtime(&limits)?;
        Self::of(wasmtime, limits, None)
    }

    /// An engine that keeps in `folder` what is costly to make: machine code, at most [`MACHINE_CODE_BYTES_MAX`] of it, and
    /// what else others keep in folders of their own there.
    pub fn with_cache(limits: Limits, folder: &PrivateDir) -> io::Result<Self> {
        Self::with_cache_of(limits, folder, MACHINE_CODE_BYTES_MAX)
    }

    /// The same with at most so many bytes of machine code.
    pub fn with_cache_of(limits: Limits, folder: &PrivateDir, machine_code_bytes_max: u64) -> io::Result<Self> {
        let wasmtime = wasmtime(&limits)?;
        let code = folder.subfolder(MACHINE_CODE).map_err(|error: CacheError| io::Error::other(error))?;
        let machine_code = MachineCode::new(code, &wasmtime, &limits, machine_code_bytes_max);
        Self::of(wasmtime, limits, Some(Cache { folder: folder.clone(), machine_code }))
    }

    fn of(wasmtime: wasmtime::Engine, limits: Limits, cache: Option<Cache>) -> io::Result<Self> {
        let ticker = Ticker::start(wasmtime.clone())?;
        Ok(Self { shared: Arc::new(Shared { wasmtime, limits, cache, _ticker: ticker }) })
    }

    /// The cache's folder, if there is a cache.
    pub fn cache(&self) -> Option<&PrivateDir> {
        self.shared.cache.as_ref().map(|cache| &cache.folder)
    }

    /// What first kept the cache from being written, if anything did: it is used as far as it goes.
    pub fn cache_problem(&self) -> Option<&str> {
        self.machine_code()?.problem()
    }

    pub(crate) fn machine_code(&self) -> Option<&MachineCode> {
        self.shared.cache.as_ref().map(|cache| &cache.machine_code)
    }

    /// What components are held to.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.shared.wasmtime
    }
}

fn wasmtime(limits: &Limits) -> io::Result<wasmtime::Engine> {
    config(limits)
        .and_then(|config| wasmtime::Engine::new(&config))
        .map_err(|error| io::Error::other(error.to_string()))
}

fn config(limits: &Limits) -> wasmtime::Result<Config> {
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
    // Reserved address space stands in for bounds checks: an access past the memory's end faults, and wasmtime makes a trap
    // of the fault. Batches that scan text take a third to a half less time than with a reservation of
    // `limits.memory_bytes` and explicit checks, and an instance has as many resident bytes and mappings as before
    // (docs/performance.md, "Bounds checks"). 47 bits of address space hold some 32,000 instances. A memory still grows only
    // to its cap, and never moves.
    config.memory_reservation(MEMORY_RESERVATION_BYTES);
    config.memory_reservation_for_growth(0);
    config.memory_guard_size(MEMORY_GUARD_BYTES);
    // Copy-on-write images hold one file descriptor for each component; a thousand rules would exhaust the usual limit
    // of 1,024. They also double an instance's mappings and do not start it sooner (same page): there are only a few KB
    // of data to copy, once.
    config.memory_init_cow(false);
    config.enable_incremental_compilation(Arc::<Functions>::default())?;
    // Which instruction of a function trapped is told to nobody, and nothing unwinds through a component: it calls nothing.
    // Without the tables for it, code is a tenth smaller, and sooner made and loaded.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    Ok(config)
}
