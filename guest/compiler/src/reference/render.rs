//! Prints values as the KQL reference pages print them.

use super::{time, value::Value};

/// A value as the reference pages print it: `2024-01-04 00:00:00.0000000`, `1.00:00:00`, `true`, `["a",1]`. Null is
/// the empty text.
pub fn render(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::String(text) | Value::Guid(text) | Value::Dynamic(serde_json::Value::String(text)) => text.clone(),
        Value::Datetime(ticks) => time::datetime_text(*ticks, ' '),
        Value::Timespan(ticks) => time::timespan_text(*ticks),
        Value::Dynamic(json) => json.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_reference() {
        for (value, text) in [
            (Value::Null, ""),
            (Value::Bool(true), "true"),
            (Value::Long(-5), "-5"),
            (Value::Real(4.8), "4.8"),
            (Value::Real(3.0), "3"),
            (Value::Datetime(0), "1970-01-01 00:00:00.0000000"),
            (Value::Timespan(864_000_000_000), "1.00:00:00"),
            (Value::Dynamic(serde_json::json!(["A1", 2, null])), r#"["A1",2,null]"#),
            (Value::Dynamic(serde_json::json!("text")), "text"),
        ] {
            assert_eq!(render(&value), text);
        }
    }
}
