//! Each lane in a process of its own: loading, the first verdict, memory at most, and memory over several passes.

use super::{Bench, program::Alone, stats::count};

/// Bytes in a KiB, and KiB in a MiB.
const KIB: u64 = 1024;

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let mut lines = vec![
        "| lane | loading | first verdict | resident after loading | after the first pass | after the last | at most |"
            .to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    let mut passes = Vec::new();
    for lane in bench.options.lanes.split(',') {
        let alone = bench.program.alone(lane, &rules, &bench.events, bench.options.passes)?;
        lines.push(row(lane, &alone));
        let resident: Vec<String> =
            alone.passes.iter().map(|pass| (pass.usage.resident_kib / KIB).to_string()).collect();
        passes.push(format!("Resident after each pass, {lane}, MiB: {}.", resident.join(", ")));
    }
    lines.push(String::new());
    lines.extend(passes);
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn row(lane: &str, alone: &Alone) -> String {
    let first = alone.first_verdict.map_or("none".to_owned(), |took| format!("{:.2} s", took.wall_s));
    let mib = |kib: u64| format!("{:.0} MiB", count(kib.saturating_sub(alone.before.resident_kib)) / count(KIB));
    let after = |pass: Option<&super::program::Pass>| pass.map_or("-".to_owned(), |pass| mib(pass.usage.resident_kib));
    let most = alone.passes.last().map_or(alone.loaded.peak_kib, |pass| pass.usage.peak_kib);
    format!(
        "| {lane} | {:.2} s (processors {:.2} s) | {first} | {} | {} | {} | {} |",
        alone.load.wall_s,
        alone.load.cpu_s,
        mib(alone.loaded.resident_kib),
        after(alone.passes.first()),
        after(alone.passes.last()),
        mib(most),
    )
}
