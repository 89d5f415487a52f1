//! A worker: lines in, what the detections make of them out. It has its own events, indexes and instances, so that any
//! number of workers run beside each other; what needs the order of all events is left to the [`Evaluator`](super::Evaluator).
//!
//! A round of events is read first; then the index says which detections can match which of them; then each of these is
//! called with the columns of just those events. What nothing prunes is asked about all events of its stream.

use std::{collections::HashMap, mem, sync::Arc, time::Instant};

use sandtrap_engine::Instance;
use sandtrap_formats::{
    binding::{Binder, Fill, Pushed, Round, Route},
    event::{Event, Position},
    input::ReadError,
    streams::StreamMap,
    verdict::Verdict,
};
use sandtrap_wit::batch::{Batch, Column, Values};

use super::{
    Shared, Unevaluated,
    front::{self, Failure, InstanceKernels, Picked},
    ledger::{Counters, Stages},
    member::{Member, Reads},
    pruning::{Asking, RouteIndex},
};
use crate::run::ROUND_EVENTS;

/// How many rows a component is given at once: enough that a call costs little for each, few enough that the columns stay
/// in a cache and the call ends well before its deadline.
const CALL_ROWS_MAX: usize = 1024;

/// How much text a component is given at once, in bytes, but for a single row. It is a sixteenth of what it may have as
/// memory: what it folds and computes must fit there, too, and a call must end well before its deadline.
const CALL_TEXT_BYTES_MAX: usize = 4 << 20;

/// How many instances a worker keeps from one round to the next. Each has a memory of its own.
const INSTANCES_MAX: usize = 256;

/// How much memory the indexes of all routes take, in bytes. Real rules and events need a tenth.
const INDEX_BYTES_MAX: usize = 256 << 20;

/// Evaluates events, without remembering any.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
    binder: Binder,
    routes: Routes,
    detections: Vec<AtWork>,
    /// The places of the detections that have candidates in this round.
    touched: Vec<u32>,
    asking: Asking,
    /// The places of the detections that have an instance.
    live: Vec<u32>,
    /// What came of the rounds since somebody asked.
    outcome: Outcome,
    stages: Stages,
    rounds: u64,
    /// When the first event of this round was taken in.
    reading_since: Option<Instant>,
}

/// The routes that events took, by their ids.
#[derive(Debug, Default)]
struct Routes {
    known: HashMap<u64, Known>,
    /// How much memory their indexes take, in bytes.
    bytes: usize,
    /// How many events each wanted stream had by routes that are forgotten.
    before: Vec<u64>,
}

#[derive(Debug)]
struct Known {
    route: Arc<Route>,
    index: RouteIndex,
    events: u64,
}

/// A detection at work.
#[derive(Debug, Default)]
struct AtWork {
    instance: Option<Box<Instance>>,
    /// In which round it was called last.
    called: u64,
    /// The events of this round that it is asked about.
    rows: Vec<u32>,
    counters: Counters,
    last_failure: Option<String>,
}

/// What came of some events, in their order.
#[derive(Debug, Default)]
pub struct Outcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Rows for the dataflow of the detections in these places.
    pub(super) kept: Vec<(u32, Batch)>,
    pub(super) unevaluated: Vec<Unevaluated>,
    /// Lines and records that are no events.
    pub bad: Vec<ReadError>,
    /// How many lines are events only because what is no Unicode in them became U+FFFD.
    pub repaired: u64,
}

impl Outcome {
    /// Adds what came of later events.
    pub fn append(&mut self, later: Self) {
        self.verdicts.extend(later.verdicts);
        self.kept.extend(later.kept);
        self.unevaluated.extend(later.unevaluated);
        self.bad.extend(later.bad);
        self.repaired = self.repaired.saturating_add(later.repaired);
    }
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, streams: &Arc<StreamMap>) -> Self {
        let binder = Binder::new(Arc::clone(streams), shared.wanted.clone(), ROUND_EVENTS);
        let detections = shared.members.iter().map(|_| AtWork::default()).collect();
        Self {
            shared,
            binder,
            routes: Routes::default(),
            detections,
            touched: Vec::new(),
            asking: Asking::default(),
            live: Vec::new(),
            outcome: Outcome::default(),
            stages: Stages::default(),
            rounds: 0,
            reading_since: None,
        }
    }

    /// Takes in a line of JSON: an event, or several in an envelope.
    pub fn push_line(&mut self, line: &[u8], position: &Position) {
        self.begin();
        match self.binder.push_line(line, position) {
            Ok(Pushed::Blank) => {}
            Ok(Pushed::Event { fill, repaired }) => {
                self.outcome.repaired = self.outcome.repaired.saturating_add(repaired.into());
                self.pushed(fill);
            }
            Ok(Pushed::Envelope { elements, repaired }) => {
                self.outcome.repaired = self.outcome.repaired.saturating_add(repaired.into());
                for element in elements {
                    match element {
                        Ok(event) => self.push(event),
                        Err(error) => self.outcome.bad.push(error),
                    }
                }
            }
            Err(error) => self.outcome.bad.push(error),
        }
    }

    /// Takes in an event.
    pub fn push(&mut self, event: Event) {
        self.begin();
        let fill = self.binder.push_owned(event);
        self.pushed(fill);
    }

    /// Takes in an event that is a row of `stream` by the caller's word.
    pub fn push_row(&mut self, stream: &str, event: &Event) {
        self.begin();
        let fill = self.binder.push_row(stream, event);
        self.pushed(fill);
    }

    /// Takes in what is no event, so that it is told in its order.
    pub fn push_bad(&mut self, error: ReadError) {
        self.outcome.bad.push(error);
    }

    /// Lines that were taken in since the last call of [`evaluate`](Self::evaluate) and are no events.
    pub fn bad_lines(&self) -> &[ReadError] {
        &self.outcome.bad
    }

    /// Evaluates what was taken in and not evaluated yet. What came of everything since the last call.
    pub fn evaluate(&mut self) -> Outcome {
        self.evaluate_round();
        mem::take(&mut self.outcome)
    }

    fn begin(&mut self) {
        self.reading_since.get_or_insert_with(Instant::now);
    }

    fn pushed(&mut self, fill: Fill) {
        if fill == Fill::Full {
            self.evaluate_round();
        }
    }

    /// What it counted about the events.
    pub fn binder(&self) -> &Binder {
        &self.binder
    }

    /// Where its time went.
    pub fn stages(&self) -> Stages {
        self.stages
    }

    fn evaluate_round(&mut self) {
        self.rounds = self.rounds.saturating_add(1);
        let Self { shared, binder, routes, detections, touched, asking, live, outcome, stages, rounds, reading_since } =
            self;
        if let Some(since) = reading_since.take() {
            stages.read = stages.read.saturating_add(since.elapsed());
        }
        let round = binder.round();
        let started = Instant::now();
        for row in 0..round.len() {
            let Some(routed) = round.row(row) else { continue };
            let known = routes.known(routed.route(), shared);
            known.events = known.events.saturating_add(1);
            let number = u32::try_from(row).unwrap_or(u32::MAX);
            for place in known.index.candidates(&shared.members, routed, asking) {
                if let Some(detection) = detections.get_mut(place as usize) {
                    if detection.rows.is_empty() {
                        touched.push(place);
                    }
                    detection.rows.push(number);
                }
            }
        }
        for (wanted, places) in shared.unpruned.iter().enumerate().filter(|(_, places)| !places.is_empty()) {
            let rows = round.rows_of(wanted);
            if rows.is_empty() {
                continue;
            }
            for place in places {
                if let Some(detection) = detections.get_mut(*place as usize) {
                    detection.rows.extend_from_slice(&rows);
                    touched.push(*place);
                }
            }
        }
        stages.index = stages.index.saturating_add(started.elapsed());

        // Those that are asked about the same events of the same stream follow each other, and share the columns.
        let input = |place: u32| {
            let reads = shared.members.get(place as usize).and_then(|member| member.reads.as_ref());
            (reads.map(|reads| reads.wanted), detections.get(place as usize).map(|detection| &detection.rows))
        };
        touched.sort_unstable_by(|one, other| input(*one).cmp(&input(*other)).then(one.cmp(other)));
        let mut asked = Asked { round: &round, shared, columns: Columns::default(), found: Found::default(), stages };
        for place in touched.drain(..) {
            let member = shared.members.get(place as usize);
            if let (Some(member), Some(detection)) = (member, detections.get_mut(place as usize)) {
                detection.called = *rounds;
                if detection.instance.is_none() {
                    live.push(place);
                }
                asked.ask(place, member, detection);
            }
        }
        asked.found.add_to(outcome, stages);
        binder.clear();
        release_unused(live, detections, &shared.members);
        for known in routes.known.values_mut() {
            known.index.tune();
        }
        routes.trim(shared.wanted.len());
    }

    /// What each detection did, by its place.
    pub(super) fn counters(&self) -> impl Iterator<Item = (Counters, Option<&str>)> {
        let offered = self.routes.offered(self.shared.wanted.len());
        self.shared.members.iter().zip(&self.detections).map(move |(member, detection)| {
            let reads = member.reads.as_ref().and_then(|reads| offered.get(reads.wanted));
            let counters = Counters { rows: reads.copied().unwrap_or_default(), ..detection.counters };
            (counters, detection.last_failure.as_deref())
        })
    }
}

impl Routes {
    fn known(&mut self, route: &Arc<Route>, shared: &Shared) -> &mut Known {
        let Self { known, bytes, .. } = self;
        known.entry(route.id).or_insert_with(|| {
            let index = RouteIndex::new(route, &shared.members, &shared.readers, shared.options.pruning);
            *bytes = bytes.saturating_add(index.bytes());
            Known { route: Arc::clone(route), index, events: 0 }
        })
    }

    /// Forgets all routes when their indexes take too much memory: strangers choose what is in events.
    fn trim(&mut self, wanted: usize) {
        if self.bytes > INDEX_BYTES_MAX {
            self.before = self.offered(wanted);
            self.known.clear();
            self.bytes = 0;
        }
    }

    /// How many events each of so many wanted streams had.
    fn offered(&self, wanted: usize) -> Vec<u64> {
        let mut offered = self.before.clone();
        offered.resize(wanted, 0);
        for Known { route, events, .. } in self.known.values() {
            for fill in &route.fills {
                if let Some(offered) = offered.get_mut(fill.wanted) {
                    *offered = offered.saturating_add(*events);
                }
            }
        }
        offered
    }
}

/// One round's asking.
struct Asked<'r> {
    round: &'r Round<'r>,
    shared: &'r Shared,
    columns: Columns,
    found: Found,
    stages: &'r mut Stages,
}

/// The columns that the last detection was given.
#[derive(Default)]
struct Columns {
    wanted: usize,
    rows: Vec<u32>,
    known: HashMap<usize, Arc<Column>>,
}

/// What was found, in no order yet.
#[derive(Default)]
struct Found {
    verdicts: Vec<(u32, u32, Verdict)>,
    kept: Vec<(u32, Batch)>,
    unevaluated: Vec<Unevaluated>,
}

impl Asked<'_> {
    /// Asks a detection about its rows.
    fn ask(&mut self, place: u32, member: &Member, detection: &mut AtWork) {
        let rows = mem::take(&mut detection.rows);
        let Some(reads) = &member.reads else { return };
        let candidates = &mut detection.counters.candidates;
        *candidates = candidates.saturating_add(rows.len() as u64);
        for some in rows.chunks(CALL_ROWS_MAX) {
            self.ask_about(place, member, reads, detection, some);
        }
        detection.rows = rows;
        detection.rows.clear();
    }

    /// Calls a detection about some of its rows; about half of them and then the others, where they have too much text.
    /// Recurses at most once for each power of two in [`CALL_ROWS_MAX`].
    fn ask_about(&mut self, place: u32, member: &Member, reads: &Reads, detection: &mut AtWork, rows: &[u32]) {
        let input = self.gather(reads, rows);
        if rows.len() > 1 && text_bytes(&input) > CALL_TEXT_BYTES_MAX {
            let (some, others) = rows.split_at(rows.len() / 2);
            self.ask_about(place, member, reads, detection, some);
            self.ask_about(place, member, reads, detection, others);
            return;
        }
        let started = Instant::now();
        let picked = detection.call(member, self.shared, input);
        let took = started.elapsed();
        detection.counters.time = detection.counters.time.saturating_add(took);
        self.stages.call = self.stages.call.saturating_add(took);
        match picked {
            Ok(picked) => self.take(place, member, detection, rows, picked),
            Err(failure) => self.fail(member, detection, rows, &failure),
        }
    }

    fn gather(&mut self, reads: &Reads, rows: &[u32]) -> Batch {
        let started = Instant::now();
        let Columns { wanted, rows: known_rows, known } = &mut self.columns;
        if *wanted != reads.wanted || known_rows != rows {
            *wanted = reads.wanted;
            known_rows.clear();
            known_rows.extend_from_slice(rows);
            known.clear();
        }
        let missing: Vec<usize> = reads.columns.iter().copied().filter(|column| !known.contains_key(column)).collect();
        known.extend(missing.iter().copied().zip(self.round.gather(reads.wanted, &missing, rows)));
        let columns = reads.columns.iter().filter_map(|column| known.get(column).cloned()).collect();
        self.stages.gather = self.stages.gather.saturating_add(started.elapsed());
        Batch { rows: rows.len(), columns }
    }

    fn take(&mut self, place: u32, member: &Member, detection: &mut AtWork, rows: &[u32], picked: Picked) {
        if !member.reports_rows {
            if picked.batch.rows > 0 {
                self.found.kept.push((place, picked.batch));
            }
            return;
        }
        let verdicts = &mut detection.counters.verdicts;
        *verdicts = verdicts.saturating_add(picked.rows.len() as u64);
        for (index, row) in picked.rows.iter().enumerate() {
            let Some(row) = rows.get(*row as usize) else { continue };
            let Some(event) = self.round.event(*row as usize) else { continue };
            let columns = member.columns(&picked.batch, index);
            self.found.verdicts.push((*row, place, Verdict::of_event(Arc::clone(&member.reference), &event, columns)));
        }
    }

    fn fail(&mut self, member: &Member, detection: &mut AtWork, rows: &[u32], failure: &Failure) {
        let reason = failure.to_string();
        let counters = &mut detection.counters;
        counters.failures = counters.failures.saturating_add(1);
        counters.unevaluated = counters.unevaluated.saturating_add(rows.len() as u64);
        detection.last_failure = Some(reason.clone());
        let position =
            |row: Option<&u32>| row.and_then(|row| self.round.event(*row as usize)).map(|event| event.position);
        self.found.unevaluated.push(Unevaluated {
            detection: member.reference.id.clone(),
            rows: rows.len(),
            events: position(rows.first()).zip(position(rows.last())),
            reason,
        });
    }
}

impl AtWork {
    fn call(&mut self, member: &Member, shared: &Shared, input: Batch) -> Result<Picked, Failure> {
        let instance = self.instance.get_or_insert_with(|| Box::new(Instance::new(&member.detection)));
        let calls = &mut self.counters.calls;
        let mut kernels = InstanceKernels { instance, now: shared.options.now, calls };
        front::run(member, shared.options, input, &mut kernels)
    }
}

impl Found {
    /// By event, then by detection.
    fn add_to(mut self, outcome: &mut Outcome, stages: &mut Stages) {
        let started = Instant::now();
        self.verdicts.sort_by_key(|(row, place, _)| (*row, *place));
        outcome.verdicts.extend(self.verdicts.into_iter().map(|(_, _, verdict)| verdict));
        outcome.kept.extend(self.kept);
        outcome.unevaluated.extend(self.unevaluated);
        stages.write = stages.write.saturating_add(started.elapsed());
    }
}

fn text_bytes(batch: &Batch) -> usize {
    let texts = batch.columns.iter().map(|column| match column.values() {
        Values::Text { text, .. } => text.len(),
        Values::Integers(_) | Values::Reals(_) | Values::Booleans(_) => 0,
    });
    texts.fold(0, usize::saturating_add)
}

/// Lets go of the instances that were not called for longest, where there are too many, and of their machine code.
fn release_unused(live: &mut Vec<u32>, detections: &mut [AtWork], members: &[Member]) {
    if live.len() <= INSTANCES_MAX {
        return;
    }
    let called = |place: &u32| detections.get(*place as usize).map_or(0, |detection| detection.called);
    live.sort_by_key(|place| std::cmp::Reverse(called(place)));
    for place in live.drain(INSTANCES_MAX..) {
        if let Some(detection) = detections.get_mut(place as usize) {
            detection.instance = None;
        }
        if let Some(member) = members.get(place as usize) {
            member.detection.release_code();
        }
    }
}
