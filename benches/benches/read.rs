//! Reading a line: until it is known where it goes and where its values lie, and then taking values out, against the
//! parsers that could be used instead. Those only parse; nothing is routed or taken out behind them, except that the lazy
//! iteration goes over the members of an object once, which is the least that looking for fields takes.

use std::{hint::black_box, num::NonZeroUsize, sync::Arc};

use criterion::Throughput;
use sandtrap_benches::{criterion, events_text, lines};
use sandtrap_embed::{
    formats::{
        binding::{Binder, Pushed, Wanted},
        event::Position,
    },
    stream_map,
    wit::{LogicalType, plan::SourceColumn, prefilter::Value},
};

/// What the public rules for Windows look at most.
const FIELDS: [&str; 10] = [
    "Image",
    "CommandLine",
    "ParentImage",
    "ParentCommandLine",
    "OriginalFileName",
    "TargetObject",
    "TargetFilename",
    "Details",
    "Hashes",
    "EventID",
];

/// How many events a round has.
const ROUND: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let lines = lines(&text);
    let streams = Arc::new(stream_map(None).expect("the built-in map is sound"));
    let column = |field: &&str| SourceColumn { field: vec![(*field).to_owned()], ty: LogicalType::String, list: true };
    let wanted = |stream: Arc<str>| Wanted { stream: stream.to_string(), columns: FIELDS.iter().map(column).collect() };
    let wanted: Vec<Wanted> = streams.streams().into_iter().map(wanted).collect();
    let mut binder = Binder::new(streams, wanted, ROUND);

    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("push_line", |bencher| bencher.iter(|| read(&mut binder, &lines, |_| ())));
    group.bench_function("push_line, every value", |bencher| bencher.iter(|| read(&mut binder, &lines, values)));
    group.bench_function("serde_json Value", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(serde_json::from_slice::<serde_json::Value>(line).expect("a sound line"));
            }
        });
    });
    group.bench_function("sonic-rs Value", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(sonic_rs::from_slice::<sonic_rs::Value>(line).expect("a sound line"));
            }
        });
    });
    group.bench_function("sonic-rs lazy iteration", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                for member in sonic_rs::to_object_iter(*line) {
                    black_box(member.expect("a sound line"));
                }
            }
        });
    });
    let (mut buffer, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    group.bench_function("simd-json tape", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                // It unescapes in place.
                buffer.clear();
                buffer.extend_from_slice(line);
                black_box(simd_json::to_tape_with_buffers(&mut buffer, &mut buffers).expect("a sound line"));
            }
        });
    });
    group.finish();
    criterion.final_summary();
}

/// Reads all lines in rounds, and does that to each.
fn read(binder: &mut Binder, lines: &[&[u8]], mut each: impl FnMut(&Binder)) {
    let mut position = Position { source: "events".into(), line: 0, record: None, offset: 1 };
    for round in lines.chunks(ROUND.get()) {
        for line in round {
            position.line += 1;
            let pushed = binder.push_line(line, &position).expect("a sound line");
            assert!(matches!(pushed, Pushed::Event { .. }), "{pushed:?}");
        }
        each(binder);
        binder.clear();
    }
}

/// Asks for every value of every row.
fn values(binder: &Binder) {
    let round = binder.round();
    for row in (0..round.len()).filter_map(|row| round.row(row)) {
        for key in 0..row.route().keys {
            let value: Value<'_> = row.value(u32::try_from(key).expect("few keys"));
            black_box(value);
        }
    }
}
