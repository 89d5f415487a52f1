//! `cargo xtask sigma-oracle`: our Sigma against an engine that nobody here wrote, the crate rsigma-eval.
//!
//! Both get the same events and the same rules, but not the same streams: ours come from `rules/streams`, rsigma's from
//! `SigmaHQ`'s own map by way of [`streams`], so that the routing is compared too. Every difference in the verdicts is
//! either explained, by rule, number and section of the specification, in `xtask/sigma_oracle/explained.json`, or an
//! error. rsigma lives in `xtask/sigma_oracle`, a crate outside the workspace that is built in target/sigma-oracle.

pub(crate) mod compare;
pub(crate) mod corpus;
mod defects;
pub(crate) mod explained;
mod generate;
mod generated;
mod pattern;
mod regression;
mod rsigma;
pub(crate) mod streams;
mod summary;
pub(crate) mod verdicts;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use corpus::Corpus;
use rsigma::Rsigma;
use verdicts::Verdicts;

/// What to compare.
#[derive(Args)]
pub(crate) struct Options {
    /// Events, `.zst` or not [default: the shared windows-100k]. Numbers in explained.json hold for the default only.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Instead of a file, make this many events from each Windows rule.
    #[arg(long, value_name = "NUMBER", conflicts_with = "events")]
    generated: Option<u32>,
    /// Seed of the generated events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Verdicts that `sandtrap run` printed for these events, instead of running it.
    #[arg(long, value_name = "FILE", conflicts_with = "theirs_only")]
    verdicts: Option<PathBuf>,
    /// Only rsigma's side, without a comparison.
    #[arg(long)]
    theirs_only: bool,
    /// Only `SigmaHQ`'s regression cases: which of them rsigma gets right.
    #[arg(long, conflicts_with_all = ["events", "generated", "verdicts", "theirs_only", "save"])]
    regression: bool,
    /// Write what rsigma did to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write what rsigma is asked to this file, to ask it by hand: target/sigma-oracle/release/rsigma-verdicts.
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// How rsigma finds the rules for an event.
    #[arg(long, value_enum, default_value = "index")]
    search: Search,
}

/// How rsigma finds the rules for an event.
#[derive(Clone, Copy, ValueEnum)]
enum Search {
    /// With its own index.
    Index,
    /// By evaluating every rule of the stream.
    Scan,
}

/// Runs the comparison and prints its report.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let corpus = Corpus::find()?;
    let rules = corpus.rules()?;
    let rsigma = Rsigma::build(options.search)?;
    if options.regression {
        return regression::run(&rsigma, &corpus);
    }
    let map = streams::Map::load(&corpus.logsources())?;
    let generated = options.generated.map(|count| generated::make(&rules, &map, count, options.seed)).transpose()?;
    let file = match &generated {
        Some(generated) => rsigma.keep("generated.ndjson", &generated.events)?,
        None => options.events.clone().unwrap_or_else(|| corpus.events()),
    };
    let events = corpus::read_events(&file)?;
    let questions = map.questions(&events)?;
    if let Some(path) = &options.questions {
        fs::write(path, &questions).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let (theirs, report) = rsigma.verdicts(&rules, &questions)?;
    let summary = summary::of(&theirs, &report, events.lines().count());
    if let Some(path) = &options.save {
        fs::write(path, format!("{summary:#}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    summary::print(&summary);
    if options.theirs_only {
        return Ok(());
    }
    let ours = match &options.verdicts {
        Some(path) => fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => corpus::sandtrap(&rules, &file)?,
    };
    let differences = compare::differences(&Verdicts::ours(&ours)?, &theirs);
    let unexplained = match &generated {
        Some(generated) => generated.report(&differences),
        None => explained::report(&differences, &explained::load()?, options.events.is_none()),
    };
    ensure!(unexplained == 0, "{unexplained} unexplained differences; see above");
    Ok(())
}
