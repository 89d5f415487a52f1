//! Two processes at once, each with one worker: what two workers of one process are measured by.

use std::thread;

use anyhow::anyhow;

use super::{
    Bench,
    stats::{Spread, count},
};

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let passes = bench.options.passes;
    let speed = || -> anyhow::Result<f64> {
        let alone = bench.program.alone("sandtrap", &rules, &bench.events, passes)?;
        // In the first pass things are built that the others find.
        let passes = alone.passes.iter().skip(1);
        Ok(Spread::of(passes.map(|pass| count(alone.events) / pass.took.wall_s)).median)
    };
    let one = speed()?;
    let both = thread::scope(|scope| {
        let both =
            [scope.spawn(speed), scope.spawn(speed)].map(|thread| thread.join().map_err(|_| anyhow!("a panic"))?);
        both.into_iter().collect::<anyhow::Result<Vec<f64>>>()
    })?;
    Ok(format!("One process: {one:.0} events/s; two at once together: {:.0} events/s.\n", both.iter().sum::<f64>()))
}
