//! Holds manifest.schema.json and the types together: each accepts what the other accepts, knows the same keys and the
//! same cases, and refuses what is unknown.
//!
//! That the manifests of real rules fit too is tested in host/embed, which can compile rules.

// The example manifest is one `json!`.
#![recursion_limit = "256"]

use std::collections::BTreeSet;

use jsonschema::Validator;
use sandtrap_wit::{
    LogicalType,
    manifest::{Confidence, JSON_SCHEMA, Level, Manifest, Status},
    plan::{AggregateFunction, Node, Nulls, Order, OutputCells, Rows},
    prefilter::Atom,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(JSON_SCHEMA).expect("the schema is JSON")
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).expect("the schema is a JSON Schema")
}

/// A manifest with every key and every kind of node, atom and aggregate. Its plan is no sensible detection.
fn full() -> Value {
    let column = |name: &str, ty: &str| json!({"field": [name], "type": ty});
    let atom = |test: &str, value: Value| json!({"column": 0, test: value});
    json!({
        "schema": 1, "namespace": "n", "id": "i", "version": "1.0", "title": "t", "description": "d",
        "level": "high", "confidence": "low", "status": "test", "authors": ["a"], "references": ["r"],
        "false-positives": ["f"], "tags": ["t"], "attack": {"tactics": ["t"], "techniques": ["T1219"]},
        "data-sources": ["s"], "licence": "MIT", "source": {"language": "kql", "digest": "00"},
        "requires": ["x"], "limits": {"memory-bytes": 1024},
        "plan": {"nodes": [
            {"source": {
                "rows": {"stream": "T"},
                "columns": [
                    column("A", "string"), column("B", "datetime"), column("C", "long"),
                    {"field": ["D"], "type": "string", "list": true},
                ],
                "prefilter": [
                    [atom("contains", "a".into()), atom("prefix", "a".into()), atom("suffix", "a".into())],
                    [atom("equals", "a".into()), atom("exists", true.into())],
                    [{"column": 2, "integers": [1]}, {"column": 2, "range": [-5, 5]}],
                    [atom("!contains", "a".into()), atom("!prefix", "a".into()), atom("!suffix", "a".into())],
                    [atom("!equals", "a".into()), atom("!exists", true.into())],
                    [{"column": 2, "!integers": [1]}, {"column": 2, "!range": [-5, 5]}],
                ],
                "lookback": {
                    "column": 1,
                    "from": {"ago": 864_000_000_000_i64, "inclusive": true},
                    "to": {"ago": 0, "inclusive": false},
                },
            }},
            {"source": {"rows": {"inline": [["a", 1]]}, "columns": [column("A", "string"), column("B", "int")]}},
            {"kernel": {"input": 0, "kernel": 0, "reads": [0], "outputs": [
                {"name": "A", "type": "string", "from": {"input": 0}},
                {"name": "B", "type": "long", "from": {"computed": 0}},
            ]}},
            {"aggregate": {"input": 2, "by": [{"name": "A", "column": 0}], "aggregates": [
                {"name": "count_", "function": "count"},
                {"name": "min_B", "function": {"min": 1}},
                {"name": "max_B", "function": {"max": 1}},
                {"name": "set_B", "function": {"make_set": {"column": 1, "size": 9}}},
                {"name": "dcount_B", "function": {"dcount": 1}},
            ]}},
            {"sort": {"input": 3, "by": [{"column": 0, "order": "desc", "nulls": "last"}]}},
            {"limit": {"input": 4, "rows": 10}},
        ]},
    })
}

fn at<'v>(value: &'v mut Value, pointer: &str) -> &'v mut Value {
    value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is in the example"))
}

#[test]
fn both_know_the_same_keys() {
    let manifest: Manifest = serde_json::from_value(full()).expect("the types know the example");
    manifest.plan.validate().expect("its plan is sound");
    let written = serde_json::to_value(&manifest).expect("a manifest is JSON");
    assert_eq!(written, full(), "no key of the example is unknown to the types");

    let mut closed = schema();
    close(&mut closed);
    let errors: Vec<String> = validator(&closed).iter_errors(&written).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "no key of the types is unknown to the schema");

    let (mut described, mut used) = (BTreeSet::new(), BTreeSet::new());
    properties(&schema(), &mut described);
    keys(&written, &mut used);
    // The types read it, but write the text.
    used.insert("count".into());
    assert_eq!(described, used, "the schema describes nothing that the example does not show");
}

/// Forbids every key that the schema does not describe.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// The names of all properties that a schema describes.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                names.extend(properties.keys().cloned());
                for (name, property) in properties {
                    let described = property.get("description").is_some() || property.get("$ref").is_some();
                    assert!(described, "`{name}` has a description");
                }
            }
            object.values().for_each(|value| properties(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}

fn keys(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            names.extend(object.keys().cloned());
            object.values().for_each(|value| keys(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        _ => {}
    }
}

/// The cases of an enum, from what serde says of one that it does not know: `expected one of ...`.
fn cases<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(unknown) else { panic!("an unknown case is accepted") };
    let message = error.to_string();
    let (_, expected) = message.split_once("expected ").unwrap_or_else(|| panic!("{message}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn both_know_the_same_cases() {
    let schema = schema();
    let listed = |pointer: &str| -> BTreeSet<String> {
        match schema.pointer(pointer) {
            Some(Value::Array(cases)) => cases.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::Object(properties)) => properties.keys().cloned().collect(),
            other => panic!("{pointer}: {other:?}"),
        }
    };
    let mut tests = listed("/$defs/atom/properties");
    assert!(tests.remove("column"));
    let from = "/$defs/kernel/properties/outputs/items/properties/from/properties";
    let by = "/$defs/sort/properties/by/items/properties";
    for (found, expected) in [
        (cases::<Level>("?".into()), listed("/properties/level/enum")),
        (cases::<Confidence>("?".into()), listed("/properties/confidence/enum")),
        (cases::<Status>("?".into()), listed("/properties/status/enum")),
        (cases::<LogicalType>("?".into()), listed("/$defs/type/enum")),
        (cases::<Node>("?".into()), listed("/$defs/node/properties")),
        (cases::<Rows>("?".into()), listed("/$defs/source/properties/rows/properties")),
        (cases::<Atom>(json!({"column": 0, "?": 0})), tests),
        (cases::<OutputCells>("?".into()), listed(from)),
        (cases::<AggregateFunction>("?".into()), listed("/$defs/function/oneOf/1/properties")),
        (cases::<Order>("?".into()), listed(&format!("{by}/order/enum"))),
        (cases::<Nulls>("?".into()), listed(&format!("{by}/nulls/enum"))),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn both_ignore_an_unknown_optional_key_and_refuse_what_changes_the_meaning() {
    let validator = validator(&schema());
    let nodes = "/plan/nodes";
    let atom = "/plan/nodes/0/source/prefilter/0/0";
    let function = "/plan/nodes/3/aggregate/aggregates/1/function";
    for (pointer, replacement, accepted) in [
        ("", full(), true),
        ("/version", Value::Null, true),
        ("/level", Value::Null, true),
        ("/attack", json!({"tactics": [], "groups": ["G0001"]}), true),
        ("/limits", json!({"stack-bytes": 1}), true),
        ("/plan/nodes/5/limit", json!({"input": 4, "rows": 10, "offset": 3}), true),
        (function, json!({"count": null}), true),
        ("/title", json!(1), false),
        ("/level", json!("severe"), false),
        ("/authors", json!("a"), false),
        ("/source", json!({"language": "kql"}), false),
        ("/limits", json!({"memory-bytes": -1}), false),
        ("/plan", json!({}), false),
        (nodes, json!([{"join": {"input": 0}}]), false),
        (nodes, json!([{"limit": {"input": 0, "rows": 1}, "sort": {"input": 0, "by": []}}]), false),
        (nodes, json!([{"limit": {"input": -1, "rows": 1}}]), false),
        (nodes, json!([{"limit": {"input": 4_294_967_296_i64, "rows": 1}}]), false),
        ("/plan/nodes/0/source/rows", json!({"table": "T"}), false),
        ("/plan/nodes/0/source/columns/0/type", json!("decimal"), false),
        (atom, json!({"column": 0, "regex": "a"}), false),
        (atom, json!({"column": 0, "contains": "a", "negate": true}), false),
        (atom, json!({"column": 0, "!regex": "a"}), false),
        (atom, json!({"column": 0, "!contains": 1}), false),
        (atom, json!({"column": 0, "contains": "a", "prefix": "a"}), false),
        (atom, json!({"column": 0, "contains": "a", "!contains": "b"}), false),
        (atom, json!({"column": 0}), false),
        (atom, json!({"contains": "a"}), false),
        (atom, json!({"column": 0, "range": [1]}), false),
        (atom, json!({"column": 0, "integers": [1.5]}), false),
        (function, json!("min"), false),
        (function, json!({"median": 1}), false),
        ("/plan/nodes/2/kernel/outputs/0/from", json!({"constant": 1}), false),
        ("/plan/nodes/4/sort/by/0/nulls", json!("middle"), false),
    ] {
        let mut manifest = full();
        *at(&mut manifest, pointer) = replacement;
        let shown = at(&mut manifest, pointer).to_string();
        assert_eq!(validator.is_valid(&manifest), accepted, "the schema on {pointer}: {shown}");
        assert_eq!(serde_json::from_value::<Manifest>(manifest).is_ok(), accepted, "the types on {pointer}: {shown}");
    }
}

#[test]
fn both_require_the_same_keys() {
    let validator = validator(&schema());
    let mut required = Vec::new();
    for pointer in objects(&full(), String::new()) {
        let names: Vec<String> =
            at(&mut full(), &pointer).as_object().into_iter().flat_map(|o| o.keys().cloned()).collect();
        for name in names {
            let mut manifest = full();
            at(&mut manifest, &pointer).as_object_mut().and_then(|object| object.remove(&name));
            let valid = validator.is_valid(&manifest);
            assert_eq!(serde_json::from_value::<Manifest>(manifest).is_ok(), valid, "without {pointer}/{name}");
            if !valid {
                required.push(name);
            }
        }
    }
    assert!(required.contains(&"namespace".into()) && required.contains(&"reads".into()), "{required:?}");
}

/// Pointers to every object in a document.
fn objects(value: &Value, pointer: String) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(object) => {
            found.extend(object.iter().flat_map(|(name, value)| objects(value, format!("{pointer}/{name}"))));
            found.push(pointer);
        }
        Value::Array(items) => {
            found.extend(items.iter().enumerate().flat_map(|(at, item)| objects(item, format!("{pointer}/{at}"))));
        }
        _ => {}
    }
    found
}
