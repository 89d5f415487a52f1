//! Every form that an input can have, read through [`open`].

use std::io::{self, BufRead, BufReader, Read, Write as _};

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::{EVENT_BYTES_MAX, open};
use crate::event::Event;

const EVENTS: &str = "{\"a\":1}\n{\"a\":\"\u{e4}\u{1f600}\"}\n{\"a\":3}\n";

/// Every item: where and what it is, or the message.
fn read(input: &[u8]) -> Vec<String> {
    read_in(input, 64 << 10)
}

fn read_in(input: &[u8], capacity: usize) -> Vec<String> {
    let text = |event: Event| {
        let record = event.position.record.map(|record| format!("/{record}")).unwrap_or_default();
        format!("{}{record} {}", event.position.line, Value::Object(event.fields))
    };
    match open("in", Box::new(BufReader::with_capacity(capacity, input)), None) {
        Ok(reader) => reader.map(|item| item.map_or_else(|error| error.to_string(), text)).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A frame of Zstandard that holds no events.
fn skippable() -> Vec<u8> {
    b"\x53\x2a\x4d\x18\x03\0\0\0abc".to_vec()
}

fn utf16(text: &str, mark: bool, unit: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    mark.encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
}

#[test]
fn every_form_gives_the_same_events() {
    let lines = ["1 {\"a\":1}", "2 {\"a\":\"\u{e4}\u{1f600}\"}", "3 {\"a\":3}"];
    let plain = EVENTS.as_bytes();
    let (start, end) = plain.split_at(20);
    for (form, input) in [
        ("plain", plain.to_vec()),
        ("UTF-8 with a mark", [b"\xef\xbb\xbf", plain].concat()),
        ("CRLF", EVENTS.replace('\n', "\r\n").into_bytes()),
        ("gzip", gzip(plain)),
        ("gzip, two members, cut anywhere", [gzip(start), gzip(end)].concat()),
        ("gzip, padded", [gzip(plain), vec![0; 10_000]].concat()),
        ("gzip, padded between members", [gzip(start), vec![0; 7], gzip(end), vec![0]].concat()),
        ("zstd", zstd(plain)),
        ("zstd, frames", [zstd(start), skippable(), zstd(end), skippable()].concat()),
        ("zstd, begins with a frame to skip", [skippable(), zstd(plain)].concat()),
        ("gzip in zstd", zstd(&gzip(plain))),
        ("UTF-16LE with a mark", utf16(EVENTS, true, u16::to_le_bytes)),
        ("UTF-16BE with a mark", utf16(EVENTS, true, u16::to_be_bytes)),
        ("UTF-16LE", utf16(EVENTS, false, u16::to_le_bytes)),
        ("UTF-16BE", utf16(EVENTS, false, u16::to_be_bytes)),
        ("UTF-16LE in gzip", gzip(&utf16(EVENTS, true, u16::to_le_bytes))),
    ] {
        for capacity in [1, 3, 64 << 10] {
            assert_eq!(read_in(&input, capacity), lines, "{form}, {capacity} bytes at once");
        }
    }
}

#[test]
fn every_shape_is_taken_apart_in_every_packing() {
    let records = ["1/1 {\"a\":1}", "2/2 {\"a\":2}"];
    for (text, expected) in [
        ("[{\"a\":1},\n{\"a\":2}]", &records[..]),
        ("{\"Records\":[{\"a\":1},\n{\"a\":2}]}", &records),
        ("{\"records\":[{\"a\":1},\n{\"a\":2}]}\n", &records),
        ("{\"@odata.context\":\"x\",\"value\":[{\"a\":1},\n{\"a\":2}]}", &records),
        ("{\n\"a\":1}\n{\"a\":2}", &["1 {\"a\":1}", "3 {\"a\":2}"]),
        ("{\"a\":1}{\"a\":2}", &["1 {\"a\":1}", "1 {\"a\":2}"]),
        ("{\"b\":0}\n{\"Records\":[{\"a\":1},{\"a\":2}]}\n", &["1 {\"b\":0}", "2/1 {\"a\":1}", "2/2 {\"a\":2}"]),
        ("{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"a\":2}]}\n", &["1/1 {\"a\":1}", "2/1 {\"a\":2}"]),
        ("[]", &[]),
        ("{\"Records\":[]}", &[]),
        ("", &[]),
        ("\n\n", &[]),
    ] {
        for (packing, input) in [
            ("plain", text.as_bytes().to_vec()),
            ("gzip", gzip(text.as_bytes())),
            ("zstd", zstd(text.as_bytes())),
            ("UTF-16", utf16(text, true, u16::to_le_bytes)),
        ] {
            assert_eq!(read(&input), expected, "{packing}: {text}");
            assert_eq!(read_in(&input, 2), expected, "{packing}, in pieces: {text}");
        }
    }
}

/// Random text, so that packing leaves most of it.
fn random_lines(lines: usize) -> String {
    let mut seed = 1_u64;
    let line = |at: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{{\"at\":{at},\"x\":\"{seed:016x}\"}}\n")
    };
    (0..lines).map(line).collect()
}

#[test]
fn what_is_packed_and_damaged_gives_what_came_before_and_says_where() {
    let text = random_lines(40_000);
    for (packing, packed) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
        assert_eq!(read(&packed).len(), 40_000, "{packing}");
        let items = read(&packed[..packed.len() / 2]);
        let (last, events) = items.split_last().expect("a reason");
        assert!(events.len() > 10_000, "{packing}: {} events", events.len());
        assert!(
            last.starts_with(&format!("in:{}: cannot read on: the {packing} data is damaged", events.len() + 1)),
            "{last}"
        );
        let mut damaged = packed.clone();
        damaged[packed.len() / 2..].fill(0x55);
        let items = read(&damaged);
        assert!(items.last().is_some_and(|item| item.contains("data is damaged or cut off at byte ")), "{packing}");
        let mut checksum = packed.clone();
        let place = checksum.len() - 2;
        checksum[place] ^= 1;
        let items = read(&checksum);
        assert_eq!(items.len(), 40_001, "{packing}: all events, then the error");
    }
}

#[test]
fn a_zstd_frame_cut_off_gives_its_last_window_too() {
    // A block unpacks to at most 128 KiB; a line has more than 30 bytes.
    const LINES: usize = 40_000;
    const LINES_PER_BLOCK_MAX: usize = (128 << 10) / 30;
    const SINGLE_SEGMENT: u8 = 1 << 5;
    let mut packed = zstd(random_lines(LINES).as_bytes());
    assert_eq!(packed[4] & SINGLE_SEGMENT, 0, "the next byte is the window's");
    // Windows of 1 MiB, which is less than the text, and of 8 MiB, which is more (RFC 8878, section 3.1.1.1.2).
    for window in [10 << 3, 13 << 3] {
        packed[5] = window;
        assert_eq!(read(&packed).len(), LINES);
        // Within the checksum, in the last block, and an eighth of the way before the end.
        let eighth = packed.len() / 8;
        for (cut, least) in [(3, LINES), (10, LINES - LINES_PER_BLOCK_MAX), (eighth, LINES * 3 / 4)] {
            let items = read(&packed[..packed.len() - cut]);
            let (last, events) = items.split_last().expect("a reason");
            assert!((least..=LINES).contains(&events.len()), "window {window}, cut {cut}: {} events", events.len());
            assert!(events.iter().enumerate().all(|(at, event)| event.contains(&format!("{{\"at\":{at},"))));
            assert!(last.contains("cannot read on: the zstd data is damaged or cut off at byte "), "{last}");
        }
    }
}

#[test]
fn zeros_are_padding_but_rubbish_is_not() {
    for rubbish in [&b"\0\0x"[..], b"x", b"\0\x1f\x8b"] {
        let items = read(&[&gzip(EVENTS.as_bytes()), rubbish].concat());
        assert_eq!(items.len(), 4, "{items:?}");
        assert!(items[3].contains("the gzip data is damaged or cut off at byte "), "{}", items[3]);
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (input, message) in [
        (&b"PK\x03\x04........"[..], "in: it is a zip archive; unpack it and give the folder"),
        (b"PAR1....", "in: it is a Parquet file; export its rows as NDJSON"),
        (b"\xff\xfe\0\0{\0\0\0", "in: its text is UTF-32; convert it to UTF-8"),
    ] {
        assert_eq!(read(input), [message]);
    }
    assert_eq!(read(&gzip(&gzip(&gzip(b"{}")))), ["in: it is packed more than twice; unpack it"]);
}

#[test]
fn bad_lines_stay_bad_lines() {
    let items = read(b"{\"a\":1e999}\n{\"a\":\"\x01\"}\n{}\n");
    assert_eq!(items.len(), 3);
    assert!(items[0].starts_with("in:1: the line is not JSON: number out of range"), "{}", items[0]);
    assert!(items[1].starts_with("in:2: the line is not JSON: control character"), "{}", items[1]);
    assert_eq!(items[2], "3 {}");
}

#[test]
fn text_that_is_no_unicode_is_counted_in_utf_16_too() {
    let mut input = utf16("{\"a\":\"x", true, u16::to_le_bytes);
    input.extend_from_slice(b"\x00\xd8");
    input.extend_from_slice(&utf16("\"}\n{}\n", false, u16::to_le_bytes));
    let mut reader = open("in", Box::new(&input[..]), None).expect("text");
    let events: Vec<Value> = reader.by_ref().flatten().map(|event| Value::Object(event.fields)).collect();
    assert_eq!((events.len(), reader.repaired()), (2, 1));
    assert_eq!(events[0]["a"], "x\u{fffd}");
}

#[test]
fn an_event_too_long_costs_itself_in_every_shape() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(EVENT_BYTES_MAX));
    for input in [
        format!("{{}}\n{long}\n{{}}\n"),
        format!("[{{}},{long},{{}}]"),
        format!("{{\"Records\":[{{}},{long},{{}}]}}"),
        format!("{{\n}}{long}{{}}"),
    ] {
        let items = read(input.as_bytes());
        assert_eq!(items.len(), 3, "{}", &input[..20]);
        assert!(items[1].ends_with(" is longer than 4 MiB; it was skipped"), "{}", items[1]);
        assert!(items[2].ends_with(" {}"), "{}", items[2]);
    }
}

/// Gives a piece and then fails when it is asked for more than that: as if the next piece never came.
struct Stalled<'p>(&'p [u8]);

impl Read for Stalled<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Stalled<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0.is_empty() { Err(io::Error::other("stalled")) } else { Ok(self.0) }
    }

    fn consume(&mut self, bytes: usize) {
        self.0 = &self.0[bytes..];
    }
}

#[test]
fn an_event_does_not_wait_for_the_next_one() {
    for (form, piece) in [
        ("a line", b"{\"a\":1}\n".to_vec()),
        ("a short line", b"{}\n".to_vec()),
        ("an element", b"[{\"a\":1}".to_vec()),
        ("an object on lines", b"{\n\"a\":1}".to_vec()),
        ("a member of gzip", gzip(b"{\"a\":1}\n")),
        ("a frame of zstd", zstd(b"{\"a\":1}\n")),
        ("UTF-16", utf16("{\"a\":1}\n", true, u16::to_le_bytes)),
    ] {
        let mut reader = open("in", Box::new(Stalled(&piece)), None).expect("text");
        assert!(matches!(reader.next(), Some(Ok(_))), "{form}");
        assert!(matches!(reader.next(), Some(Err(error)) if error.ends_input()), "{form}");
        assert!(reader.next().is_none(), "{form}");
    }
}
