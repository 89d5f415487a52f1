//! `cargo xtask kql-oracle`: the KQL front end against two implementations that nobody here wrote.
//!
//! [`syntax`] asks Microsoft's own parser which queries are well-formed; [`rows`] asks duckdb-kql, whose authors measure
//! it against Kusto's emulator, which rows the hunts return. Every disagreement is either explained, by name and with a
//! reason, in `xtask/kql_oracle/explained.json`, or an error. The tools go into target/kql-oracle and are never shipped.

mod compare;
mod explained;
mod hunts;
mod rows;
mod syntax;
mod tools;

use anyhow::ensure;
use clap::{Args, ValueEnum};

/// What to check, and over how much.
#[derive(Args)]
pub(crate) struct Options {
    /// Only one of the two checks.
    #[arg(long, value_enum)]
    only: Option<Check>,
    /// Rows of each generated table.
    #[arg(long, default_value_t = 20_000)]
    rows: u32,
    /// Seed of the generated tables.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// One of the two checks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Check {
    /// Microsoft's parser and ours accept the same queries.
    Syntax,
    /// duckdb-kql and Sandtrap return the same rows.
    Rows,
}

/// Runs the checks and prints their report.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let tools = tools::install()?;
    let explained = explained::load()?;
    let mut unexplained = 0;
    if options.only != Some(Check::Rows) {
        unexplained += syntax::check(&tools, &explained)?;
    }
    if options.only != Some(Check::Syntax) {
        unexplained += rows::check(&tools, &explained, options)?;
    }
    ensure!(unexplained == 0, "{unexplained} unexplained differences; see above");
    Ok(())
}
