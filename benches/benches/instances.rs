//! What a running instance costs in memory, measured by the process itself: resident bytes, address space and mappings
//! (Linux allows 65,530 of the last) for a thousand instances of one seed, each after one batch. Not a time, so not
//! criterion's; where there is no `/proc` it says so and measures nothing.

use std::fs;

use sandtrap_benches::{SEEDS, columns, component, engine, now, seed};
use sandtrap_embed::Instance;

/// How many instances live side by side.
const INSTANCES: u32 = 1_000;

/// Rows of the batch that each has seen.
const ROWS: u32 = 1_000;

fn main() {
    let engine = engine();
    for name in SEEDS {
        let (file, text) = seed(name);
        let detection = engine.load(&component(&file, &text)).expect("it loads");
        let columns = columns(&detection, ROWS);
        let Some(before) = Usage::now() else {
            eprintln!("there is no /proc/self/status here: nothing is measured");
            return;
        };
        let start = || {
            let mut instance = Instance::new(&detection);
            instance.evaluate(0, now(), ROWS, &columns).expect("it evaluates");
            instance
        };
        let instances: Vec<Instance> = (0..INSTANCES).map(|_| start()).collect();
        let after = Usage::now().unwrap_or_default();
        println!(
            "{name}: {} instances, each {} KiB resident, {} KiB of address space, {}/{INSTANCES} mappings",
            instances.len(),
            after.resident_kib.saturating_sub(before.resident_kib) / u64::from(INSTANCES),
            after.virtual_kib.saturating_sub(before.virtual_kib) / u64::from(INSTANCES),
            after.mappings.saturating_sub(before.mappings),
        );
    }
}

/// What the process uses.
#[derive(Default)]
struct Usage {
    resident_kib: u64,
    virtual_kib: u64,
    mappings: u64,
}

impl Usage {
    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let mappings = fs::read_to_string("/proc/self/maps").ok()?.lines().count() as u64;
        Some(Self { resident_kib: kib("VmRSS:")?, virtual_kib: kib("VmSize:")?, mappings })
    }
}
