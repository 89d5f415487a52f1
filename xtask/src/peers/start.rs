//! Each lane in a process of its own: loading, the first verdict, memory at most, and memory over several passes.
//!
//! Sandtrap starts twice: with an empty cache, and with what that left in it.

use std::fs;

use anyhow::Context as _;

use super::{
    Bench,
    program::{Alone, Pass},
    stats::count,
};

/// KiB in a MiB.
const KIB: u64 = 1024;

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let cache = bench.cache();
    if cache.exists() {
        fs::remove_dir_all(&cache).with_context(|| format!("cannot remove {}", cache.display()))?;
    }
    let mut lines = vec![
        "| lane | loading | first verdict after | resident: loaded | after the first pass | after the last | at most |"
            .to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    let mut passes = Vec::new();
    let mut measure = |name: &str, lane: &str, count: usize| -> anyhow::Result<()> {
        let alone = bench.program.alone(lane, &rules, &bench.events, &cache, count)?;
        lines.push(row(name, &alone));
        if count > 1 {
            let resident = alone.passes.iter().map(|pass| (pass.usage.resident_kib / KIB).to_string());
            let resident: Vec<String> = resident.collect();
            passes.push(format!("Resident after each pass, {name}, MiB: {}.", resident.join(", ")));
        }
        Ok(())
    };
    for lane in bench.options.lanes.split(',') {
        if lane == "sandtrap" {
            measure("sandtrap, empty cache", lane, 1)?;
            measure("sandtrap, warm cache", lane, bench.options.passes)?;
        } else {
            measure(lane, lane, bench.options.passes)?;
        }
    }
    lines.push(String::new());
    lines.extend(passes);
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn row(name: &str, alone: &Alone) -> String {
    let first = alone.first_verdict.map_or("none".to_owned(), |took| format!("{:.2} s", took.wall_s));
    let mib = |kib: u64| format!("{:.0} MiB", count(kib) / count(KIB));
    let after = |pass: Option<&Pass>| pass.map_or("-".to_owned(), |pass| mib(pass.usage.resident_kib));
    let most = alone.passes.last().map_or(alone.loaded.peak_kib, |pass| pass.usage.peak_kib);
    format!(
        "| {name} | {:.2} s (processors {:.2} s) | {first} | {} | {} | {} | {} |",
        alone.load.wall_s,
        alone.load.cpu_s,
        mib(alone.loaded.resident_kib),
        after(alone.passes.first()),
        after(alone.passes.last()),
        mib(most),
    )
}
