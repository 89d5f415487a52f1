//! Events per second of a whole run: reading, routing, binding, evaluating with every shipped rule, and the tables at
//! the end. Rules are compiled and loaded before; verdicts are counted, not printed. Input is a file that the operating
//! system has cached. Reading is a thread of its own, as in the command.

use std::{
    io,
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicBool},
};

use criterion::Throughput;
use sandtrap_benches::{criterion, engine, events, now, rules_folder};
use sandtrap_embed::{
    LookbackMode,
    compiler::Options as CompilerOptions,
    evaluator::{Answer, Evaluator, Options, Paused, Pruning, Reporting, Unevaluated},
    formats::{ndjson::ReadError, verdict::Verdict},
    rules::{RuleSet, Selection},
    run::{BadLines, Input, RunOptions, Sink, run},
    stream_map,
};

/// Counts verdicts. Whatever goes wrong would make the measurement worthless.
#[derive(Default)]
struct Count {
    verdicts: u64,
}

impl Sink for Count {
    fn verdict(&mut self, _: &Verdict) -> io::Result<()> {
        self.verdicts += 1;
        Ok(())
    }

    fn answer(&mut self, _: &Answer) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        panic!("{unevaluated}");
    }

    fn paused(&mut self, paused: &Paused) {
        panic!("{paused}");
    }

    fn bad_line(&mut self, error: &ReadError) {
        panic!("{error}");
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        panic!("{input}: {error}");
    }

    fn progress(&mut self, _: u64) {}
}

fn main() {
    let mut criterion = criterion();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, count) = events(folder.path());
    let streams = Arc::new(stream_map(None).expect("the built-in map is sound"));
    let set = RuleSet::load(&engine(), &[rules_folder()], &CompilerOptions::default(), &Selection::default(), &|_| {});
    assert!(set.refused.is_empty(), "{:?}", set.refused);
    let options =
        Options { now: now(), lookback: LookbackMode::All, reporting: Reporting::AsTheyCome, pruning: Pruning::Index };
    let run_options = RunOptions {
        bad_lines: BadLines::Stop,
        interval: None,
        reporting: Reporting::AsTheyCome,
        workers: NonZeroUsize::MIN,
    };
    let never = AtomicBool::new(false);
    let once = || {
        let mut evaluator = Evaluator::new(&set.rules, options).expect("the plans can be run");
        let mut sink = Count::default();
        let inputs = vec![Input::File(file.clone())];
        run(&mut evaluator, &streams, inputs, run_options, &never, &mut sink).expect("the run ends well");
        sink.verdicts
    };
    eprintln!("{count} events, {} rules, {} verdicts", set.rules.len(), once());
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(count)).sample_size(20);
    group.bench_function("run", |bencher| bencher.iter(once));
    group.finish();
    criterion.final_summary();
}
