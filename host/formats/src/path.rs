//! Finding a field in an event by its path.
//!
//! A path is written with dots: `winlog.event_data.Image`. Shippers write such a field nested, as one flat key with
//! dots, or half and half; all are found. The longest key wins: at every object the whole remaining path is tried as a
//! key first, then each shorter prefix that names an object. In a list a number is the place of an element, from 0:
//! `EXECVE.ARGV.0`. Who wants all values ([`find_all`]) also gets those in the objects of lists.

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

/// Adds the values at `path` to `values`, also those inside lists of objects: `target.name` of
/// `{"target": [{"name": 1}, {"name": 2}]}`. A list at the very end of the path is one value.
pub fn find_all<'e>(fields: &'e Map<String, Value>, path: &str, values: &mut Vec<&'e Value>) {
    if let Some(value) = fields.get(path) {
        values.push(value);
    } else if path.contains('.') && path.matches('.').count() <= PATH_DOTS_MAX {
        find_all_nested(fields, path, values);
    }
}

/// Whether a list stands on one of the ways that `path` may be looked for, but for its end.
pub(crate) fn leads_through_lists(fields: &Map<String, Value>, path: &str) -> bool {
    path.matches('.').count() <= PATH_DOTS_MAX
        && splits(path).any(|(key, rest)| match fields.get(key) {
            Some(Value::Array(_)) => true,
            Some(Value::Object(inner)) => leads_through_lists(inner, rest),
            _ => false,
        })
}

/// The ways to take a path apart: the key of this object, and what remains. Longest key first.
fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.rmatch_indices('.').filter_map(|(dot, _)| Some((path.get(..dot)?, path.get(dot + 1..)?)))
}

/// The element of a list that the first part of a path numbers, and what remains.
fn element<'e, 'p>(items: &'e [Value], path: &'p str) -> Option<(&'e Value, Option<&'p str>)> {
    let (place, rest) = path.split_once('.').map_or((path, None), |(place, rest)| (place, Some(rest)));
    Some((items.get(place.parse::<usize>().ok()?)?, rest))
}

/// Recurses at most once for each dot of the path.
fn find_nested<'e>(fields: &'e Map<String, Value>, path: &str) -> Option<&'e Value> {
    splits(path).find_map(|(key, rest)| find_in(fields.get(key)?, rest))
}

fn find_in<'e>(value: &'e Value, path: &str) -> Option<&'e Value> {
    match value {
        Value::Object(inner) => inner.get(path).or_else(|| find_nested(inner, path)),
        Value::Array(items) => match element(items, path)? {
            (item, None) => Some(item),
            (item, Some(rest)) => find_in(item, rest),
        },
        _ => None,
    }
}

/// Recurses at most once for each dot of the path. Says whether something was found.
fn find_all_nested<'e>(fields: &'e Map<String, Value>, path: &str, values: &mut Vec<&'e Value>) -> bool {
    splits(path).any(|(key, rest)| fields.get(key).is_some_and(|value| find_all_in(value, rest, values)))
}

fn find_all_in<'e>(value: &'e Value, path: &str, values: &mut Vec<&'e Value>) -> bool {
    let in_object = |inner: &'e Map<String, Value>, values: &mut Vec<&'e Value>| match inner.get(path) {
        Some(value) => {
            values.push(value);
            true
        }
        None => find_all_nested(inner, path, values),
    };
    match value {
        Value::Object(inner) => in_object(inner, values),
        Value::Array(items) => {
            if let Some((item, rest)) = element(items, path) {
                return match rest {
                    None => {
                        values.push(item);
                        true
                    }
                    Some(rest) => find_all_in(item, rest, values),
                };
            }
            let before = values.len();
            for inner in items.iter().filter_map(Value::as_object) {
                in_object(inner, values);
            }
            values.len() > before
        }
        _ => false,
    }
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
            (json!({"a": [{"b": 1}, [2, {"b": 3}]]}), "a.0.b", Some(json!(1))),
            (json!({"a": [{"b": 1}, [2, {"b": 3}]]}), "a.1.1.b", Some(json!(3))),
            (json!({"a": [{"b": 1}]}), "a.1", None),
            (json!({"": {"": 1}}), ".", Some(json!(1))),
            (json!({"Event.System": {"EventID": {"#text": 1}}}), "Event.System.EventID.#text", Some(json!(1))),
        ] {
            let Value::Object(fields) = &event else { unreachable!("the table holds objects") };
            assert_eq!(find(fields, path), expected.as_ref(), "{path} in {event}");
        }
    }

    #[test]
    fn all_values_in_lists_of_objects_are_found() {
        for (event, path, expected) in [
            (json!({"a": [{"b": 1}, {"c": 2}, {"b": [3, 4]}, 5]}), "a.b", json!([1, [3, 4]])),
            (json!({"a": [{"b": [{"c": 1}, {"c": null}]}, {"b": {"c": 2}}]}), "a.b.c", json!([1, null, 2])),
            (json!({"a": [{"b.c": 1}, {"b": {"c": 2}}]}), "a.b.c", json!([1, 2])),
            (json!({"a": [{"b": 1}, {"b": 2}]}), "a.1.b", json!([2])),
            (json!({"a": ["x", "y"]}), "a.1", json!(["y"])),
            (json!({"a": ["x", "y"]}), "a", json!([["x", "y"]])),
            (json!({"a": [{"1": "key"}]}), "a.1", json!(["key"])),
            (json!({"a": {"b": null}}), "a.b", json!([null])),
            (json!({"a.b": 1, "a": [{"b": 2}]}), "a.b", json!([1])),
            (json!({"a": [[{"b": 1}]]}), "a.b", json!([])),
            (json!({"a": [1, 2]}), "a.b", json!([])),
            (json!({}), "a", json!([])),
        ] {
            let Value::Object(fields) = &event else { unreachable!("the table holds objects") };
            let mut values = Vec::new();
            find_all(fields, path, &mut values);
            assert_eq!(json!(values), expected, "{path} in {event}");
        }
    }

    #[test]
    fn lists_on_the_way_are_seen() {
        for (event, path, expected) in [
            (json!({"a": [1]}), "a", false),
            (json!({"a": [1]}), "a.0", true),
            (json!({"a": [1]}), "b.a", false),
            (json!({"a": {"b.c": [1]}}), "a.b.c", false),
            (json!({"a": {"b.c": [1]}}), "a.b.c.d", true),
            (json!({"a": {"b": [1]}, "a.b": 1}), "a.b.c", true),
            (json!({"a": 1}), "a.b", false),
        ] {
            let Value::Object(fields) = &event else { unreachable!("the table holds objects") };
            assert_eq!(leads_through_lists(fields, path), expected, "{path} in {event}");
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
