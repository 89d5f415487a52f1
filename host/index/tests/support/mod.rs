//! Rows for tests, and what an index must find in them.

use sandtrap_index::{Indexed, Row};
use sandtrap_wit::prefilter::Value;

/// A value that owns its text.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Elements(Vec<String>),
    Integer(i64),
    Other,
}

/// The value of key `i` is at `i`.
#[derive(Clone, Debug)]
pub(crate) struct Cells(pub(crate) Vec<Cell>);

impl Row for Cells {
    fn value(&self, key: u32) -> Value<'_> {
        match self.0.get(key as usize) {
            None | Some(Cell::Null) => Value::Null,
            Some(Cell::Text(text)) => Value::Text(text.into()),
            Some(Cell::Elements(elements)) => Value::Elements(elements.iter().map(Into::into).collect()),
            Some(Cell::Integer(integer)) => Value::Integer(*integer),
            Some(Cell::Other) => Value::Other,
        }
    }
}

/// One prefilter after the other; those that admit everything are left out.
pub(crate) fn admitted(detections: &[Indexed<'_>], row: &impl Row) -> Vec<u32> {
    let admits = |detection: &Indexed<'_>| {
        let value = |column: u32| detection.columns.get(column as usize).map_or(Value::Null, |key| row.value(*key));
        !detection.prefilter.is_always() && detection.prefilter.admits_values(value)
    };
    (0..).zip(detections).filter(|(_, detection)| admits(detection)).map(|(number, _)| number).collect()
}
