//! The workers of a run, on threads of their own: each takes what was read and waits, evaluates it, and hands on what
//! came of it. Whoever listens gets that in the order of the events.
//!
//! A worker takes everything that waits, up to a round: single events where they trickle, many where input is plenty. So
//! nothing is held back to fill a round, and a worker that falls behind gets more done with each call.

use std::{
    collections::BTreeMap,
    io,
    num::NonZeroUsize,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, Scope, ScopedJoinHandle},
    time::Duration,
};

use sandtrap_formats::event::Position;

use super::{
    BadLines, ROUND_EVENTS,
    input::{Chunk, Item, Line},
    readers::Readers,
};
use crate::evaluator::{Outcome, Shared, Succession, Worker};

/// The stack of a worker's thread, in bytes: a component's calls run on it, and whoever embeds us may have less.
const STACK_BYTES: usize = 4 << 20;

/// How often a worker that waits, for input or for those behind which it is ahead, looks whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(100);

/// How much the events that a worker takes at once weigh, in bytes, but for the last chunk of them.
const TAKE_WEIGHT_MAX: u64 = 16 << 20;

/// How many results may wait for each worker until somebody takes them.
const WAITING_PER_WORKER: usize = 2;

/// How many takings may be at work or wait for their turn, for each worker: what comes after a slow one is kept meanwhile.
const AHEAD_PER_WORKER: u64 = 4;

/// Where workers take their events.
#[derive(Debug)]
pub(super) struct Source<'s> {
    waiting: Mutex<Waiting>,
    stop: &'s AtomicBool,
    stopped: AtomicBool,
    succession: Arc<Succession>,
    handed_on: HandedOn,
    /// How many takings there may be of which nobody has what came of them.
    ahead_max: u64,
}

/// Of how many takings somebody has what came of them.
#[derive(Debug, Default)]
struct HandedOn {
    takings: Mutex<u64>,
    changed: Condvar,
}

impl HandedOn {
    fn set(&self, takings: u64) {
        *self.takings.lock().unwrap_or_else(PoisonError::into_inner) = takings;
        self.changed.notify_all();
    }

    /// Waits, but not for long, until there are more than so many. Whether there are.
    fn wait_for_more_than(&self, takings: u64) -> bool {
        let handed_on = self.takings.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(handed_on, LOOK_UP, |handed_on| *handed_on <= takings);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > takings
    }
}

#[derive(Debug)]
struct Waiting {
    readers: Readers,
    ended: bool,
    /// How often something was taken.
    taken: u64,
}

/// What a worker takes at once.
#[derive(Debug)]
struct Taking {
    number: u64,
    chunks: Vec<Chunk>,
    /// What evaluates it.
    set: Arc<Shared>,
}

/// What came of what a worker took.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// How many bytes were read.
    pub(super) bytes: u64,
    /// Inputs that cannot be opened.
    pub(super) unopened: Vec<(Arc<str>, io::Error)>,
    /// Whether a bad line ends the run here.
    pub(super) stopped: bool,
}

impl<'s> Source<'s> {
    /// For so many workers.
    pub(super) fn new(
        readers: Readers,
        workers: NonZeroUsize,
        succession: Arc<Succession>,
        stop: &'s AtomicBool,
    ) -> Self {
        let waiting = Mutex::new(Waiting { readers, ended: false, taken: 0 });
        let ahead_max = AHEAD_PER_WORKER.saturating_mul(workers.get() as u64);
        let (stopped, handed_on) = (AtomicBool::new(false), HandedOn::default());
        Self { waiting, stop, stopped, succession, handed_on, ahead_max }
    }

    /// Nothing more is to be taken.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// The readers, if everything was taken that they had.
    pub(super) fn into_ended(self) -> Option<Readers> {
        let waiting = self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
        waiting.ended.then_some(waiting.readers)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.stop.load(Ordering::Relaxed)
    }

    /// What waits, at most about a round; waits for the first of it. `None` at the end.
    fn take(&self) -> Option<Taking> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has what is handed on next is not here.
        while waiting.taken.checked_sub(self.ahead_max).is_some_and(|taken| !self.handed_on.wait_for_more_than(taken)) {
            if self.is_stopped() {
                return None;
            }
        }
        let mut chunks: Vec<Chunk> = Vec::new();
        let (mut events, mut weight) = (0_usize, 0_u64);
        while !waiting.ended && events < ROUND_EVENTS.get() && weight < TAKE_WEIGHT_MAX {
            if self.is_stopped() {
                break;
            }
            match waiting.readers.next(if chunks.is_empty() { LOOK_UP } else { Duration::ZERO }) {
                Ok(chunk) => {
                    events = events.saturating_add(chunk.items.len());
                    weight = weight.saturating_add(chunk.weight);
                    chunks.push(chunk);
                }
                Err(RecvTimeoutError::Timeout) if chunks.is_empty() => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => waiting.ended = true,
            }
        }
        let number = waiting.taken;
        waiting.taken = number.saturating_add(1);
        // Takings have their numbers in the order of the sets that evaluate them, for nobody else takes meanwhile.
        (!chunks.is_empty()).then(|| Taking { number, chunks, set: self.succession.in_force() })
    }
}

/// The workers of a run.
#[derive(Debug)]
pub(super) struct Crew<'scope> {
    results: Receiver<(u64, Done)>,
    /// What came before its turn.
    early: BTreeMap<u64, Done>,
    next: u64,
    handed_on: &'scope HandedOn,
    threads: Vec<ScopedJoinHandle<'scope, Worker>>,
}

impl<'scope> Crew<'scope> {
    /// Sets the workers to work.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        workers: Vec<Worker>,
        source: &'scope Source<'_>,
        bad_lines: BadLines,
    ) -> io::Result<Self> {
        let (sender, results) = sync_channel(workers.len().saturating_mul(WAITING_PER_WORKER));
        let start = |worker| {
            let sender = sender.clone();
            let builder = thread::Builder::new().name("worker".into()).stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, move || work(worker, source, bad_lines, &sender))
        };
        let threads = workers.into_iter().map(start).collect::<io::Result<_>>();
        let threads = threads.inspect_err(|_| source.stop())?;
        Ok(Self { results, early: BTreeMap::new(), next: 0, handed_on: &source.handed_on, threads })
    }

    /// What came of the events that are next, if it comes in time.
    pub(super) fn next(&mut self, timeout: Duration) -> Result<Done, RecvTimeoutError> {
        loop {
            if let Some(done) = self.early.remove(&self.next) {
                self.next = self.next.saturating_add(1);
                self.handed_on.set(self.next);
                return Ok(done);
            }
            let (number, done) = self.results.recv_timeout(timeout)?;
            self.early.insert(number, done);
        }
    }

    /// The workers, when all of them came to their end.
    pub(super) fn join(self) -> thread::Result<Vec<Worker>> {
        let Self { results, threads, .. } = self;
        // A worker that waits for somebody to take a result learns that nobody will.
        drop(results);
        threads.into_iter().map(ScopedJoinHandle::join).collect()
    }
}

/// Stops the others when a worker panics: they would wait for what it took.
struct Alarm<'s>(&'s Source<'s>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

fn work(mut worker: Worker, source: &Source<'_>, bad_lines: BadLines, results: &SyncSender<(u64, Done)>) -> Worker {
    let _alarm = Alarm(source);
    while let Some(Taking { number, chunks, set }) = source.take() {
        worker.go_on_with(&set);
        drop(set);
        let done = evaluate(&mut worker, chunks, bad_lines);
        let stopped = done.stopped;
        if results.send((number, done)).is_err() || stopped {
            source.stop();
            break;
        }
    }
    worker
}

fn evaluate(worker: &mut Worker, chunks: Vec<Chunk>, bad_lines: BadLines) -> Done {
    let mut done = Done::default();
    'chunks: for chunk in chunks {
        done.bytes = done.bytes.saturating_add(chunk.bytes);
        done.outcome.repaired = done.outcome.repaired.saturating_add(chunk.repaired);
        let mut position = Position { source: chunk.source, line: 0, record: None, offset: 0 };
        for item in chunk.items {
            match item {
                Item::Line(Line { text, number, offset }) => {
                    (position.line, position.offset) = (number, offset);
                    worker.push_line(chunk.text.get(text).unwrap_or_default(), &position, bad_lines);
                }
                Item::Event(event) => worker.push(*event),
                Item::Bad(error) => worker.push_bad(*error),
                Item::Unopened(input, error) => done.unopened.push((input, error)),
            }
            if bad_lines == BadLines::Stop && worker.bad_lines().iter().any(|error| !error.ends_input()) {
                done.stopped = true;
                break 'chunks;
            }
        }
    }
    done.outcome.append(worker.evaluate());
    done
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{super::input::Input, *};
    use crate::{
        LookbackMode,
        evaluator::{Evaluator, Options, Pruning, Reporting},
        run::folder,
    };

    /// The number of each taking comes out where somebody listens.
    fn take_all(source: &Source<'_>, taken: &SyncSender<u64>) {
        while let Some(Taking { number, .. }) = source.take() {
            taken.send(number).expect("somebody listens");
        }
    }

    #[test]
    fn a_slow_worker_keeps_the_others_from_running_ahead_without_end() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let ahead_max = AHEAD_PER_WORKER;
        let rounds = usize::try_from(ahead_max).expect("few") + 2;
        file.write_all("{}\n".repeat(rounds * ROUND_EVENTS.get()).as_bytes()).expect("room");
        let (planned, _) = folder::plan(vec![Input::File(file.path().to_owned())]);
        let stop = AtomicBool::new(false);
        let options =
            Options { now: 0, lookback: LookbackMode::All, reporting: Reporting::AsTheyCome, pruning: Pruning::Index };
        let evaluator = Evaluator::new(&[], options).expect("no rule");
        let source = Source::new(
            Readers::start(planned).expect("threads"),
            NonZeroUsize::MIN,
            Arc::clone(evaluator.succession()),
            &stop,
        );
        let (sender, taken) = sync_channel(1 << 16);
        thread::scope(|scope| {
            scope.spawn(|| take_all(&source, &sender));
            let ahead: Vec<u64> = (0..ahead_max).map(|_| taken.recv().expect("there is more")).collect();
            assert_eq!(ahead, (0..ahead_max).collect::<Vec<_>>());
            assert!(taken.recv_timeout(Duration::from_millis(100)).is_err(), "nothing was handed on");
            source.handed_on.set(1);
            assert_eq!(taken.recv(), Ok(ahead_max), "one more may be taken");
            source.stop();
        });
    }
}
