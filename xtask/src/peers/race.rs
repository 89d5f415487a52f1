//! All rules of the corpus: events per second, ratios, and whether the verdicts agree.

use std::{fmt::Write as _, fs};

use anyhow::Context as _;

use super::{
    Bench,
    program::{Lane, Race},
    stats::Clock,
};
use crate::sigma_oracle::{compare, explained, verdicts::Verdicts};

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let (rules, _) = bench.sets.list(bench.sets.corpus())?;
    let rounds = bench.options.rounds.to_string();
    let folder = bench.folder.to_string_lossy().into_owned();
    let race = bench.program.race(
        &bench.options.lanes,
        &rules,
        &bench.events,
        &["--rounds", &rounds, "--verdicts", &folder],
    )?;
    let verdicts = |lane: &str| -> anyhow::Result<Verdicts> {
        let path = bench.folder.join(lane).with_extension("ndjson");
        Verdicts::theirs(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    let mut report = table(&race);
    if race.lane("sandtrap").is_some() && race.lane("rsigma").is_some() {
        let differences = compare::differences(&verdicts("sandtrap")?, &verdicts("rsigma")?);
        let is_default = bench.options.events.is_none();
        let unexplained = explained::report(&differences, &explained::load()?, is_default);
        writeln!(report, "Verdicts: {} in common, {unexplained} unexplained differences.", differences.common)?;
    }
    Ok(report)
}

impl Race {
    pub(super) fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }
}

/// Where a lane's time went, by its own count.
fn stages(lane: &Lane) -> Option<String> {
    let sum: f64 = lane.stages.iter().map(|(_, seconds)| seconds).sum();
    let shares: Vec<String> =
        lane.stages.iter().map(|(name, seconds)| format!("{name} {:.0} %", seconds * 100.0 / sum)).collect();
    (sum > 0.0).then(|| format!("Stages of {}: {}.", lane.name, shares.join(", ")))
}

/// A row for each lane, and the ratios of Sandtrap to each of the others.
pub(super) fn table(race: &Race) -> String {
    let rounds = race.lanes.first().map_or(0, |lane| lane.rounds.len());
    let mut lines = vec![
        format!("{} events, {rounds} alternating rounds, {}.\n", race.events, race.rsigma),
        "| lane | rules | verdicts | events/s by the clock: median (least to most) | processor time per event: median (least to most) |".to_owned(),
        "|---|--:|--:|--:|--:|".to_owned(),
    ];
    for lane in &race.lanes {
        let speed = lane.events_per_second(race.events, Clock::Wall);
        let cost = lane.us_per_event(race.events, Clock::Processor);
        lines.push(format!(
            "| {} | {} | {} | {:.0} ({:.0} to {:.0}) | {:.2} µs ({:.2} to {:.2}) |",
            lane.name, lane.rules, lane.verdicts, speed.median, speed.min, speed.max, cost.median, cost.min, cost.max
        ));
    }
    lines.push(String::new());
    if let Some(ours) = race.lane("sandtrap") {
        for other in race.lanes.iter().filter(|lane| lane.name != ours.name) {
            let (wall, processor) = (ours.times(other, Clock::Wall), ours.times(other, Clock::Processor));
            lines.push(format!(
                "Sandtrap is {wall:.2} times as fast as {} by the clock, {processor:.2} times by processor time.",
                other.name
            ));
        }
    }
    lines.extend(race.lanes.iter().filter_map(stages));
    lines.push(String::new());
    lines.join("\n")
}
