//! A whole run: inputs are read, routed, bound, evaluated, and what comes of it goes to a [`Sink`].
//!
//! A bad line costs itself unless the run is strict, an input that cannot be read costs itself, and a failing sink ends
//! the run. The verdicts of a run are the same however its input trickles in; only how soon they come differs, and
//! which interim reports of groups there are.

mod crew;
mod folder;
mod input;
mod queue;
mod readers;

use std::{
    fmt, io,
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicBool, mpsc::RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use sandtrap_formats::{
    binding::{Counts, Unconverted},
    input::ReadError,
    streams::StreamMap,
    verdict::Verdict,
};

use crate::evaluator::{Answer, Evaluated, Evaluator, Paused, Reporting, Unevaluated, Worker};
use crew::{Crew, Done, Source};
pub use folder::{EXTENSIONS, SkipReason, Skipped};
pub use input::Input;
use readers::Readers;

/// How many events a round has at most: enough that most detections that have candidates in it have several, and a call
/// costs little for each.
pub const ROUND_EVENTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8_191);

/// How long verdicts wait for more of them before they are handed on. It is looked as often whether groups are due.
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

    /// A detection is not asked for a while, because it fails again and again.
    fn paused(&mut self, paused: &Paused);

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
    /// How many workers evaluate beside each other. The verdicts and their order are the same.
    pub workers: NonZeroUsize,
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
#[derive(Debug, Default)]
pub struct RunSummary {
    /// Where the events went.
    pub counts: Counts,
    /// The columns that had values which could not be converted, of those that detections were asked about.
    pub unconverted: Vec<Unconverted>,
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
    Thread(io::Error),
    Ended,
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
            RunErrorKind::Thread(error) => write!(f, "a thread cannot be started: {error}"),
            RunErrorKind::Ended => f.write_str("a thread ended early; please report this"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RunErrorKind::Output(error) | RunErrorKind::Thread(error) => Some(error),
            RunErrorKind::Ended => None,
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self { kind: RunErrorKind::Output(error) }
    }
}

/// Runs the evaluator over the inputs, up to their end or until `stop` is set; either way every event that was read gets
/// its verdicts. Meanwhile sets of rules may follow each other in the evaluator's [`Succession`](crate::evaluator::Succession).
pub fn run(
    evaluator: &mut Evaluator,
    streams: &Arc<StreamMap>,
    inputs: Vec<Input>,
    options: RunOptions,
    stop: &AtomicBool,
    sink: &mut dyn Sink,
) -> Result<RunSummary, RunError> {
    let no_thread = |error| RunError { kind: RunErrorKind::Thread(error) };
    let ended = |_| RunError { kind: RunErrorKind::Ended };
    let (planned, skipped) = folder::plan(inputs);
    let readers = Readers::start(planned).map_err(no_thread)?;
    let source = Source::new(readers, options.workers, Arc::clone(evaluator.succession()), stop);
    let workers: Vec<Worker> = (0..options.workers.get()).map(|_| evaluator.worker(streams)).collect();
    let summary = RunSummary { skipped, ..RunSummary::default() };
    let mut run = Run { evaluator, options, sink, summary, reported: Instant::now() };
    let workers = thread::scope(|scope| {
        let mut crew = Crew::start(scope, workers, &source, options.bad_lines).map_err(no_thread)?;
        let followed = run.follow(&mut crew);
        source.stop();
        let workers = crew.join().map_err(ended)?;
        followed.map(|()| workers)
    })?;
    // Of a run that was stopped the readers notice when they next have something to say; one may be waiting for a terminal.
    if let Some(readers) = source.into_ended() {
        readers.join().map_err(ended)?;
    }
    for worker in workers {
        run.summary.counts.merge(worker.binder().counts());
        add_unconverted(&mut run.summary.unconverted, worker.binder().unconverted());
        run.evaluator.count(worker);
    }
    run.finish()?;
    Ok(run.summary)
}

/// Adds what one worker counted to what the others did: all of them want the same columns.
fn add_unconverted(all: &mut Vec<Unconverted>, more: Vec<Unconverted>) {
    for column in more {
        match all.iter_mut().find(|known| known.stream == column.stream && known.column == column.column) {
            Some(known) => known.cells = known.cells.saturating_add(column.cells),
            None => all.push(column),
        }
    }
}

struct Run<'r> {
    evaluator: &'r mut Evaluator,
    options: RunOptions,
    sink: &'r mut dyn Sink,
    summary: RunSummary,
    /// When groups were reported last.
    reported: Instant,
}

impl Run<'_> {
    /// Takes what the workers make of the input, to its end.
    fn follow(&mut self, crew: &mut Crew<'_>) -> Result<(), RunError> {
        let mut unflushed = false;
        loop {
            match crew.next(if unflushed { Duration::ZERO } else { PAUSE }) {
                Ok(done) => {
                    unflushed = true;
                    self.take(done)?;
                    if self.summary.stopped {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) if unflushed => {
                    unflushed = false;
                    self.sink.flush()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.report_if_due()?;
        }
    }

    fn take(&mut self, mut done: Done) -> Result<(), RunError> {
        self.sink.progress(done.bytes);
        let summary = &mut self.summary;
        summary.repaired_lines = summary.repaired_lines.saturating_add(done.outcome.repaired);
        summary.stopped = done.stopped;
        for (input, error) in done.unopened {
            self.sink.unopened(&input, &error);
            summary.failed_inputs = summary.failed_inputs.saturating_add(1);
        }
        for error in done.outcome.bad.drain(..) {
            self.sink.bad_line(&error);
            let count = if error.ends_input() { &mut summary.failed_inputs } else { &mut summary.bad_lines };
            *count = count.saturating_add(1);
        }
        let evaluated = self.evaluator.take(done.outcome);
        self.hand_on(&evaluated)
    }

    fn report_if_due(&mut self) -> Result<(), RunError> {
        let due = self.options.interval.is_some_and(|interval| self.reported.elapsed() >= interval);
        if due {
            self.reported = Instant::now();
            let evaluated = self.evaluator.changes();
            self.hand_on(&evaluated)?;
            self.sink.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RunError> {
        let (answers, unevaluated) = self.evaluator.finish();
        self.hand_on(&Evaluated { unevaluated, ..Evaluated::default() })?;
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
        for paused in &evaluated.paused {
            self.sink.paused(paused);
        }
        for verdict in &evaluated.verdicts {
            self.sink.verdict(verdict)?;
        }
        evaluated.answers.iter().try_for_each(|answer| self.sink.answer(answer))?;
        Ok(())
    }
}
