//! Writing: verdicts to lines of JSON, through a buffer as in the command, to nowhere. The verdicts are those of the rules
//! over the events, made before.

use std::{
    hint::black_box,
    io::{self, BufWriter, Write as _},
};

use criterion::Throughput;
use sandtrap_benches::{
    criterion, events_text, lines,
    stages::{Rules, options},
};
use sandtrap_embed::{
    evaluator::Evaluator,
    formats::{event::Position, verdict::Verdict},
    run::BadLines,
};

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let verdicts = verdicts(&Rules::load(), &lines(&text));
    let mut written = Vec::new();
    write(&verdicts, &mut written);

    let mut group = criterion.benchmark_group("write");
    let (elements, bytes) = (verdicts.len() as u64, written.len() as u64);
    eprintln!("{elements} verdicts, {bytes} bytes");
    group.throughput(Throughput::ElementsAndBytes { elements, bytes });
    group.bench_function("JSON lines", |bencher| bencher.iter(|| write(black_box(&verdicts), io::sink())));
    group.finish();
    criterion.final_summary();
}

fn write(verdicts: &[Verdict], output: impl io::Write) {
    let mut output = BufWriter::new(output);
    for verdict in verdicts {
        verdict.write(&mut output).expect("it can be written");
    }
    output.flush().expect("it can be written");
}

/// All verdicts of a run, those about groups of events last.
fn verdicts(rules: &Rules, lines: &[&[u8]]) -> Vec<Verdict> {
    let mut evaluator = Evaluator::new(&rules.rules, options()).expect("the plans can be run");
    let mut worker = evaluator.worker(&rules.streams);
    let mut position = Position { source: "events.ndjson".into(), line: 0, record: None, offset: 0 };
    for line in lines {
        position.line += 1;
        worker.push_line(line, &position, BadLines::Stop);
        position.offset += line.len() as u64 + 1;
    }
    let evaluated = evaluator.take(worker.evaluate());
    assert!(evaluated.unevaluated.is_empty(), "{:?}", evaluated.unevaluated);
    let (answers, unevaluated) = evaluator.finish();
    assert!(unevaluated.is_empty(), "{unevaluated:?}");
    let of_groups = answers.iter().flat_map(|answer| evaluator.verdicts_of(answer));
    evaluated.verdicts.into_iter().chain(of_groups).collect()
}
