//! The program in `xtask/peers`, which has the lanes: how it is built and called, and what it answers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use crate::root;

/// The built program.
pub(super) struct Program {
    program: PathBuf,
    /// What every call has: streams, placeholders, how to ask rsigma.
    common: Vec<String>,
}

/// Alternating rounds.
#[derive(Deserialize)]
pub(super) struct Race {
    /// rsigma's name and version.
    pub(super) rsigma: String,
    /// How many events each pass has.
    pub(super) events: u64,
    pub(super) lanes: Vec<Lane>,
}

impl Race {
    /// Adds the rounds of another process, which had the same lanes.
    pub(super) fn add(&mut self, other: Self) -> anyhow::Result<()> {
        ensure!(self.lanes.len() == other.lanes.len(), "two races have different lanes");
        for (lane, more) in self.lanes.iter_mut().zip(other.lanes) {
            ensure!(lane.verdicts == more.verdicts, "two races of {} have different verdicts", lane.name);
            lane.rounds.extend(more.rounds);
        }
        Ok(())
    }
}

/// A lane's rounds.
#[derive(Deserialize)]
pub(super) struct Lane {
    #[serde(rename = "lane")]
    pub(super) name: String,
    pub(super) rules: usize,
    /// Different pairs of an event and a rule.
    pub(super) verdicts: u64,
    pub(super) rounds: Vec<Took>,
    /// How many seconds each of its stages took in these rounds, if it counts that.
    pub(super) stages: Vec<(String, f64)>,
}

/// How long something took.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Took {
    /// By the clock.
    pub(super) wall_s: f64,
    /// On processors, all threads together.
    pub(super) cpu_s: f64,
}

/// A lane in a process of its own.
#[derive(Deserialize)]
pub(super) struct Alone {
    pub(super) load: Took,
    pub(super) loaded: Usage,
    /// From the start of loading.
    pub(super) first_verdict: Option<Took>,
    pub(super) passes: Vec<Pass>,
}

/// One pass over the events.
#[derive(Deserialize)]
pub(super) struct Pass {
    pub(super) usage: Usage,
}

/// Whole runs of Sandtrap.
#[derive(Deserialize)]
pub(super) struct Runs {
    pub(super) passes: Vec<Run>,
}

/// A whole run.
#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) verdicts: u64,
    pub(super) took: Took,
}

/// Resident memory.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Usage {
    pub(super) resident_kib: u64,
    pub(super) peak_kib: u64,
}

impl Program {
    /// Builds it, which needs crates.io the first time. It gets the versions that the workspace has: its lock file is made
    /// from the workspace's whenever that is newer.
    pub(super) fn build(common: Vec<String>) -> anyhow::Result<Self> {
        let source = root().join("xtask/peers");
        let (ours, theirs) = (root().join("Cargo.lock"), source.join("Cargo.lock"));
        let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        let is_current = matches!((changed(&ours), changed(&theirs)), (Ok(ours), Ok(theirs)) if theirs >= ours);
        if !is_current {
            fs::copy(&ours, &theirs).with_context(|| format!("cannot write {}", theirs.display()))?;
        }
        let folder = folder();
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--release", "--manifest-path"]).arg(source.join("Cargo.toml"));
        let status = build.arg("--target-dir").arg(&folder).status();
        let status = status.with_context(|| format!("cannot start {build:?}"))?;
        ensure!(status.success(), "{build:?} failed with {status}");
        let program = folder.join("release/sandtrap-peers").with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self { program, common })
    }

    /// Alternating rounds of lanes.
    pub(super) fn race(&self, lanes: &str, rules: &Path, events: &Path, more: &[&str]) -> anyhow::Result<Race> {
        self.ask(self.command("race", rules, events).args(["--lanes", lanes]).args(more))
    }

    /// One lane by itself, with what it has in a folder for its cache.
    pub(super) fn alone(
        &self,
        lane: &str,
        rules: &Path,
        events: &Path,
        cache: &Path,
        passes: usize,
    ) -> anyhow::Result<Alone> {
        let mut command = self.command("alone", rules, events);
        self.ask(command.args(["--lane", lane, "--passes", &passes.to_string(), "--cache"]).arg(cache))
    }

    /// Whole runs of Sandtrap with so many workers, the file so many times in each.
    pub(super) fn workers(
        &self,
        rules: &Path,
        events: &Path,
        cache: &Path,
        times: usize,
        workers: usize,
        passes: usize,
    ) -> anyhow::Result<Runs> {
        let mut command = self.command("workers", rules, events);
        let [times, workers, passes] = [times, workers, passes].map(|number| number.to_string());
        command.args(["--times", &times, "--workers", &workers, "--passes", &passes, "--cache"]).arg(cache);
        self.ask(&mut command)
    }

    fn command(&self, what: &str, rules: &Path, events: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(what).args(&self.common).arg("--rules").arg(rules).arg("--events").arg(events);
        command
    }

    fn ask<A: DeserializeOwned>(&self, command: &mut Command) -> anyhow::Result<A> {
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot start {}", self.program.display()))?;
        ensure!(output.status.success(), "{command:?} failed with {}", output.status);
        serde_json::from_slice(&output.stdout).with_context(|| format!("cannot understand what {command:?} prints"))
    }
}

/// Where everything is kept that can be made again.
pub(super) fn folder() -> PathBuf {
    root().join("target/peers")
}
