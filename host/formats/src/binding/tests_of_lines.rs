//! Lines that are read lazily against the same lines parsed: every cell, value, verdict reference and count is the same.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use sandtrap_wit::{LogicalType, plan::SourceColumn};
use serde_json::json;

use super::super::access::Written;
use super::{
    tests::{binder, built_in},
    *,
};
use crate::{
    ndjson::Reader,
    streams::{Physical, Place, Test},
};

const TYPES: [LogicalType; 9] = [
    LogicalType::String,
    LogicalType::Long,
    LogicalType::Datetime,
    LogicalType::Dynamic,
    LogicalType::Bool,
    LogicalType::Int,
    LogicalType::Real,
    LogicalType::Timespan,
    LogicalType::Guid,
];

/// Every stream of the map, and of each all fields that are mapped, and these: as lists and as cells of some type.
fn everything(map: &StreamMap, fields: &[&str]) -> Vec<Wanted> {
    let streams = map.streams().into_iter().chain(["*/*/*".into()]);
    let wanted = |stream: Arc<str>| {
        let of_stream = map.mappings.iter().filter(|mapping| mapping.target.name() == &stream);
        let mapped = of_stream.flat_map(|mapping| mapping.fields.listed.keys().map(String::as_str));
        let names: BTreeSet<&str> = mapped.chain(fields.iter().copied()).chain(["*"]).collect();
        let columns = names.iter().zip(TYPES.iter().cycle()).flat_map(|(name, ty)| {
            let column = |ty, list| SourceColumn { field: vec![(*name).to_owned()], ty, list };
            [
                column(LogicalType::String, true),
                column(*ty, false),
                column(LogicalType::String, false),
                column(*ty, true),
            ]
        });
        Wanted { stream: stream.to_string(), columns: columns.collect() }
    };
    streams.map(wanted).collect()
}

/// Both ways to read, side by side.
struct Both {
    lazy: Binder,
    parsed: Binder,
    lines: u64,
    /// How many lines were not parsed before they were asked for.
    known: usize,
    /// By route and key, and by what decides the cell: the value.
    decided: HashMap<(u64, u32, u32, Vec<u8>), String>,
}

impl Both {
    fn new(map: &StreamMap, wanted: &[Wanted]) -> Self {
        let (lazy, parsed) = (binder(map.clone(), wanted.to_vec()), binder(map.clone(), wanted.to_vec()));
        Self { lazy, parsed, lines: 0, known: 0, decided: HashMap::new() }
    }

    fn push(&mut self, line: &[u8]) {
        self.lines += 1;
        let position = Position { source: "in".into(), line: self.lines, record: None, offset: 7 * self.lines };
        // The reader is told the first line of an input, so it must not begin with a byte order mark.
        let mut reader = Reader::new("in", line);
        let expected: Vec<_> = reader.by_ref().collect();
        match self.lazy.push_line(line, &position) {
            Ok(Pushed::Blank) => assert!(expected.is_empty(), "{}", String::from_utf8_lossy(line)),
            Ok(Pushed::Event { repaired, .. }) => {
                assert_eq!((expected.len(), u64::from(repaired)), (1, reader.repaired_lines()));
                let event = expected.into_iter().flatten().map(|event| Event { position: position.clone(), ..event });
                event.for_each(|event| assert_eq!(self.parsed.push(&event), Fill::Room));
            }
            Ok(Pushed::Envelope { elements, repaired }) => {
                assert_eq!(u64::from(repaired), reader.repaired_lines());
                assert_eq!(elements.len(), expected.len());
                for (element, expected) in elements.into_iter().zip(expected) {
                    match (element, expected) {
                        (Ok(event), Ok(expected)) => assert_eq!(event.fields, expected.fields),
                        (Err(error), Err(expected)) => assert_eq!(rest(&error), rest(&expected)),
                        other => unreachable!("{other:?}"),
                    }
                }
            }
            Err(error) => {
                let expected: Vec<String> =
                    expected.into_iter().filter_map(Result::err).map(|error| rest(&error)).collect();
                assert_eq!(vec![rest(&error)], expected);
            }
        }
    }

    /// Compares the round and begins the next.
    fn compare(&mut self) {
        let (lazy, parsed) = (self.lazy.round(), self.parsed.round());
        assert_eq!(lazy.len(), parsed.len());
        for row in 0..lazy.len() {
            self.known += usize::from(lazy.rows.get(row).is_some_and(|kept| lazy.rows.known(kept).is_some()));
            assert_eq!(lazy.event(row), parsed.event(row));
            let (Some(of_lazy), Some(of_parsed)) = (lazy.route(row), parsed.route(row)) else {
                assert_eq!(lazy.route(row).is_some(), parsed.route(row).is_some());
                continue;
            };
            assert_eq!((&of_lazy.fills, &of_lazy.origins), (&of_parsed.fills, &of_parsed.origins));
            for key in 0..of_lazy.keys {
                let key = u32::try_from(key).unwrap_or(u32::MAX);
                let origin = &of_lazy.origins[key as usize];
                assert_eq!(lazy.value(row, key), parsed.value(row, key), "{origin:?}");
                if let Some(Written { how, bytes }) = lazy.row(row).and_then(|row| row.written(key)) {
                    let value = format!("{:?}", lazy.value(row, key));
                    let decided = (of_lazy.id, key, how, bytes.to_vec());
                    assert_eq!(self.decided.entry(decided).or_insert_with(|| value.clone()), &value, "{origin:?}");
                }
                let json = lazy.row(row).and_then(|row| row.json(key));
                let known = lazy.rows.get(row).and_then(|kept| lazy.rows.known(kept));
                let expected = known.filter(|_| origin.place == super::super::origin::Place::AllValues);
                assert_eq!(json, expected.map(|(_, line)| (line.text.as_bytes(), line.plain)));
            }
        }
        for (lazy, parsed) in self.lazy.take().iter().zip(self.parsed.take()) {
            assert_eq!(lazy.events, parsed.events, "{}", lazy.stream);
            assert_eq!(lazy.batch, parsed.batch, "{}", lazy.stream);
        }
        assert_eq!(self.lazy.unconverted(), self.parsed.unconverted());
        let counts = |binder: &Binder| {
            let kinds = binder.counts().unrouted_kinds().into_iter().map(|(kind, events)| (kind.clone(), events));
            (binder.counts().events(), binder.counts().streams().to_vec(), kinds.collect::<Vec<_>>())
        };
        assert_eq!(counts(&self.lazy), counts(&self.parsed));
    }
}

/// A message without its place.
fn rest(error: &ReadError) -> String {
    error.to_string().split_once(": ").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

const SAMPLES: [&[u8]; 2] =
    [include_bytes!("../../tests/data/windows.ndjson"), include_bytes!("../../../../samples/remote-access.ndjson")];

#[test]
fn real_lines_are_read_lazily_as_they_are_parsed() {
    let map = built_in();
    let mut both = Both::new(&map, &everything(&map, &["Image", "CommandLine", "EventID", "process.pid", "Hashes"]));
    for round in 0..2 {
        for line in SAMPLES.iter().flat_map(|sample| sample.split(|byte| *byte == b'\n')) {
            both.push(line);
        }
        let before = both.known;
        both.compare();
        assert_eq!((both.known - before) as u64, both.lazy.counts().events() / (round + 1), "all are of known shapes");
    }
}

#[test]
fn rows_that_are_kept_stay_what_they_were() {
    let map = built_in();
    let wanted = everything(&map, &["Image", "CommandLine", "EventID", "Hashes"]);
    let (mut all, mut some) = (binder(built_in(), wanted.clone()), binder(map, wanted));
    let position = |line| Position { source: "events".into(), line, record: None, offset: 1 };
    for round in 0..3_usize {
        let mut kept = Vec::new();
        let lines = SAMPLES.iter().flat_map(|sample| sample.split(|byte| *byte == b'\n'));
        for (line, number) in lines.zip(0..) {
            for binder in [&mut all, &mut some] {
                assert!(!matches!(binder.push_line(line, &position(number)), Err(_) | Ok(Pushed::Envelope { .. })));
            }
            // Some lines are parsed at once, as events of other formats are.
            if number % 5 == 0 {
                let event = Event { fields: Map::from_iter([("a".into(), json!(number))]), position: position(number) };
                for binder in [&mut all, &mut some] {
                    let _ = binder.push_row("DeviceNetworkEvents", &event);
                }
            }
            if number % 7 == 6 {
                let (new, end) = (some.unsettled(), all.round().len());
                let of_all = |row: usize| end - new.len() + (row - new.start);
                let keep = |row: usize| (of_all(row) + round) % 3 == 0;
                kept.extend(new.clone().filter(|row| keep(*row)).map(of_all));
                some.settle(keep);
                assert!(some.unsettled().is_empty());
            }
        }
        kept.extend(all.round().len() - some.unsettled().len()..all.round().len());
        let (all_rows, some_rows) = (all.round(), some.round());
        assert_eq!(some_rows.len(), kept.len());
        assert!(kept.len() * 2 < all_rows.len(), "most are forgotten");
        for (row, of_all) in kept.into_iter().enumerate() {
            assert_eq!(some_rows.event(row), all_rows.event(of_all));
            assert_eq!(
                some_rows.route(row).map(|route| &route.fills),
                all_rows.route(of_all).map(|route| &route.fills)
            );
            let keys = u32::try_from(some_rows.route(row).map_or(0, |route| route.keys)).unwrap_or(u32::MAX);
            for key in 0..keys {
                assert_eq!(some_rows.value(row, key), all_rows.value(of_all, key));
            }
        }
        all.clear();
        some.clear();
    }
}

#[test]
fn unusual_lines_are_read_lazily_as_they_are_parsed() {
    let map = built_in();
    let fields = ["a", "a.b", "a.0", "a.b.c", "b", "EventID", "x"];
    let mut both = Both::new(&map, &everything(&map, &fields));
    let told = r#""sigma":{"product":"p"}"#;
    for (line, known) in [
        (r#"{"a":1,T}"#, true),
        (r#"{"a":"x","b":"-",T}"#, true),
        (r#"{"a":"-","b":"x",T}"#, true),
        (r#"{"a":"\u002d","b":"\"\\\/\b\f\n\r\t\u00e9\u20ac",T}"#, true),
        (r#"{ "a" : [ 1 , "x" , { "b" : [ null , 1.50 ] } ] , T }"#, true),
        (r#"{"a":[],"b":{},"x":[[]],T}"#, true),
        (r#"{"a":{},"b":{"c":{}},T}"#, true),
        (r#"{"a":-0,"b":-0.0,"x":18446744073709551616,T}"#, true),
        (r#"{"a":1.10,"b":true,"x":null,T}"#, true),
        (r#"{"a":{"b":{"c":"deep"}},"a.b":"flat",T}"#, true),
        (r#"{"a":{"b":[{"c":1},{"c":2}]},T}"#, true),
        (r##"{"a":{"#text":"-","id":1},"b":{"#text":[1,2]},T}"##, true),
        (r#"{"sigma":{"product":["p"],"category":"c"}}"#, true),
        (r#"{"sigma":[{"product":"p"}]}"#, false),
        (r#"{"a":1,"a":2,T}"#, false),
        (r#"{"\u0061":1,T}"#, false),
        (r#"{"a":1e2,T}"#, false),
        (r#"{"a":"\ud83d\ude00",T}"#, false),
        (r#"{"a":"\ud83d",T}"#, false),
        ("{\"a\":\t1,T}", false),
        ("{\"a\":\"\u{7f}\u{e9}\",T}", true),
    ] {
        let line = line.replace('T', told);
        for _ in 0..3 {
            both.push(line.as_bytes());
        }
        let before = both.known;
        both.compare();
        assert_eq!((both.known - before) / 3, usize::from(known), "{line}");
    }
}

#[test]
fn what_is_no_event_has_the_same_reason() {
    let map = built_in();
    let mut both = Both::new(&map, &[]);
    for line in [
        "",
        " \r",
        "1",
        "[{}]",
        "{",
        "{}}",
        "{} x",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":\"x}",
        "{\"a\":1e999}",
        "{\"a\":\"\\u12\"}",
        "{\"Records\":[{\"a\":1},2]}",
        "{\"Records\":1}",
        "{\"value\":[]}",
        "{\"a\":\"x\\",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":{\"b\":1}",
    ] {
        both.push(b"{\"a\":1}");
        both.push(line.as_bytes());
        both.push(line.as_bytes());
    }
    both.push(b"{\"a\":\"\xff\"}");
    both.push(&[b"{\"a\":".repeat(200), b"1".to_vec(), b"}".repeat(200)].concat());
    both.push(&[b"{\"a\":".as_slice(), &b"[".repeat(100), &b"]".repeat(100), b"}"].concat());
    both.compare();
}

/// What events are made of: paths, and texts that conditions look for.
fn ingredients(map: &StreamMap) -> (Vec<Vec<(String, String)>>, Vec<String>) {
    let path = |physical: &Physical, which: usize| {
        let places: Vec<String> = physical
            .0
            .iter()
            .map(|place| match place {
                Place::At(path) => path.clone(),
                Place::InAnyOf { object, field } => format!("{object}.any.{field}"),
            })
            .collect();
        places[which % places.len()].clone()
    };
    let mut kinds = Vec::new();
    for mapping in &map.mappings {
        for which in 0..3 {
            let conditions = mapping.when.iter().map(|condition| {
                let text = match &condition.test {
                    Test::AnyOf(texts) | Test::Prefix(texts) => texts[which % texts.len()].clone(),
                    Test::Exists(_) => "x".to_owned(),
                };
                (path(&map.discriminators[condition.discriminator].physical, which), text)
            });
            kinds.push(conditions.collect());
        }
    }
    let mut paths = BTreeSet::new();
    let sources =
        map.mappings.iter().flat_map(|mapping| mapping.fields.listed.values().flat_map(|sources| sources.iter()));
    for source in sources {
        let of = source.fields();
        paths.extend(of.iter().flat_map(|of| (0..of.0.len()).map(|which| path(of, which))));
    }
    (kinds, paths.into_iter().collect())
}

/// Puts a value at a path, each dot a level or not.
fn put(event: &mut Map<String, Value>, path: &str, value: Value, levels: u8) {
    match path.split_once('.') {
        Some((key, rest)) if levels & 1 == 1 => {
            let inner = event.entry(key).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value, levels >> 1);
            }
        }
        _ => drop(event.insert(path.to_owned(), value)),
    }
}

/// JSON as somebody may write it.
fn write(value: &Value, style: u8, text: &mut String) {
    let space = if style & 1 == 1 { " " } else { "" };
    let separated = |text: &mut String, first: &mut bool| {
        if !std::mem::take(first) {
            text.push(',');
            text.push_str(space);
        }
    };
    let mut first = true;
    match value {
        Value::Object(fields) => {
            text.push('{');
            for (key, value) in fields {
                separated(text, &mut first);
                text.push_str(&json!(key).to_string());
                text.push_str(space);
                text.push(':');
                write(value, style, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                separated(text, &mut first);
                write(item, style, text);
            }
            text.push(']');
        }
        Value::String(string) if style & 2 == 2 => {
            let escaped = string.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            text.extend(["\"".to_owned(), escaped.collect(), "\"".to_owned()]);
        }
        other => text.push_str(&other.to_string()),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        Just("-".to_owned()),
        Just(String::new()),
        Just("443".to_owned()),
        Just("0x1f4".to_owned()),
        Just(r"C:\Windows\cmd.exe".to_owned()),
        Just("SHA1=aa,MD5=bb".to_owned()),
        Just("2024-01-01T00:00:00Z".to_owned()),
        Just(r"NT AUTHORITY\SYSTEM".to_owned()),
        r#"(\PC|["\\\n]){0,9}"#,
    ];
    let scalar = prop_oneof![
        4 => texts.prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => (0..100_i64).prop_map(Value::from),
        1 => proptest::num::f64::NORMAL.prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            1 => inner.clone().prop_map(|value| json!({"#text": value, "#attributes": {"x": 1}})),
            1 => inner.clone().prop_map(|value| json!([{"name": "a", "value": value}])),
            1 => inner.prop_map(|value| json!({"name": value})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Events of every mapping, and of each a few that differ in values only.
    #[test]
    fn generated_lines_are_read_lazily_as_they_are_parsed(
        events in proptest::collection::vec((
            any::<proptest::sample::Index>(),
            proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), [any_value(), any_value(), any_value()]), 0..12),
            any::<u8>(), any::<u8>(),
        ), 1..6),
    ) {
        let map = built_in();
        let (kinds, paths) = ingredients(&map);
        let wanted = everything(&map, &["a", "Image", "process.executable", "EventID"]);
        let mut both = Both::new(&map, &wanted);
        for (kind, fields, levels, style) in &events {
            for which in 0..3 {
                let mut event = Map::new();
                for (path, text) in kind.get(&kinds) {
                    put(&mut event, path, Value::from(text.as_str()), *levels);
                }
                for (path, levels, values) in fields {
                    put(&mut event, path.get(&paths).as_str(), values[which].clone(), *levels);
                }
                let mut line = String::new();
                write(&Value::Object(event), *style, &mut line);
                both.push(line.as_bytes());
            }
        }
        both.compare();
    }

    /// Bytes that look like JSON: the same are events.
    #[test]
    fn json_like_lines_are_read_lazily_as_they_are_parsed(
        lines in proptest::collection::vec(r#"\{("a"|"b"|"Records"):([{}\[\]",:\\0-9a-e\.\-+ ]|null|true|"x"|,"c":|\\u[dD0]8[0-9]{2}|1e999){0,12}\}?"#, 1..20),
    ) {
        let map = built_in();
        let mut both = Both::new(&map, &everything(&map, &["a"])[..1]);
        for line in lines {
            both.push(line.as_bytes());
            both.push(line.as_bytes());
        }
        both.compare();
    }
}

/// With the shared corpus: real events, with every column of every stream.
#[test]
fn ten_thousand_events_are_read_lazily_as_they_are_parsed() {
    let Ok(shared) = std::env::var("SANDTRAP_SHARED") else { return };
    let sample = std::path::Path::new(&shared).join("events/windows-10k.ndjson.zst");
    let unpacked = std::process::Command::new("zstdcat").arg(sample).output();
    let unpacked = unpacked.unwrap_or_else(|error| unreachable!("zstdcat is needed: {error}"));
    let map = built_in();
    let fields = ["Image", "CommandLine", "EventID", "ParentImage", "TargetObject", "Hashes", "Details", "User"];
    let mut both = Both::new(&map, &everything(&map, &fields));
    for lines in unpacked.stdout.split(|byte| *byte == b'\n').collect::<Vec<_>>().chunks(1000) {
        for line in lines {
            both.push(line);
        }
        both.compare();
    }
    assert_eq!(both.lazy.counts().events(), 10_000);
    // So many columns leave no room to remember all shapes.
    assert!(both.known > 9000, "{} are of known shapes", both.known);
}
