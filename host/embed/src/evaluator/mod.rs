//! The run loop's heart: batches of events in, verdicts out.
//!
//! Verdicts come in the order of their events, then of their detections' ids, whatever the batches were. A component
//! that fails costs itself that batch: the rows are reported as [`Unevaluated`], and the other detections never notice.
//! Reading events and printing verdicts is for the caller.

mod running;

use std::{fmt, sync::Arc};

use sandtrap_dataflow::{Chain, Flow, FlowError, Limits, LookbackMode, Overflow, Shape, Table};
use sandtrap_formats::{
    binding::{StreamBatch, Wanted},
    event::{EventRef, Position},
    verdict::{About, DetectionRef, Revision, Verdict, VerdictColumn},
};
use sandtrap_wit::{
    batch::Batch,
    plan::{NamedColumn, Plan, Rows, SourceColumn},
};

use crate::rules::Rule;
pub use running::Counters;
use running::{Failure, Running, places};

/// How a run is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What `now()` is, in ticks of 100 ns since 1970-01-01 UTC; the same for the whole run.
    pub now: i64,
    /// Whether queries see only the events within their lookback.
    pub lookback: LookbackMode,
    /// When verdicts about single events are given.
    pub reporting: Reporting,
}

/// When verdicts about single events are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// With their batch; a `sort` of single events is ignored.
    AsTheyCome,
    /// With everything else, in the table at the end, as KQL would print it.
    Tables,
}

/// Evaluates detections over one run's events.
#[derive(Debug)]
pub struct Evaluator {
    running: Vec<OneDetection>,
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
struct OneDetection {
    running: Running,
    reference: Arc<DetectionRef>,
    /// The stream that it reads, in a list as verdicts have it; empty when it brings its own rows.
    streams: Arc<[Arc<str>]>,
    names: Vec<Arc<str>>,
    failures: u64,
    last_failure: Option<String>,
}

/// What a call of the evaluator gave.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// In order.
    pub verdicts: Vec<Verdict>,
    /// What could not be evaluated.
    pub unevaluated: Vec<Unevaluated>,
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
    /// What it did.
    pub counters: Counters,
    /// How often its component failed.
    pub failures: u64,
    /// How it failed last.
    pub last_failure: Option<String>,
    /// What did not fit into its memory.
    pub overflow: Overflow,
}

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
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut running = Vec::with_capacity(rules.len());
        for rule in rules {
            running.push(OneDetection::new(rule, options, &mut wanted)?);
        }
        Ok(Self { running, wanted })
    }

    /// The streams that the detections read, and the columns that they want of each.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Evaluates one round of batches.
    pub fn evaluate(&mut self, batches: &[StreamBatch]) -> Evaluated {
        let mut verdicts: Vec<(u64, usize, Verdict)> = Vec::new();
        let mut unevaluated = Vec::new();
        for (place, detection) in self.running.iter_mut().enumerate() {
            let stream = detection.streams.first().cloned();
            let batches = batches.iter().filter(|batch| Some(&batch.stream) == stream.as_ref());
            for batch in batches.filter(|batch| batch.batch.rows > 0) {
                match detection.running.look_at(&batch.batch) {
                    Ok(found) => {
                        for (index, row) in found.rows.iter().enumerate() {
                            let Some(event) = batch.events.get(*row as usize) else { continue };
                            let columns = detection.columns(&found.batch, index);
                            let verdict = Verdict::of_event(Arc::clone(&detection.reference), event, columns);
                            verdicts.push((event.ordinal, place, verdict));
                        }
                    }
                    Err(failure) => unevaluated.push(detection.failed(&failure, Some(batch))),
                }
            }
        }
        verdicts.sort_by_key(|(ordinal, place, _)| (*ordinal, *place));
        Evaluated { verdicts: verdicts.into_iter().map(|(_, _, verdict)| verdict).collect(), unevaluated }
    }

    /// The groups that appeared or changed since the last call, as verdicts.
    pub fn changes(&mut self) -> Evaluated {
        let mut evaluated = Evaluated::default();
        for detection in &mut self.running {
            match detection.running.changes() {
                Ok(changes) => {
                    for (row, revision) in changes.revisions.iter().enumerate() {
                        evaluated.verdicts.push(detection.group(&changes.table, row, Revision::Interim(*revision)));
                    }
                }
                Err(failure) => evaluated.unevaluated.push(detection.failed(&failure, None)),
            }
        }
        evaluated
    }

    /// The tables of all detections that were not reported row by row, by id. For the end of the input.
    pub fn finish(&mut self) -> (Vec<Answer>, Vec<Unevaluated>) {
        let mut answers = Vec::new();
        let mut unevaluated = Vec::new();
        for detection in &mut self.running {
            if detection.running.reports_rows() {
                continue;
            }
            let table = detection.running.look_at_inline().and_then(|()| detection.running.finish());
            match table {
                Ok(table) => answers.push(Answer {
                    detection: Arc::clone(&detection.reference),
                    shape: detection.running.flow.shape(),
                    table,
                }),
                Err(failure) => unevaluated.push(detection.failed(&failure, None)),
            }
        }
        (answers, unevaluated)
    }

    /// The rows of an answer, as verdicts.
    pub fn verdicts_of(&self, answer: &Answer) -> Vec<Verdict> {
        let detection = self.running.iter().find(|detection| Arc::ptr_eq(&detection.reference, &answer.detection));
        detection.map_or_else(Vec::new, |detection| {
            (0..answer.table.batch.rows).map(|row| detection.group(&answer.table, row, Revision::Final)).collect()
        })
    }

    /// What each detection did so far, by id.
    pub fn summaries(&self) -> Vec<Summary> {
        let summary = |detection: &OneDetection| Summary {
            detection: Arc::clone(&detection.reference),
            stream: detection.streams.first().cloned(),
            counters: detection.running.counters,
            failures: detection.failures,
            last_failure: detection.last_failure.clone(),
            overflow: detection.running.flow.overflow(),
        };
        self.running.iter().map(summary).collect()
    }
}

impl OneDetection {
    fn new(rule: &Rule, options: Options, wanted: &mut Vec<Wanted>) -> Result<Self, FlowError> {
        let manifest = rule.detection.manifest();
        let source = Chain::of(&manifest.plan)?.source;
        let (streams, columns): (Arc<[Arc<str>]>, _) = match &source.rows {
            Rows::Stream(stream) => ([Arc::from(stream.as_str())].into(), add_wanted(wanted, stream, &source.columns)),
            Rows::Inline(_) => (Arc::from([]), Vec::new()),
        };
        let running = Running::new(&rule.detection, columns, options)?;
        let names = running.flow.result_columns().iter().map(|column| Arc::from(column.name.as_str())).collect();
        let reference = Arc::new(DetectionRef {
            id: rule.detection.full_id().to_owned(),
            digest: rule.detection.digest().to_owned(),
            title: manifest.title.clone(),
            level: manifest.level,
        });
        Ok(Self { running, reference, streams, names, failures: 0, last_failure: None })
    }

    fn group(&self, table: &Table, row: usize, revision: Revision) -> Verdict {
        Verdict {
            detection: Arc::clone(&self.reference),
            about: About::Group(revision),
            time: None,
            streams: Arc::clone(&self.streams),
            columns: self.columns(&table.batch, row),
        }
    }

    fn columns(&self, batch: &Batch, row: usize) -> Vec<VerdictColumn> {
        let columns = self.running.flow.result_columns().iter().zip(&self.names).zip(&batch.columns);
        columns
            .map(|((NamedColumn { ty, list, .. }, name), column)| VerdictColumn {
                name: Arc::clone(name),
                ty: *ty,
                value: if *list { column.row(row).into() } else { column.cell(row).into() },
            })
            .collect()
    }

    fn failed(&mut self, failure: &Failure, batch: Option<&StreamBatch>) -> Unevaluated {
        let reason = failure.to_string();
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(reason.clone());
        let position = |event: Option<&EventRef>| event.map(|event| event.position.clone());
        Unevaluated {
            detection: self.reference.id.clone(),
            rows: batch.map_or(0, |batch| batch.batch.rows),
            events: batch.and_then(|batch| Some((position(batch.events.first())?, position(batch.events.last())?))),
            reason,
        }
    }
}

/// Adds what a detection wants of a stream, and says where its columns will be.
fn add_wanted(wanted: &mut Vec<Wanted>, stream: &str, columns: &[SourceColumn]) -> Vec<usize> {
    if let Some(known) = wanted.iter_mut().find(|known| known.stream == stream) {
        return places(&mut known.columns, columns);
    }
    let mut union = Vec::new();
    let places = places(&mut union, columns);
    wanted.push(Wanted { stream: stream.to_owned(), columns: union });
    places
}

/// Whether a detection's plan can be run, and if not, why.
pub fn check_plan(plan: &Plan) -> Result<(), String> {
    Flow::new(plan, Limits::default()).map(drop).map_err(|error| error.to_string())
}
