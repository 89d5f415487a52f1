//! Windows event logs (EVTX): one record, one event.
//!
//! The event is the record's XML as the `evtx` crate writes it in JSON: `{"Event": {"System": {...}, "EventData": {...}}}`,
//! the form that `evtx_dump` made common. docs/inputs.md says what becomes of attributes, unnamed and repeated `Data`.
//!
//! Chunks are read in the order of their records, as Windows reads a log that has wrapped around; in memory are one
//! chunk of 64 KiB and what its records are in JSON, which the crate bounds at 64 MiB. A record or chunk that is damaged
//! is an error item, and the next one is read. A log that was cut off gives what it has, and then says so.

use std::{
    collections::VecDeque,
    error::Error,
    io::{self, Read as _, Seek as _, SeekFrom},
    sync::Arc,
};

use evtx::{EvtxChunkData, EvtxParser, EvtxRecord, IntoIterChunks, ParserSettings, err::EvtxError};

use crate::{
    event::{Event, Position},
    input::{
        Access, EVENT_BYTES_MAX, ReadError, ReadErrorKind,
        error::Unit,
        object::{Object, object},
    },
};

/// How much of a log is held in memory when it cannot be sought in: piped in, or packed.
pub const EVTX_HELD_BYTES_MAX: u64 = 256 << 20;

/// The header of a file, in bytes.
const HEADER_BYTES: u64 = 4 << 10;

/// A chunk, in bytes.
const CHUNK_BYTES: u64 = 64 << 10;

/// The header of a record, and the copy of its size at its end, in bytes.
const RECORD_HEADER_BYTES: u64 = 24;
const RECORD_END_BYTES: u64 = 4;

/// The events of one log.
pub(crate) struct Log<'a> {
    source: Arc<str>,
    settings: Arc<ParserSettings>,
    chunks: IntoIterChunks<Box<dyn Access + 'a>>,
    /// What was read of the current chunk and not given yet.
    pending: VecDeque<Pending>,
    /// The rest of a log that was cut off: part of a chunk.
    rest: Option<Rest>,
    /// Why the log ends early.
    failed: Option<io::Error>,
    /// How many bytes of JSON were given.
    bytes: u64,
    ended: bool,
}

/// A record, or why there is none.
struct Pending {
    record: Option<u64>,
    offset: u64,
    json: Result<Vec<u8>, ReadErrorKind>,
}

/// A chunk of which the end is missing.
struct Rest {
    number: u64,
    /// What is there of it.
    bytes: Vec<u8>,
}

impl<'a> Log<'a> {
    /// Reads a log's header. `failed`: why the file ends early, if that is known.
    pub(crate) fn open(
        source: Arc<str>,
        mut file: Box<dyn Access + 'a>,
        failed: Option<io::Error>,
    ) -> Result<Self, ReadErrorKind> {
        let bytes = file.seek(SeekFrom::End(0)).map_err(ReadErrorKind::Io)?;
        let whole = bytes.saturating_sub(HEADER_BYTES) / CHUNK_BYTES;
        let rest = rest(&mut file, bytes, whole).map_err(ReadErrorKind::Io)?;
        file.seek(SeekFrom::Start(0)).map_err(ReadErrorKind::Io)?;
        let parser = EvtxParser::from_read_seek(file).map_err(|error| {
            ReadErrorKind::Io(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it is no event log: {}", chain(&error)),
            ))
        })?;
        let named = u64::from(parser.header().chunk_count);
        let failed = failed.or_else(|| match &rest {
            Some(rest) => Some(cut_off(&format!("in chunk {}", rest.number))),
            None => (named > whole).then(|| cut_off(&format!("after {whole} of {named} chunks"))),
        });
        let settings = Arc::new(ParserSettings::new().indent(false));
        let chunks = parser.into_chunks();
        Ok(Self { source, settings, chunks, pending: VecDeque::new(), rest, failed, bytes: 0, ended: false })
    }

    /// How many bytes of JSON the events were.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn place(&self, record: Option<u64>, offset: u64) -> Position {
        Position { source: Arc::clone(&self.source), line: 0, record, offset }
    }

    /// Reads the records of a chunk, of which only the first `there` bytes exist.
    fn take(&mut self, mut data: EvtxChunkData, there: u64) {
        let number = data.number.unwrap_or_default();
        let start = chunk_offset(number);
        let mut chunk = match data.parse(Arc::clone(&self.settings)) {
            Ok(chunk) => chunk,
            Err(error) => return self.damaged_chunk(number, &chain(&error)),
        };
        for record in chunk.iter() {
            let pending = match record {
                Ok(record) => {
                    let end = record.binxml_offset.saturating_add(u64::from(record.binxml_size));
                    if end.saturating_add(RECORD_END_BYTES) > there {
                        break;
                    }
                    render(start, record)
                }
                Err(_) if there < CHUNK_BYTES => break,
                Err(error) => damaged(start, &error),
            };
            self.pending.push_back(pending);
        }
    }

    fn damaged_chunk(&mut self, number: u64, reason: &str) {
        let what = format!("chunk {number} is damaged, and its records were skipped: {reason}");
        let json = Err(ReadErrorKind::Damaged(what));
        self.pending.push_back(Pending { record: None, offset: chunk_offset(number), json });
    }

    /// Reads on. False at the end.
    fn more(&mut self) -> bool {
        match self.chunks.next() {
            Some(Ok(data)) => self.take(data, CHUNK_BYTES),
            Some(Err(EvtxError::FailedToParseChunk { chunk_id, source })) => {
                self.damaged_chunk(chunk_id, &chain(&*source));
            }
            Some(Err(error)) => {
                let json = Err(ReadErrorKind::Damaged(format!("a chunk cannot be read: {}", chain(&error))));
                self.pending.push_back(Pending { record: None, offset: 0, json });
            }
            None => {
                let Some(mut rest) = self.rest.take() else { return false };
                let there = rest.bytes.len() as u64;
                // Records are placed by their offset in a whole chunk; those that are not all there are not taken.
                rest.bytes.resize(usize::try_from(CHUNK_BYTES).unwrap_or(usize::MAX), 0);
                if let Ok(mut data) = EvtxChunkData::new(rest.bytes, false) {
                    data.number = Some(rest.number);
                    self.take(data, there);
                }
            }
        }
        true
    }
}

/// What is there of the chunk behind the last whole one, if it is more than zeros.
fn rest(file: &mut impl Access, bytes: u64, whole: u64) -> io::Result<Option<Rest>> {
    let start = chunk_offset(whole);
    if bytes <= start {
        return Ok(None);
    }
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(CHUNK_BYTES).read_to_end(&mut rest)?;
    Ok(rest.iter().any(|byte| *byte != 0).then_some(Rest { number: whole, bytes: rest }))
}

fn chunk_offset(number: u64) -> u64 {
    number.saturating_mul(CHUNK_BYTES).saturating_add(HEADER_BYTES)
}

fn cut_off(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the log is cut off {place}"))
}

fn render(start: u64, record: EvtxRecord<'_>) -> Pending {
    let id = record.event_record_id;
    let offset = start.saturating_add(record.binxml_offset).saturating_sub(RECORD_HEADER_BYTES);
    let json = match record.into_json_bytes() {
        Ok(rendered) if rendered.data.len() > EVENT_BYTES_MAX => Err(ReadErrorKind::TooLong),
        Ok(rendered) => Ok(rendered.data),
        Err(error) => Err(skipped(&error)),
    };
    Pending { record: Some(id), offset, json }
}

/// What is said of a record that cannot be read; the crate's errors name it in different ways.
fn damaged(start: u64, error: &EvtxError) -> Pending {
    let (record, offset) = match error {
        EvtxError::FailedToParseRecord { record_id, .. } => (Some(*record_id), start),
        EvtxError::FailedToReadRecordAt { offset, source, .. } => {
            let id = match &**source {
                EvtxError::FailedToParseRecord { record_id, .. } => Some(*record_id),
                _ => None,
            };
            (id, start.saturating_add(*offset))
        }
        _ => (None, start),
    };
    Pending { record, offset, json: Err(skipped(error)) }
}

fn skipped(error: &EvtxError) -> ReadErrorKind {
    ReadErrorKind::Damaged(format!("the record is damaged, and was skipped: {}", chain(error)))
}

/// An error and what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl Iterator for Log<'_> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(Pending { record, offset, json }) = self.pending.pop_front() {
                let position = self.place(record, offset);
                self.bytes = self.bytes.saturating_add(json.as_ref().map_or(0, |json| json.len() as u64));
                // Half a surrogate pair is U+FFFD already.
                return Some(match json.and_then(|json| object(&json)) {
                    Ok(Object::Sound(fields) | Object::Repaired(fields)) => Ok(Event { fields, position }),
                    Err(kind) => Err(ReadError::new(position, Unit::Record, kind)),
                });
            }
            if self.ended {
                return None;
            }
            if !self.more() {
                self.ended = true;
                let failed = self.failed.take()?;
                return Some(Err(ReadError::new(self.place(None, 0), Unit::Record, ReadErrorKind::Io(failed))));
            }
        }
    }
}
