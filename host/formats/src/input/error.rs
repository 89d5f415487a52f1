//! Why there is no event where one was expected: one type for every kind of input.
//!
//! An error either costs one line or record, and the input goes on, or it [ends the input](ReadError::ends_input). Either
//! way it says where.

use std::{fmt, io};

use serde_json::Value;

use super::EVENT_BYTES_MAX;
use crate::event::Position;

/// Why there is no event where one was expected.
#[derive(Debug)]
pub struct ReadError {
    position: Position,
    unit: Unit,
    kind: ReadErrorKind,
}

/// What an event is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A line of its own.
    Line,
    /// A record, which may have many lines or none.
    Record,
}

/// What kind of [`ReadError`] it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is longer than [`EVENT_BYTES_MAX`].
    TooLong,
    /// It is not JSON.
    Json(serde_json::Error),
    /// It is JSON, but not an object.
    NotAnObject(&'static str),
    /// A record or several are damaged; says which and how.
    Damaged(String),
    /// The input is something that is not read; says what, and what to do.
    Refused(&'static str),
    /// The input cannot be read any further.
    Io(io::Error),
}

impl ReadError {
    pub(crate) fn new(position: Position, unit: Unit, kind: ReadErrorKind) -> Self {
        Self { position, unit, kind }
    }

    /// Where the line or record begins.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// What kind of error it is.
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// Whether the input has ended with it: false for bad lines and records.
    pub fn ends_input(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Io(_) | ReadErrorKind::Refused(_))
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Line => "the line",
            Self::Record => "the record",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.position)?;
        let (name, mib) = (self.unit.name(), EVENT_BYTES_MAX >> 20);
        match (&self.kind, self.unit) {
            (ReadErrorKind::TooLong, _) => write!(f, "{name} is longer than {mib} MiB; it was skipped"),
            (ReadErrorKind::Json(error), Unit::Line) => {
                // serde_json numbers the lines of what it was given, which is always line 1 here.
                let (reason, column) = (reason(error), error.column());
                write!(f, "{name} is not JSON: {reason} at column {column}; events are one JSON object per line")
            }
            (ReadErrorKind::Json(error), Unit::Record) => {
                let line = self.position.line.saturating_add(error.line() as u64).saturating_sub(1);
                write!(f, "{name} is not JSON: {} at line {line}, column {}", reason(error), error.column())
            }
            (ReadErrorKind::NotAnObject(found), Unit::Line) => {
                write!(f, "{name} is {found} where an event is an object; write one JSON object per line")
            }
            (ReadErrorKind::NotAnObject(found), Unit::Record) => {
                write!(f, "{name} is {found} where an event is an object")
            }
            (ReadErrorKind::Damaged(what), _) => f.write_str(what),
            (ReadErrorKind::Refused(what), _) => f.write_str(what),
            (ReadErrorKind::Io(error), _) => write!(f, "cannot read on: {error}"),
        }
    }
}

/// What `serde_json` says, without the place.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ReadErrorKind::Json(error) => Some(error),
            ReadErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// What a value that is no object is, as messages have it.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
