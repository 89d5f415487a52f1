//! A component's bytes to a detection: the checks, Cranelift, one instance for `describe`, the manifest. And the start
//! of an instance of a loaded detection, with its first call over no rows.

use std::hint::black_box;

use sandtrap_benches::{SEEDS, columns, component, criterion, engine, now, seed};
use sandtrap_embed::Instance;

fn main() {
    let mut criterion = criterion();
    let engine = engine();
    let components = SEEDS.map(|name| {
        let (file, text) = seed(name);
        (name, component(&file, &text))
    });
    let mut group = criterion.benchmark_group("load");
    for (name, component) in &components {
        group.bench_function(*name, |bencher| bencher.iter(|| engine.load(black_box(component)).expect("it loads")));
    }
    group.finish();
    let mut group = criterion.benchmark_group("start");
    for (name, component) in &components {
        let detection = engine.load(component).expect("it loads");
        let columns = columns(&detection, 0);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| Instance::new(&detection).evaluate(0, now(), 0, &columns).expect("it evaluates"));
        });
    }
    group.finish();
    criterion.final_summary();
}
