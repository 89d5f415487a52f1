//! Two workers of one process, and two processes of one worker each: how much two share that they should not.
//!
//! All are whole runs, reading included, once over the file and over a longer input: a worker starts its own instances and
//! learns what it sees, and of a short run that is a good part. Two workers and two processes take turns, so that
//! whatever else the machine does slows both.

use std::thread;

use anyhow::{anyhow, ensure};

use super::{
    Bench,
    program::Runs,
    stats::{Spread, count},
};

/// How often the file is the input of a run.
const TIMES: [usize; 2] = [1, 10];

/// The runs of one process: in the first, machine code is loaded.
const PASSES: usize = 3;

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    TIMES.into_iter().map(|times| report_of(bench, times)).collect()
}

fn report_of(bench: &mut Bench<'_>, times: usize) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let cache = bench.cache();
    let events = count(u64::try_from(super::lines_of(&bench.events)?.saturating_mul(times))?);
    let speed = |workers: usize| -> anyhow::Result<f64> {
        let Runs { passes } = bench.program.workers(&rules, &bench.events, &cache, times, workers, PASSES)?;
        ensure!(passes.iter().all(|pass| pass.verdicts == passes[0].verdicts), "the verdicts of two runs differ");
        Ok(Spread::of(passes.iter().skip(1).map(|pass| events / pass.took.wall_s)).median)
    };
    let (mut one, mut two, mut both, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.options.rounds {
        one.push(speed(1)?);
        two.push(speed(2)?);
        both.push(thread::scope(|scope| {
            let both = [scope.spawn(|| speed(1)), scope.spawn(|| speed(1))];
            both.map(|process| process.join().map_err(|_| anyhow!("a panic"))?).into_iter().sum::<anyhow::Result<f64>>()
        })?);
        ratios.extend(two.last().zip(both.last()).map(|(two, both)| two / both));
    }
    let [one, two, both, ratio] = [one, two, both, ratios].map(Spread::of);
    Ok(format!(
        "{times} times the file. One worker: {:.0} events/s. Two workers: {:.0} events/s. Two processes of one worker each, \
         together: {:.0} events/s. Two workers do {:.2} times what two processes do ({:.2} to {:.2}).\n",
        one.median, two.median, both.median, ratio.median, ratio.min, ratio.max
    ))
}
