//! `sandtrap run --profile`: where a run's time went, on standard error.

use std::{
    cmp::Reverse,
    io::{self, Write as _},
    time::Duration,
};

use comfy_table::Cell;
use sandtrap_embed::evaluator::{Counters, Stages, Summary};

use crate::{
    diagnostics::clean,
    table::{Frame, number, table},
};

/// How many detections are shown.
const DETECTIONS_MAX: usize = 20;

/// Shows the stages of a run and the detections that cost most.
pub(crate) fn show(stages: Stages, events: u64, detections: &[Summary]) {
    let mut lines = vec![of_stages(stages, events)];
    let mut called: Vec<&Summary> = detections.iter().filter(|detection| detection.counters.calls > 0).collect();
    called.sort_by_key(|detection| Reverse((detection.counters.time, detection.counters.candidates)));
    let header = ["detection", "events", "candidates", "calls", "ms", "verdicts", "why"].map(String::from);
    let mut costly = table(Frame::None, header);
    for detection in called.iter().take(DETECTIONS_MAX) {
        let counters = detection.counters;
        costly.add_row([
            Cell::new(clean(&detection.detection.id)),
            number(counters.rows),
            number(counters.candidates),
            number(counters.calls),
            Cell::new(format!("{:.1}", counters.time.as_secs_f64() * 1e3))
                .set_alignment(comfy_table::CellAlignment::Right),
            number(counters.verdicts),
            Cell::new(why(detection)),
        ]);
    }
    let together = called.iter().fold(Counters::default(), |mut sum, detection| {
        sum += detection.counters;
        sum
    });
    lines.push(format!(
        "{} of {} detections were called, {} times about {} candidates",
        called.len(),
        detections.len(),
        together.calls,
        together.candidates
    ));
    lines.push(costly.trim_fmt());
    // Nobody reads standard error: there is nowhere left to say so.
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

fn of_stages(stages: Stages, events: u64) -> String {
    let Stages { read, index, gather, call, write } = stages;
    let all = [("read and route", read), ("index", index), ("gather", gather), ("call", call), ("write", write)];
    let sum: Duration = all.iter().map(|(_, took)| *took).sum();
    let one = |(name, took): &(&str, Duration)| {
        let share = 100.0 * took.as_secs_f64() / sum.as_secs_f64().max(f64::MIN_POSITIVE);
        format!("{name} {:.0} ms ({share:.0} %)", took.as_secs_f64() * 1e3)
    };
    let nanoseconds = sum.as_nanos() / u128::from(events.max(1));
    let parts: Vec<String> = all.iter().map(one).collect();
    format!("{}.{:03} us for each event: {}", nanoseconds / 1000, nanoseconds % 1000, parts.join(", "))
}

/// Why a detection was asked about as many events as it was.
fn why(detection: &Summary) -> String {
    let Counters { rows, candidates, verdicts, .. } = detection.counters;
    if !detection.is_pruned {
        return "nothing in its manifest prunes it".into();
    }
    format!(
        "its prefilter admits {} of its events, of which {} are verdicts",
        share(candidates, rows),
        share(verdicts, candidates)
    )
}

/// A share, in percent.
fn share(part: u64, of: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(of.max(1));
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
