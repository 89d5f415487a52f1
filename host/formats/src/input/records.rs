//! JSON that does not care about lines: arrays of objects, envelopes, and objects one after the other.
//!
//! Elements are given one at a time: memory is bounded by [`EVENT_BYTES_MAX`], however long the array. An element that is
//! no event is an error item with its place, and costs only itself ([how far a broken one goes](super::scan)). An object
//! that is longer than that limit and begins as an [envelope](super::envelope) is taken for one without waiting for its
//! end.
//!
//! Commas between elements are not insisted on: what would be gained by refusing events for one that is missing?

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use super::{
    EVENT_BYTES_MAX,
    error::{ReadError, ReadErrorKind, Unit},
    object::{Object, object},
    scan::{End, Scanner},
    shape::BOM,
};
use crate::event::{Event, Position};

/// The events of one input, in order.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: R,
    source: Arc<str>,
    buffer: Vec<u8>,
    /// Where in the buffer the next byte is that was not consumed.
    from: usize,
    /// That byte's line and offset.
    line: u64,
    offset: u64,
    around: Around,
    repaired: u64,
    ended: bool,
}

/// What the next value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Nothing.
    Input,
    /// An array, behind so many elements.
    Array(u64),
    /// The list of an envelope, behind so many elements.
    Envelope(u64),
}

/// What the input has next.
enum Next {
    Item(Result<Event, ReadError>),
    /// What surrounds events was read.
    Other,
    End,
}

/// How far a value goes.
enum Extent {
    /// So many bytes, which are in the buffer. They need not be JSON.
    Bytes(usize),
    /// It is an envelope, and its first element comes after so many bytes.
    Envelope(usize),
    /// It was longer than an event may be, and is consumed.
    TooLong,
}

impl<R: BufRead> Records<R> {
    /// Reads `input`, which messages call `source`.
    pub(crate) fn new(source: Arc<str>, input: R) -> Self {
        let (buffer, around) = (Vec::new(), Around::Input);
        Self { input, source, buffer, from: 0, line: 1, offset: 0, around, repaired: 0, ended: false }
    }

    /// How many records are events only because what is no Unicode in them became U+FFFD.
    pub(crate) fn repaired(&self) -> u64 {
        self.repaired
    }

    /// How many bytes were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.offset
    }

    /// What was read and not consumed.
    fn window(&self) -> &[u8] {
        self.buffer.get(self.from..).unwrap_or_default()
    }

    /// Reads some more. False at the end of the input.
    fn more(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.from.min(self.buffer.len()));
        self.from = 0;
        loop {
            match self.input.fill_buf() {
                Ok(chunk) => {
                    let read = chunk.len();
                    self.buffer.extend_from_slice(chunk);
                    self.input.consume(read);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        let lines = self.window().iter().take(bytes).filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(lines as u64);
        self.offset = self.offset.saturating_add(bytes as u64);
        self.from = self.from.saturating_add(bytes);
    }

    /// The first byte of the next value or the bracket that closes what is around; it is not consumed.
    fn significant(&mut self) -> io::Result<Option<u8>> {
        loop {
            if self.offset == 0 && self.window().len() < BOM.len() && BOM.starts_with(self.window()) && self.more()? {
                continue;
            }
            if self.offset == 0 && self.window().starts_with(BOM) {
                self.consume(BOM.len());
            }
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',');
            let blanks = self.window().iter().take_while(|byte| blank(byte)).count();
            self.consume(blanks);
            if let Some(byte) = self.window().first() {
                return Ok(Some(*byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads up to the end of the value that begins here.
    fn bracketed(&mut self) -> io::Result<Extent> {
        let mut scanner = Scanner::new();
        loop {
            let end = scanner.follow(self.buffer.get(self.from..).unwrap_or_default());
            let too_long = scanner.at() > EVENT_BYTES_MAX;
            let list = scanner.envelope().filter(|_| self.around == Around::Input);
            let all = end.is_none() && !too_long && !self.more()?;
            if end.is_none() && !too_long && !all {
                continue;
            }
            // An envelope that is broken or cut off gives the elements that it has.
            if let Some(list) = list {
                return Ok(Extent::Envelope(list));
            }
            if !too_long {
                return Ok(Extent::Bytes(scanner.at()));
            }
            self.skip(scanner, end)?;
            return Ok(Extent::TooLong);
        }
    }

    /// Consumes the rest of a value. False when the input ends before it.
    fn skip(&mut self, mut scanner: Scanner, mut end: Option<End>) -> io::Result<bool> {
        loop {
            end = end.or_else(|| scanner.follow(self.window()));
            let followed = scanner.at();
            self.consume(followed);
            scanner.forget(followed);
            if end.is_some() {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }

    /// Reads up to the end of something that begins with no bracket: in a list, the next comma or bracket; the end of
    /// the line in any case.
    fn other(&mut self) -> io::Result<Extent> {
        let (mut at, mut in_string, mut escaped) = (0_usize, false, false);
        let in_list = self.around != Around::Input;
        loop {
            while let Some(byte) = self.window().get(at).copied() {
                let ends = match byte {
                    b'\n' => true,
                    b',' | b']' | b'}' | b'{' => in_list && !in_string && at > 0,
                    _ => false,
                };
                if ends {
                    return Ok(self.limited(at));
                }
                in_string ^= byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                at = at.saturating_add(1);
            }
            // What is left of something too long is something of its own.
            if at > EVENT_BYTES_MAX || !self.more()? {
                return Ok(self.limited(at));
            }
        }
    }

    fn limited(&mut self, bytes: usize) -> Extent {
        if bytes <= EVENT_BYTES_MAX {
            return Extent::Bytes(bytes);
        }
        self.consume(bytes);
        Extent::TooLong
    }

    /// The list ends here.
    fn close(&mut self) -> io::Result<Next> {
        self.consume(1);
        let around = std::mem::replace(&mut self.around, Around::Input);
        if matches!(around, Around::Envelope(_)) && !self.skip(Scanner::behind_list(), None)? {
            return Ok(self.cut_off());
        }
        Ok(Next::Other)
    }

    fn read(&mut self) -> io::Result<Next> {
        let Some(byte) = self.significant()? else {
            let around = std::mem::replace(&mut self.around, Around::Input);
            return Ok(if around == Around::Input { Next::End } else { self.cut_off() });
        };
        match (byte, self.around) {
            (b'[', Around::Input) => {
                self.consume(1);
                self.around = Around::Array(0);
                return Ok(Next::Other);
            }
            (b']', Around::Array(_) | Around::Envelope(_)) => return self.close(),
            _ => {}
        }
        if let Around::Array(element) | Around::Envelope(element) = &mut self.around {
            *element = element.saturating_add(1);
        }
        let position = self.place();
        let extent = if matches!(byte, b'{' | b'[') { self.bracketed()? } else { self.other()? };
        let read = match extent {
            Extent::Envelope(list) => {
                self.consume(list);
                self.around = Around::Envelope(0);
                return Ok(Next::Other);
            }
            Extent::TooLong => Err(ReadErrorKind::TooLong),
            Extent::Bytes(bytes) => {
                let read = object(self.window().get(..bytes).unwrap_or_default());
                self.consume(bytes);
                read
            }
        };
        Ok(Next::Item(match read {
            Ok(Object::Sound(fields)) => Ok(Event { fields, position }),
            Ok(Object::Repaired(fields)) => {
                self.repaired = self.repaired.saturating_add(1);
                Ok(Event { fields, position })
            }
            Err(kind) => Err(ReadError::new(position, Unit::Record, kind)),
        }))
    }

    fn cut_off(&self) -> Next {
        let reason = "the input ends before its list of events does; it was cut off";
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, reason);
        Next::Item(Err(ReadError::new(self.place(), Unit::Record, ReadErrorKind::Io(error))))
    }

    /// Where the next value is.
    fn place(&self) -> Position {
        let record = match self.around {
            Around::Input => None,
            Around::Array(element) | Around::Envelope(element) => Some(element),
        };
        Position { source: Arc::clone(&self.source), line: self.line, record, offset: self.offset }
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.read() {
                Ok(Next::Item(item)) => return Some(item),
                Ok(Next::Other) => {}
                Ok(Next::End) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(ReadError::new(self.place(), Unit::Record, ReadErrorKind::Io(error))));
                }
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
