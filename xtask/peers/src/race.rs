//! Alternating rounds: each lane looks at all events once, then the next lane, and so on, several times over.
//!
//! The first round is not measured: in it engines build what they build when they see the first event of a kind, and its
//! verdicts are kept for comparison.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum as _};
use serde_json::json;

use crate::{
    Loading, Name,
    lane::{Events, Lane},
    rsigma_lane,
    usage::{Since, Took},
};

/// What races.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    loading: Loading,
    /// Events, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The lanes, in order.
    #[arg(long, value_enum, required = true, value_delimiter = ',')]
    lanes: Vec<Name>,
    /// Rounds that are measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Write each lane's verdicts to a file in this folder, `LANE.ndjson`.
    #[arg(long, value_name = "FOLDER")]
    verdicts: Option<PathBuf>,
}

struct Runner {
    name: String,
    lane: Box<dyn Lane>,
    rules: usize,
    verdicts: BTreeSet<(u64, String)>,
    rounds: Vec<Took>,
    /// What its stages had taken when the first round was over.
    stages: Vec<(&'static str, f64)>,
}

/// Runs the race and prints what came of it.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let events = Events::read(&options.events)?;
    let mut runners = Vec::new();
    for lane in &options.lanes {
        let name = lane.to_possible_value().context("a lane without a name")?.get_name().to_owned();
        let (lane, rules) = options.loading.load(*lane)?;
        runners.push(Runner { name, lane, rules, verdicts: BTreeSet::new(), rounds: Vec::new(), stages: Vec::new() });
    }
    for runner in &mut runners {
        let Runner { lane, verdicts, stages, .. } = runner;
        lane.pass(&events, &mut |line, id| {
            verdicts.insert((line, id.to_owned()));
        })?;
        *stages = lane.stages();
    }
    for _ in 0..options.rounds {
        for runner in &mut runners {
            let mut count = 0_u64;
            let start = Since::now();
            runner.lane.pass(&events, &mut |_, _| count += 1)?;
            runner.rounds.push(start.took());
            ensure!(
                count >= runner.verdicts.len() as u64,
                "{}: a round has {count} verdicts, the first {}",
                runner.name,
                runner.verdicts.len()
            );
        }
    }
    if let Some(folder) = &options.verdicts {
        for runner in &runners {
            write(&folder.join(&runner.name).with_extension("ndjson"), &runner.verdicts)?;
        }
    }
    let lanes = runners.iter().map(|runner| {
        let stages = runner.lane.stages().into_iter().zip(&runner.stages);
        let stages: Vec<_> = stages.map(|((name, after), (_, before))| (name, after - before)).collect();
        json!({
            "lane": runner.name, "rules": runner.rules, "verdicts": runner.verdicts.len(), "rounds": runner.rounds,
            "stages": stages,
        })
    });
    println!(
        "{}",
        json!({"rsigma": rsigma_lane::VERSION, "events": events.count(), "lanes": lanes.collect::<Vec<_>>()})
    );
    Ok(())
}

fn write(path: &Path, verdicts: &BTreeSet<(u64, String)>) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    for (n, id) in verdicts {
        writeln!(out, "{}", json!({"n": n, "id": id}))?;
    }
    Ok(out.flush()?)
}
