//! One lane in a process of its own: how long until it has loaded and until its first verdict, and how much memory it
//! takes after each pass over the events, of which a few megabytes are in memory at a time.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    Loading, Name,
    lane::Events,
    usage::{Since, Usage},
};

/// What is measured.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    loading: Loading,
    /// Events, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The lane.
    #[arg(long, value_enum)]
    lane: Name,
    /// How often the events are looked at.
    #[arg(long, default_value_t = 1)]
    passes: usize,
}

/// Measures and prints.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let start = Since::now();
    let (mut lane, rules) = options.loading.load(options.lane)?;
    let load = start.took();
    let loaded = Usage::now()?;
    let mut first_verdict = None;
    let mut passes = Vec::new();
    for _ in 0..options.passes {
        let mut count = 0_u64;
        let pass = Since::now();
        let mut events = 0;
        Events::in_blocks(&options.events, |block| {
            events += block.count();
            lane.pass(block, &mut |_, _| {
                first_verdict.get_or_insert_with(|| start.took());
                count += 1;
            })
        })?;
        passes.push(json!({"events": events, "took": pass.took(), "verdicts": count, "usage": Usage::now()?}));
    }
    println!(
        "{}",
        json!({
            "rules": rules, "load": load, "loaded": loaded, "first_verdict": first_verdict, "passes": passes,
        })
    );
    Ok(())
}
