//! What an event costs with few rules and with many.
//!
//! The sizes take turns, each in a process of its own, so that whatever else the machine does slows all of them.

use super::{
    Bench, plot,
    program::Race,
    stats::{Clock, Spread, count},
};

/// Rounds of one turn.
const ROUNDS: &str = "3";

/// The lanes and their colours.
const COLOURS: [(&str, &str); 3] = [("sandtrap", "#b03060"), ("rsigma", "#3060b0"), ("json", "#707070")];

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let all = bench.sets.corpus();
    let asked = &bench.options.rules;
    let sizes = if asked.is_empty() { vec![250, 1000, all, all * 4] } else { asked.clone() };
    let lists = sizes.into_iter().map(|size| bench.sets.list(size)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut races: Vec<(usize, Race)> = Vec::new();
    let mut ratios = Vec::new();
    for turn in 0..bench.options.rounds {
        let mut costs = Vec::new();
        for (place, (rules, size)) in lists.iter().enumerate() {
            let race = bench.program.race(&bench.options.lanes, rules, &bench.events, &["--rounds", ROUNDS])?;
            let ours = race.lane("sandtrap").map(|lane| lane.us_per_event(race.events, Clock::Processor).median);
            costs.push((*size, ours));
            match races.get_mut(place).filter(|_| turn > 0) {
                Some((_, known)) => known.add(race)?,
                None => races.push((*size, race)),
            }
        }
        let cost = |wanted: usize| costs.iter().find(|(size, _)| *size == wanted).and_then(|(_, cost)| *cost);
        ratios.extend(cost(all * 4).zip(cost(all)).map(|(many, few)| many / few));
    }
    if let Some(path) = &bench.options.plot {
        super::write(path, &plot::svg(&curves(&races)))?;
    }
    Ok(table(&races) + &growth(all, &ratios) + &variants(bench))
}

fn table(races: &[(usize, Race)]) -> String {
    let names: Vec<&str> =
        races.first().map_or(Vec::new(), |(_, race)| race.lanes.iter().map(|lane| &*lane.name).collect());
    let columns: Vec<String> =
        names.iter().map(|name| format!("{name}, processor time per event | verdicts")).collect();
    let mut lines =
        vec![format!("| rules | {} |", columns.join(" | ")), format!("|--:|{}", "--:|--:|".repeat(names.len()))];
    for (size, race) in races {
        let cells = race.lanes.iter().map(|lane| {
            format!("{:.2} µs | {}", lane.us_per_event(race.events, Clock::Processor).median, lane.verdicts)
        });
        lines.push(format!("| {size} | {} |", cells.collect::<Vec<_>>().join(" | ")));
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

/// What four times the rules cost, turn by turn.
fn growth(all: usize, ratios: &[f64]) -> String {
    if ratios.is_empty() {
        return String::new();
    }
    let ratio = Spread::of(ratios.iter().copied());
    format!(
        "With {} rules an event costs Sandtrap {:.2} times what it costs with {all}, in {} turns ({:.2} to {:.2}).\n\n",
        all * 4,
        ratio.median,
        ratios.len(),
        ratio.min,
        ratio.max
    )
}

fn curves(races: &[(usize, Race)]) -> Vec<plot::Curve> {
    let curve = |(name, colour): (&str, &'static str)| {
        let point = |(size, race): &(usize, Race)| {
            let cost = race.lane(name)?.us_per_event(race.events, Clock::Processor).median;
            Some((count(u64::try_from(*size).ok()?), cost))
        };
        plot::Curve { name: name.to_owned(), colour, points: races.iter().filter_map(point).collect() }
    };
    COLOURS.into_iter().map(curve).filter(|curve| !curve.points.is_empty()).collect()
}

/// What of the variants is not as in the corpus, and what is.
fn variants(bench: &Bench<'_>) -> String {
    let tally = bench.sets.tally();
    if tally.changed == 0 {
        return String::new();
    }
    let kept: Vec<String> = tally.kept.iter().map(|(reason, count)| format!("{count} times {reason}")).collect();
    format!(
        "Variants: {} values changed in one character; unchanged: {}. {} rules have no value that could be changed.\n",
        tally.changed,
        kept.join(", "),
        tally.same_rules
    )
}
