//! `cargo xtask`: what developers run and users never see.

use clap::{Parser, Subcommand};

mod unicode;

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
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Unicode => unicode::generate(),
    }
}

/// The root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
