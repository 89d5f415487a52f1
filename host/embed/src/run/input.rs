//! Reading inputs on a thread of its own, so that a quiet input holds back nothing that was found already.
//!
//! Events travel in chunks. A chunk leaves when it is full, and when the reader is about to wait for more input: chunks
//! are large where input is plenty and prompt where it trickles. What waits in the channel is bounded by
//! [`CHUNKS_MAX`] and the size of a chunk.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use sandtrap_formats::{
    event::Event,
    ndjson::{ReadError, Reader},
};

/// How many events a chunk has at most.
const CHUNK_EVENTS_MAX: usize = 256;

/// How many chunks wait for the evaluator.
const CHUNKS_MAX: usize = 16;

/// How much is read from an input at once, in bytes. A chunk holds no more than this and one line.
const BUFFER_BYTES: usize = 256 << 10;

/// Where events are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input; its name is `-`.
    Stdin,
    /// A file.
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

    /// How many bytes it has, if that is known beforehand.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len()),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) if path.is_dir() => Err(io::Error::other("it is a folder; name its files")),
            Self::File(path) => Ok(Box::new(File::open(path)?)),
        }
    }
}

/// What an input gave, in order.
#[derive(Debug)]
pub(super) enum Item {
    Event(Event),
    Bad(ReadError),
    /// The input of this name cannot be opened.
    Unopened(Arc<str>, io::Error),
}

/// Some of what the inputs gave.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) items: Vec<Item>,
    /// How many bytes were read for them.
    pub(super) bytes: u64,
    /// How many of the events are of repaired lines.
    pub(super) repaired: u64,
}

/// Reads the inputs one after the other until they end or nobody listens.
pub(super) fn read(inputs: Vec<Input>) -> io::Result<(Receiver<Chunk>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(CHUNKS_MAX);
    let reader = thread::Builder::new().name("reader".into()).spawn(move || {
        for input in inputs {
            if !read_one(&input, &sender) {
                return;
            }
        }
    })?;
    Ok((receiver, reader))
}

/// Whether somebody still listens.
fn read_one(input: &Input, sender: &SyncSender<Chunk>) -> bool {
    let name = input.name();
    let opened = match input.open() {
        Ok(opened) => opened,
        Err(error) => {
            return sender.send(Chunk { items: vec![Item::Unopened(name, error)], ..Chunk::default() }).is_ok();
        }
    };
    let outgoing = Rc::new(RefCell::new(Outgoing { chunk: Chunk::default(), sender: sender.clone(), heard: true }));
    let prompt = Prompt { input: BufReader::with_capacity(BUFFER_BYTES, opened), outgoing: Rc::clone(&outgoing) };
    let mut reader = Reader::new(name, prompt);
    let (mut bytes, mut repaired) = (0, 0);
    while let Some(item) = reader.next() {
        let mut outgoing = outgoing.borrow_mut();
        outgoing.chunk.items.push(item.map_or_else(Item::Bad, Item::Event));
        outgoing.chunk.bytes = outgoing.chunk.bytes.saturating_add(reader.bytes().saturating_sub(bytes));
        outgoing.chunk.repaired =
            outgoing.chunk.repaired.saturating_add(reader.repaired_lines().saturating_sub(repaired));
        (bytes, repaired) = (reader.bytes(), reader.repaired_lines());
        if outgoing.chunk.items.len() >= CHUNK_EVENTS_MAX {
            outgoing.send();
        }
        if !outgoing.heard {
            return false;
        }
    }
    let mut outgoing = outgoing.borrow_mut();
    outgoing.send();
    outgoing.heard
}

/// The chunk that is being filled.
struct Outgoing {
    chunk: Chunk,
    sender: SyncSender<Chunk>,
    heard: bool,
}

impl Outgoing {
    fn send(&mut self) {
        if !self.chunk.items.is_empty() {
            self.heard &= self.sender.send(std::mem::take(&mut self.chunk)).is_ok();
        }
    }
}

/// An input that sends off what was read so far before it waits for more.
struct Prompt<R> {
    input: BufReader<R>,
    outgoing: Rc<RefCell<Outgoing>>,
}

impl<R: Read> Read for Prompt<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
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
    }
}
