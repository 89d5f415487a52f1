//! Rows for tests, and what an index must find in them.

use sandtrap_index::{Indexed, Json, Row, Written};
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

    fn written(&self, key: u32) -> Option<Written<'_>> {
        match self.0.get(key as usize) {
            None | Some(Cell::Null) => Some(Written { how: 0, bytes: b"" }),
            Some(Cell::Text(text)) => Some(Written { how: 1, bytes: text.as_bytes() }),
            Some(Cell::Elements(_) | Cell::Integer(_) | Cell::Other) => None,
        }
    }
}

/// An event of which one key has all texts, and its JSON.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    texts: Vec<String>,
    json: String,
}

impl Event {
    /// JSON of these texts. Bits say which characters are escaped that need not be.
    pub(crate) fn new(texts: Vec<String>, bits: u64) -> Self {
        let mut json = String::from("{");
        for (number, text) in texts.iter().enumerate() {
            json.extend([if number == 0 { "" } else { ", " }, "\"k", &number.to_string(), "\": \""]);
            for (at, c) in text.chars().enumerate() {
                match c {
                    '"' | '\\' => json.extend(['\\', c]),
                    // Three of four events have no escape that is not needed.
                    ' '..='\u{ffff}' if bits & 3 == 3 && bits >> (at % 62) & 4 == 4 => {
                        json.extend(["\\u", &format!("{:04x}", u32::from(c))]);
                    }
                    c => json.push(c),
                }
            }
            json.push('"');
        }
        Self { texts, json: json + "}" }
    }
}

impl Row for Event {
    fn value(&self, key: u32) -> Value<'_> {
        if key == 0 { Value::Elements(self.texts.iter().map(Into::into).collect()) } else { Value::Null }
    }

    fn json(&self, key: u32) -> Option<Json<'_>> {
        let plain = self.json.is_ascii() && !self.json.contains(r"\u");
        (key == 0).then_some(Json { text: self.json.as_bytes(), plain })
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
