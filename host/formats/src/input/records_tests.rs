//! What becomes of JSON that is not one object per line.

use std::io::{BufReader, Read};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Every item of `input` as text: `line/record@offset fields`, or the message.
fn read(input: &[u8]) -> Vec<String> {
    // A tiny buffer puts every boundary somewhere.
    Records::new("in".into(), BufReader::with_capacity(3, input)).map(text).collect()
}

fn text(item: Result<Event, ReadError>) -> String {
    match item {
        Ok(Event { fields, position }) => {
            let record = position.record.map(|record| format!("/{record}")).unwrap_or_default();
            format!("{}{record}@{} {}", position.line, position.offset, Value::Object(fields))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn records_become_events_or_reasons() {
    for (input, expected) in [
        ("", &[][..]),
        (" \n ", &[]),
        ("[]", &[]),
        ("[ ]\n[\n]", &[]),
        ("{}", &["1@0 {}"]),
        ("[{\"a\":1},{\"a\":2}]", &["1/1@1 {\"a\":1}", "1/2@9 {\"a\":2}"]),
        ("[\n  {\n    \"a\": 1\n  },\n  {\"a\": 2}\n]\n", &["2/1@4 {\"a\":1}", "5/2@24 {\"a\":2}"]),
        ("{\n\"a\": 1\n}\n{\n\"a\": 2\n}", &["1@0 {\"a\":1}", "4@11 {\"a\":2}"]),
        ("{\"a\":1}{\"a\":2}", &["1@0 {\"a\":1}", "1@7 {\"a\":2}"]),
        ("\u{feff}[{}]", &["1/1@4 {}"]),
        ("{\"Records\": [{\"a\": 1}, {\"a\": 2}]}", &["1/1@13 {\"a\":1}", "1/2@23 {\"a\":2}"]),
        ("{\n\"records\": [\n{\"a\": 1}\n]\n}\n", &["3/1@15 {\"a\":1}"]),
        (
            "{\"@odata.context\": \"x\", \"value\": [{\"a\": 1}], \"@odata.nextLink\": \"]}\"}{\"b\": 1}",
            &["1/1@34 {\"a\":1}", "1@69 {\"b\":1}"],
        ),
        ("{\"Records\": []}{}", &["1@15 {}"]),
        ("{\"records\": [{\"a\": 1}], \"user\": 1}", &["1@0 {\"records\":[{\"a\":1}],\"user\":1}"]),
        ("[{\"value\": [{}]}]", &["1/1@1 {\"value\":[{}]}"]),
        ("{\"value\": [1, 2]}", &["1@0 {\"value\":[1,2]}"]),
    ] {
        assert_eq!(read(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn a_list_that_is_cut_off_is_an_input_that_failed() {
    for input in ["[", "[{}", "[{},", "[{},{\"a\":", "{\"Records\":[{}", "{\"Records\":[{}]", "{}\n[{}"] {
        let failures = |input: &str| {
            let items = Records::new("in".into(), input.as_bytes());
            items.filter(|item| item.as_ref().is_err_and(ReadError::ends_input)).count()
        };
        assert_eq!(failures(input), 1, "{input}");
    }
}

#[test]
fn what_is_no_event_costs_itself() {
    let broken = "in:1: record 1: the record is not JSON: ";
    for (input, expected) in [
        ("[{\"a\":1e999},{}]", &[&*format!("{broken}number out of range at line 1, column 10"), "1/2@13 {}"][..]),
        (
            "[{\"a\":\"\t\"},{}]",
            &[
                &*format!(
                    "{broken}control character (\\u0000-\\u001F) found while parsing a string at line 1, column 7"
                ),
                "1/2@11 {}",
            ],
        ),
        (
            "[1, \"x,y\", null, [{}], {}]",
            &[
                "in:1: record 1: the record is a number where an event is an object",
                "in:1: record 2: the record is a string where an event is an object",
                "in:1: record 3: the record is null where an event is an object",
                "in:1: record 4: the record is an array where an event is an object",
                "1/5@23 {}",
            ],
        ),
        (
            "[{\"a\":1\n,{\"b\":1},{}]",
            &[&*format!("{broken}EOF while parsing a value at line 2, column 1"), "2/2@9 {\"b\":1}", "2/3@17 {}"],
        ),
        (
            "[{\"a\":\"x\n},{}]",
            &[
                &*format!(
                    "{broken}control character (\\u0000-\\u001F) found while parsing a string at line 2, column 0"
                ),
                "2/2@11 {}",
            ],
        ),
        ("[{}\n", &["1/1@1 {}", "in:2: cannot read on: the input ends before its list of events does; it was cut off"]),
        (
            "[{},{\"a\":",
            &[
                "1/1@1 {}",
                "in:1: record 2: the record is not JSON: EOF while parsing a value at line 1, column 5",
                "in:1: cannot read on: the input ends before its list of events does; it was cut off",
            ],
        ),
        (
            "{\"Records\":[{\"a\":1},{\"b\":1},{\"c\"",
            &[
                "1/1@12 {\"a\":1}",
                "1/2@20 {\"b\":1}",
                "in:1: record 3: the record is not JSON: EOF while parsing an object at line 1, column 4",
                "in:1: cannot read on: the input ends before its list of events does; it was cut off",
            ],
        ),
        (
            "{\"Records\":[{\"a\":1},{\"b\":{{\"c\":1}]}",
            &[
                "1/1@12 {\"a\":1}",
                "in:1: record 2: the record is not JSON: EOF while parsing an object at line 1, column 6",
                "1/3@26 {\"c\":1}",
            ],
        ),
        ("{\n\"a\": 1\n", &["in:1: the record is not JSON: EOF while parsing an object at line 3, column 0"]),
        (
            "{\n\"a\": 1,\n{\n\"b\": 1\n}\n",
            &["in:1: the record is not JSON: EOF while parsing a value at line 3, column 0", "3@10 {\"b\":1}"],
        ),
        (
            "{\n}\nrubbish {}\n{}",
            &["1@0 {}", "in:3: the record is not JSON: expected value at line 3, column 1", "4@15 {}"],
        ),
        (
            "]\n}\n{}",
            &[
                "in:1: the record is not JSON: expected value at line 1, column 1",
                "in:2: the record is not JSON: expected value at line 2, column 1",
                "3@4 {}",
            ],
        ),
    ] {
        assert_eq!(read(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn an_element_too_long_is_skipped_and_the_next_is_read() {
    let long = "x".repeat(EVENT_BYTES_MAX);
    for (start, end, next) in [("[", "]", "1/2"), ("{\"Records\":[", "]}", "1/2"), ("", "", "1")] {
        let input = format!("{start}{{\"a\":\"{long}\"}},{{\"b\":1}}{end}");
        let items: Vec<String> = Records::new("in".into(), input.as_bytes()).map(text).collect();
        assert_eq!(items.len(), 2, "{start}");
        assert!(items[0].ends_with("the record is longer than 4 MiB; it was skipped"), "{}", items[0]);
        assert!(items[1].starts_with(next) && items[1].ends_with("{\"b\":1}"), "{}", items[1]);
    }
    let scalar = format!("[\"{long}\",{{}}]");
    let items: Vec<String> = Records::new("in".into(), scalar.as_bytes()).map(text).collect();
    assert!(
        items[0].contains("longer than 4 MiB") && items.last().is_some_and(|item| item.ends_with("{}")),
        "{items:?}"
    );
}

/// Gives text piece by piece.
struct Pieces<I>(I, Vec<u8>);
impl<I: Iterator<Item = String>> Read for Pieces<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.1.len() < buffer.len() {
            match self.0.next() {
                Some(piece) => self.1.extend_from_slice(piece.as_bytes()),
                None => break,
            }
        }
        let bytes = self.1.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.1[..bytes]);
        self.1.drain(..bytes);
        Ok(bytes)
    }
}

#[test]
fn an_envelope_of_any_length_is_read_in_bounded_memory() {
    const ELEMENTS: u64 = 200_000;
    let element = format!("{{\"text\":\"{}\"}}", "x".repeat(90));
    let input = std::iter::once("{\"Records\":[".to_owned())
        .chain((0..ELEMENTS).map(|at| if at == 0 { element.clone() } else { format!(",{element}") }))
        .chain(std::iter::once("],\"more\":[1,{\"x\":\"]}\"}]}\n{\"after\":1}".to_owned()));
    let mut records = Records::new("in".into(), BufReader::with_capacity(64 << 10, Pieces(input, Vec::new())));
    let (mut events, mut last) = (0, None);
    for item in records.by_ref() {
        let event = item.expect("an event");
        (events, last) = (events + 1, Some((event.position.line, event.position.record)));
    }
    assert_eq!((events, last), (ELEMENTS + 1, Some((2, None))));
    assert!(records.buffer.capacity() < 3 * EVENT_BYTES_MAX, "{} bytes", records.buffer.capacity());
}

#[test]
fn text_that_is_no_unicode_is_replaced_and_counted() {
    let input: &[u8] = b"[{\"a\":\"\\ud800\"},{\"a\":\"\xff\"},{\"a\":\"x\"},{\"a\":\xff}]";
    let mut records = Records::new("in".into(), input);
    assert_eq!((records.by_ref().flatten().count(), records.repaired()), (3, 2));
}

#[test]
fn a_failing_input_is_said_once_and_what_came_before_is_given() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let input = BufReader::new((&b"[{},\n{\"a\":1"[..]).chain(Broken));
    let items: Vec<String> = Records::new("in".into(), input).map(text).collect();
    assert_eq!(items, ["1/1@1 {}", "in:2: record 2: cannot read on: gone"]);
}

proptest! {
    /// Whatever the bytes: no panic, and an end.
    #[test]
    fn any_json_like_bytes_can_be_read(
        input in r#"([{}\[\]",:\\\n0-9a-c ]|null|"Records":\[|\\u[dD]8[0-9]{2}|1e999){0,60}"#,
    ) {
        let items = read(input.as_bytes()).len();
        prop_assert!(items <= input.len() + 1);
    }

    /// However an array is printed, its elements are read as serde_json reads the whole of it; and a bad element in the
    /// middle takes no other along.
    #[test]
    fn elements_are_those_of_the_array(
        elements in proptest::collection::vec(r#"\{("[a-c{}\[\]]{0,3}":("x\\"[\[\]{},]{0,3}"|[0-9]|\[[1-3]?\]|\{\}))?\}"#, 1..8),
        bad in 0_usize..8,
        pretty: bool,
    ) {
        let array = format!("[{}]", elements.join(","));
        let whole: Vec<Value> = serde_json::from_str(&array).expect("an array");
        let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) };
        let read = |text: &str| -> Vec<Result<Value, ()>> {
            let records = Records::new("in".into(), BufReader::with_capacity(5, text.as_bytes()));
            records.map(|item| item.map(|event| Value::Object(event.fields)).map_err(drop)).collect()
        };
        prop_assert_eq!(read(&text.expect("it can be printed")), whole.iter().cloned().map(Ok).collect::<Vec<_>>());
        let bad = bad % elements.len();
        let mut cut = elements.clone();
        cut[bad] = "{\"a\":[1,".into();
        let items = read(&format!("[{}]", cut.join(",")));
        for (at, element) in whole.iter().enumerate().skip(bad + 2) {
            prop_assert!(items.contains(&Ok(element.clone())), "element {} of {:?}", at, items);
        }
        prop_assert_eq!(items.iter().take(bad).cloned().collect::<Vec<_>>(), whole.iter().take(bad).cloned().map(Ok).collect::<Vec<_>>());
    }
}
