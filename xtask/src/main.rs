//! `cargo xtask`: what developers run and users never see.

use std::path::PathBuf;

use artefact::Goal;
use clap::{Args, Parser, Subcommand};

mod artefact;
mod kql_oracle;
mod peers;
mod sigma_oracle;
mod toolchain;
mod unicode;
mod wasm;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Regenerate wit/src/text/tables.rs from the pinned Unicode data.
    Unicode,
    /// Say which compilers here can build for WebAssembly; fails when there is none.
    Toolchains,
    /// Rebuild the runtime that is linked into detections (guest/runtime).
    Runtime(Built),
    /// Rebuild the hand-written detections (guest/examples).
    Examples {
        /// Compare with the committed ones instead of replacing them.
        #[arg(long)]
        check: bool,
    },
    /// Compare the KQL front end with Microsoft's parser, and the rows that hunts return with duckdb-kql.
    KqlOracle(kql_oracle::Options),
    /// Compare the verdicts of Sigma rules with those of rsigma-eval.
    SigmaOracle(sigma_oracle::Options),
    /// Measure Sandtrap, rsigma-eval and `serde_json` over the same events, alternating, in one process.
    Peers(peers::Options),
}

/// What to do with what was built; without an option it replaces the committed file.
#[derive(Args)]
struct Built {
    /// Compare with the committed file; needs the compiler that its record names, else only says so.
    #[arg(long, conflicts_with = "out")]
    check: bool,
    /// Write to this file and leave the committed one alone.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Built {
    fn goal(self) -> Goal {
        match self {
            Self { check: true, .. } => Goal::Check,
            Self { out: Some(path), .. } => Goal::Out(path),
            Self { .. } => Goal::Commit,
        }
    }
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::KqlOracle(options) => kql_oracle::run(&options),
        Command::SigmaOracle(options) => sigma_oracle::run(&options),
        Command::Peers(options) => peers::run(&options),
        Command::Unicode => unicode::generate(),
        Command::Toolchains => wasm::toolchains(),
        Command::Runtime(built) => wasm::runtime(&built.goal()),
        Command::Examples { check } => wasm::examples(&if check { Goal::Check } else { Goal::Commit }),
    }
}

/// The root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The shared folder with corpora and events: what `SANDTRAP_SHARED` says, else the one beside the repository if there is one.
fn shared() -> Option<std::path::PathBuf> {
    let named = std::env::var_os("SANDTRAP_SHARED").map(PathBuf::from);
    named.or_else(|| Some(root().join("../shared")).filter(|folder| folder.is_dir()))
}
