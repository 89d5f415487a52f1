//! Generated events, as JSON.

use serde_json::{Map, Number, Value};

use crate::{random::Random, text};

/// Fields that may hold anything.
pub(crate) const FIELDS: &[&str] = &["f", "g", "a.b", "a.c", "größe"];

/// An event: each field may be absent, null, a value or a list of them.
pub(crate) fn event(random: &mut Random) -> Map<String, Value> {
    let mut event = Map::new();
    for field in FIELDS {
        let Some(value) = any(random, scalar) else { continue };
        match field.split_once('.') {
            // Sometimes a key with a dot, sometimes an object; sometimes the object is something else.
            Some((outer, inner)) if random.below(3) > 0 => {
                let object = event.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(object) = object {
                    object.insert(inner.into(), value);
                }
            }
            _ => drop(event.insert((*field).into(), value)),
        }
    }
    // A path goes through a list of objects.
    if random.once_in(8) {
        event.insert("a".into(), serde_json::json!([{"b": scalar(random)}, {"b": scalar(random), "c": null}, 1]));
    }
    for (field, of) in [("n", number as fn(&mut Random) -> Value), ("ip", address), ("t", time)] {
        if let Some(value) = any(random, of) {
            event.insert(field.into(), value);
        }
    }
    event
}

fn any(random: &mut Random, one: fn(&mut Random) -> Value) -> Option<Value> {
    match random.below(16) {
        0 | 1 => None,
        2 => Some(Value::Null),
        3 => Some(Value::Array(Vec::new())),
        4 => Some(Value::Array(vec![one(random), Value::Null, one(random)])),
        5 => Some(Value::Array(vec![one(random), Value::Array(vec![one(random), one(random)])])),
        6 => Some(serde_json::json!({"x": one(random), "l": [one(random)]})),
        7 => Some(scalar(random)),
        _ => Some(one(random)),
    }
}

fn scalar(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Bool(random.once_in(2)),
        1 => number(random),
        2 => Value::String(random.pick(&["", "", "x", "true", "TRUE", "null", "*", "\\"]).into()),
        _ => Value::String(text::of_event(random)),
    }
}

fn number(random: &mut Random) -> Value {
    let text = random.pick(text::NUMBERS);
    match text.parse::<Number>() {
        Ok(number) if random.below(3) > 0 => Value::Number(number),
        _ => Value::String(text.into()),
    }
}

fn address(random: &mut Random) -> Value {
    Value::String(random.pick(text::ADDRESSES).into())
}

fn time(random: &mut Random) -> Value {
    Value::String(random.pick(text::TIMES).into())
}

/// A text that is somewhere in one of the events, for a rule to look for.
pub(crate) fn some_text(random: &mut Random, events: &[Map<String, Value>], field: &str) -> String {
    for _ in 0..8 {
        let Some(event) = events.get(random.below(events.len())) else { continue };
        let value =
            event.get(field).or_else(|| field.split_once('.').and_then(|(outer, inner)| event.get(outer)?.get(inner)));
        if let Some(text) = value.and_then(|value| text_of(random, value)) {
            return text;
        }
    }
    text::pieces(random, 3)
}

fn text_of(random: &mut Random, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => {
            let value = values.get(random.below(values.len()))?;
            text_of(random, value)
        }
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
