//! Whole runs of Sandtrap over a file, as the command does them, with any number of workers.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;
use serde_json::json;

use crate::{Loading, usage::Since};

/// What is run.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    loading: Loading,
    /// Events, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// How many workers there are.
    #[arg(long)]
    workers: NonZeroUsize,
    /// How often the file is an input of a run.
    #[arg(long, default_value = "1")]
    times: NonZeroUsize,
    /// How many runs there are.
    #[arg(long, default_value_t = 1)]
    passes: usize,
}

/// Runs, and prints how long each took.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut lane = options.loading.sandtrap()?;
    let mut passes = Vec::new();
    for _ in 0..options.passes {
        let start = Since::now();
        let verdicts = lane.run(&options.events, options.times, options.workers)?;
        passes.push(json!({"verdicts": verdicts, "took": start.took()}));
    }
    println!("{}", json!({"passes": passes}));
    Ok(())
}
