//! An event as it was read, and the reference that a verdict gives to it.

use std::sync::Arc;

use serde_json::{Map, Value};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its fields. Of a key that is there twice, the last value.
    pub fields: Map<String, Value>,
    /// Where it was read.
    pub position: Position,
}

/// Where in the input something is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The input's name: a path, or `-` for standard input.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The line's first byte, from 0.
    pub offset: u64,
}

/// What is remembered of an event beside its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRef {
    /// How many events were read before it in this run: the order of verdicts.
    pub ordinal: u64,
    /// Where it was read.
    pub position: Position,
    /// When it happened, in ticks of 100 ns since 1970-01-01 UTC; `None` when it does not say.
    pub time: Option<i64>,
    /// Every stream that it belongs to, wanted or not.
    pub streams: Arc<[Arc<str>]>,
}
