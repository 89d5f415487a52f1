//! From an input's bytes to its events: unpack, decode, and read what is inside, layer by layer.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read, Seek},
    sync::Arc,
};

use encoding_rs::{UTF_16BE, UTF_16LE};

use super::{
    error::{ReadError, ReadErrorKind, Unit},
    peek::Peeked,
    records::Records,
    shape::{Decider, Shape},
    sniff::{Content, content},
    unpack::{Gzip, Zstd},
    utf16::Utf16,
};
use crate::{
    event::{Event, Position},
    evtx::{EVTX_HELD_BYTES_MAX, Log},
    ndjson::{self, RawLine},
};

/// How much is unpacked at once, in bytes.
const UNPACKED_BYTES: usize = 256 << 10;

/// How often an input may be packed: a file that was packed before it was uploaded to where all is packed.
const LAYERS_MAX: usize = 2;

/// A file that can be sought in.
pub trait Access: Read + Seek {}

impl<F: Read + Seek> Access for F {}

type Text<'a> = Box<dyn BufRead + 'a>;

/// The events of one input, in order, whatever it is.
pub struct Reader<'a> {
    events: Events<'a>,
}

enum Events<'a> {
    Lines(ndjson::Reader<Text<'a>>),
    Records(Records<Text<'a>>),
    Log(Box<Log<'a>>),
}

impl Reader<'_> {
    /// How many events are such only because what is no Unicode in them became U+FFFD.
    pub fn repaired(&self) -> u64 {
        match &self.events {
            Events::Lines(lines) => lines.repaired_lines(),
            Events::Records(records) => records.repaired(),
            Events::Log(_) => 0,
        }
    }

    /// How many bytes of JSON, unpacked and in UTF-8, were read so far: what events are made of.
    pub fn bytes(&self) -> u64 {
        match &self.events {
            Events::Lines(lines) => lines.bytes(),
            Events::Records(records) => records.bytes(),
            Events::Log(log) => log.bytes(),
        }
    }
}

/// What an input has next.
#[derive(Debug)]
pub enum Raw<'r> {
    /// A line of NDJSON, which nobody has looked into:
    /// [`Binder::push_line`](crate::binding::Binder::push_line) takes it.
    Line(RawLine<'r>),
    /// An event of an input that is no NDJSON.
    Event(Event),
}

impl Reader<'_> {
    /// What is next, with as little done to it as can be: for reading here and parsing elsewhere. Of lines only those
    /// are errors that are too long.
    pub fn next_raw(&mut self) -> Option<Result<Raw<'_>, ReadError>> {
        match &mut self.events {
            Events::Lines(lines) => lines.next_line().map(|line| line.map(Raw::Line)),
            Events::Records(records) => records.next().map(|event| event.map(Raw::Event)),
            Events::Log(log) => log.next().map(|event| event.map(Raw::Event)),
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.events {
            Events::Lines(lines) => lines.next(),
            Events::Records(records) => records.next(),
            Events::Log(log) => log.next(),
        }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.events {
            Events::Lines(_) => "Lines",
            Events::Records(_) => "Records",
            Events::Log(_) => "Log",
        };
        f.debug_struct("Reader").field("events", &name).finish_non_exhaustive()
    }
}

/// Reads as much of `input` as says what it is, and returns the reader of its events. Messages call it `source`.
///
/// `file` is the same input as a file that can be sought in, if it is one: an event log is read from that, for its chunks
/// need not be in order. Without it a log is held in memory up to [`EVTX_HELD_BYTES_MAX`].
///
/// ```
/// use sandtrap_formats::input::open;
///
/// let trail: &[u8] = br#"{"Records": [{"eventName": "ConsoleLogin"}, {"eventName": "StopLogging"}]}"#;
/// assert_eq!(open("trail.json", Box::new(trail), None)?.filter(Result::is_ok).count(), 2);
/// # Ok::<(), sandtrap_formats::input::ReadError>(())
/// ```
pub fn open<'a>(
    source: &str,
    input: Box<dyn BufRead + 'a>,
    file: Option<Box<dyn Access + 'a>>,
) -> Result<Reader<'a>, ReadError> {
    let source: Arc<str> = source.into();
    let events = layers(&source, input, file).map_err(|kind| ReadError::new(start(&source), Unit::Record, kind))?;
    Ok(Reader { events })
}

fn start(source: &Arc<str>) -> Position {
    Position { source: Arc::clone(source), line: 0, record: None, offset: 0 }
}

fn layers<'a>(
    source: &Arc<str>,
    input: Text<'a>,
    file: Option<Box<dyn Access + 'a>>,
) -> Result<Events<'a>, ReadErrorKind> {
    let (mut input, mut file) = (input, file);
    for _ in 0..=LAYERS_MAX {
        let mut peeked = Peeked::new(input);
        let found = peeked.look(content).map_err(ReadErrorKind::Io)?.unwrap_or(Content::Text);
        input = match found {
            Content::Gzip => Box::new(BufReader::with_capacity(UNPACKED_BYTES, Gzip::new(peeked))),
            Content::Zstd => Box::new(BufReader::with_capacity(UNPACKED_BYTES, Zstd::new(peeked))),
            Content::Evtx => {
                let (file, failed) = match file {
                    Some(file) => (file, None),
                    None => hold(peeked)?,
                };
                return Ok(Events::Log(Box::new(Log::open(Arc::clone(source), file, failed)?)));
            }
            Content::Utf16Le(mark) => {
                peeked.consume(mark);
                return Ok(text(source, Box::new(Utf16::new(peeked, UTF_16LE))));
            }
            Content::Utf16Be(mark) => {
                peeked.consume(mark);
                return Ok(text(source, Box::new(Utf16::new(peeked, UTF_16BE))));
            }
            Content::Text => return Ok(text(source, Box::new(peeked))),
            Content::Foreign(what) => return Err(ReadErrorKind::Refused(what)),
        };
        file = None;
    }
    Err(ReadErrorKind::Refused("it is packed more than twice; unpack it"))
}

fn text<'a>(source: &Arc<str>, input: Text<'a>) -> Events<'a> {
    let mut peeked = Peeked::new(input);
    let mut decider = Decider::new();
    let shape = peeked.look(|head, ended| decider.decide(head, ended));
    // An input that fails within its first line is one line, and its reader says so.
    let shape = shape.unwrap_or(None).unwrap_or(Shape::Lines);
    let (source, peeked) = (Arc::clone(source), Box::new(peeked));
    match shape {
        Shape::Lines => Events::Lines(ndjson::Reader::new(source, peeked)),
        Shape::Records => Events::Records(Records::new(source, peeked)),
    }
}

/// Takes a log that cannot be sought in into memory. If the input fails, what came before is there all the same.
fn hold<'a>(input: impl Read) -> Result<(Box<dyn Access + 'a>, Option<io::Error>), ReadErrorKind> {
    let mut bytes = Vec::new();
    let failed = input.take(EVTX_HELD_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).err();
    if bytes.len() as u64 > EVTX_HELD_BYTES_MAX {
        return Err(ReadErrorKind::Refused(
            "an event log that is packed or piped in is held in memory, and this one is longer than 256 MiB; \
             unpack it into a file and give that",
        ));
    }
    Ok((Box::new(Cursor::new(bytes)), failed))
}
