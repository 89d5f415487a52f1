//! The events of a round, as they were read: nothing is taken out of them before somebody asks.

use std::{cell::OnceCell, ops::Range, sync::Arc};

use bumpalo::Bump;
use serde_json::{Map, Value};

use super::access::{Known, LongText};
use crate::{event::Position, json::Leaf};

/// The events of a round.
#[derive(Debug, Default)]
pub(super) struct Rows {
    events: Vec<Row>,
    /// The lines of events that stay for the round, and of those of which that is not known yet. The latter are few, so that
    /// they are still in a cache when they are looked at.
    kept: Lines,
    new: Lines,
    /// How many of the events are kept.
    settled: usize,
    /// Texts that had to be made.
    made: Bump,
    /// What the inputs are called from which the round's events are.
    sources: Vec<Arc<str>>,
    /// How many events there were since the start.
    pushed: u64,
    /// How many of these were before the round.
    before: u64,
}

/// Lines whose shape is known, one behind the other, and their leaves.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    leaves: Vec<Leaf>,
}

/// One event.
#[derive(Debug)]
pub(super) struct Row {
    /// How many events there were before it.
    pub(super) ordinal: u64,
    /// The place of its destination; `None` if it belongs to no stream.
    pub(super) destination: Option<u32>,
    at: At,
    line: Option<Line>,
    /// A text of the line.
    long: OnceCell<Box<LongText>>,
    /// The event, parsed: at once if its shape is not known.
    tree: OnceCell<Box<Map<String, Value>>>,
}

/// A line whose shape is known.
#[derive(Clone, Debug)]
struct Line {
    /// The place of its layout.
    layout: u32,
    /// Whether it is ASCII without `\u` escapes.
    plain: bool,
    /// Whether it is one of those that are kept.
    kept: bool,
    text: Range<usize>,
    leaves: Range<usize>,
}

/// A [`Position`], its source by its place.
#[derive(Clone, Copy, Debug)]
struct At {
    source: usize,
    line: u64,
    record: Option<u64>,
    offset: u64,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How many events were added since the round began.
    pub(super) fn pushed(&self) -> u64 {
        self.pushed.saturating_sub(self.before)
    }

    /// The rows of which it is not known whether they are kept.
    pub(super) fn unsettled(&self) -> Range<usize> {
        self.settled..self.events.len()
    }

    pub(super) fn get(&self, row: usize) -> Option<&Row> {
        self.events.get(row)
    }

    /// Adds an event that was parsed.
    pub(super) fn push_tree(&mut self, destination: Option<usize>, position: &Position, fields: Map<String, Value>) {
        self.push(destination, position, None, OnceCell::from(Box::new(fields)));
    }

    /// Where the leaves of the next line are added, behind those of others.
    pub(super) fn leaves(&mut self) -> &mut Vec<Leaf> {
        &mut self.new.leaves
    }

    /// Adds a line with the layout at this place. Its leaves are those from `leaves` on.
    pub(super) fn push_line(
        &mut self,
        destination: Option<usize>,
        position: &Position,
        text: &str,
        plain: bool,
        leaves: usize,
        layout: usize,
    ) {
        let Lines { text: new, leaves: all } = &mut self.new;
        let start = new.len();
        new.push_str(text);
        let layout = u32::try_from(layout).unwrap_or(u32::MAX);
        let line = Line { layout, plain, kept: false, text: start..new.len(), leaves: leaves..all.len() };
        self.push(destination, position, Some(line), OnceCell::new());
    }

    fn push(
        &mut self,
        destination: Option<usize>,
        position: &Position,
        line: Option<Line>,
        tree: OnceCell<Box<Map<String, Value>>>,
    ) {
        let source = self.source(&position.source);
        let at = At { source, line: position.line, record: position.record, offset: position.offset };
        let destination = destination.and_then(|place| u32::try_from(place).ok());
        self.events.push(Row { ordinal: self.pushed, destination, at, line, long: OnceCell::new(), tree });
        self.pushed = self.pushed.saturating_add(1);
    }

    /// Keeps those of the [unsettled](Self::unsettled) rows of which `keep` says so, in their order and from the first of
    /// these rows on, and forgets the others.
    pub(super) fn settle(&mut self, keep: impl Fn(usize) -> bool) {
        for row in self.unsettled() {
            if !keep(row) {
                continue;
            }
            if let Some(line) = self.events.get_mut(row).and_then(|event| event.line.as_mut()) {
                line.text = append(line.text.clone(), self.kept.text.len(), |text| {
                    self.kept.text.push_str(self.new.text.get(text).unwrap_or_default());
                });
                line.leaves = append(line.leaves.clone(), self.kept.leaves.len(), |leaves| {
                    self.kept.leaves.extend_from_slice(self.new.leaves.get(leaves).unwrap_or_default());
                });
                line.kept = true;
            }
            self.events.swap(self.settled, row);
            self.settled = self.settled.saturating_add(1);
        }
        self.events.truncate(self.settled);
        self.new.clear();
        self.made.reset();
    }

    pub(super) fn position(&self, row: &Row) -> Option<Position> {
        let At { source, line, record, offset } = row.at;
        Some(Position { source: Arc::clone(self.sources.get(source)?), line, record, offset })
    }

    /// The event, parsed.
    pub(super) fn tree<'r>(&'r self, row: &'r Row) -> &'r Map<String, Value> {
        row.tree.get_or_init(|| {
            let text = row.line.as_ref().and_then(|line| self.lines(line).text.get(line.text.clone()));
            // It was read as JSON before.
            text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        })
    }

    /// The event as a line whose shape is known, and the place of its layout.
    pub(super) fn known<'r>(&'r self, row: &'r Row) -> Option<(usize, Known<'r>)> {
        let line = row.line.as_ref()?;
        let Lines { text, leaves } = self.lines(line);
        let (text, leaves) = (text.get(line.text.clone())?, leaves.get(line.leaves.clone())?);
        Some((line.layout as usize, Known { text, leaves, plain: line.plain, made: &self.made, long: &row.long }))
    }

    /// Forgets all events and keeps the room they took.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.settled = 0;
        self.kept.clear();
        self.new.clear();
        self.made.reset();
        self.sources.clear();
        self.before = self.pushed;
    }

    fn lines(&self, line: &Line) -> &Lines {
        if line.kept { &self.kept } else { &self.new }
    }

    fn source(&mut self, source: &Arc<str>) -> usize {
        match self.sources.last() {
            Some(last) if Arc::ptr_eq(last, source) => {}
            _ => self.sources.push(Arc::clone(source)),
        }
        self.sources.len().saturating_sub(1)
    }
}

impl Lines {
    fn clear(&mut self) {
        self.text.clear();
        self.leaves.clear();
    }
}

/// Appends what lies in a range to what ends at `end`, and says where it lies then.
fn append(range: Range<usize>, end: usize, append: impl FnOnce(Range<usize>)) -> Range<usize> {
    let length = range.len();
    append(range);
    end..end.saturating_add(length)
}
