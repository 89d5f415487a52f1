//! Where rules and events are, and how they are read.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{root, shared};

/// What the rule folders of the corpus begin with: rules, rules-compliance, rules-emerging-threats, ...
const RULES: &str = "rules";

/// The shared folder with `SigmaHQ`'s rules and the events.
pub(crate) struct Corpus {
    shared: PathBuf,
}

impl Corpus {
    /// Finds it.
    pub(crate) fn find() -> anyhow::Result<Self> {
        Ok(Self { shared: shared().context("set SANDTRAP_SHARED to the folder with corpus/ and events/")? })
    }

    fn sigma(&self) -> PathBuf {
        self.shared.join("corpus/sigma")
    }

    /// The events that explained.json is about.
    pub(crate) fn events(&self) -> PathBuf {
        self.shared.join("events/windows-100k.ndjson.zst")
    }

    /// `SigmaHQ`'s map from logsource to channel, event id and fields.
    pub(crate) fn logsources(&self) -> PathBuf {
        self.sigma().join("logsources-thor.yml")
    }

    /// One `{"rule_id", "event"}` per line.
    pub(crate) fn regression_events(&self) -> PathBuf {
        self.sigma().join("regression_events.ndjson")
    }

    /// How often each regression case has to fire.
    pub(crate) fn regression_manifest(&self) -> PathBuf {
        self.sigma().join("regression_manifest.json")
    }

    /// The folders of rules.
    pub(crate) fn rules(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.sigma();
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        let is_rules = |path: &PathBuf| {
            path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(RULES))
        };
        let mut rules: Vec<PathBuf> = paths.into_iter().filter(is_rules).collect();
        rules.sort();
        ensure!(!rules.is_empty(), "{} has no folder of rules", folder.display());
        Ok(rules)
    }
}

/// Reads a file of events, unpacked if need be.
pub(crate) fn read_events(file: &Path) -> anyhow::Result<String> {
    if file.extension().is_some_and(|extension| extension == "zst") {
        return read(Command::new("zstd").arg("-dc").arg(file));
    }
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What `sandtrap run` prints for the rules and events.
pub(crate) fn sandtrap(rules: &[PathBuf], events: &Path) -> anyhow::Result<String> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "sandtrap", "--", "run"]).args(rules);
    let placeholders = root().join("xtask/sigma_oracle/placeholders.yaml");
    command.arg("--placeholders").arg(placeholders).arg("--events").arg(events);
    read(command.current_dir(root()))
}

/// What a command that has to succeed prints; what else it says goes to standard error.
fn read(command: &mut Command) -> anyhow::Result<String> {
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something other than UTF-8"))
}
