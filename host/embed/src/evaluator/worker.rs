//! A worker: lines in, what the detections make of them out. It has its own events and instances, so that any
//! number of workers run beside each other; what needs the order of all events is left to the [`Evaluator`](super::Evaluator).
//!
//! Events are read, and the index says which detections can match which of them; at the end of a round each of these is
//! called with the columns of just those events. What nothing prunes is asked about all events of its stream.

use std::{mem, sync::Arc, time::Instant};

use sandtrap_formats::{
    binding::{Binder, Fill, Pushed},
    event::{Event, Position},
    input::ReadError,
    streams::StreamMap,
    verdict::Verdict,
};
use sandtrap_wit::batch::Batch;

use super::{
    Unevaluated,
    asked::{Asked, AtWork},
    containment::Paused,
    ledger::{Counters, Stages},
    member::Member,
    pruning::Asking,
    routes::Routes,
    shared::Shared,
};
use crate::run::{BadLines, ROUND_EVENTS};

/// So many events are read before the index is asked about them: few enough that they are still in a cache.
const BLOCK_EVENTS: usize = 64;

/// How many instances a worker keeps from one round to the next. Each has a memory of its own.
const INSTANCES_MAX: usize = 256;

/// Of how many detections it keeps the machine code, which takes some 60 KiB and a fraction of a millisecond to load.
const CODES_MAX: usize = 1024;

/// Evaluates events, without remembering any.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
    binder: Binder,
    routes: Routes,
    detections: Vec<AtWork>,
    /// Which of the events that the index was asked about last are wanted by a detection.
    wanted: Vec<bool>,
    /// The places of the detections that have candidates in this round.
    touched: Vec<u32>,
    asking: Asking,
    /// The places of the detections that were called lately: they have an instance, or machine code at least.
    live: Vec<u32>,
    /// What came of the rounds since somebody asked.
    outcome: Outcome,
    stages: Stages,
    rounds: u64,
    /// When the first event of this round was taken in.
    reading_since: Option<Instant>,
}

/// What came of some events, in their order.
#[derive(Debug, Default)]
pub struct Outcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Rows for the dataflow of the detections in these places.
    pub(super) kept: Vec<(u32, Batch)>,
    pub(super) unevaluated: Vec<Unevaluated>,
    pub(super) paused: Vec<Paused>,
    /// What the worker did with the set before, if these are the first events of another one.
    pub(super) handover: Option<Handover>,
    /// The set that evaluated them, if it is known that it may be another one.
    pub(super) set: Option<Arc<Shared>>,
    /// Lines and records that are no events.
    pub bad: Vec<ReadError>,
    /// How many lines are events only because what is no Unicode in them became U+FFFD.
    pub repaired: u64,
}

/// What a worker did with a set.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) set: Arc<Shared>,
    /// For each of its detections, and how that failed last.
    pub(super) done: Vec<(Counters, Option<String>)>,
    pub(super) stages: Stages,
    /// What nobody needs any more: to let go of it takes a while, and it is not for the worker to wait.
    pub(super) left: Vec<AtWork>,
}

impl Outcome {
    /// Adds what came of later events.
    pub fn append(&mut self, later: Self) {
        self.verdicts.extend(later.verdicts);
        self.kept.extend(later.kept);
        self.unevaluated.extend(later.unevaluated);
        self.paused.extend(later.paused);
        self.handover = self.handover.take().or(later.handover);
        self.set = later.set.or(self.set.take());
        self.bad.extend(later.bad);
        self.repaired = self.repaired.saturating_add(later.repaired);
    }
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, streams: &Arc<StreamMap>) -> Self {
        let binder = Binder::new(Arc::clone(streams), Vec::clone(&shared.wanted), ROUND_EVENTS);
        let detections = shared.members.iter().map(|_| AtWork::default()).collect();
        Self {
            shared,
            binder,
            routes: Routes::default(),
            detections,
            wanted: Vec::new(),
            touched: Vec::new(),
            asking: Asking::default(),
            live: Vec::new(),
            outcome: Outcome::default(),
            stages: Stages::default(),
            rounds: 0,
            reading_since: None,
        }
    }

    /// Takes in a line of JSON: an event, or several in an envelope, and of these those before the first that is none
    /// where a bad line stops the run.
    pub fn push_line(&mut self, line: &[u8], position: &Position, bad_lines: BadLines) {
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
                        Err(error) => {
                            self.outcome.bad.push(error);
                            if bad_lines == BadLines::Stop {
                                break;
                            }
                        }
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
        } else if self.binder.unsettled().len() >= BLOCK_EVENTS {
            self.index();
        }
    }

    /// What it counted about the events.
    pub fn binder(&self) -> &Binder {
        &self.binder
    }

    /// The streams that its events are of.
    pub(super) fn streams(&self) -> &Arc<StreamMap> {
        self.binder.streams()
    }

    /// Where its time went.
    pub fn stages(&self) -> Stages {
        self.stages
    }

    /// Finds out which detections can match the events that were read since this was done last, and forgets the others.
    fn index(&mut self) {
        let Self { shared, binder, routes, detections, wanted, touched, asking, stages, reading_since, .. } = self;
        let started = Instant::now();
        if let Some(since) = reading_since.take() {
            stages.read = stages.read.saturating_add(started.saturating_duration_since(since));
        }
        let rows = binder.unsettled();
        let round = binder.round();
        let mut kept = u32::try_from(rows.start).unwrap_or(u32::MAX);
        wanted.clear();
        for row in rows.clone() {
            let mut is_wanted = false;
            if let Some(routed) = round.row(row) {
                let known = routes.known(routed.route(), shared);
                known.events = known.events.saturating_add(1);
                is_wanted = known.unpruned;
                for place in known.index.candidates(&shared.members, routed, asking) {
                    if let Some(detection) = detections.get_mut(place as usize) {
                        if detection.rows.is_empty() {
                            touched.push(place);
                        }
                        detection.rows.push(kept);
                        is_wanted = true;
                    }
                }
            }
            kept = kept.saturating_add(u32::from(is_wanted));
            wanted.push(is_wanted);
        }
        let is_wanted = |row: usize| wanted.get(row.saturating_sub(rows.start)) == Some(&true);
        binder.settle(is_wanted);
        stages.index = stages.index.saturating_add(started.elapsed());
    }

    fn evaluate_round(&mut self) {
        self.index();
        self.rounds = self.rounds.saturating_add(1);
        let Self { shared, binder, routes, detections, touched, live, outcome, stages, rounds, .. } = self;
        let round = binder.round();
        let started = Instant::now();
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
        let groups: Vec<&[u32]> = touched.chunk_by(|one, other| input(*one) == input(*other)).collect();
        for place in &*touched {
            if let Some(detection) = detections.get_mut(*place as usize)
                && detection.called.replace(*rounds).is_none()
            {
                live.push(*place);
            }
        }
        let mut asked = Asked::new(&round, shared, stages);
        for places in groups {
            asked.ask(places, detections);
        }
        touched.clear();
        asked.add_to(outcome);
        binder.clear();
        release_unused(live, detections, &shared.members);
        routes.tune(shared);
    }

    /// Evaluates what it takes in from now on by that set. To be called between rounds.
    pub(crate) fn go_on_with(&mut self, set: &Arc<Shared>) {
        if Arc::ptr_eq(set, &self.shared) {
            return;
        }
        let mut handover = self.hand_over();
        let mut detections: Vec<AtWork> = set.members.iter().map(|_| AtWork::default()).collect();
        let places = set.places_of(&self.shared);
        for place in mem::take(&mut self.live) {
            let Some(old) = self.detections.get_mut(place as usize).map(mem::take) else { continue };
            let new = places.get(place as usize).copied().flatten();
            match new.and_then(|new| Some((new, detections.get_mut(new as usize)?))) {
                Some((new, detection)) => {
                    *detection = old;
                    self.live.push(new);
                }
                None => handover.left.push(old),
            }
        }
        self.detections = detections;
        self.routes.forget();
        if !Arc::ptr_eq(&set.wanted, &self.shared.wanted) {
            self.binder.want(Vec::clone(&set.wanted));
        }
        self.shared = Arc::clone(set);
        self.outcome.handover = Some(handover);
        self.outcome.set = Some(Arc::clone(set));
    }

    /// Begins to count events anew.
    pub(super) fn forget_events(&mut self) {
        self.binder.forget_counts();
    }

    /// What it did since it was asked last. It begins to count anew, but for events.
    pub(super) fn hand_over(&mut self) -> Handover {
        let offered = self.routes.offered(self.shared.wanted.len());
        let done = self.shared.members.iter().zip(&mut self.detections).map(|(member, detection)| {
            let rows = member.reads.as_ref().and_then(|reads| offered.get(reads.wanted));
            let counters = mem::take(&mut detection.counters);
            (Counters { rows: rows.copied().unwrap_or_default(), ..counters }, detection.last_failure.take())
        });
        let (set, done) = (Arc::clone(&self.shared), done.collect());
        self.routes.forget_counts();
        Handover { set, done, stages: mem::take(&mut self.stages), left: Vec::new() }
    }
}

/// Lets go of the instances that were not called for longest, where there are too many, and of machine code.
fn release_unused(live: &mut Vec<u32>, detections: &mut [AtWork], members: &[Arc<Member>]) {
    if live.len() <= INSTANCES_MAX {
        return;
    }
    let called = |place: &u32| detections.get(*place as usize).and_then(|detection| detection.called);
    live.sort_by_key(|place| std::cmp::Reverse(called(place)));
    for place in live.iter().skip(INSTANCES_MAX) {
        if let Some(detection) = detections.get_mut(*place as usize) {
            detection.instance = None;
        }
    }
    for place in live.drain(CODES_MAX.min(live.len())..) {
        if let Some(detection) = detections.get_mut(place as usize) {
            detection.called = None;
        }
        if let Some(member) = members.get(place as usize) {
            member.detection.release_code();
        }
    }
}
