//! One line of NDJSON from its bytes: an event, an envelope of events, or the reason why it is neither.

use serde_json::{Map, Value};

use super::{
    BOM, envelope,
    error::{ReadError, Unit},
    object::{Object, fields, object},
};
use crate::event::{Event, Position};

/// What a line that is not blank is.
pub(crate) enum Parsed {
    /// An event.
    Event { fields: Map<String, Value>, repaired: bool },
    /// An envelope, and what is in it.
    Envelope { elements: Vec<Result<Event, ReadError>>, repaired: bool },
}

/// What of a line at that offset is to be parsed. Blank lines have nothing.
pub(crate) fn content(line: &[u8], offset: u64) -> &[u8] {
    let start = if offset == 0 { line.strip_prefix(BOM) } else { None };
    start.unwrap_or(line).trim_ascii()
}

/// Parses the [content] of a line.
pub(crate) fn parse(content: &[u8], position: &Position) -> Result<Parsed, ReadError> {
    let (fields, repaired) = match object(content) {
        Ok(Object::Sound(fields)) => (fields, false),
        Ok(Object::Repaired(fields)) => (fields, true),
        Err(kind) => return Err(ReadError::new(position.clone(), Unit::Line, kind)),
    };
    Ok(match envelope::open(fields) {
        Err(fields) => Parsed::Event { fields, repaired },
        Ok(elements) => Parsed::Envelope { elements: take_apart(elements, position), repaired },
    })
}

/// The elements of a line that is an envelope.
fn take_apart(elements: Vec<Value>, line: &Position) -> Vec<Result<Event, ReadError>> {
    let element = |(number, element)| {
        let position = Position { record: Some(number), ..line.clone() };
        match fields(element) {
            Ok(fields) => Ok(Event { fields, position }),
            Err(kind) => Err(ReadError::new(position, Unit::Record, kind)),
        }
    };
    (1..).zip(elements).map(element).collect()
}
