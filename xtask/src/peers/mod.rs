//! `cargo xtask peers`: Sandtrap, rsigma-eval and `serde_json` over the same events, so that a claim about speed is a command.
//!
//! The lanes are in `xtask/peers`, a program outside the workspace that is built in target/peers. This makes its rules and
//! events, calls it, compares the verdicts, and prints what [docs/performance.md] has under "Against rsigma".

mod curve;
mod literal;
mod plot;
mod program;
mod race;
mod sets;
mod start;
mod stats;
mod variants;
mod workers;
mod worst;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::{
    root,
    sigma_oracle::{corpus, corpus::Corpus, streams},
};
use program::Program;
use sets::Sets;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Sizes of rule sets of the curve; more than the corpus has are made of variants [default: 250, 1000, all, four times all].
    #[arg(long, value_name = "NUMBER", num_args = 1.., value_delimiter = ',')]
    rules: Vec<usize>,
    /// Events, `.zst` or not [default: the shared windows-100k].
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Rounds that are measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Passes over the events in which memory must not grow.
    #[arg(long, default_value_t = 10)]
    passes: usize,
    /// Only these parts.
    #[arg(long, value_enum, value_name = "PART", num_args = 1.., value_delimiter = ',')]
    only: Vec<Part>,
    /// The lanes of the race, the curve and the worst cases.
    #[arg(long, default_value = "json,rsigma,sandtrap")]
    lanes: String,
    /// Which rules an engine of rsigma's has; `route` is its fastest.
    #[arg(long, default_value = "route", value_parser = ["whole", "stream", "route"])]
    search: String,
    /// Write the report to this file, too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the curve into this file, an SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// A part of the report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Events per second with all rules, and whether the verdicts agree.
    Race,
    /// Loading, the first verdict, and memory.
    Start,
    /// Cost by the number of rules.
    Curve,
    /// What no index helps with.
    Worst,
    /// Two workers, and two processes.
    Workers,
}

/// What the parts need.
struct Bench<'o> {
    options: &'o Options,
    program: Program,
    sets: Sets,
    events: PathBuf,
    folder: PathBuf,
}

/// Runs the measurements and prints the report.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let corpus = Corpus::find()?;
    let folder = program::folder();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let map = folder.join("streams.json");
    write(&map, &serde_json::to_string(&streams::Map::load(&corpus.logsources())?)?)?;
    let events = folder.join("events.ndjson");
    write(&events, &corpus::read_events(&options.events.clone().unwrap_or_else(|| corpus.events()))?)?;
    let placeholders = root().join("xtask/sigma_oracle/placeholders.yaml");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let common = ["--streams", &text(&map), "--placeholders", &text(&placeholders), "--search", &options.search];
    let program = Program::build(common.map(str::to_owned).into())?;
    let sets = Sets::new(&corpus.rules()?, &folder)?;
    let mut bench = Bench { options, program, sets, events, folder };

    let mut report = vec![machine()];
    let is_asked = |part| options.only.is_empty() || options.only.contains(&part);
    for (part, measure) in [
        (Part::Race, race::report as fn(&mut Bench<'_>) -> anyhow::Result<String>),
        (Part::Start, start::report),
        (Part::Workers, workers::report),
        (Part::Worst, worst::report),
        (Part::Curve, curve::report),
    ] {
        if is_asked(part) {
            let text = measure(&mut bench)?;
            println!("{text}");
            report.push(text);
        }
    }
    report.push(machine());
    if let Some(path) = &options.out {
        write(path, &report.join("\n"))?;
    }
    Ok(())
}

impl Bench<'_> {
    /// Where Sandtrap keeps machine code between processes.
    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }
}

/// How many lines a file has.
fn lines_of(path: &Path) -> anyhow::Result<usize> {
    Ok(fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?.lines().count())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// How many processors there are and how busy they were.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{processors} processors, load average of the last minute: {load}\n")
}
