//! What an event costs with few rules and with many.

use super::{
    Bench, plot,
    program::Race,
    stats::{Clock, count},
};

/// The lanes and their colours.
const COLOURS: [(&str, &str); 3] = [("sandtrap", "#b03060"), ("rsigma", "#3060b0"), ("json", "#707070")];

pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let all = bench.sets.corpus();
    let asked = &bench.options.rules;
    let sizes = if asked.is_empty() { vec![250, 1000, all, all * 4] } else { asked.clone() };
    let rounds = bench.options.rounds.to_string();
    let mut races: Vec<(usize, Race)> = Vec::new();
    for size in sizes {
        let (rules, size) = bench.sets.list(size)?;
        let race = bench.program.race(&bench.options.lanes, &rules, &bench.events, &["--rounds", &rounds])?;
        races.push((size, race));
    }
    if let Some(path) = &bench.options.plot {
        super::write(path, &plot::svg(&curves(&races)))?;
    }
    Ok(table(&races) + &variants(bench))
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
