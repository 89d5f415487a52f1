//! The `sandtrap` command: compiles, runs, inspects and tests detections. docs/cli.md is its reference.
//!
//! Standard output has what was asked for and nothing else, so that it can be piped; everything else goes to standard
//! error. What the commands do is in the crates they call; here is only what a person sees.

mod args;
mod commands;
mod diagnostics;
mod exit;
mod output;
mod profile;
mod progress;
mod summary;
mod table;

use std::{io, process::ExitCode};

use clap::Parser as _;

use crate::{
    args::{Cli, Command},
    exit::{Outcome, UsageError},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Compile(args) => commands::compile::run(args),
        Command::Lint(args) => commands::lint::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Test(args) => commands::test::run(args),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) if is_broken_pipe(&error) => Outcome::Done.into(),
        Err(error) => {
            diagnostics::error(&format!("{error:#}"));
            if error.is::<UsageError>() { UsageError::EXIT_CODE.into() } else { Outcome::RulesFailed.into() }
        }
    }
}

/// Whoever read our output has seen enough (`| head`): no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
