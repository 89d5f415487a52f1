//! What a verdict looks like, and that its schema says so.

use serde_json::Value;

use super::*;

fn detection() -> Arc<DetectionRef> {
    Arc::new(DetectionRef {
        id: "rmm/server-eye".into(),
        digest: "sha256:00".into(),
        title: "Server-Eye \"RMM\"".into(),
        level: Level::Medium,
    })
}

fn column(name: &str, ty: LogicalType, cell: Cell<'_>) -> VerdictColumn {
    VerdictColumn { name: name.into(), ty, value: cell.into() }
}

fn of_event(columns: Vec<VerdictColumn>) -> Verdict {
    let position = Position { source: "events.ndjson".into(), line: 7, offset: 120 };
    let streams = ["DeviceProcessEvents".into(), "SecurityEvent".into()];
    let event = EventRef { ordinal: 3, position, time: Some(0), streams: streams.into() };
    Verdict::of_event(detection(), &event, columns)
}

fn group(revision: Revision) -> Verdict {
    let streams = ["DeviceNetworkEvents".into()].into();
    let columns = vec![column("count_", LogicalType::Long, Cell::Integer(2))];
    Verdict { detection: detection(), about: About::Group(revision), time: None, streams, columns }
}

fn line(verdict: &Verdict) -> String {
    let mut bytes = Vec::new();
    let written = verdict.write(&mut bytes);
    assert!(written.is_ok(), "{written:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn an_event_verdict_has_its_keys_in_order_and_its_columns_typed() {
    let verdict = of_event(vec![
        column("Timestamp", LogicalType::Datetime, Cell::Integer(10_000_000)),
        column("DeviceName", LogicalType::String, Cell::Text("a\nb")),
        column("AccountUpn", LogicalType::String, Cell::Absent),
        column("Report", LogicalType::Dynamic, Cell::Text("[1,\"x\"]")),
        column("RemotePort", LogicalType::Int, Cell::Null),
    ]);
    assert_eq!(
        line(&verdict),
        concat!(
            r#"{"detection":"rmm/server-eye","digest":"sha256:00","title":"Server-Eye \"RMM\"","level":"medium","#,
            r#""kind":"event","time":"1970-01-01T00:00:00.0000000Z","#,
            r#""event":{"source":"events.ndjson","line":7,"offset":120},"#,
            r#""streams":["DeviceProcessEvents","SecurityEvent"],"columns":{"#,
            r#""Timestamp":"1970-01-01T00:00:01.0000000Z","DeviceName":"a\nb","AccountUpn":"","#,
            r#""Report":[1,"x"],"RemotePort":null}}"#,
            "\n"
        )
    );
}

#[test]
fn a_group_verdict_says_which_revision_it_is() {
    for (revision, expected) in [
        (Revision::Interim(3), r#""kind":"group","time":null,"group":{"revision":3,"final":false},"#),
        (Revision::Final, r#""kind":"group","time":null,"group":{"revision":null,"final":true},"#),
    ] {
        let line = line(&group(revision));
        assert!(line.contains(expected), "{line}");
        assert!(line.ends_with("\"columns\":{\"count_\":2}}\n"), "{line}");
    }
}

#[test]
fn of_two_columns_of_one_name_the_first_is_written() {
    let twice = of_event(vec![
        column("a", LogicalType::Long, Cell::Integer(1)),
        column("a", LogicalType::Long, Cell::Integer(2)),
    ]);
    assert!(line(&twice).ends_with("\"columns\":{\"a\":1}}\n"));
}

/// As much of JSON Schema as verdict.schema.json uses, so that a change of either side alone fails.
fn check(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    const KNOWN: [&str; 13] = [
        "$schema",
        "$id",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "pattern",
        "minimum",
        "oneOf",
    ];
    let mut faults = Vec::new();
    let object = schema.as_object().cloned().unwrap_or_default();
    faults
        .extend(object.keys().filter(|key| !KNOWN.contains(&key.as_str())).map(|key| format!("unknown keyword {key}")));
    let types: Vec<&str> = match object.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.is_empty() && !types.contains(&found) {
        faults.push(format!("{at} is {found}"));
    }
    if object.get("enum").and_then(Value::as_array).is_some_and(|values| !values.contains(value)) {
        faults.push(format!("{at} is not in the enum: {value}"));
    }
    if let Some(fields) = value.as_object() {
        let empty = serde_json::Map::new();
        let properties = object.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for name in object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, field) in fields {
            match properties.get(name) {
                Some(schema) => faults.extend(check(schema, field, &format!("{at}.{name}"))),
                None if object.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    faults.push(format!("{at}.{name} is not described"));
                }
                None => {}
            }
        }
    }
    if let (Some(items), Some(values)) = (object.get("items"), value.as_array()) {
        faults.extend(values.iter().flat_map(|item| check(items, item, &format!("{at}[]"))));
    }
    if let Some(choices) = object.get("oneOf").and_then(Value::as_array) {
        let fitting = choices.iter().filter(|choice| check(choice, value, at).is_empty()).count();
        if fitting != 1 {
            faults.push(format!("{at} fits {fitting} of oneOf"));
        }
    }
    faults
}

#[test]
fn the_schema_describes_what_is_written_and_nothing_else() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap_or_default();
    let event = of_event(vec![column("a", LogicalType::Real, Cell::Real(0.5))]);
    for verdict in [&event, &group(Revision::Interim(1)), &group(Revision::Final)] {
        let value = serde_json::to_value(verdict).unwrap_or_default();
        assert_eq!(check(&schema, &value, "verdict"), Vec::<String>::new());
        // Every key is required by the schema: a verdict without it, or with another, is refused.
        for key in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
            let mut less = value.clone();
            less.as_object_mut().map(|fields| fields.remove(key));
            assert!(!check(&schema, &less, "verdict").is_empty(), "{key} may be left out");
        }
        let mut more = value.clone();
        more["surprise"] = Value::Null;
        assert!(!check(&schema, &more, "verdict").is_empty());
        let mut other = value;
        other["kind"] = Value::from("neither");
        assert!(!check(&schema, &other, "verdict").is_empty());
    }
}
