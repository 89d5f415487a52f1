//! Values as the elements of a dynamic array, in the way Kusto writes them
//! (<https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic>): datetime and timespan, which JSON does not
//! have, as text.

use sandtrap_wit::{
    LogicalType,
    batch::Cell,
    time::{datetime_text, timespan_text},
};
use serde_json::Value;

/// Calls `add` with each element that the cell gives, as JSON text. Null gives none; a dynamic array gives its
/// elements but for nulls.
pub(crate) fn elements(cell: Cell<'_>, ty: LogicalType, add: &mut dyn FnMut(&str)) {
    match cell {
        Cell::Absent | Cell::Null => {}
        Cell::Text(text) if ty == LogicalType::Dynamic => match serde_json::from_str(text) {
            Ok(Value::Null) => {}
            Ok(Value::Array(items)) => {
                items.iter().filter(|item| !item.is_null()).for_each(|item| add(&item.to_string()));
            }
            Ok(value) => add(&value.to_string()),
            Err(_) => add(&quoted(text)),
        },
        Cell::Text(text) => add(&quoted(text)),
        Cell::Integer(ticks) if ty == LogicalType::Datetime => add(&quoted(&datetime_text(ticks))),
        Cell::Integer(ticks) if ty == LogicalType::Timespan => add(&quoted(&timespan_text(ticks))),
        Cell::Integer(value) => add(&value.to_string()),
        Cell::Real(value) if value.is_finite() => add(&Value::from(value + 0.0).to_string()),
        Cell::Real(value) if value.is_nan() => add("\"NaN\""),
        Cell::Real(value) => add(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        Cell::Boolean(value) => add(if value { "true" } else { "false" }),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_elements_by_its_type() {
        use LogicalType::{Bool, Datetime, Dynamic, Guid, Int, Real, String, Timespan};
        for (cell, ty, expected) in [
            (Cell::Text(""), String, vec![r#""""#]),
            (Cell::Text("a\"b"), String, vec![r#""a\"b""#]),
            (
                Cell::Text("74be27de-1e4e-49d9-b579-fe0b331d3642"),
                Guid,
                vec![r#""74be27de-1e4e-49d9-b579-fe0b331d3642""#],
            ),
            (Cell::Text(r#"["A1", null, {"b": 1}, [2]]"#), Dynamic, vec![r#""A1""#, r#"{"b":1}"#, "[2]"]),
            (Cell::Text("7"), Dynamic, vec!["7"]),
            (Cell::Text("null"), Dynamic, vec![]),
            (Cell::Text("not json"), Dynamic, vec![r#""not json""#]),
            (Cell::Integer(-5), Int, vec!["-5"]),
            (Cell::Integer(0), Datetime, vec![r#""1970-01-01T00:00:00.0000000Z""#]),
            (Cell::Integer(-1), Datetime, vec![r#""1969-12-31T23:59:59.9999999Z""#]),
            (Cell::Integer(17_092_080_000_000_000), Datetime, vec![r#""2024-02-29T12:00:00.0000000Z""#]),
            (Cell::Integer(936_000_000_000 + 5_000_000), Timespan, vec![r#""1.02:00:00.5000000""#]),
            (Cell::Integer(-600_000_000), Timespan, vec![r#""-00:01:00""#]),
            (Cell::Real(1.0), Real, vec!["1.0"]),
            (Cell::Real(f64::NAN), Real, vec![r#""NaN""#]),
            (Cell::Boolean(true), Bool, vec!["true"]),
            (Cell::Null, Int, vec![]),
        ] {
            let mut found: Vec<std::string::String> = Vec::new();
            elements(cell, ty, &mut |element| found.push(element.into()));
            assert_eq!(found, expected, "{cell:?} as {ty}");
        }
    }
}
