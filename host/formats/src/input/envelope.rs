//! Envelopes: an object around a list of events, as cloud services deliver them.
//!
//! `{"Records": [...]}` (`CloudTrail`), `{"records": [...]}` (Azure Monitor, Event Hubs) and `{"value": [...]}` (Microsoft
//! Graph). An object is an envelope only when it has that one key beside keys that begin with `@odata.`, and when the
//! list is empty or begins with an object: an event that happens to have a field `value` stays an event.

use serde_json::{Map, Value};

/// The keys of lists that are taken apart.
const NAMES: [&str; 3] = ["Records", "records", "value"];

/// What the keys begin with that an envelope may have beside its list.
const ANNOTATION: &str = "@odata.";

/// Past this many keys an object is not looked at: Graph writes three.
const KEYS_MAX: usize = 8;

/// Whether the list under this key is taken apart. The key is as it stands in the text, without its quotes.
pub(crate) fn is_list_name(key: &[u8]) -> bool {
    NAMES.iter().any(|name| name.as_bytes() == key)
}

/// Whether an envelope may have this key beside its list.
pub(crate) fn is_annotation(key: &[u8]) -> bool {
    key.starts_with(ANNOTATION.as_bytes())
}

/// The elements, if the object is an envelope; the object, if it is an event.
pub(crate) fn open(mut fields: Map<String, Value>) -> Result<Vec<Value>, Map<String, Value>> {
    match list(&fields).and_then(|name| fields.remove(name)) {
        Some(Value::Array(elements)) => Ok(elements),
        _ => Err(fields),
    }
}

/// Whether an object with these keys is an envelope if the list has the right elements.
pub(crate) fn has_keys_of_one(fields: &Map<String, Value>) -> bool {
    name(fields).is_some()
}

fn list(fields: &Map<String, Value>) -> Option<&'static str> {
    let name = name(fields)?;
    let Value::Array(elements) = fields.get(name)? else { return None };
    elements.first().is_none_or(Value::is_object).then_some(name)
}

fn name(fields: &Map<String, Value>) -> Option<&'static str> {
    if fields.len() > KEYS_MAX {
        return None;
    }
    let mut keys = fields.keys().filter(|key| !is_annotation(key.as_bytes()));
    let (key, None) = (keys.next()?, keys.next()) else { return None };
    NAMES.into_iter().find(|name| name == key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_object_with_that_one_list_is_an_envelope() {
        for (object, elements) in [
            (json!({"Records": [{"a": 1}, {"a": 2}]}), Some(2)),
            (json!({"records": [{"a": 1}, 7]}), Some(2)),
            (json!({"value": []}), Some(0)),
            (json!({"@odata.context": "x", "value": [{}], "@odata.nextLink": "y"}), Some(1)),
            (json!({"Records": [{}], "user": "x"}), None),
            (json!({"Records": [{}], "value": [{}]}), None),
            (json!({"Records": {"a": 1}}), None),
            (json!({"value": [1, 2]}), None),
            (json!({"RECORDS": [{}]}), None),
            (json!({"@odata.context": "x"}), None),
            (json!({}), None),
        ] {
            let Value::Object(fields) = object.clone() else { unreachable!("the table holds objects") };
            match open(fields) {
                Ok(found) => assert_eq!(Some(found.len()), elements, "{object}"),
                Err(whole) => assert_eq!((None, Value::Object(whole)), (elements, object), "it stays as it was"),
            }
        }
    }
}
