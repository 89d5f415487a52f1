//! What a lane is: one engine on one thread that is given the same events as all others.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// How much of a file is in memory at once where memory is measured, in bytes.
const BLOCK_BYTES: u64 = 4 << 20;

/// Events in memory, one JSON object a line.
pub struct Events {
    /// The number of the first line.
    first: u64,
    text: String,
    /// Where the lines are, so that no lane is timed while it looks for them.
    lines: Vec<Range<usize>>,
}

impl Events {
    fn new(first: u64, text: String) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            lines.push(start..start + content.len());
            start += line.len();
        }
        Ok(Self { first, text, lines })
    }

    /// Reads a file of them.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::new(1, text)
    }

    /// Hands a file of them on in blocks of whole lines.
    pub fn in_blocks(file: &Path, mut take: impl FnMut(&Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut input = BufReader::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?);
        let mut first = 1;
        loop {
            let mut block = Vec::new();
            input.by_ref().take(BLOCK_BYTES).read_to_end(&mut block)?;
            input.read_until(b'\n', &mut block)?;
            if block.is_empty() {
                return Ok(());
            }
            let block = Self::new(first, String::from_utf8(block)?)?;
            first += block.count();
            take(&block)?;
        }
    }

    /// The lines with their numbers, from 1 in a file.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        (self.first..).zip(self.lines.iter().map(|line| &self.text[line.clone()]))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.lines.len() as u64
    }
}

/// Takes a verdict: the line of the event, and the id of the rule.
pub type Take<'t> = dyn FnMut(u64, &str) + 't;

/// An engine with its rules loaded.
pub trait Lane {
    /// Gives every event to the engine, in order, until all verdicts are had.
    fn pass(&mut self, events: &Events, take: &mut Take<'_>) -> anyhow::Result<()>;

    /// Where its time went so far, in seconds, if it counts that.
    fn stages(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

/// The rule files that a list names, one a line.
pub fn rule_files(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(text.lines().map(PathBuf::from).collect())
}
