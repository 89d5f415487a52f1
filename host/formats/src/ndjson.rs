//! Newline-delimited JSON: one object per line.
//!
//! A line that is not an event is an error item with its line number, and the reader goes on with the next line: one
//! bad line hides no other. Whether to stop there is the caller's decision. Only a failing input ends the iteration.
//! Memory is bounded by [`LINE_BYTES_MAX`]; nesting by `serde_json`'s limit of 128 levels.
//!
//! A line that is JSON but for bytes that are not UTF-8, or for escapes of half a surrogate pair, is an event all the
//! same, with U+FFFD in their place; such lines are counted.
//!
//! A line that is an envelope such as `{"Records": [...]}` is taken apart: its elements are events of that line, each
//! with its number. An element that is no object is a bad line, too.
//!
//! A byte order mark at the start, CRLF, blank lines and a last line without an end are fine.

use std::{collections::VecDeque, io, sync::Arc};

use memchr::memchr;

pub use crate::input::{EVENT_BYTES_MAX as LINE_BYTES_MAX, ReadError, ReadErrorKind};
use crate::{
    event::{Event, Position},
    input::{
        error::Unit,
        line::{self, Parsed},
    },
};

/// The events of one input, in order.
///
/// ```
/// use sandtrap_formats::ndjson::Reader;
///
/// let input: &[u8] = b"{\"EventID\": 1}\nnot an event\n{\"EventID\": 3}\n";
/// let mut reader = Reader::new("-", input);
/// let good = reader.by_ref().filter_map(Result::ok).count();
/// assert_eq!((good, reader.bad_lines()), (2, 1));
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    source: Arc<str>,
    line: u64,
    offset: u64,
    bad_lines: u64,
    repaired_lines: u64,
    ended: bool,
    buffer: Vec<u8>,
    /// What is left of a line that is an envelope.
    elements: VecDeque<Result<Event, ReadError>>,
}

/// A line as it stands in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'r> {
    /// The line, without its end.
    pub text: &'r [u8],
    /// Its number, from 1.
    pub line: u64,
    /// Its first byte, from 0.
    pub offset: u64,
}

/// How one line was read.
enum Line {
    /// It is in the buffer.
    Whole,
    /// It was too long; the buffer has its start.
    Cut,
    /// There are no more.
    End,
}

impl<R: io::BufRead> Reader<R> {
    /// Reads `input`, which messages call `source`.
    pub fn new(source: impl Into<Arc<str>>, input: R) -> Self {
        Self {
            input,
            source: source.into(),
            line: 0,
            offset: 0,
            bad_lines: 0,
            repaired_lines: 0,
            ended: false,
            buffer: Vec::new(),
            elements: VecDeque::new(),
        }
    }

    /// How many lines were read, blank ones included.
    pub fn lines(&self) -> u64 {
        self.line
    }

    /// How many lines, and elements of lines that are envelopes, were no event.
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// How many lines are events only because what is no Unicode in them became U+FFFD.
    pub fn repaired_lines(&self) -> u64 {
        self.repaired_lines
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// Reads a line into the buffer, without its end, and counts it.
    fn read_line(&mut self) -> io::Result<Line> {
        self.buffer.clear();
        let (mut any, mut cut) = (false, false);
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() && !any {
                return Ok(Line::End);
            }
            let end = memchr(b'\n', chunk);
            let part = end.and_then(|end| chunk.get(..end)).unwrap_or(chunk);
            let room = LINE_BYTES_MAX.saturating_sub(self.buffer.len());
            cut |= part.len() > room;
            self.buffer.extend_from_slice(part.get(..room).unwrap_or(part));
            let used = part.len() + usize::from(end.is_some());
            let last = end.is_some() || chunk.is_empty();
            self.input.consume(used);
            self.offset = self.offset.saturating_add(used as u64);
            any = true;
            if last {
                self.line = self.line.saturating_add(1);
                return Ok(if cut { Line::Cut } else { Line::Whole });
            }
        }
    }

    /// Reads on to a line that is not blank. The buffer has it; this is its offset.
    fn line(&mut self) -> Option<Result<u64, ReadError>> {
        loop {
            let offset = self.offset;
            let (line, kind) = match self.read_line() {
                Ok(Line::End) => return None,
                Ok(Line::Whole) if line::content(&self.buffer, offset).is_empty() => continue,
                Ok(Line::Whole) => return Some(Ok(offset)),
                Ok(Line::Cut) => (self.line, ReadErrorKind::TooLong),
                Err(error) => (self.line.saturating_add(1), ReadErrorKind::Io(error)),
            };
            let position = Position { line, ..self.place(offset) };
            return Some(Err(ReadError::new(position, Unit::Line, kind)));
        }
    }

    fn place(&self, offset: u64) -> Position {
        Position { source: Arc::clone(&self.source), line: self.line, record: None, offset }
    }

    /// The next line that is not blank, for whoever parses it: only a line that is too long is an error here. As in the
    /// iteration, nothing comes behind the error of a failing input.
    pub fn next_line(&mut self) -> Option<Result<RawLine<'_>, ReadError>> {
        if self.ended {
            return None;
        }
        let item = self.line();
        match &item {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.failed(error),
            None => self.ended = true,
        }
        Some(item?.map(|offset| RawLine { text: &self.buffer, line: self.line, offset }))
    }

    /// What is next in the input, whether or not it is an event.
    fn read(&mut self) -> Option<Result<Event, ReadError>> {
        loop {
            if let Some(element) = self.elements.pop_front() {
                return Some(element);
            }
            let position = match self.line()? {
                Ok(offset) => self.place(offset),
                Err(error) => return Some(Err(error)),
            };
            let repaired = match line::parse(line::content(&self.buffer, position.offset), &position) {
                Ok(Parsed::Event { fields, repaired }) => {
                    self.repaired_lines = self.repaired_lines.saturating_add(u64::from(repaired));
                    return Some(Ok(Event { fields, position }));
                }
                Ok(Parsed::Envelope { elements, repaired }) => {
                    self.elements = elements.into();
                    repaired
                }
                Err(error) => return Some(Err(error)),
            };
            self.repaired_lines = self.repaired_lines.saturating_add(u64::from(repaired));
        }
    }

    /// Counts what is no event, or notes that nothing comes behind it.
    fn failed(&mut self, error: &ReadError) {
        if error.ends_input() {
            self.ended = true;
        } else {
            self.bad_lines = self.bad_lines.saturating_add(1);
        }
    }
}

impl<R: io::BufRead> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read();
        match &item {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.failed(error),
            None => self.ended = true,
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::input::BOM;

    /// Every item of `input` as text: `line@offset fields` or the message.
    fn read(input: &[u8]) -> Vec<String> {
        // A tiny buffer puts every boundary somewhere.
        Reader::new("in", BufReader::with_capacity(3, input))
            .map(|item| match item {
                Ok(Event { fields, position }) => {
                    format!("{}@{} {}", position.line, position.offset, Value::Object(fields))
                }
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[test]
    fn lines_become_events_or_reasons() {
        for (input, expected) in [
            (&b""[..], &[][..]),
            (b"\n \r\n\t\n", &[]),
            (b"{}", &["1@0 {}"]),
            (b"\xef\xbb\xbf{\"a\":1}\r\n\n{\"a\":1,\"a\":2}\n", &["1@0 {\"a\":1}", "3@13 {\"a\":2}"]),
            (b"\xef\xbb\xbf\n{}", &["2@4 {}"]),
            (
                b"{}\n\xef\xbb\xbf{}\n",
                &[
                    "1@0 {}",
                    "in:2: the line is not JSON: expected value at column 1; events are one JSON object per line",
                ],
            ),
            (
                b"[1]\n\"x\"\n",
                &[
                    "in:1: the line is an array where an event is an object; write one JSON object per line",
                    "in:2: the line is a string where an event is an object; write one JSON object per line",
                ],
            ),
            (
                b"{\"a\":\n1}\n",
                &[
                    "in:1: the line is not JSON: EOF while parsing a value at column 5; events are one JSON object per line",
                    "in:2: the line is not JSON: trailing characters at column 2; events are one JSON object per line",
                ],
            ),
            (
                b"{\"Records\":[{\"a\":1},2,{}]}\n{\"value\":[1]}\n{\"records\":[]}\n{}\n",
                &[
                    "1@0 {\"a\":1}",
                    "in:1: record 2: the record is a number where an event is an object",
                    "1@0 {}",
                    "2@27 {\"value\":[1]}",
                    "4@56 {}",
                ],
            ),
            (b"{\"a\":\"\xff\"}\n{}", &["1@0 {\"a\":\"\u{fffd}\"}", "2@10 {}"]),
            (b"{\"a\":\"x\\ud800\"}\n", &["1@0 {\"a\":\"x\u{fffd}\"}"]),
            (b"\xff", &["in:1: the line is not JSON: expected value at column 1; events are one JSON object per line"]),
            (
                b"{\"a\":\"\\ud8\"}\n",
                &["in:1: the line is not JSON: invalid escape at column 12; events are one JSON object per line"],
            ),
        ] {
            assert_eq!(read(input), expected, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn lines_can_be_had_as_they_are() {
        let input: &[u8] = b"\xef\xbb\xbf\n{\"a\":\xff}\r\n\n x";
        let mut reader = Reader::new("in", BufReader::with_capacity(3, input));
        let mut lines = Vec::new();
        while let Some(Ok(RawLine { text, line, offset })) = reader.next_line() {
            lines.push((text.to_vec(), line, offset));
        }
        assert_eq!(lines, [(b"{\"a\":\xff}\r".to_vec(), 2, 4), (b" x".to_vec(), 4, 14)]);
        assert_eq!((reader.lines(), reader.bad_lines()), (4, 0));
    }

    #[test]
    fn lines_are_counted_by_what_became_of_them() {
        let input: &[u8] = b"{\"a\":\"\\udc00\"}\n{\"a\":\"\xff\"}\n\n{\"a\":\"\\ud83d\\ude00\"}\n{\"a\":\xff}\n";
        let mut reader = Reader::new("in", input);
        let events = reader.by_ref().flatten().count();
        assert_eq!((events, reader.repaired_lines(), reader.bad_lines(), reader.lines()), (3, 2, 1, 5));
    }

    #[test]
    fn a_line_too_long_is_skipped_and_the_next_is_read() {
        let mut input = vec![b' '; LINE_BYTES_MAX - 2];
        input.extend_from_slice(b"{}\n");
        input.resize(input.len() + LINE_BYTES_MAX + 1, b' ');
        input.extend_from_slice(b"\n{\"after\":1}");
        let items: Vec<_> = Reader::new("in", &input[..]).collect();
        assert_eq!(items.len(), 3);
        assert!(items[0].is_ok(), "exactly the limit");
        assert!(
            matches!(&items[1], Err(error) if matches!(error.kind(), ReadErrorKind::TooLong) && !error.ends_input())
        );
        assert!(matches!(&items[2], Ok(event) if event.position.line == 3));
    }

    #[test]
    fn nesting_without_end_is_a_bad_line() {
        let line = [r#"{"a":"#.repeat(100_000).into_bytes(), b"\n{}\n".to_vec()].concat();
        assert_eq!(read(&line).len(), 2, "a reason, then the next event");
    }

    #[test]
    fn a_failing_input_is_said_once_and_ends_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let input = BufReader::new((&b"{}\n{"[..]).chain(Broken));
        let mut reader = Reader::new("in", input);
        assert!(matches!(reader.next(), Some(Ok(_))));
        let error = reader.next().and_then(Result::err);
        assert!(error.as_ref().is_some_and(ReadError::ends_input));
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some("in:2: cannot read on: gone"));
        assert!(reader.next().is_none());
        assert_eq!(reader.bad_lines(), 0, "the input failed, not a line");
    }

    proptest! {
        /// Whatever the bytes: no panic, and every line that is not blank is an event or a reason.
        #[test]
        fn any_bytes_can_be_read(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let expected = input.split(|byte| *byte == b'\n').enumerate()
                .filter(|(at, line)| !(if *at == 0 { line.strip_prefix(BOM).unwrap_or(line) } else { line }).trim_ascii().is_empty())
                .count();
            prop_assert_eq!(read(&input).len(), expected);
        }

        /// JSON-like bytes reach further in.
        #[test]
        fn json_like_bytes_can_be_read(input in r#"([{}\[\]",:\\\n0-9a-e\.\-+ ]|null|true|\\u[dD]8[0-9]{2}|1e999){0,60}"#) {
            let lines = input.as_bytes().lines().map_while(Result::ok).filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert_eq!(read(input.as_bytes()).len(), lines);
        }
    }
}
