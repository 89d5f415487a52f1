//! Asking detections about the events of a round: their columns, the call, and what was found.

use std::{
    collections::HashMap,
    mem,
    ops::Range,
    slice,
    sync::Arc,
    time::{Duration, Instant},
};

use sandtrap_dataflow::KernelError;
use sandtrap_engine::{EvaluateErrorKind, Instance};
use sandtrap_formats::{
    binding::Round,
    verdict::{Verdict, VerdictColumns},
};
use sandtrap_wit::batch::{Batch, Column, Values};

use super::{
    Unevaluated,
    containment::{Caution, Pause, Paused},
    front::{self, Failure, InstanceKernels, Picked},
    ledger::{Counters, Stages},
    member::{Member, Reads},
    shared::Shared,
    worker::Outcome,
};

/// How many rows a component is given at once: enough that a call costs little for each, few enough that the columns stay
/// in a cache and the call ends well before its deadline.
const CALL_ROWS_MAX: usize = 1024;

/// How many rows are gathered first, before it is known how much text they have.
const CALL_ROWS_FIRST: usize = 64;

/// About how much text a component is given at once, in bytes: what is gathered is still in a cache when it is copied.
const CALL_TEXT_BYTES: usize = 256 << 10;

/// How much text a component is given at once, in bytes, but for a single row. It is a twelfth of what it may have as
/// memory: what it folds and computes must fit there, too, and a call must end well before its deadline.
const CALL_TEXT_BYTES_MAX: usize = 4 << 20;

/// A detection at work.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    pub(super) instance: Option<Box<Instance>>,
    /// In which round it was called last, if that was lately.
    pub(super) called: Option<u64>,
    /// The events of this round that it is asked about.
    pub(super) rows: Vec<u32>,
    pub(super) counters: Counters,
    pub(super) last_failure: Option<String>,
}

/// One round's asking.
pub(super) struct Asked<'r> {
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
    paused: Vec<Paused>,
}

/// A detection whose turn it is.
struct Turn<'t> {
    place: u32,
    member: &'t Member,
    reads: &'t Reads,
    detection: &'t mut AtWork,
}

/// Rows that were missed one after the other, by their places among those that were asked about, and why.
#[derive(Default)]
struct Missed {
    places: Range<usize>,
    reason: String,
}

impl<'r> Asked<'r> {
    pub(super) fn new(round: &'r Round<'r>, shared: &'r Shared, stages: &'r mut Stages) -> Self {
        Self { round, shared, columns: Columns::default(), found: Found::default(), stages }
    }

    /// Adds what was found to an outcome: by event, then by detection.
    pub(super) fn add_to(self, outcome: &mut Outcome) {
        self.found.add_to(outcome, self.stages);
    }

    /// Asks detections about the same rows of the same stream, some after the others, so that columns are gathered once for
    /// all of them and are then at hand.
    pub(super) fn ask(&mut self, places: &[u32], detections: &mut [AtWork]) {
        let of_all = places.first().and_then(|place| detections.get_mut(*place as usize));
        let mut rows = of_all.map(|detection| mem::take(&mut detection.rows)).unwrap_or_default();
        let mut rest = rows.as_slice();
        let mut count = CALL_ROWS_FIRST;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(count.min(rest.len()));
            let mut text = 0;
            for place in places {
                let member = self.shared.members.get(*place as usize);
                if let (Some(member), Some(detection)) = (member, detections.get_mut(*place as usize)) {
                    text = self.ask_about(*place, member, detection, some).max(text);
                }
            }
            let for_text = some.len().saturating_mul(CALL_TEXT_BYTES) / text.max(1);
            count = for_text.clamp(1, CALL_ROWS_MAX);
            rest = others;
        }
        for place in places {
            if let Some(detection) = detections.get_mut(*place as usize) {
                let candidates = &mut detection.counters.candidates;
                *candidates = candidates.saturating_add(rows.len() as u64);
                detection.rows.clear();
            }
        }
        // The room it took is of use in the next round.
        if let Some(detection) = places.first().and_then(|place| detections.get_mut(*place as usize)) {
            rows.clear();
            detection.rows = rows;
        }
    }

    /// Asks a detection about some of its rows, as far as it is to be asked. Says how much text they have, if it looked.
    fn ask_about(&mut self, place: u32, member: &Member, detection: &mut AtWork, rows: &[u32]) -> usize {
        let Some(reads) = &member.reads else { return 0 };
        self.ask_with_caution(&mut Turn { place, member, reads, detection }, rows)
    }

    fn ask_with_caution(&mut self, turn: &mut Turn<'_>, rows: &[u32]) -> usize {
        match turn.member.containment.caution() {
            Caution::None => return self.ask_together(turn, rows),
            Caution::Known => {
                let unknown = self.leave_out_known(turn, rows);
                if !unknown.is_empty() {
                    return self.ask_together(turn, &unknown);
                }
            }
            Caution::OneByOne => {
                self.ask_one_by_one(turn, rows);
            }
            Caution::Paused(reason) => self.miss(turn, rows, reason),
        }
        0
    }

    /// Calls a detection about rows; about half of them and then the others, where they have too much text. Recurses at most
    /// once for each power of two in [`CALL_ROWS_MAX`]. Says how much text they have.
    fn ask_together(&mut self, turn: &mut Turn<'_>, rows: &[u32]) -> usize {
        let input = self.gather(turn.reads, rows);
        let text = text_bytes(&input);
        if rows.len() > 1 && text > CALL_TEXT_BYTES_MAX {
            let (some, others) = rows.split_at(rows.len() / 2);
            self.ask_with_caution(turn, some);
            self.ask_with_caution(turn, others);
            return text;
        }
        match self.call(turn, input) {
            Ok((picked, _)) => self.take(turn, rows, picked),
            Err((failure, _)) if is_for_good(&failure) => {
                let reason = note(turn.detection, &failure);
                let pause = turn.member.containment.is_unusable(&reason, Instant::now());
                self.pause(turn.member, pause, &reason);
                self.miss(turn, rows, reason);
            }
            Err((failure, took)) => {
                let reason = note(turn.detection, &failure);
                let containment = &turn.member.containment;
                let pause = if rows.len() == 1 {
                    let input = self.gather(turn.reads, rows);
                    self.miss(turn, rows, reason.clone());
                    containment.failed(containment.row(&input, 0), took, &reason, Instant::now())
                } else {
                    let lost = took.saturating_sub(self.ask_one_by_one(turn, rows));
                    containment.failed_together(lost, &reason, Instant::now())
                };
                self.pause(turn.member, pause, &reason);
            }
        }
        text
    }

    /// Calls a detection about each row alone, so that only those are missed that make its component fail. How much of the time
    /// of a call about all of them is explained by rows that fail alone.
    fn ask_one_by_one(&mut self, turn: &mut Turn<'_>, rows: &[u32]) -> Duration {
        let containment = &turn.member.containment;
        let mut missed = Missed::default();
        let mut explained = Duration::ZERO;
        for (at, row) in rows.iter().enumerate() {
            if let Caution::Paused(reason) = containment.caution() {
                self.miss_more(turn, rows, &mut missed, at..rows.len(), reason);
                break;
            }
            let input = self.gather(turn.reads, slice::from_ref(row));
            let what = containment.row(&input, 0);
            if let Some(reason) = containment.is_known(what) {
                // Another worker found out, and how long that took is counted.
                explained = Duration::MAX;
                self.miss_more(turn, rows, &mut missed, at..at.saturating_add(1), reason);
                continue;
            }
            let calls = turn.detection.counters.calls;
            match self.call(turn, input) {
                Ok((picked, took)) => {
                    let asked = turn.detection.counters.calls > calls;
                    let pause = containment.went_well(asked, took, Instant::now());
                    self.pause(turn.member, pause, "its calls take too long");
                    self.take(turn, slice::from_ref(row), picked);
                }
                Err((failure, took)) => {
                    let reason = note(turn.detection, &failure);
                    let pause = containment.failed(what, took, &reason, Instant::now());
                    explained = explained.saturating_add(took);
                    self.pause(turn.member, pause, &reason);
                    self.miss_more(turn, rows, &mut missed, at..at.saturating_add(1), reason);
                }
            }
        }
        self.report(turn, rows, missed);
        explained
    }

    /// Those rows that are not known to make the component fail. The others are missed.
    fn leave_out_known(&mut self, turn: &mut Turn<'_>, rows: &[u32]) -> Vec<u32> {
        let input = self.gather(turn.reads, rows);
        let mut missed = Missed::default();
        let mut unknown = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let containment = &turn.member.containment;
            match containment.is_known(containment.row(&input, at)) {
                Some(reason) => self.miss_more(turn, rows, &mut missed, at..at.saturating_add(1), reason),
                None => unknown.push(*row),
            }
        }
        self.report(turn, rows, missed);
        unknown
    }

    /// One call, and how long it took. Machine code is made before, whoever makes it.
    fn call(&mut self, turn: &mut Turn<'_>, input: Batch) -> Result<(Picked, Duration), (Failure, Duration)> {
        let Turn { member, detection, .. } = turn;
        let began = Instant::now();
        let prepared = if detection.instance.is_some() { Ok(()) } else { member.detection.prepare() };
        let started = Instant::now();
        let picked = prepared.map_err(KernelError::Failed).and_then(|()| detection.call(member, self.shared, input));
        let took = started.elapsed();
        detection.counters.time = detection.counters.time.saturating_add(began.elapsed());
        self.stages.call = self.stages.call.saturating_add(began.elapsed());
        picked.map(|picked| (picked, took)).map_err(|failure| (failure, took))
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

    fn take(&mut self, turn: &mut Turn<'_>, rows: &[u32], picked: Picked) {
        let Turn { place, member, detection, .. } = turn;
        if !member.reports_rows {
            if picked.batch.rows > 0 {
                self.found.kept.push((*place, picked.batch));
            }
            return;
        }
        let verdicts = &mut detection.counters.verdicts;
        *verdicts = verdicts.saturating_add(picked.rows.len() as u64);
        let picked_rows = member.rows(picked.batch);
        for (index, row) in picked.rows.iter().enumerate() {
            let Some(row) = rows.get(*row as usize) else { continue };
            let Some(event) = self.round.event(*row as usize) else { continue };
            let columns = VerdictColumns::new(&picked_rows, index);
            self.found.verdicts.push((*row, *place, Verdict::of_event(Arc::clone(&member.reference), &event, columns)));
        }
    }

    fn pause(&mut self, member: &Member, pause: Option<Pause>, reason: &str) {
        if let Some((pause, in_quarantine)) = pause {
            let detection = member.reference.id.clone();
            self.found.paused.push(Paused { detection, in_quarantine, pause, reason: reason.to_owned() });
        }
    }

    /// More rows are missed. Those that follow each other, for the same reason, are reported together.
    fn miss_more(
        &mut self,
        turn: &mut Turn<'_>,
        rows: &[u32],
        missed: &mut Missed,
        places: Range<usize>,
        reason: String,
    ) {
        if missed.places.end == places.start && missed.reason == reason {
            missed.places.end = places.end;
        } else {
            let before = mem::replace(missed, Missed { places, reason });
            self.report(turn, rows, before);
        }
    }

    fn report(&mut self, turn: &mut Turn<'_>, rows: &[u32], missed: Missed) {
        let rows = rows.get(missed.places).unwrap_or_default();
        if !rows.is_empty() {
            self.miss(turn, rows, missed.reason);
        }
    }

    /// Rows are not evaluated.
    fn miss(&mut self, turn: &mut Turn<'_>, rows: &[u32], reason: String) {
        let Turn { member, detection, .. } = turn;
        let missed = &mut detection.counters.unevaluated;
        *missed = missed.saturating_add(rows.len() as u64);
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
        outcome.paused.extend(self.paused);
        stages.write = stages.write.saturating_add(started.elapsed());
    }
}

/// A call failed: the reason.
fn note(detection: &mut AtWork, failure: &Failure) -> String {
    let reason = failure.to_string();
    detection.counters.failures = detection.counters.failures.saturating_add(1);
    detection.last_failure = Some(reason.clone());
    reason
}

/// Whether no other call can go better.
fn is_for_good(failure: &Failure) -> bool {
    use EvaluateErrorKind::{Request, Unusable};
    matches!(failure, KernelError::Failed(error) if matches!(error.kind(), Unusable | Request))
}

fn text_bytes(batch: &Batch) -> usize {
    let texts = batch.columns.iter().map(|column| match column.values() {
        Values::Text { text, .. } => text.len(),
        Values::Integers(_) | Values::Reals(_) | Values::Booleans(_) => 0,
    });
    texts.fold(0, usize::saturating_add)
}
