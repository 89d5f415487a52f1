//! The events of a round, as they were read: nothing is taken out of them before somebody asks.

use std::{cell::OnceCell, ops::Range, sync::Arc};

use bumpalo::Bump;
use serde_json::{Map, Value};

use super::access::Known;
use crate::{event::Position, json::Leaf};

/// The events of a round.
#[derive(Debug, Default)]
pub(super) struct Rows {
    events: Vec<Row>,
    /// The lines whose shape is known, one behind the other, and their leaves.
    text: String,
    leaves: Vec<Leaf>,
    /// Texts that had to be made.
    made: Bump,
    /// What the inputs are called from which the round's events are.
    sources: Vec<Arc<str>>,
    /// The rows of each destination, in order.
    by_destination: Vec<Vec<u32>>,
}

/// One event.
#[derive(Debug)]
pub(super) struct Row {
    /// The place of its destination; `None` if it belongs to no stream.
    pub(super) destination: Option<u32>,
    at: At,
    line: Option<Line>,
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

    pub(super) fn get(&self, row: usize) -> Option<&Row> {
        self.events.get(row)
    }

    /// Adds an event that was parsed.
    pub(super) fn push_tree(&mut self, destination: Option<usize>, position: &Position, fields: Map<String, Value>) {
        self.push(destination, position, None, OnceCell::from(Box::new(fields)));
    }

    /// The leaves of all lines so far: those of the next line are added behind them.
    pub(super) fn leaves(&mut self) -> &mut Vec<Leaf> {
        &mut self.leaves
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
        let start = self.text.len();
        self.text.push_str(text);
        let layout = u32::try_from(layout).unwrap_or(u32::MAX);
        let line = Line { layout, plain, text: start..self.text.len(), leaves: leaves..self.leaves.len() };
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
        if let (Some(destination), Ok(row)) = (destination, u32::try_from(self.events.len())) {
            if self.by_destination.len() <= destination {
                self.by_destination.resize_with(destination + 1, Vec::new);
            }
            if let Some(rows) = self.by_destination.get_mut(destination) {
                rows.push(row);
            }
        }
        let destination = destination.and_then(|place| u32::try_from(place).ok());
        self.events.push(Row { destination, at, line, tree });
    }

    /// The destinations that have rows, and their rows in order.
    pub(super) fn by_destination(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.by_destination.iter().map(Vec::as_slice).enumerate().filter(|(_, rows)| !rows.is_empty())
    }

    pub(super) fn position(&self, row: &Row) -> Option<Position> {
        let At { source, line, record, offset } = row.at;
        Some(Position { source: Arc::clone(self.sources.get(source)?), line, record, offset })
    }

    /// The event, parsed.
    pub(super) fn tree<'r>(&'r self, row: &'r Row) -> &'r Map<String, Value> {
        row.tree.get_or_init(|| {
            let text = row.line.as_ref().and_then(|line| self.text.get(line.text.clone()));
            // It was read as JSON before.
            text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        })
    }

    /// The event as a line whose shape is known, and the place of its layout.
    pub(super) fn known(&self, row: &Row) -> Option<(usize, Known<'_>)> {
        let line = row.line.as_ref()?;
        let (text, leaves) = (self.text.get(line.text.clone())?, self.leaves.get(line.leaves.clone())?);
        Some((line.layout as usize, Known { text, leaves, plain: line.plain, made: &self.made }))
    }

    /// Forgets all events and keeps the room they took.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.text.clear();
        self.leaves.clear();
        self.made.reset();
        self.sources.clear();
        self.by_destination.iter_mut().for_each(Vec::clear);
    }

    fn source(&mut self, source: &Arc<str>) -> usize {
        match self.sources.last() {
            Some(last) if Arc::ptr_eq(last, source) => {}
            _ => self.sources.push(Arc::clone(source)),
        }
        self.sources.len().saturating_sub(1)
    }
}
