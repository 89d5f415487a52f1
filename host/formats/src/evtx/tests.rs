//! What becomes of event logs: whole, damaged, cut off, packed; and of the real ones in the corpus.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{CHUNK, RECORD_HEADER, log, records};
use crate::{
    event::Event,
    input::{Reader, open},
    path::find,
};

/// Two chunks of three records each; the second is older, as in a log that has wrapped around.
fn wrapped() -> Vec<u8> {
    log(&[&[13, 14, 15], &[10, 11, 12]], |_| vec![("Image", "C:\\a.exe")])
}

fn reader(bytes: &[u8]) -> Reader<'_> {
    let file = Box::new(Cursor::new(bytes));
    match open("log.evtx", Box::new(bytes), Some(file)) {
        Ok(reader) => reader,
        Err(error) => panic!("it can be opened: {error}"),
    }
}

/// Every item: the record's number, or the message.
fn read(bytes: &[u8]) -> Vec<String> {
    items(reader(bytes))
}

fn items(reader: Reader<'_>) -> Vec<String> {
    let text = |event: Event| event.position.record.unwrap_or_default().to_string();
    reader.map(|item| item.map_or_else(|error| error.to_string(), text)).collect()
}

#[test]
fn a_record_is_an_event_with_its_place() {
    let bytes = log(&[&[7]], |_| vec![("Image", "C:\\\u{e4}.exe"), ("Empty", "")]);
    let events: Vec<Event> = reader(&bytes).map(|item| item.expect("an event")).collect();
    assert_eq!(events.len(), 1);
    assert_eq!(
        Value::Object(events[0].fields.clone()),
        json!({"Event": {
            "System": {
                "Provider": {"#attributes": {"Name": "Sandtrap-Test"}},
                "EventID": {"#attributes": {"Qualifiers": "7"}, "#text": "4688"},
                "EventRecordID": "7",
                "Channel": "Security",
            },
            "EventData": {"Image": "C:\\\u{e4}.exe", "Empty": ""},
        }})
    );
    let position = &events[0].position;
    assert_eq!((position.line, position.record), (0, Some(7)));
    assert_eq!(usize::try_from(position.offset).ok(), records(&bytes).first().copied());
    assert_eq!(position.to_string(), "log.evtx: record 7");
}

#[test]
fn unnamed_and_repeated_data_keep_all_their_values() {
    for (data, expected) in [
        (vec![("", "a"), ("", "b")], json!({"Data": {"#text": ["a", "b"]}})),
        (vec![("", "a")], json!({"Data": {"#text": "a"}})),
        (vec![("x", "a"), ("x", "b")], json!({"x": ["a", "b"]})),
        (vec![("x", "a"), ("y", "b"), ("x", "c")], json!({"x": "a", "y": "b", "x_1": "c"})),
    ] {
        let bytes = log(&[&[1]], |_| data.clone());
        let event = reader(&bytes).next().and_then(Result::ok).expect("an event");
        assert_eq!(find(&event.fields, "Event.EventData"), Some(&expected), "{data:?}");
    }
}

#[test]
fn a_log_that_has_wrapped_around_is_read_from_its_oldest_record() {
    assert_eq!(read(&wrapped()), ["10", "11", "12", "13", "14", "15"]);
    assert_eq!(read(&log(&[], |_| vec![])), [""; 0], "a log without records");
}

#[test]
fn a_damaged_record_or_chunk_costs_itself() {
    let mut bytes = wrapped();
    let places = records(&bytes);
    // The token that opens the first element of the record that is read first; the magic of the one behind it.
    bytes[places[3] + RECORD_HEADER + 4] = 0xee;
    let items = read(&bytes);
    assert_eq!(items[1..], ["11", "12", "13", "14", "15"]);
    assert!(items[0].starts_with("log.evtx: record 10: the record is damaged, and was skipped: "), "{}", items[0]);

    let mut bytes = wrapped();
    bytes[places[4]] = 0;
    let items = read(&bytes);
    assert_eq!((items.len(), &*items[0], &*items[2]), (6, "10", "12"));
    assert!(items[1].starts_with("log.evtx: the record is damaged, and was skipped: "), "{}", items[1]);
    assert!(items[1].contains("offset"), "{}", items[1]);

    let mut bytes = wrapped();
    bytes[4096..4100].copy_from_slice(b"oops");
    let items = read(&bytes);
    assert_eq!(items[..3], ["10", "11", "12"]);
    assert_eq!(items.len(), 4, "{items:?}");
    assert!(items[3].starts_with("log.evtx: chunk 0 is damaged, and its records were skipped: "), "{}", items[3]);
}

#[test]
fn a_log_that_was_cut_off_gives_what_it_has_and_says_so() {
    let bytes = log(&[&[1, 2], &[3, 4, 5]], |_| vec![("a", "b")]);
    let places = records(&bytes);
    let second_chunk = 4096 + CHUNK;
    for (length, expected, place) in [
        (places[4], &["1", "2", "3", "4"][..], "in chunk 1"),
        (places[4] + 40, &["1", "2", "3", "4"], "in chunk 1"),
        (places[3] - 1, &["1", "2"], "in chunk 1"),
        (second_chunk + 100, &["1", "2"], "in chunk 1"),
        (second_chunk, &["1", "2"], "after 1 of 2 chunks"),
        (4096, &[], "after 0 of 2 chunks"),
    ] {
        let items = read(&bytes[..length]);
        let (last, events) = items.split_last().expect("a reason");
        assert_eq!(events, expected, "{length} bytes");
        assert_eq!(*last, format!("log.evtx: cannot read on: the log is cut off {place}"), "{length} bytes");
    }
    // Behind the records there are only zeros.
    let items = read(&bytes[..bytes.len() - 100]);
    assert_eq!(items[..5], ["1", "2", "3", "4", "5"]);
    let short = open("log.evtx", Box::new(&bytes[..1000]), Some(Box::new(Cursor::new(&bytes[..1000]))));
    let message = short.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.starts_with("log.evtx: cannot read on: it is no event log: "), "{message}");
}

#[test]
fn a_packed_or_piped_log_is_held() {
    let bytes = wrapped();
    let piped = open("-", Box::new(&bytes[..]), None).map(items);
    assert_eq!(piped.ok().as_deref(), Some(&["10", "11", "12", "13", "14", "15"].map(String::from)[..]));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&bytes).expect("memory");
    let packed = packed.finish().expect("memory");
    let file = Box::new(Cursor::new(&packed));
    let whole = open("log.evtx.gz", Box::new(&packed[..]), Some(file)).map(items);
    assert_eq!(whole.ok().as_deref(), Some(&["10", "11", "12", "13", "14", "15"].map(String::from)[..]));
    // What was unpacked before the damage is there.
    let cut = open("log.evtx.gz", Box::new(&packed[..packed.len() - 9]), None).map(items).unwrap_or_default();
    assert_eq!(cut[..6], ["10", "11", "12", "13", "14", "15"], "{cut:?}");
    assert!(cut.last().is_some_and(|item| item.contains("the gzip data is damaged or cut off at byte")), "{cut:?}");
}

proptest! {
    /// Bytes that somebody changed: no panic, an end, and every other chunk's records.
    #[test]
    fn any_damage_can_be_read(changes in proptest::collection::vec((0_usize..2_400, any::<u8>()), 1..20)) {
        let mut bytes = wrapped();
        for (at, byte) in changes {
            bytes[4096 + at] = byte;
        }
        let items = read(&bytes);
        for record in ["10", "11", "12"] {
            prop_assert!(items.contains(&record.to_owned()), "{:?}", items);
        }
        prop_assert!(items.len() < 200, "{:?}", items);
    }
}

/// The corpus of real logs, if it is at hand.
fn corpus() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED") else {
        eprintln!("skipped: SANDTRAP_SHARED is not set");
        return None;
    };
    Some(PathBuf::from(shared).join("corpus/sigma"))
}

/// The EVTX files of the corpus by their names, each with its events.
fn corpus_logs(corpus: &std::path::Path) -> Vec<(String, Vec<Event>)> {
    let mut logs: Vec<_> = fs::read_dir(corpus.join("regression_evtx"))
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("it can be listed").path();
            let bytes = fs::read(&path).expect("it can be read");
            let events = reader(&bytes).map(|item| item.expect("a sound record")).collect();
            (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), events)
        })
        .collect();
    logs.sort_by(|(a, _): &(String, Vec<Event>), (b, _)| a.cmp(b));
    logs
}

/// What is compared: the text of a value, without what a flattening changed: braces and case of GUIDs, blanks at the end.
fn normal(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.trim_end().trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase()
}

#[test]
fn every_log_of_the_corpus_has_the_expected_events() {
    let Some(corpus) = corpus() else { return };
    let logs = corpus_logs(&corpus);
    let expected = fs::read(corpus.join("regression_events.ndjson")).expect("the expected events");
    let expected: Vec<Value> = expected
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("an event"))
        .collect();
    assert_eq!((logs.len(), logs.iter().map(|(_, events)| events.len()).sum::<usize>()), (98, 116));
    assert_eq!(expected.len(), 116);
    let mut fields = 0;
    for case in &expected {
        let (_, events) = logs.iter().find(|(rule, _)| case["rule_id"] == **rule).expect("a log of that name");
        let wanted = case["event"].as_object().expect("an event");
        let id = &wanted["EventRecordID"];
        let event = events
            .iter()
            .find(|event| find(&event.fields, "Event.System.EventRecordID") == Some(id))
            .unwrap_or_else(|| panic!("no record {id}"));
        for (name, value) in wanted {
            let (path, is_time) = match &**name {
                "@timestamp" | "TimeCreated" => ("Event.System.TimeCreated.#attributes.SystemTime".to_owned(), true),
                "Provider_Name" | "Provider_Guid" => {
                    (name.replace("Provider_", "Event.System.Provider.#attributes."), false)
                }
                "ExecutionProcessID" | "ExecutionThreadID" => {
                    (name.replace("Execution", "Event.System.Execution.#attributes."), false)
                }
                "UserID" => ("Event.System.Security.#attributes.UserID".to_owned(), false),
                "ActivityID" => ("Event.System.Correlation.#attributes.ActivityID".to_owned(), false),
                _ => (format!("Event.System.{name}"), false),
            };
            let found = [path, format!("Event.EventData.{name}")]
                .iter()
                .find_map(|path| find(&event.fields, path))
                .or_else(|| {
                    // The one element of UserData has a name of its own.
                    let user_data = find(&event.fields, "Event.UserData")?.as_object()?;
                    user_data.values().find_map(|element| element.get(name))
                })
                .unwrap_or_else(|| panic!("{} has no {name}", case["rule_id"]));
            let (found, value) = (normal(found), normal(value));
            // Windows counts 100 ns, the expected events microseconds.
            let same = if is_time { found.starts_with(value.trim_end_matches('z')) } else { found == value };
            assert!(same, "{} {name}: {found} is not {value}", case["rule_id"]);
            fields += 1;
        }
    }
    assert!(fields > 3_000, "{fields} fields were compared");
}

#[test]
fn real_logs_that_are_damaged_are_read_to_their_end() {
    let Some(corpus) = corpus() else { return };
    let file = fs::read_dir(corpus.join("regression_evtx")).expect("the folder is there").flatten().next();
    let sound = fs::read(file.expect("a log").path()).expect("it can be read");
    // A fixed sequence: every byte of the chunk's header and first record takes three other values.
    for at in (4096..4096 + 6_000).step_by(7) {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] ^= change;
            let items = reader(&bytes).count();
            assert!(items < 1_000, "{items} items with byte {at} changed");
        }
    }
    for length in (4096..4096 + 8_000).step_by(101) {
        assert!(reader(&sound[..length]).last().is_some_and(|item| item.is_err()), "{length} bytes");
    }
}
