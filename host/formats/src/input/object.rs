//! One event from its bytes: a JSON object, with what is no Unicode in it replaced.

use serde_json::{Map, Value};

use super::error::{ReadErrorKind, kind_of};
use crate::repair::repaired;

/// What bytes that were thought to be an event are.
pub(crate) enum Object {
    /// A sound one.
    Sound(Map<String, Value>),
    /// One that is sound only because what is no Unicode in it became U+FFFD.
    Repaired(Map<String, Value>),
}

/// Reads the bytes of one event.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, ReadErrorKind> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(Object::Sound(fields(value)?)),
        Err(error) => match repaired(bytes) {
            None => Err(ReadErrorKind::Json(error)),
            Some(text) => {
                let value = serde_json::from_str(&text).map_err(ReadErrorKind::Json)?;
                Ok(Object::Repaired(fields(value)?))
            }
        },
    }
}

/// The fields of a value that must be an object.
pub(crate) fn fields(value: Value) -> Result<Map<String, Value>, ReadErrorKind> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(ReadErrorKind::NotAnObject(kind_of(&other))),
    }
}
