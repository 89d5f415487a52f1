//! The events of a round, as they were read: nothing is taken out of them before somebody asks.

use std::{cell::OnceCell, sync::Arc};

use serde_json::{Map, Value};

use crate::event::Position;

/// The events of a round.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
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
    tree: OnceCell<Box<Map<String, Value>>>,
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
        self.rows.len()
    }

    pub(super) fn get(&self, row: usize) -> Option<&Row> {
        self.rows.get(row)
    }

    /// Adds an event that was parsed.
    pub(super) fn push_tree(&mut self, destination: Option<usize>, position: &Position, fields: Map<String, Value>) {
        self.push(destination, position, OnceCell::from(Box::new(fields)));
    }

    fn push(&mut self, destination: Option<usize>, position: &Position, tree: OnceCell<Box<Map<String, Value>>>) {
        let source = self.source(&position.source);
        let at = At { source, line: position.line, record: position.record, offset: position.offset };
        if let (Some(destination), Ok(row)) = (destination, u32::try_from(self.rows.len())) {
            if self.by_destination.len() <= destination {
                self.by_destination.resize_with(destination + 1, Vec::new);
            }
            if let Some(rows) = self.by_destination.get_mut(destination) {
                rows.push(row);
            }
        }
        let destination = destination.and_then(|place| u32::try_from(place).ok());
        self.rows.push(Row { destination, at, tree });
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
        row.tree.get_or_init(Box::default)
    }

    /// Forgets all events and keeps the room they took.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
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
