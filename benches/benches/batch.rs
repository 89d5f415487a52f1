//! One batch through one running component: lowering the columns, the kernel, lifting and checking the answer.
//!
//! A batch of 1,000 rows of which none matches, for each seed and for a hunt that is one text scan; and batches of no
//! rows and of one, which are what a call costs. Prints how much text the rows have.

use criterion::Throughput;
use sandtrap_benches::{SCAN, SEEDS, columns, component, criterion, engine, now, seed, text_bytes};
use sandtrap_embed::Instance;

/// Rows of a full batch.
const ROWS: u32 = 1_000;

fn main() {
    let mut criterion = criterion();
    let engine = engine();
    let scan = ("scan", ("scan.kql".to_owned(), SCAN.to_owned()));
    for (name, (file, text)) in SEEDS.map(|name| (name, seed(name))).into_iter().chain([scan]) {
        let detection = engine.load(&component(&file, &text)).expect("it loads");
        let mut group = criterion.benchmark_group("batch");
        for rows in [0, 1, ROWS] {
            let columns = columns(&detection, rows);
            let mut instance = Instance::new(&detection);
            let found = instance.evaluate(0, now(), rows, &columns).expect("it evaluates");
            assert!(found.rows.is_empty(), "{name}: the synthetic rows must not match");
            if rows == ROWS {
                eprintln!("{name}: {} columns, {} bytes of text", columns.len(), text_bytes(&columns));
                group.throughput(Throughput::Elements(rows.into()));
            }
            group.bench_function(format!("{name}/{rows}"), |bencher| {
                bencher.iter(|| instance.evaluate(0, now(), rows, &columns).expect("it evaluates"));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
