//! The program in `xtask/sigma_oracle`, which asks rsigma-eval: how it is built and called.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;
use serde::Deserialize;
use serde_json::Value;

use super::{Search, Verdicts};
use crate::root;

/// The built program.
pub(super) struct Rsigma {
    program: PathBuf,
    folder: PathBuf,
    search: Search,
}

/// What the program says of itself.
#[derive(Deserialize)]
pub(super) struct Report {
    /// Files of rules.
    pub(super) files: usize,
    /// Rules that were loaded.
    pub(super) rules: usize,
    /// `{"file", "error"}` of what was not.
    pub(super) refused: Vec<Value>,
    /// How long loading took.
    pub(super) load_ms: u64,
    /// Events it was asked about.
    pub(super) events: u64,
    /// Pairs of an event and one of its streams.
    pub(super) evaluations: u64,
    /// How long reading and evaluating them took, on one core.
    pub(super) evaluate_ms: u64,
    /// The titles of the rules that fired.
    pub(super) titles: BTreeMap<String, Option<String>>,
}

/// A question about an event, given as its JSON, in the form that the program reads.
pub(super) fn question(n: u64, event: &str, (about, value): (&str, Value)) -> String {
    format!(r#"{{"n":{n},"{about}":{value},"fields":{event}}}"#)
}

impl Rsigma {
    /// Builds it, which needs crates.io the first time.
    pub(super) fn build(search: Search) -> anyhow::Result<Self> {
        let folder = root().join("target/sigma-oracle");
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
        build.arg(root().join("xtask/sigma_oracle/Cargo.toml")).arg("--target-dir").arg(&folder);
        let status = build.status().with_context(|| format!("cannot start {build:?}"))?;
        ensure!(status.success(), "{build:?} failed with {status}");
        let program = folder.join("release/rsigma-verdicts").with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self { program, folder, search })
    }

    /// Writes a file beside the program and says where.
    pub(super) fn keep(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// What fires for the questions, one per line, and how it went.
    pub(super) fn verdicts(&self, rules: &[PathBuf], questions: &str) -> anyhow::Result<(Verdicts, Report)> {
        let report = self.folder.join("report.json");
        let search = self.search.to_possible_value().context("a way to search without a name")?;
        let mut command = Command::new(&self.program);
        command.args(rules).arg("--report").arg(&report).arg("--search").arg(search.get_name());
        let text = converse(&mut command, questions)?;
        Ok((Verdicts::theirs(&text)?, parse(&report)?))
    }
}

/// Runs a command that has to succeed with `input` and returns what it prints.
fn converse(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start rsigma")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let output = thread::scope(|scope| {
        // A failed write means that the program ended early: its exit code says why.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    })?;
    ensure!(output.status.success(), "{command:?} failed with {}", output.status);
    String::from_utf8(output.stdout).context("rsigma printed something other than UTF-8")
}

fn parse(path: &Path) -> anyhow::Result<Report> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
}
