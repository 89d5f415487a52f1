//! Inputs, and reading one of them into chunks.
//!
//! A chunk leaves when it is full, and when its reader is about to wait for more input: chunks are large where input is
//! plenty and prompt where it trickles.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};

use sandtrap_formats::{
    event::Event,
    input::{Access, Raw, ReadError, open},
    ndjson::RawLine,
};

use super::{
    folder::{self, Planned},
    queue::Inlet,
};

/// How many events a chunk has at most.
const CHUNK_EVENTS_MAX: usize = 1024;

/// How much a chunk's events weigh at most, but for the last of them.
const CHUNK_WEIGHT_MAX: u64 = 10 << 20;

/// How many bytes of memory a byte of JSON can become: a value takes 72 bytes, and a list of digits has one for every two
/// bytes.
const TREE_BYTES_PER_BYTE: u64 = 40;

/// How many bytes of memory a byte of a line takes that is not parsed yet: its own, and room to grow.
const LINE_BYTES_PER_BYTE: u64 = 2;

/// What an event weighs besides, in bytes.
const EVENT_BYTES: u64 = 256;

/// How much is read from an input at once, in bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Where events are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input; its name is `-`.
    Stdin,
    /// A file, or a folder: all event files below it.
    File(PathBuf),
}

impl Input {
    /// What messages and verdicts call it.
    pub fn name(&self) -> Arc<str> {
        match self {
            Self::Stdin => "-".into(),
            Self::File(path) => path.to_string_lossy().into(),
        }
    }

    /// How many bytes it has, if that is known beforehand; of a folder, the files that are read. Packed files count as
    /// they are.
    pub fn bytes(&self) -> Option<u64> {
        let length = |path: &PathBuf| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
        match self {
            Self::Stdin => None,
            Self::File(path) if path.is_dir() => {
                let (planned, _) = folder::plan(vec![self.clone()]);
                let lengths = planned.iter().map(|planned| match planned {
                    Planned::Read(Self::File(path)) => length(path),
                    Planned::Read(Self::Stdin) | Planned::Failed(..) => None,
                });
                Some(lengths.flatten().fold(0, u64::saturating_add))
            }
            Self::File(path) => length(path),
        }
    }

    /// The input, and the same as a file that can be sought in, if it is one.
    fn open(&self) -> io::Result<(Box<dyn Read>, Option<File>)> {
        match self {
            Self::Stdin => Ok((Box::new(io::stdin()), None)),
            Self::File(path) => {
                let file = File::open(path)?;
                let seekable = if file.metadata()?.is_file() { Some(file.try_clone()?) } else { None };
                Ok((Box::new(file), seekable))
            }
        }
    }
}

/// What an input gave, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// A line of NDJSON, which is not parsed yet.
    Line(Line),
    Event(Box<Event>),
    Bad(Box<ReadError>),
    /// The input of this name cannot be opened.
    Unopened(Arc<str>, io::Error),
}

/// A line of NDJSON in a chunk.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it lies in the chunk's text.
    pub(super) text: Range<usize>,
    /// Its number, from 1.
    pub(super) number: u64,
    /// Where in the input it begins, in bytes.
    pub(super) offset: u64,
}

/// Some of what an input gave.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// What the input is called. Once for all lines: to count its users for each would be dear between processors.
    pub(super) source: Arc<str>,
    pub(super) items: Vec<Item>,
    pub(super) text: Vec<u8>,
    /// How many bytes were read for them.
    pub(super) bytes: u64,
    /// How many of the events are of repaired lines.
    pub(super) repaired: u64,
    /// How much memory the events take at most, in bytes.
    pub(super) weight: u64,
}

/// Reads an input to its end. Whether somebody still listens.
pub(super) fn read(planned: Planned, inlet: Inlet) -> bool {
    let unopened = |name, error| Chunk { items: vec![Item::Unopened(name, error)], ..Chunk::default() };
    let input = match planned {
        Planned::Read(input) => input,
        Planned::Failed(name, error) => return inlet.put(unopened(name, error)),
    };
    let (opened, seekable) = match input.open() {
        Ok(opened) => opened,
        Err(error) => return inlet.put(unopened(input.name(), error)),
    };
    let uncounted = input.bytes().unwrap_or(u64::MAX);
    let chunk = Chunk { source: input.name(), ..Chunk::default() };
    let outgoing = Rc::new(RefCell::new(Outgoing { chunk, uncounted, inlet, heard: true }));
    let prompt = Prompt { input: BufReader::with_capacity(BUFFER_BYTES, opened), outgoing: Rc::clone(&outgoing) };
    let seekable = seekable.map(|file| Box::new(Counted { file, outgoing: Rc::clone(&outgoing) }) as Box<dyn Access>);
    match open(&input.name(), Box::new(prompt), seekable) {
        Ok(mut reader) => {
            let (mut bytes, mut repaired) = (0, 0);
            while let Some(item) = reader.next_raw() {
                let mut outgoing = outgoing.borrow_mut();
                let chunk = &mut outgoing.chunk;
                let per_byte = match &item {
                    Ok(Raw::Line(_)) => LINE_BYTES_PER_BYTE,
                    Ok(Raw::Event(_)) | Err(_) => TREE_BYTES_PER_BYTE,
                };
                match item {
                    Ok(Raw::Line(RawLine { text, line: number, offset })) => {
                        let start = chunk.text.len();
                        chunk.text.extend_from_slice(text);
                        chunk.items.push(Item::Line(Line { text: start..chunk.text.len(), number, offset }));
                    }
                    Ok(Raw::Event(event)) => chunk.items.push(Item::Event(event.into())),
                    Err(error) => chunk.items.push(Item::Bad(error.into())),
                }
                let weight = reader.bytes().saturating_sub(bytes).saturating_mul(per_byte);
                chunk.weight = chunk.weight.saturating_add(weight).saturating_add(EVENT_BYTES);
                chunk.repaired = chunk.repaired.saturating_add(reader.repaired().saturating_sub(repaired));
                (bytes, repaired) = (reader.bytes(), reader.repaired());
                if chunk.items.len() >= CHUNK_EVENTS_MAX || chunk.weight >= CHUNK_WEIGHT_MAX {
                    outgoing.send();
                }
                if !outgoing.heard {
                    return false;
                }
            }
        }
        Err(error) => outgoing.borrow_mut().chunk.items.push(Item::Bad(error.into())),
    }
    let mut outgoing = outgoing.borrow_mut();
    outgoing.send();
    outgoing.heard
}

/// The chunk that is being filled.
struct Outgoing {
    chunk: Chunk,
    /// How many bytes of the input were not counted yet: what is read twice counts once.
    uncounted: u64,
    inlet: Inlet,
    heard: bool,
}

impl Outgoing {
    fn send(&mut self) {
        if !self.chunk.items.is_empty() || self.chunk.bytes > 0 {
            // The next is likely to be as large.
            let Chunk { source, items, text, .. } = &self.chunk;
            let next = Chunk {
                source: Arc::clone(source),
                items: Vec::with_capacity(items.len()),
                text: Vec::with_capacity(text.len()),
                ..Chunk::default()
            };
            self.heard = self.heard && self.inlet.put(std::mem::replace(&mut self.chunk, next));
        }
    }

    fn count(&mut self, bytes: usize) {
        let bytes = self.uncounted.min(bytes as u64);
        self.uncounted = self.uncounted.saturating_sub(bytes);
        self.chunk.bytes = self.chunk.bytes.saturating_add(bytes);
    }
}

/// An input that sends off what was read so far before it waits for more.
struct Prompt<R> {
    input: BufReader<R>,
    outgoing: Rc<RefCell<Outgoing>>,
}

impl<R: Read> Read for Prompt<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Prompt<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.input.buffer().is_empty() {
            self.outgoing.borrow_mut().send();
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.outgoing.borrow_mut().count(bytes);
    }
}

/// A file whose reading is counted.
struct Counted {
    file: File,
    outgoing: Rc<RefCell<Outgoing>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.outgoing.borrow_mut().count(read);
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
