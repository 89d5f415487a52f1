//! A rule file to a component, in memory: reading the YAML, parsing, binding, emitting, linking the runtime and
//! wrapping. Reading the file from disk is not measured. Also prints how large each component is.

use std::hint::black_box;

use sandtrap_benches::{SEEDS, component, criterion, seed};
use sandtrap_embed::compiler::{Options, compile};

fn main() {
    let mut criterion = criterion();
    let mut group = criterion.benchmark_group("compile");
    for name in SEEDS {
        let (file, text) = seed(name);
        eprintln!("{name}: the component has {} bytes", component(&file, &text).len());
        group.bench_function(name, |bencher| {
            bencher.iter(|| compile(&file, black_box(&text), &Options::default()));
        });
    }
    group.finish();
    criterion.final_summary();
}
