//! An event as it was read, and the reference that a verdict gives to it.

use std::{fmt, sync::Arc};

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
    /// The line where it begins, from 1; 0 in an input that has no lines, such as EVTX.
    pub line: u64,
    /// Which record it is, where lines do not tell: in a JSON array or an envelope such as `{"Records": [...]}` the
    /// element, from 1; in EVTX the `EventRecordID`. `None` for what stands by itself.
    pub record: Option<u64>,
    /// Its first byte, from 0, in the text that is read: unpacked, and in UTF-8. In EVTX, in the file.
    pub offset: u64,
}

/// As messages have it: `events.ndjson:12`, `trail.json:1: record 3`, `Security.evtx: record 812`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        match self.record {
            Some(record) => write!(f, ": record {record}"),
            None => Ok(()),
        }
    }
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
