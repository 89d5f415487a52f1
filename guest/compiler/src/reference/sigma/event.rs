//! What a rule sees of an event: the values of a field, all values of it, a field as a time.

use serde_json::{Map, Value};

use crate::reference::time::parse_datetime;

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a>(&'a Map<String, Value>);

/// What an event has of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// No such field.
    Absent,
    /// It is `null`.
    Null,
    /// Its values as text, in order: the elements of an array (of arrays), else one. An object is its JSON.
    Values(Vec<String>),
}

impl<'a> Event<'a> {
    /// The event that a JSON object is.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self(object)
    }

    /// The field of that name (docs/values.md: the name as a key, or a path of keys with dots between them, which goes
    /// through lists).
    pub fn field(self, name: &str) -> Field {
        match find(self.0, name).as_slice() {
            [] => Field::Absent,
            [Value::Null] => Field::Null,
            found => {
                let mut values = Vec::new();
                for value in found {
                    elements(value, &mut values);
                }
                Field::Values(values)
            }
        }
    }

    /// The field as ticks of 100 ns since 1970, if it is the text of a date.
    pub fn time(self, name: &str) -> Option<i64> {
        match find(self.0, name).as_slice() {
            [Value::String(text)] => parse_datetime(text.trim()),
            _ => None,
        }
    }

    /// Every value that is in the event, however deep, without the keys ("Keywords search").
    pub fn all_values(self) -> Vec<String> {
        let mut values = Vec::new();
        self.0.values().for_each(|value| scalars(value, &mut values));
        values
    }
}

/// What the path leads to: one value, or one for each object of a list on the way. The whole path as a key comes first,
/// then longer keys before shorter ones.
fn find<'a>(object: &'a Map<String, Value>, path: &str) -> Vec<&'a Value> {
    if let Some(value) = object.get(path) {
        return vec![value];
    }
    let splits = path.rmatch_indices('.').filter_map(|(dot, _)| Some((path.get(..dot)?, path.get(dot + 1..)?)));
    let mut found = splits.filter_map(|(key, rest)| Some(find_in(object.get(key)?, rest)));
    found.find(|found| !found.is_empty()).unwrap_or_default()
}

fn find_in<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(object) => find(object, path),
        Value::Array(items) => {
            let (place, rest) = path.split_once('.').map_or((path, None), |(place, rest)| (place, Some(rest)));
            match (place.parse::<usize>().ok().and_then(|place| items.get(place)), rest) {
                (Some(item), None) => vec![item],
                (Some(item), Some(rest)) => find_in(item, rest),
                (None, _) => items.iter().filter_map(Value::as_object).flat_map(|item| find(item, path)).collect(),
            }
        }
        _ => Vec::new(),
    }
}

fn elements(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(array) => array.iter().for_each(|value| elements(value, into)),
        Value::String(text) => into.push(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => into.push(value.to_string()),
    }
}

fn scalars(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|value| scalars(value, into)),
        Value::Array(array) => array.iter().for_each(|value| scalars(value, into)),
        value => elements(value, into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_values_are_as_the_contract_says() {
        let json = serde_json::json!({
            "a.b": "key", "a": {"b": "path", "c": {"d": 1.0}, "c.d": 2}, "n": null, "e": [],
            "l": ["x", null, ["y", {"k": [true]}]], "o": [{"k": 1}, {"k": [2, null]}, 3, {"x": {"k": 4}}], "t": " 2024-01-01T01:00:00+01:00 ",
        });
        let event = Event::new(json.as_object().expect("an object"));
        let values = |values: &[&str]| Field::Values(values.iter().map(|value| (*value).to_owned()).collect());
        for (name, expected) in [
            ("a.b", values(&["key"])),
            ("a.c.d", values(&["2"])),
            ("a.c", values(&["{\"d\":1.0}"])),
            ("a.x", Field::Absent),
            ("n", Field::Null),
            ("n.x", Field::Absent),
            ("e", values(&[])),
            ("l", values(&["x", "y", "{\"k\":[true]}"])),
            ("A", Field::Absent),
            ("o.k", values(&["1", "2"])),
            ("o.x.k", values(&["4"])),
            ("o.1.k.0", values(&["2"])),
            ("o.y", Field::Absent),
        ] {
            assert_eq!(event.field(name), expected, "{name}");
        }
        assert_eq!(
            event.all_values(),
            ["key", "path", "1.0", "2", "x", "y", "true", "1", "2", "3", "4", " 2024-01-01T01:00:00+01:00 "]
        );
        assert_eq!(event.time("t"), parse_datetime("2024-01-01"));
        assert_eq!(event.time("l"), None);
    }
}
