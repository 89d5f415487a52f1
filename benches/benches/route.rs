//! Routing: where an event goes, which is to which streams and by which route.
//!
//! One call reads a line and routes it, so lines are timed twice: with the built-in map, and with one that looks at one
//! field and puts every event into one stream. The difference is what it costs to route lines whose shape is known, but
//! for that field. Events that come parsed (EVTX, elements of envelopes) are routed each by its values; of these only
//! routing is timed, and keeping them.

use std::{
    io::Cursor,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Throughput;
use sandtrap_benches::{
    criterion, events_text, lines,
    stages::{BLOCK, Rules, push},
};
use sandtrap_embed::{
    StreamMap,
    formats::{binding::Binder, event::Event, ndjson::Reader},
    run::ROUND_EVENTS,
};

/// A map that cannot look at less.
const ONE_STREAM: &str = "
format: 1
mappings:
  - {name: events of Windows, when: {Channel: {exists: true}}, stream: Everything}
  - {name: others, when: {Channel: {exists: false}}, stream: Everything}
";

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let lines = lines(&text);
    let parsed: Vec<Event> =
        Reader::new("events", Cursor::new(&text)).collect::<Result<_, _>>().expect("the events are sound");
    let rules = Rules::load();
    let one_stream = StreamMap::parse("one_stream.yaml", ONE_STREAM).expect("a sound map");
    let one_stream = Binder::new(Arc::new(one_stream), rules.wanted.clone(), ROUND_EVENTS);

    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(lines.len() as u64));
    for (name, mut binder) in [("lines", rules.binder()), ("lines, to one stream", one_stream)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for block in lines.chunks(BLOCK) {
                    push(&mut binder, block);
                    binder.clear();
                }
            });
        });
        eprintln!("{} of {} events belong to no stream", binder.counts().unrouted(), binder.counts().events());
    }
    let mut binder = rules.binder();
    group.bench_function("parsed events", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| route(&mut binder, &parsed)).sum());
    });
    group.finish();
    criterion.final_summary();
}

/// How long it takes to route these events. To copy them before and to free them afterwards is not counted.
fn route(binder: &mut Binder, events: &[Event]) -> Duration {
    let mut took = Duration::ZERO;
    for block in events.chunks(BLOCK) {
        let block = block.to_vec();
        let begun = Instant::now();
        for event in block {
            let _ = binder.push_owned(event);
        }
        took += begun.elapsed();
        binder.clear();
    }
    took
}
