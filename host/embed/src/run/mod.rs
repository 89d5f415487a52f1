//! A whole run: inputs are read, routed, bound, evaluated, and what comes of it goes to a [`Sink`].
//!
//! A bad line costs itself unless the run is strict, an input that cannot be read costs itself, and a failing sink ends
//! the run. The verdicts of a run are the same however its input trickles in; only how soon they come differs, and
//! which interim reports of groups there are.

mod folder;
mod input;
mod queue;
mod readers;

use std::{
    fmt, io,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::{Duration, Instant},
};

use sandtrap_formats::{
    binding::{Binder, Fill},
    input::ReadError,
    streams::StreamMap,
    verdict::Verdict,
};

use crate::evaluator::{Answer, Evaluated, Evaluator, Reporting, Unevaluated};
use folder::Planned;
pub use folder::{EXTENSIONS, SkipReason, Skipped};
pub use input::Input;
use input::{Chunk, Item};
use readers::Readers;

/// How many events a round has at most: enough that a call of a component costs little for each, few enough that the
/// columns stay in a cache.
pub const ROUND_EVENTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

/// How long an event waits for its round to fill.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes what comes of a run.
pub trait Sink {
    /// A verdict, in order.
    fn verdict(&mut self, verdict: &Verdict) -> io::Result<()>;

    /// The table of a detection at the end, when the run [reports tables](Reporting::Tables).
    fn answer(&mut self, answer: &Answer) -> io::Result<()>;

    /// Verdicts so far can be handed on: the input pauses.
    fn flush(&mut self) -> io::Result<()>;

    /// A detection could not be asked.
    fn unevaluated(&mut self, unevaluated: &Unevaluated);

    /// A line or record that is no event, or an input that cannot be read to its end.
    fn bad_line(&mut self, error: &ReadError);

    /// An input that cannot be opened.
    fn unopened(&mut self, input: &str, error: &io::Error);

    /// So many more bytes were read.
    fn progress(&mut self, bytes: u64);
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// What a line that is no event means.
    pub bad_lines: BadLines,
    /// How often groups that changed are reported; `None`: not before the end.
    pub interval: Option<Duration>,
    /// Whether verdicts are given as they come; the same as the evaluator's.
    pub reporting: Reporting,
}

/// What a line that is no event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLines {
    /// It is reported and skipped.
    Skip,
    /// It ends the run.
    Stop,
}

/// What a run read.
#[derive(Debug)]
pub struct RunSummary {
    /// What the binder counted.
    pub binder: Binder,
    /// How many lines and records were no event.
    pub bad_lines: u64,
    /// How many lines are events only because what is no Unicode in them became U+FFFD.
    pub repaired_lines: u64,
    /// How many inputs could not be opened or read to their end.
    pub failed_inputs: u64,
    /// What below folders was not read, and why.
    pub skipped: Skipped,
    /// Whether a bad line ended the run.
    pub stopped: bool,
}

/// Why a run could not go on.
#[derive(Debug)]
pub struct RunError {
    kind: RunErrorKind,
}

#[derive(Debug)]
enum RunErrorKind {
    Output(io::Error),
    Reader(io::Error),
    ReaderEnded,
}

impl RunError {
    /// Whether whoever read the verdicts has gone away, which is no error of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(&self.kind, RunErrorKind::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RunErrorKind::Output(error) => write!(f, "verdicts cannot be written: {error}"),
            RunErrorKind::Reader(error) => write!(f, "the reading thread cannot be started: {error}"),
            RunErrorKind::ReaderEnded => f.write_str("the reading thread ended early; please report this"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RunErrorKind::Output(error) | RunErrorKind::Reader(error) => Some(error),
            RunErrorKind::ReaderEnded => None,
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self { kind: RunErrorKind::Output(error) }
    }
}

/// Runs the evaluator over the inputs, up to their end or until `stop` is set; either way every event that was read gets
/// its verdicts.
pub fn run(
    evaluator: &mut Evaluator,
    streams: &Arc<StreamMap>,
    inputs: Vec<Input>,
    options: RunOptions,
    stop: &AtomicBool,
    sink: &mut dyn Sink,
) -> Result<RunSummary, RunError> {
    let binder = Binder::new(Arc::clone(streams), evaluator.wanted().to_vec(), ROUND_EVENTS);
    let (planned, skipped) = folder::plan(inputs);
    let summary = RunSummary { binder, bad_lines: 0, repaired_lines: 0, failed_inputs: 0, skipped, stopped: false };
    let mut run = Run { evaluator, options, sink, summary, reported: Instant::now(), waiting_since: None };
    run.read(planned, stop)?;
    run.round()?;
    run.finish()?;
    Ok(run.summary)
}

struct Run<'r> {
    evaluator: &'r mut Evaluator,
    options: RunOptions,
    sink: &'r mut dyn Sink,
    summary: RunSummary,
    /// When groups were reported last.
    reported: Instant,
    /// Since when events have been waiting for their round, or their verdicts for being handed on.
    waiting_since: Option<Instant>,
}

impl Run<'_> {
    fn read(&mut self, planned: Vec<Planned>, stop: &AtomicBool) -> Result<(), RunError> {
        let mut readers = Readers::start(planned).map_err(|error| RunError { kind: RunErrorKind::Reader(error) })?;
        loop {
            let waited = self.waiting_since.map_or(Duration::ZERO, |since| since.elapsed());
            match readers.next(PAUSE.saturating_sub(waited)) {
                Ok(chunk) => {
                    self.waiting_since.get_or_insert_with(Instant::now);
                    self.take(chunk)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.summary.stopped || stop.load(Ordering::Relaxed) {
                // The readers notice when they next have something to say; one may be waiting for a terminal.
                return Ok(());
            }
            if self.waiting_since.is_some_and(|since| since.elapsed() >= PAUSE) {
                self.waiting_since = None;
                self.round()?;
                self.sink.flush()?;
            }
            self.report_if_due()?;
        }
        readers.join().map_err(|_| RunError { kind: RunErrorKind::ReaderEnded })
    }

    fn take(&mut self, chunk: Chunk) -> Result<(), RunError> {
        self.sink.progress(chunk.bytes);
        self.summary.repaired_lines = self.summary.repaired_lines.saturating_add(chunk.repaired);
        for item in chunk.items {
            match item {
                Item::Event(event) => {
                    if self.summary.binder.push(&event) == Fill::Full {
                        self.round()?;
                    }
                }
                Item::Bad(error) => {
                    self.sink.bad_line(&error);
                    if error.ends_input() {
                        self.summary.failed_inputs = self.summary.failed_inputs.saturating_add(1);
                        continue;
                    }
                    self.summary.bad_lines = self.summary.bad_lines.saturating_add(1);
                    if self.options.bad_lines == BadLines::Stop {
                        self.summary.stopped = true;
                        return Ok(());
                    }
                }
                Item::Unopened(input, error) => {
                    self.sink.unopened(&input, &error);
                    self.summary.failed_inputs = self.summary.failed_inputs.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    /// Evaluates what the binder holds.
    fn round(&mut self) -> Result<(), RunError> {
        let batches = self.summary.binder.take();
        let evaluated = self.evaluator.evaluate(&batches);
        self.hand_on(&evaluated)
    }

    fn report_if_due(&mut self) -> Result<(), RunError> {
        let due = self.options.interval.is_some_and(|interval| self.reported.elapsed() >= interval);
        if due {
            self.reported = Instant::now();
            self.round()?;
            let evaluated = self.evaluator.changes();
            self.hand_on(&evaluated)?;
            self.sink.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RunError> {
        let (answers, unevaluated) = self.evaluator.finish();
        self.hand_on(&Evaluated { verdicts: Vec::new(), unevaluated })?;
        for answer in &answers {
            match self.options.reporting {
                Reporting::Tables => self.sink.answer(answer)?,
                Reporting::AsTheyCome => {
                    for verdict in self.evaluator.verdicts_of(answer) {
                        self.sink.verdict(&verdict)?;
                    }
                }
            }
        }
        Ok(self.sink.flush()?)
    }

    fn hand_on(&mut self, evaluated: &Evaluated) -> Result<(), RunError> {
        for unevaluated in &evaluated.unevaluated {
            self.sink.unevaluated(unevaluated);
        }
        for verdict in &evaluated.verdicts {
            self.sink.verdict(verdict)?;
        }
        Ok(())
    }
}
