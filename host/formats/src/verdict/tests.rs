//! What a verdict looks like, and that its schema says so.

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, Column, ColumnBuilder},
};
use serde_json::Value;

use super::{
    super::{ResultColumn, ResultRows},
    *,
};

fn detection() -> Arc<DetectionRef> {
    Arc::new(DetectionRef {
        id: "rmm/server-eye".into(),
        digest: "sha256:00".into(),
        title: "Server-Eye \"RMM\"".into(),
        level: Some(Level::Medium),
    })
}

fn column(name: &str, ty: LogicalType, cell: Cell<'_>) -> (ResultColumn, Column) {
    let mut cells = ColumnBuilder::of(ty);
    assert!(cells.push(cell));
    (ResultColumn { name: name.into(), ty, list: false }, cells.finish())
}

fn columns(columns: Vec<(ResultColumn, Column)>, row: usize) -> VerdictColumns {
    let (columns, cells): (Vec<_>, Vec<_>) =
        columns.into_iter().map(|(column, cells)| (column, Arc::new(cells))).unzip();
    VerdictColumns::new(&ResultRows::new(&columns.into(), Batch { rows: 1, columns: cells }), row)
}

fn of_event(cells: Vec<(ResultColumn, Column)>) -> Verdict {
    about(columns(cells, 0))
}

fn about(columns: VerdictColumns) -> Verdict {
    let position = Position { source: "events.ndjson".into(), line: 7, record: None, offset: 120 };
    let streams = ["DeviceProcessEvents".into(), "SecurityEvent".into()];
    let event = EventRef { ordinal: 3, position, time: Some(0), streams: streams.into() };
    Verdict::of_event(detection(), &event, columns)
}

fn group(revision: Revision) -> Verdict {
    let streams = ["DeviceNetworkEvents".into()].into();
    let columns = columns(vec![column("count_", LogicalType::Long, Cell::Integer(2))], 0);
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
fn a_list_of_one_is_its_element_and_any_other_an_array() {
    let mut hashes = ColumnBuilder::of(LogicalType::String);
    for elements in [&["a"][..], &["a", "b\n"], &[], &[""]] {
        assert!(hashes.push_elements(elements.iter().copied().map(Cell::Text)));
    }
    hashes.push_null();
    hashes.push_absent();
    let hashes = hashes.finish();
    for (row, expected) in [r#""a""#, r#"["a","b\n"]"#, "[]", r#""""#, "null", "null"].into_iter().enumerate() {
        let column = ResultColumn { name: "Hashes".into(), ty: LogicalType::String, list: true };
        let written = line(&about(columns(vec![(column, hashes.clone())], row)));
        assert!(written.ends_with(&format!("\"columns\":{{\"Hashes\":{expected}}}}}\n")), "{written}");
    }
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

#[test]
fn a_detection_without_a_level_has_none() {
    let mut verdict = of_event(Vec::new());
    verdict.detection = Arc::new(DetectionRef { level: None, ..(*detection()).clone() });
    assert!(line(&verdict).contains(r#""level":null,"#), "{}", line(&verdict));
}

#[test]
fn the_schema_describes_what_is_written_and_nothing_else() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap_or_default();
    let schema = jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("a JSON Schema: {error}"));
    let event = of_event(vec![column("a", LogicalType::Real, Cell::Real(0.5))]);
    let mut unrated = event.clone();
    unrated.detection = Arc::new(DetectionRef { level: None, ..(*detection()).clone() });
    for verdict in [&event, &unrated, &group(Revision::Interim(1)), &group(Revision::Final)] {
        let value = serde_json::to_value(verdict).unwrap_or_default();
        let faults: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new());
        // Every key is required by the schema: a verdict without it, or with another, is refused.
        for key in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
            let mut less = value.clone();
            less.as_object_mut().map(|fields| fields.remove(key));
            assert!(!schema.is_valid(&less), "{key} may be left out");
        }
        for (key, other) in [("surprise", Value::Null), ("kind", "neither".into()), ("level", "severe".into())] {
            let mut wrong = value.clone();
            wrong[key] = other;
            assert!(!schema.is_valid(&wrong), "{wrong}");
        }
    }
}
