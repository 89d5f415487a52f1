//! Detections over events: batches of events in, verdicts out.
//!
//! [`Worker`]s look at events, each at its own; the [`Evaluator`] takes what came of them in the order of the events, and
//! has what detections remember. Verdicts come in the order of their events, then of their detections' ids, whatever the
//! rounds were. A component that fails costs itself the rows it was asked about: they are reported as [`Unevaluated`], and
//! the other detections never notice. Reading events and printing verdicts is for the caller.

mod asked;
mod containment;
mod front;
mod indexes;
mod ledger;
mod member;
mod pruning;
mod routes;
mod shared;
mod succession;
mod tail;
mod worker;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use sandtrap_dataflow::{Flow, FlowError, Limits, LookbackMode, Overflow, Shape, Table};
use sandtrap_formats::{
    binding::Wanted,
    event::Position,
    streams::StreamMap,
    verdict::{About, DetectionRef, ResultRows, Revision, Verdict, VerdictColumns},
};
use sandtrap_wit::{batch::Batch, plan::Plan};

use crate::rules::Rule;
pub use containment::Paused;
pub use ledger::{Counters, Stages};
use member::Member;
pub(crate) use shared::Shared;
pub use succession::{Difference, Succession, Successor};
use tail::Tail;
use worker::Handover;
pub use worker::{Outcome, Worker};

/// How a run is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What `now()` is, in ticks of 100 ns since 1970-01-01 UTC; the same for the whole run.
    pub now: i64,
    /// Whether queries see only the events within their lookback.
    pub lookback: LookbackMode,
    /// When verdicts about single events are given.
    pub reporting: Reporting,
    /// How the detections that can match an event are found.
    pub pruning: Pruning,
}

/// When verdicts about single events are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// With their batch; a `sort` of single events is ignored.
    AsTheyCome,
    /// With everything else, in the table at the end, as KQL would print it.
    Tables,
}

/// How the detections that can match an event are found. The answers are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pruning {
    /// By an index over all prefilters.
    #[default]
    Index,
    /// By looking at each prefilter: to check the index.
    EachPrefilter,
}

/// Evaluates detections over one run's events.
#[derive(Debug)]
pub struct Evaluator {
    /// The set whose outcomes are taken in.
    shared: Arc<Shared>,
    succession: Arc<Succession>,
    /// For each detection its memory, if it has one.
    tails: Vec<Option<Tail>>,
    /// For each detection what workers said they did, and what it did before it was changed.
    done: Vec<Done>,
    /// What detections did that are in no set any more, by id.
    ended: BTreeMap<String, Summary>,
    stages: Stages,
    /// Workers that have nothing to do. They keep their instances and what they learned for the next run.
    idle: Vec<Worker>,
}

/// What a call of the evaluator gave.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// In order.
    pub verdicts: Vec<Verdict>,
    /// What could not be evaluated.
    pub unevaluated: Vec<Unevaluated>,
    /// Detections that are not asked for a while.
    pub paused: Vec<Paused>,
    /// The tables of detections that another set does not have any more, when the run [reports tables](Reporting::Tables).
    pub answers: Vec<Answer>,
}

/// Rows that a detection could not be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unevaluated {
    /// `namespace/id`.
    pub detection: String,
    /// How many rows; 0 when what failed was a step over its groups.
    pub rows: usize,
    /// The first and the last of their events.
    pub events: Option<(Position, Position)>,
    /// What the component did.
    pub reason: String,
}

impl fmt::Display for Unevaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.reason)?;
        match &self.events {
            Some((first, last)) => {
                write!(f, "{} events not evaluated, {first} to {last}", self.rows)
            }
            None => write!(f, "its groups were not evaluated"),
        }
    }
}

/// What a detection did in a run, for a summary.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which detection.
    pub detection: Arc<DetectionRef>,
    /// The stream that it reads; `None` when it brings its own rows.
    pub stream: Option<Arc<str>>,
    /// Whether its prefilter says anything: without, it is asked about every event of its stream.
    pub is_pruned: bool,
    /// What it did.
    pub counters: Counters,
    /// How it failed last.
    pub last_failure: Option<String>,
    /// What did not fit into its memory.
    pub overflow: Overflow,
}

/// What a detection did, as far as a [`Summary`] has it.
#[derive(Clone, Debug, Default)]
struct Done {
    counters: Counters,
    last_failure: Option<String>,
    overflow: Overflow,
}

/// So many detections that are in no set any more have a summary.
pub const ENDED_MAX: usize = 10_000;

/// The table of a detection at the end of a run.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whose table.
    pub detection: Arc<DetectionRef>,
    /// What kind of rows it has.
    pub shape: Shape,
    /// The rows.
    pub table: Table,
}

impl Evaluator {
    /// An evaluator of these rules, which are in the order of their ids.
    ///
    /// A plan that cannot be run refuses the whole set: [`check_plan`] tells beforehand.
    pub fn new(rules: &[Rule], options: Options) -> Result<Self, FlowError> {
        let shared = Arc::new(Shared::new(rules, options)?);
        let tails = shared.members.iter().map(|member| Tail::new(member)).collect::<Result<_, _>>()?;
        let done = vec![Done::default(); shared.members.len()];
        let succession = Arc::new(Succession::new(Arc::clone(&shared)));
        Ok(Self {
            shared,
            succession,
            tails,
            done,
            ended: BTreeMap::new(),
            stages: Stages::default(),
            idle: Vec::new(),
        })
    }

    /// The streams that the detections read, and the columns that they want of each.
    pub fn wanted(&self) -> &[Wanted] {
        &self.shared.wanted
    }

    /// The sets that follow this one.
    pub fn succession(&self) -> &Arc<Succession> {
        &self.succession
    }

    /// A worker for events of these streams: one that was [counted](Self::count), or a new one.
    pub fn worker(&mut self, streams: &Arc<StreamMap>) -> Worker {
        let idle = self.idle.iter().position(|worker| Arc::ptr_eq(worker.streams(), streams));
        let Some(place) = idle else { return Worker::new(Arc::clone(&self.shared), streams) };
        let mut worker = self.idle.swap_remove(place);
        worker.go_on_with(&self.shared);
        worker
    }

    /// Takes in what came of some events; outcomes must come in the order of the events.
    pub fn take(&mut self, outcome: Outcome) -> Evaluated {
        let Outcome { verdicts, kept, unevaluated, paused, handover, set, .. } = outcome;
        let mut evaluated = Evaluated::default();
        if let Some(set) = set.filter(|set| !Arc::ptr_eq(set, &self.shared)) {
            self.go_on_with(set, &mut evaluated);
        }
        if let Some(handover) = handover {
            self.credit(handover);
        }
        for (place, rows) in kept {
            if let Some(Some(tail)) = self.tails.get_mut(place as usize) {
                tail.push(&rows);
            }
        }
        evaluated.verdicts.extend(verdicts);
        evaluated.unevaluated.extend(unevaluated);
        evaluated.paused.extend(paused);
        evaluated
    }

    /// Takes in what a worker counted, which is done for now.
    pub fn count(&mut self, mut worker: Worker) {
        self.credit(worker.hand_over());
        worker.forget_events();
        self.idle.push(worker);
    }

    /// Adds what a worker did, with this set or one before it.
    fn credit(&mut self, handover: Handover) {
        let Handover { set, done, stages, left } = handover;
        drop(left);
        self.stages += stages;
        for (member, (counters, last_failure)) in set.members.iter().zip(done) {
            self.add_done(&member.reference.id, Done { counters, last_failure, overflow: Overflow::default() });
        }
    }

    /// Adds what the detection of that id did, in this set or before it.
    fn add_done(&mut self, id: &str, more: Done) {
        let place = self.shared.place_of(id);
        if let Some(done) = place.and_then(|place| self.done.get_mut(place as usize)) {
            done.add(more);
        } else if let Some(ended) = self.ended.get_mut(id) {
            let mut done = Done::of(ended);
            done.add(more);
            done.put_in(ended);
        }
    }

    /// Outcomes are those of another set from here on. A detection that stays keeps what it remembers; of one that does not,
    /// or not as it was, this is the end.
    fn go_on_with(&mut self, set: Arc<Shared>, evaluated: &mut Evaluated) {
        let before = std::mem::replace(&mut self.shared, set);
        let (old_tails, old_done) = (std::mem::take(&mut self.tails), std::mem::take(&mut self.done));
        let mut old: HashMap<&str, _> = before
            .members
            .iter()
            .zip(old_tails.into_iter().zip(old_done))
            .map(|(member, state)| (member.reference.id.as_str(), (member, state)))
            .collect();
        let mut ended = Vec::new();
        for member in &self.shared.members {
            let (tail, mut done) = match old.remove(member.reference.id.as_str()) {
                Some((same, (tail, done))) if Arc::ptr_eq(same, member) => (Ok(tail), done),
                Some((other, (tail, done))) => {
                    ended.extend(tail.map(|tail| (other, tail)));
                    (Tail::new(member), done)
                }
                // It may have been there before.
                None => (
                    Tail::new(member),
                    self.ended.remove(&member.reference.id).as_ref().map(Done::of).unwrap_or_default(),
                ),
            };
            let tail = tail.unwrap_or_else(|error| {
                // A plan that cannot be run was refused before.
                evaluated.unevaluated.push(failed(member, &mut done, &error));
                None
            });
            self.tails.push(tail);
            self.done.push(done);
        }
        for (member, (tail, done)) in old.into_values() {
            if self.ended.len() < ENDED_MAX {
                let mut summary = member.summary();
                done.put_in(&mut summary);
                self.ended.insert(member.reference.id.clone(), summary);
            }
            ended.extend(tail.map(|tail| (member, tail)));
        }
        ended.sort_by(|(one, _), (other, _)| one.reference.id.cmp(&other.reference.id));
        for (member, mut tail) in ended {
            let mut done = Done { overflow: tail.overflow(), ..Done::default() };
            match tail.finish(member, before.options) {
                Ok(table) => evaluated.end(member, table, before.options.reporting),
                Err(failure) => evaluated.unevaluated.push(failed(member, &mut done, &failure)),
            }
            done.counters += tail.counters;
            self.add_done(&member.reference.id, done);
        }
    }

    /// Where the time of the workers that were [counted](Self::count) went.
    pub fn stages(&self) -> Stages {
        self.stages
    }

    /// The groups that appeared or changed since the last call, as verdicts.
    pub fn changes(&mut self) -> Evaluated {
        let options = self.shared.options;
        let mut evaluated = Evaluated::default();
        for ((member, tail), done) in self.shared.members.iter().zip(&mut self.tails).zip(&mut self.done) {
            let Some(tail) = tail else { continue };
            match tail.changes(options) {
                Ok(changes) => {
                    let rows = member.rows(changes.table.batch);
                    for (row, revision) in changes.revisions.iter().enumerate() {
                        let revision = Revision::Interim(*revision);
                        evaluated.verdicts.push(group(member, &rows, row, revision));
                    }
                }
                Err(failure) => evaluated.unevaluated.push(failed(member, done, &failure)),
            }
        }
        evaluated
    }

    /// The tables of all detections that were not reported row by row, by id. For the end of the input.
    pub fn finish(&mut self) -> (Vec<Answer>, Vec<Unevaluated>) {
        let options = self.shared.options;
        let mut answers = Vec::new();
        let mut unevaluated = Vec::new();
        for ((member, tail), done) in self.shared.members.iter().zip(&mut self.tails).zip(&mut self.done) {
            let Some(tail) = tail else { continue };
            match tail.finish(member, options) {
                Ok(table) => {
                    answers.push(Answer { detection: Arc::clone(&member.reference), shape: member.chain.shape, table });
                }
                Err(failure) => unevaluated.push(failed(member, done, &failure)),
            }
        }
        (answers, unevaluated)
    }

    /// The rows of an answer, as verdicts.
    pub fn verdicts_of(&self, answer: &Answer) -> Vec<Verdict> {
        let member = self.shared.members.iter().find(|member| Arc::ptr_eq(&member.reference, &answer.detection));
        member.map_or_else(Vec::new, |member| groups(member, answer.table.batch.clone()))
    }

    /// What each detection did, by id: in workers that were [counted](Self::count), and in dataflow. Those are among them that
    /// are in no set any more, up to [`ENDED_MAX`].
    pub fn summaries(&self) -> Vec<Summary> {
        let members = self.shared.members.iter().zip(&self.tails).zip(&self.done);
        let of_member = |((member, tail), done): ((&Arc<Member>, &Option<Tail>), &Done)| {
            let mut done = done.clone();
            if let Some(tail) = tail {
                done.counters += tail.counters;
                done.overflow = done.overflow.plus(tail.overflow());
            }
            let mut summary = member.summary();
            done.put_in(&mut summary);
            summary
        };
        let mut summaries: Vec<Summary> = members.map(of_member).chain(self.ended.values().cloned()).collect();
        summaries.sort_by(|one, other| one.detection.id.cmp(&other.detection.id));
        summaries
    }
}

impl Done {
    fn of(summary: &Summary) -> Self {
        let Summary { counters, last_failure, overflow, .. } = summary;
        Self { counters: *counters, last_failure: last_failure.clone(), overflow: *overflow }
    }

    fn put_in(self, summary: &mut Summary) {
        (summary.counters, summary.last_failure, summary.overflow) = (self.counters, self.last_failure, self.overflow);
    }

    fn add(&mut self, more: Self) {
        self.counters += more.counters;
        self.last_failure = more.last_failure.or(self.last_failure.take());
        self.overflow = self.overflow.plus(more.overflow);
    }
}

impl Evaluated {
    /// The table of a detection at its end.
    fn end(&mut self, member: &Member, table: Table, reporting: Reporting) {
        match reporting {
            Reporting::AsTheyCome => self.verdicts.extend(groups(member, table.batch)),
            Reporting::Tables => {
                let (detection, shape) = (Arc::clone(&member.reference), member.chain.shape);
                self.answers.push(Answer { detection, shape, table });
            }
        }
    }
}

/// The rows of a table at the end, as verdicts.
fn groups(member: &Member, batch: Batch) -> Vec<Verdict> {
    let count = batch.rows;
    let rows = member.rows(batch);
    (0..count).map(|row| group(member, &rows, row, Revision::Final)).collect()
}

fn group(member: &Member, rows: &Arc<ResultRows>, row: usize, revision: Revision) -> Verdict {
    Verdict {
        detection: Arc::clone(&member.reference),
        about: About::Group(revision),
        time: None,
        streams: Arc::clone(&member.streams),
        columns: VerdictColumns::new(rows, row),
    }
}

/// A step over the groups of a detection failed.
fn failed(member: &Member, done: &mut Done, failure: &dyn fmt::Display) -> Unevaluated {
    let reason = failure.to_string();
    done.counters.failures = done.counters.failures.saturating_add(1);
    done.last_failure = Some(reason.clone());
    Unevaluated { detection: member.reference.id.clone(), rows: 0, events: None, reason }
}

/// Whether a detection's plan can be run, and if not, why.
pub fn check_plan(plan: &Plan) -> Result<(), String> {
    Flow::new(plan, Limits::default()).map(drop).map_err(|error| error.to_string())
}
