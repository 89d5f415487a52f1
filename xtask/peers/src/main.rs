//! `sandtrap-peers`: the same events through several engines, in one process, one after the other, on one thread.
//!
//! `race` gives alternating rounds; `alone` is a process with one engine only, for what can be measured no other way:
//! memory and how long it takes to start. Both print JSON, which `cargo xtask peers` makes tables of.

mod alone;
mod json_lane;
mod lane;
mod race;
mod routing;
mod rsigma_lane;
#[cfg(feature = "sandtrap")]
mod sandtrap_lane;
#[cfg(feature = "sandtrap")]
mod swaps;
mod usage;
#[cfg(feature = "sandtrap")]
mod workers;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{json_lane::JsonLane, lane::Lane, routing::Router, rsigma_lane::RsigmaLane};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Alternating rounds of several lanes.
    Race(race::Options),
    /// One lane in a process of its own.
    Alone(alone::Options),
    /// Whole runs of Sandtrap with several workers.
    #[cfg(feature = "sandtrap")]
    Workers(workers::Options),
    /// Rules of Sandtrap that are swapped while events flow.
    #[cfg(feature = "sandtrap")]
    Swaps(swaps::Options),
}

/// An engine.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// `serde_json` alone.
    Json,
    /// rsigma-eval.
    Rsigma,
    /// Sandtrap.
    #[cfg(feature = "sandtrap")]
    Sandtrap,
}

/// What engines are loaded with.
#[derive(Args)]
struct Loading {
    /// A file that names the files of rules, one a line.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// `SigmaHQ`'s map of streams as JSON, for rsigma.
    #[arg(long, value_name = "FILE")]
    streams: PathBuf,
    /// Placeholders, for Sandtrap.
    #[arg(long, value_name = "FILE")]
    placeholders: Vec<PathBuf>,
    /// Where Sandtrap keeps machine code; without it nothing is kept.
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    rsigma: rsigma_lane::Settings,
}

impl Loading {
    #[cfg(feature = "sandtrap")]
    fn sandtrap(&self) -> anyhow::Result<sandtrap_lane::SandtrapLane> {
        sandtrap_lane::SandtrapLane::load(&lane::rule_files(&self.rules)?, &self.placeholders, self.cache.as_deref())
    }

    /// Loads an engine with the rules; also says how many those are.
    fn load(&self, name: Name) -> anyhow::Result<(Box<dyn Lane>, usize)> {
        let files = || lane::rule_files(&self.rules);
        Ok(match name {
            Name::Json => (Box::new(JsonLane), 0),
            Name::Rsigma => {
                let lane = RsigmaLane::load(&files()?, Router::load(&self.streams)?, self.rsigma)?;
                let count = lane.count();
                (Box::new(lane), count)
            }
            #[cfg(feature = "sandtrap")]
            Name::Sandtrap => {
                let lane = self.sandtrap()?;
                let count = lane.count();
                (Box::new(lane), count)
            }
        })
    }
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Race(options) => race::run(&options),
        Command::Alone(options) => alone::run(&options),
        #[cfg(feature = "sandtrap")]
        Command::Workers(options) => workers::run(&options),
        #[cfg(feature = "sandtrap")]
        Command::Swaps(options) => swaps::run(&options),
    }
}
