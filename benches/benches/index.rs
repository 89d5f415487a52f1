//! The index: which detections can match an event. Events that concern none are forgotten, which is timed with it.
//!
//! A worker asks about each block of lines when it was read, while they are in a cache; so it is here, and reading is not
//! timed. The indexes have learned from the same events before, and learn on without being made anew.

use std::time::{Duration, Instant};

use criterion::Throughput;
use sandtrap_benches::{
    criterion, events_text, lines,
    stages::{BLOCK, Indexes, Rules, push},
};
use sandtrap_embed::{formats::binding::Binder, run::ROUND_EVENTS};

/// At most so often all events are looked at for the indexes to learn from them.
const PASSES_MAX: usize = 16;

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let lines = lines(&text);
    let rules = Rules::load();
    let (mut binder, mut indexes) = (rules.binder(), Indexes::default());
    for _ in 0..PASSES_MAX {
        ask(&rules, &mut indexes, &mut binder, &lines);
        if !indexes.tune() {
            break;
        }
    }
    let (_, candidates) = ask(&rules, &mut indexes, &mut binder, &lines);
    eprintln!("{} events, {} routes, {candidates} candidates", lines.len(), indexes.routes());

    let mut group = criterion.benchmark_group("index");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("candidates", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| ask(&rules, &mut indexes, &mut binder, &lines).0).sum());
    });
    group.finish();
    criterion.final_summary();
}

/// How long it takes to ask about all lines once they are read, and how many candidates there are.
fn ask(rules: &Rules, indexes: &mut Indexes, binder: &mut Binder, lines: &[&[u8]]) -> (Duration, u64) {
    let (mut took, mut candidates) = (Duration::ZERO, 0);
    for round in lines.chunks(ROUND_EVENTS.get()) {
        for block in round.chunks(BLOCK) {
            push(binder, block);
            let begun = Instant::now();
            indexes.ask(rules, binder, |_, _| candidates += 1);
            took += begun.elapsed();
        }
        binder.clear();
    }
    (took, candidates)
}
