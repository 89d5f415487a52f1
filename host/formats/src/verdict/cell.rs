//! Cells and lists as a reader of verdicts sees them: as JSON, and as text for a table.
//!
//! Both say the same: datetimes and timespans as Kusto prints them, a missing text as empty (Kusto's strings are never
//! null), every other missing value as null. A datetime outside the years 1 to 9999 cannot be printed and is null.

use sandtrap_wit::{
    LogicalType,
    batch::{Cell, Row},
};
use serde_json::Value;

use crate::convert::{format_datetime, format_timespan};

/// So many elements of a list are shown in a table; of the others it is said how many there are.
const LIST_ELEMENTS_SHOWN_MAX: usize = 16;

/// The cell as JSON.
///
/// Reals that JSON has no number for are the texts `NaN`, `Infinity` and `-Infinity`. A dynamic cell is the JSON that it
/// holds; text that is none, which only a faulty component gives, stays a text.
pub fn cell_to_json(ty: LogicalType, cell: Cell<'_>) -> Value {
    match (ty, cell) {
        (LogicalType::String, Cell::Null | Cell::Absent) => Value::from(""),
        (_, Cell::Null | Cell::Absent) => Value::Null,
        (LogicalType::Dynamic, Cell::Text(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        (_, Cell::Text(text)) => Value::from(text),
        (LogicalType::Datetime, Cell::Integer(ticks)) => format_datetime(ticks).map_or(Value::Null, Value::from),
        (LogicalType::Timespan, Cell::Integer(ticks)) => Value::from(format_timespan(ticks)),
        (_, Cell::Integer(value)) => Value::from(value),
        (_, Cell::Real(value)) => special_real(value).map_or_else(|| Value::from(value), Value::from),
        (_, Cell::Boolean(value)) => Value::from(value),
    }
}

/// The cell as text for a table: one line, and nothing that a terminal would obey. Text of events is untrusted, so
/// control characters and those that reorder text are written as escapes.
pub fn cell_to_text(ty: LogicalType, cell: Cell<'_>) -> String {
    match cell_to_json(ty, cell) {
        Value::Null => String::new(),
        Value::String(text) => printable(&text),
        other => printable(&other.to_string()),
    }
}

/// A row of a column of lists as text for a table: its elements as [`cell_to_text`] shows them, with commas between.
pub fn row_to_text(ty: LogicalType, row: Row<'_>) -> String {
    let Row::Elements(elements) = row else { return String::new() };
    let more = elements.len().saturating_sub(LIST_ELEMENTS_SHOWN_MAX);
    let shown: Vec<String> = elements.take(LIST_ELEMENTS_SHOWN_MAX).map(|element| cell_to_text(ty, element)).collect();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown}, … {more} more") }
}

fn special_real(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        None
    }
}

fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        // U+200E.. and U+202A.. and U+2066..: marks, embeddings, overrides and isolates of bidirectional text.
        let reorders = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders || matches!(character, '\u{2028}' | '\u{2029}') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use LogicalType::{Bool, Datetime, Dynamic, Int, Long, Real, String as Text, Timespan};
    use sandtrap_wit::batch::ColumnBuilder;

    use super::*;

    #[test]
    fn cells_are_written_as_documented() {
        for (ty, cell, json, text) in [
            (Text, Cell::Text("a"), r#""a""#, "a"),
            (Text, Cell::Null, r#""""#, ""),
            (Text, Cell::Absent, r#""""#, ""),
            (
                Text,
                Cell::Text("a\x1b[2J\r\n\u{9b}\u{202e}é"),
                "\"a\\u001b[2J\\r\\n\u{9b}\u{202e}é\"",
                r"a\u{1b}[2J\r\n\u{9b}\u{202e}é",
            ),
            (Int, Cell::Integer(-5), "-5", "-5"),
            (Long, Cell::Integer(i64::MAX), "9223372036854775807", "9223372036854775807"),
            (Long, Cell::Null, "null", ""),
            (Real, Cell::Real(1.0), "1.0", "1.0"),
            (Real, Cell::Real(f64::NAN), r#""NaN""#, "NaN"),
            (Real, Cell::Real(f64::NEG_INFINITY), r#""-Infinity""#, "-Infinity"),
            (Bool, Cell::Boolean(true), "true", "true"),
            (Datetime, Cell::Integer(0), r#""1970-01-01T00:00:00.0000000Z""#, "1970-01-01T00:00:00.0000000Z"),
            (Datetime, Cell::Integer(i64::MIN), "null", ""),
            (Timespan, Cell::Integer(937_845_000_000), r#""1.02:03:04.5000000""#, "1.02:03:04.5000000"),
            (Dynamic, Cell::Text(r#"{"b":[1],"a":"\n"}"#), r#"{"b":[1],"a":"\n"}"#, r#"{"b":[1],"a":"\n"}"#),
            (Dynamic, Cell::Text("not json"), r#""not json""#, "not json"),
            (Dynamic, Cell::Null, "null", ""),
        ] {
            assert_eq!(cell_to_json(ty, cell).to_string(), json, "{ty} {cell:?}");
            assert_eq!(cell_to_text(ty, cell), text, "{ty} {cell:?}");
        }
    }
    #[test]
    fn a_list_is_shown_with_commas_and_bounded() {
        let many: Vec<String> = (0..18).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (row, text) in [
            (Err(Cell::Absent), ""),
            (Err(Cell::Null), ""),
            (Ok(&[][..]), ""),
            (Ok(&["a"]), "a"),
            (Ok(&["a", "", "b\n"]), r"a, , b\n"),
            (Ok(&many), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, … 2 more"),
        ] {
            let mut column = ColumnBuilder::of(Text);
            let fits = match row {
                Ok(elements) => column.push_elements(elements.iter().copied().map(Cell::Text)),
                Err(none) => column.push(none),
            };
            assert!(fits, "{row:?}");
            assert_eq!(row_to_text(Text, column.finish().row(0)), text, "{row:?}");
        }
    }
}
