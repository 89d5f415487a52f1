//! Gathering: columns of just the rows that detections must be asked about, made from the lines.
//!
//! All events are one round here. Detections that are asked about the same rows of a stream share columns, as in a run.
//! Throughput is in events that were read, though few are gathered, so that stages can be compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
};

use criterion::Throughput;
use sandtrap_benches::{
    criterion, events_text, lines,
    stages::{Bound, CALL_ROWS, Rules},
};

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let lines = lines(&text);
    let rules = Rules::load();
    let Bound { binder, candidates } = rules.bind(&lines);
    let mut asked: BTreeMap<(usize, &[u32]), BTreeSet<usize>> = BTreeMap::new();
    for (place, rows) in &candidates {
        let reader = &rules.readers[*place];
        for rows in rows.chunks(CALL_ROWS) {
            asked.entry((reader.wanted, rows)).or_default().extend(&reader.columns);
        }
    }
    let asked: Vec<(usize, Vec<usize>, &[u32])> =
        asked.into_iter().map(|((wanted, rows), columns)| (wanted, columns.into_iter().collect(), rows)).collect();
    let cells: usize = asked.iter().map(|(_, columns, rows)| columns.len() * rows.len()).sum();
    eprintln!("{} events, {} batches, {cells} cells", lines.len(), asked.len());

    let round = binder.round();
    let mut group = criterion.benchmark_group("gather");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("candidates", |bencher| {
        bencher.iter(|| {
            for (wanted, columns, rows) in &asked {
                black_box(round.gather(*wanted, columns, rows));
            }
        });
    });
    group.finish();
    criterion.final_summary();
}
