//! Calls: the first kernel of each detection that has candidates, over columns of these, in an instance that runs.
//!
//! First the calls of a run, with as many rows as there are, in events that were read for each second. Then the same
//! detections with the same number of rows each, in rows for each second: candidates over and over where there are fewer.
//! Starting instances is `load`'s, and rows of which none matches are `batch`'s.

use std::{hint::black_box, sync::Arc};

use criterion::Throughput;
use sandtrap_benches::{
    criterion, events_text, lines, now,
    stages::{Bound, CALL_ROWS, Rules},
    text_bytes,
};
use sandtrap_embed::{Instance, formats::binding::Round, wit::batch::Column};

/// Rows of a call.
const ROWS: [usize; 3] = [1, 16, CALL_ROWS];

/// Detections whose candidates have more text than this are given fewer rows at once in a run, and left out here.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// A detection that is asked.
struct Asked<'c> {
    instance: Instance,
    kernel: u32,
    /// The stream's place, and those of the columns.
    wanted: usize,
    columns: Vec<usize>,
    candidates: &'c [u32],
}

/// The rows and columns of a call.
type Call = (u32, Vec<Arc<Column>>);

fn main() {
    let mut criterion = criterion();
    let text = events_text();
    let lines = lines(&text);
    let rules = Rules::load();
    let Bound { binder, candidates } = rules.bind(&lines);
    let round = binder.round();
    let asked = candidates.iter().filter_map(|(place, candidates)| {
        let reader = &rules.readers[*place];
        let kernel = reader.kernel()?;
        let (instance, columns) = (Instance::new(&reader.detection), reader.read_by(kernel));
        let asked = Asked { instance, kernel: kernel.kernel, wanted: reader.wanted, columns, candidates };
        (text_bytes(&asked.repeated(&round, CALL_ROWS).1) <= TEXT_BYTES_MAX).then_some(asked)
    });
    let mut asked: Vec<Asked<'_>> = asked.collect();

    let mut group = criterion.benchmark_group("call");
    let found: Vec<Vec<Call>> = asked.iter().map(|asked| asked.found(&round)).collect();
    let rows: u32 = found.iter().flatten().map(|(rows, _)| rows).sum();
    let calls = found.iter().map(Vec::len).sum::<usize>();
    eprintln!("{} of {} detections that have candidates, {calls} calls, {rows} rows", asked.len(), candidates.len());
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("candidates", |bencher| bencher.iter(|| call(&mut asked, &found)));
    for rows in ROWS {
        let repeated: Vec<Vec<Call>> = asked.iter().map(|asked| vec![asked.repeated(&round, rows)]).collect();
        group.throughput(Throughput::Elements((rows * asked.len()) as u64));
        group.bench_function(format!("rows/{rows}"), |bencher| bencher.iter(|| call(&mut asked, &repeated)));
    }
    group.finish();
    criterion.final_summary();
}

/// Makes the calls of each detection.
fn call(asked: &mut [Asked<'_>], calls: &[Vec<Call>]) {
    let now = now();
    for (asked, calls) in asked.iter_mut().zip(calls) {
        for (rows, columns) in calls {
            black_box(asked.instance.evaluate(asked.kernel, now, *rows, columns).expect("it evaluates"));
        }
    }
}

impl Asked<'_> {
    /// As in a run.
    fn found(&self, round: &Round<'_>) -> Vec<Call> {
        self.candidates.chunks(CALL_ROWS).map(|rows| self.gather(round, rows)).collect()
    }

    /// So many rows.
    fn repeated(&self, round: &Round<'_>, rows: usize) -> Call {
        let rows: Vec<u32> = self.candidates.iter().copied().cycle().take(rows).collect();
        self.gather(round, &rows)
    }

    fn gather(&self, round: &Round<'_>, rows: &[u32]) -> Call {
        (u32::try_from(rows.len()).expect("few rows"), round.gather(self.wanted, &self.columns, rows))
    }
}
