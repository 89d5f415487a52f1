//! Two workers of one process, and two processes of one worker each: how much two share that they should not.
//!
//! All are whole runs over the file, reading included, each measured from its second pass on, when machine code is there.

use std::thread;

use anyhow::{anyhow, ensure};

use super::{
    Bench,
    program::Runs,
    stats::{Spread, count},
};

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let (passes, cache) = (bench.options.rounds + 1, bench.cache());
    let events = count(u64::try_from(super::lines_of(&bench.events)?)?);
    let speed = |workers: usize| -> anyhow::Result<f64> {
        let Runs { passes } = bench.program.workers(&rules, &bench.events, &cache, workers, passes)?;
        ensure!(passes.iter().all(|pass| pass.verdicts == passes[0].verdicts), "the verdicts of two passes differ");
        Ok(Spread::of(passes.iter().skip(1).map(|pass| events / pass.took.wall_s)).median)
    };
    let (one, two) = (speed(1)?, speed(2)?);
    let both = thread::scope(|scope| {
        let both = [scope.spawn(|| speed(1)), scope.spawn(|| speed(1))];
        both.map(|process| process.join().map_err(|_| anyhow!("a panic"))?).into_iter().sum::<anyhow::Result<f64>>()
    })?;
    Ok(format!(
        "One worker: {one:.0} events/s. Two workers: {two:.0} events/s. Two processes of one worker each, together: \
         {both:.0} events/s. Two workers do {:.2} times what two processes do.\n",
        two / both
    ))
}
