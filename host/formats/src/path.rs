//! Finding a field in an event by its path.
//!
//! A path is written with dots: `winlog.event_data.Image`. Shippers write such a field nested, as one flat key with
//! dots, or half and half; all are found. The longest key wins: at every object the whole remaining path is tried as a
//! key first, then each shorter prefix that names an object.

use serde_json::{Map, Value};

/// How many dots a path may have. A longer one is not found, which bounds the search in a hostile event.
pub const PATH_DOTS_MAX: usize = 8;

/// The value at `path`, if the event has it; JSON null is a value.
pub fn find<'e>(fields: &'e Map<String, Value>, path: &str) -> Option<&'e Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    if !path.contains('.') || path.matches('.').count() > PATH_DOTS_MAX {
        return None;
    }
    find_nested(fields, path)
}

/// Recurses at most once for each dot of the path.
fn find_nested<'e>(fields: &'e Map<String, Value>, path: &str) -> Option<&'e Value> {
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let (prefix, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
        let Value::Object(inner) = fields.get(prefix)? else { return None };
        inner.get(rest).or_else(|| find_nested(inner, rest))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_flat_and_mixed_paths_are_found() {
        for (event, path, expected) in [
            (json!({"a": {"b": {"c": 1}}}), "a.b.c", Some(json!(1))),
            (json!({"a.b.c": 1}), "a.b.c", Some(json!(1))),
            (json!({"a": {"b.c": 1}}), "a.b.c", Some(json!(1))),
            (json!({"a.b": {"c": 1}}), "a.b.c", Some(json!(1))),
            (json!({"a.b.c": "flat", "a": {"b": {"c": "nested"}}}), "a.b.c", Some(json!("flat"))),
            (json!({"a.b": {"c": "long"}, "a": {"b.c": "short"}}), "a.b.c", Some(json!("long"))),
            (json!({"a.b": {}, "a": {"b.c": "the other way"}}), "a.b.c", Some(json!("the other way"))),
            (json!({"a": {"b": null}}), "a.b", Some(Value::Null)),
            (json!({"a": "text"}), "a.b", None),
            (json!({"a": [{"b": 1}]}), "a.b", None),
            (json!({"": {"": 1}}), ".", Some(json!(1))),
            (json!({"Event.System": {"EventID": {"#text": 1}}}), "Event.System.EventID.#text", Some(json!(1))),
        ] {
            let Value::Object(fields) = &event else { unreachable!("the table holds objects") };
            assert_eq!(find(fields, path), expected.as_ref(), "{path} in {event}");
        }
    }

    #[test]
    fn a_path_with_too_many_dots_is_not_searched() {
        let path = ["a"; PATH_DOTS_MAX + 2].join(".");
        let nested = path.split('.').fold(json!(1), |inner, key| json!({ key: inner }));
        let Value::Object(fields) = nested else { unreachable!("a fold of objects") };
        assert_eq!(find(&fields, &path), None);
        let (_, shorter) = path.split_once('.').unwrap_or_default();
        let Some(Value::Object(inner)) = fields.get("a") else { unreachable!("it was built so") };
        assert_eq!(find(inner, shorter), Some(&json!(1)));
    }
}
