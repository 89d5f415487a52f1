//! JSON values to the elements of a list column: all values of a field, as text. docs/values.md states every rule.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// How deep lists are taken apart; what lies deeper is one value. The readers of events allow no deeper ones.
const DEPTH_MAX: usize = 128;

/// A cell of a list column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListCell<'v> {
    /// There is no such field.
    Absent,
    /// The field is there without a value.
    Null,
    /// Its values, which may be none.
    Values(Vec<Cow<'v, str>>),
}

impl<'v> ListCell<'v> {
    /// The cell for what was found under a field's name: nothing, one value, or one for each object of a list.
    pub fn of_found(found: &[&'v Value]) -> Self {
        match found {
            [] => Self::Absent,
            [Value::Null] => Self::Null,
            found => {
                let mut values = Vec::new();
                for value in found {
                    add_elements(value, 0, &mut values);
                }
                Self::Values(values)
            }
        }
    }

    /// How much text its values have, in bytes.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Values(values) => values.iter().map(|value| value.len()).sum(),
            Self::Absent | Self::Null => 0,
        }
    }
}

impl ListCell<'_> {
    /// The same with its texts owned.
    pub(crate) fn into_owned(self) -> ListCell<'static> {
        match self {
            Self::Absent => ListCell::Absent,
            Self::Null => ListCell::Null,
            Self::Values(values) => {
                ListCell::Values(values.into_iter().map(|text| Cow::Owned(text.into_owned())).collect())
            }
        }
    }
}

/// All scalar values of an event, as text, in the event's order. Keys are none.
pub fn all_scalars(fields: &Map<String, Value>) -> Vec<Cow<'_, str>> {
    scalars(Box::new(fields.values()))
}

/// The same of the elements of a list.
pub(crate) fn scalars_of_list(items: &[Value]) -> Vec<Cow<'_, str>> {
    scalars(Box::new(items.iter()))
}

fn scalars<'v>(level: Box<dyn Iterator<Item = &'v Value> + 'v>) -> Vec<Cow<'v, str>> {
    let mut values = Vec::new();
    let mut open = vec![level];
    while let Some(level) = open.last_mut() {
        match level.next() {
            None => {
                open.pop();
            }
            Some(Value::Array(items)) => open.push(Box::new(items.iter())),
            Some(Value::Object(inner)) => open.push(Box::new(inner.values())),
            Some(scalar) => values.extend(scalar_text(scalar)),
        }
    }
    values
}

/// An array is its elements, without nulls; an object its JSON; a scalar its text.
fn add_elements<'v>(value: &'v Value, depth: usize, values: &mut Vec<Cow<'v, str>>) {
    match value {
        Value::Array(items) if depth < DEPTH_MAX => {
            for item in items {
                add_elements(item, depth + 1, values);
            }
        }
        Value::Array(_) | Value::Object(_) => values.push(Cow::Owned(value.to_string())),
        scalar => values.extend(scalar_text(scalar)),
    }
}

fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_s_values_are_its_elements() {
        for (found, expected) in [
            (json!([]), None),
            (json!([null]), Some(None)),
            (json!(["a"]), Some(Some(vec!["a"]))),
            (json!([""]), Some(Some(vec![""]))),
            (json!([1]), Some(Some(vec!["1"]))),
            (json!([1.0]), Some(Some(vec!["1.0"]))),
            (json!([true]), Some(Some(vec!["true"]))),
            (json!([["a", null, [1, [false]]]]), Some(Some(vec!["a", "1", "false"]))),
            (json!([[]]), Some(Some(vec![]))),
            (json!([[null]]), Some(Some(vec![]))),
            (json!([{"a": [null]}]), Some(Some(vec![r#"{"a":[null]}"#]))),
            (json!([[{"a": 1}, "b"]]), Some(Some(vec![r#"{"a":1}"#, "b"]))),
            (json!(["a", ["b"], null]), Some(Some(vec!["a", "b"]))),
            (json!([null, null]), Some(Some(vec![]))),
        ] {
            let Value::Array(found) = &found else { unreachable!("the table holds arrays") };
            let cell = match ListCell::of_found(&found.iter().collect::<Vec<_>>()) {
                ListCell::Absent => None,
                ListCell::Null => Some(None),
                ListCell::Values(values) => Some(Some(values)),
            };
            let expected = expected.map(|cell| cell.map(|values| values.into_iter().map(Cow::from).collect()));
            assert_eq!(cell, expected, "{found:?}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_one_value() {
        let deep = (0..=DEPTH_MAX).fold(json!("x"), |inner, _| json!([inner]));
        assert_eq!(ListCell::of_found(&[&deep]), ListCell::Values(vec![r#"["x"]"#.into()]));
    }

    #[test]
    fn all_scalars_of_an_event_are_found_in_its_order() {
        let event = json!({"a": 1, "b": {"c": ["x", {"d": true}, null, []], "e": {}}, "f": "y"});
        let Value::Object(fields) = &event else { unreachable!("an object was written") };
        assert_eq!(all_scalars(fields), ["1", "x", "true", "y"]);
    }
}
