//! What a lane is: one engine on one thread that is given the same events as all others.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Events in memory, one JSON object a line.
pub struct Events {
    text: String,
    count: u64,
}

impl Events {
    /// Reads a file of them. An empty line at the end is no event.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let count = u64::try_from(text.lines().count())?;
        Ok(Self { text, count })
    }

    /// The lines, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        (1..).zip(self.text.lines())
    }

    /// All lines together.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// Takes a verdict: the line of the event, and the id of the rule.
pub type Take<'t> = dyn FnMut(u64, &str) + 't;

/// An engine with its rules loaded.
pub trait Lane {
    /// Gives every event to the engine, in order, until all verdicts are had.
    fn pass(&mut self, events: &Events, take: &mut Take<'_>) -> anyhow::Result<()>;
}

/// The rule files that a list names, one a line.
pub fn rule_files(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(text.lines().map(PathBuf::from).collect())
}
