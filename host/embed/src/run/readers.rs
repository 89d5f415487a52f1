//! Reading inputs on threads of their own: a quiet input holds back nothing that was found already, and several files are
//! unpacked and parsed at once.
//!
//! Whatever the threads do, chunks come in the order of the inputs: each input has a [queue](super::queue), the queues are
//! emptied one after the other, and a thread takes the first input that none has taken. So the input that is waited for
//! is always being read. How far the others run ahead is bounded, in inputs and in bytes.

use std::{
    collections::VecDeque,
    io,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    folder::Planned,
    input::{self, Chunk},
    queue::{Outlet, Taken, queue},
};

/// How many threads read at most. There are no more than inputs, nor than processors.
const THREADS_MAX: usize = 8;

/// How much memory the events take that were read and wait, of all inputs together, in bytes. One chunk for each input
/// that is being read is there in any case.
const WAITING_BYTES_MAX: u64 = 48 << 20;

/// What was read, in order.
#[derive(Debug)]
pub(super) struct Readers {
    queues: Receiver<Outlet>,
    current: Option<Outlet>,
    threads: Vec<JoinHandle<()>>,
}

/// What no thread has taken yet, and where its queues go.
struct Untaken {
    planned: VecDeque<Planned>,
    queues: SyncSender<Outlet>,
}

impl Readers {
    /// Starts to read.
    pub(super) fn start(planned: Vec<Planned>) -> io::Result<Self> {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let count = planned.len().min(processors).clamp(1, THREADS_MAX);
        let (sender, queues) = sync_channel(count);
        // As many inputs wait in the channel; one is being emptied, and one may have no place yet.
        let weight_max = WAITING_BYTES_MAX / (count as u64).saturating_add(2);
        let untaken = Arc::new(Mutex::new(Untaken { planned: planned.into(), queues: sender }));
        let start = |_| {
            let untaken = Arc::clone(&untaken);
            thread::Builder::new().name("reader".into()).spawn(move || read(&untaken, weight_max))
        };
        let threads = (0..count).map(start).collect::<io::Result<_>>()?;
        Ok(Self { queues, current: None, threads })
    }

    /// The next chunk, if it comes in time.
    pub(super) fn next(&mut self, timeout: Duration) -> Result<Chunk, RecvTimeoutError> {
        let until = Instant::now().checked_add(timeout).unwrap_or_else(Instant::now);
        loop {
            let queue = match self.current.take() {
                Some(queue) => queue,
                None => self.queues.recv_timeout(until.saturating_duration_since(Instant::now()))?,
            };
            match queue.take(until) {
                Taken::End => {}
                Taken::Nothing => {
                    self.current = Some(queue);
                    return Err(RecvTimeoutError::Timeout);
                }
                Taken::Chunk(chunk) => {
                    self.current = Some(queue);
                    return Ok(chunk);
                }
            }
        }
    }

    /// After the last chunk: whether all threads came to their end.
    pub(super) fn join(self) -> thread::Result<()> {
        self.threads.into_iter().try_for_each(JoinHandle::join)
    }
}

/// Reads one input after the other until there are no more or nobody listens.
fn read(untaken: &Mutex<Untaken>, weight_max: u64) {
    loop {
        let (planned, inlet) = {
            // The lock is held while the queue waits for its place: queues must come in the order of their inputs.
            let mut untaken = untaken.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(planned) = untaken.planned.pop_front() else { return };
            let (inlet, outlet) = queue(weight_max);
            if untaken.queues.send(outlet).is_err() {
                return;
            }
            (planned, inlet)
        };
        if !input::read(planned, inlet) {
            return;
        }
    }
}
