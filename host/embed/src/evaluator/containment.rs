//! What becomes of a detection whose component fails: it costs little, hides little, and nobody else notices.
//!
//! ```text
//!                a call fails: its rows are asked again one by one; those that fail
//!                alone are not evaluated, and not asked about again
//!                  +----+
//!                  |    v   too many such rows, or too much time lost, in a while
//!            +--> working ----------------------------------------+
//!            |                                                    v
//!            |                                                  paused: first briefly,
//!            |                                                    |     then in quarantine
//!            |  enough rows went well           other rows fail   |
//!            +-------------------------- trial -----------------> +
//!                                          ^                      |
//!                                          +----------------------+
//!                                             the pause is over
//! ```
//!
//! A row that makes a component fail counts once, however often it comes and whatever the state: who sends the same event
//! again and again cannot switch a detection off, and it costs no call. What is paused is asked about nothing; its rows are
//! reported as not evaluated. On trial it takes few failures to be paused again, for longer. How long grows with each pause
//! until there was none for a good while, so that a component that behaves for some rows and then fails is seldom asked.
//!
//! Time is lost in calls about one row that fail, each row once; in calls about several that fail, as far as rows that fail
//! alone do not explain it; and in all calls about one row that are made to find out.

use std::{
    collections::{HashMap, hash_map::RandomState},
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sandtrap_wit::batch::{Batch, Cell, Row};

/// How much a detection may fail before it is paused.
struct Patience {
    /// Different rows that make it fail within [`WHILE`]. A trap costs a fraction of a millisecond.
    rows: usize,
    /// How much time is lost within [`WHILE`].
    lost: Duration,
}

/// While it works: four endless loops.
const WORKING: Patience = Patience { rows: 256, lost: Duration::from_secs(2) };

/// On trial: one endless loop.
const ON_TRIAL: Patience = Patience { rows: 16, lost: Duration::from_millis(500) };

/// For how long failures are counted.
const WHILE: Duration = Duration::from_mins(1);

/// For how long a row that made it fail is not asked about again: longer than any pause, or it would fail on trial.
const KNOWN_FOR: Duration = Duration::from_hours(24);

/// How many such rows are known at most.
const KNOWN_MAX: usize = 1024;

/// The first pause.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The second pause, which is a quarantine. Each further one is twice as long.
const QUARANTINE: Duration = Duration::from_mins(1);

/// The longest pause.
const QUARANTINE_MAX: Duration = Duration::from_hours(1);

/// How many rows must go well on trial.
const TRIAL_ROWS: usize = 64;

/// After how long without a pause the next one is a first.
const FORGIVEN_AFTER: Duration = Duration::from_mins(10);

/// The containment of one detection. Workers share it.
#[derive(Debug, Default)]
pub(super) struct Containment {
    /// Whether there is nothing to look up: nearly always.
    troubled: AtomicBool,
    state: Mutex<State>,
    /// Nobody can choose rows that are taken for others.
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The rows that made it fail, when they did first, and how.
    known: HashMap<u64, (Instant, Arc<str>)>,
    /// Since when failures are counted.
    since: Option<Instant>,
    /// How many rows made it fail since then for the first time.
    rows: usize,
    /// How much time was lost since then.
    lost: Duration,
    /// How many pauses there were since it was forgiven.
    pauses: u32,
    /// When the last pause ends, or ended.
    paused_until: Option<Instant>,
    /// How it failed last.
    reason: Arc<str>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Working,
    Paused,
    Trial {
        /// How many rows must still go well.
        rows: usize,
    },
}

/// How a detection is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caution {
    /// As usual.
    None,
    /// Not about [known](Containment::is_known) rows.
    Known,
    /// One row at a time, and not about known ones.
    OneByOne,
    /// Not at all, for this reason.
    Paused(String),
}

/// A detection is not asked for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// `namespace/id`.
    pub detection: String,
    /// Whether it was paused before, not long ago.
    pub in_quarantine: bool,
    /// For how long.
    pub pause: Duration,
    /// How its component failed last.
    pub reason: String,
}

impl fmt::Display for Paused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.in_quarantine { "is in quarantine" } else { "is not asked" };
        write!(f, "{} {how} for {} s: it fails again and again, last: ", self.detection, self.pause.as_secs())?;
        f.write_str(&self.reason)
    }
}

/// A pause that begins: how long it is, and whether it is a quarantine.
pub(super) type Pause = (Duration, bool);

impl Containment {
    /// How it is to be asked now.
    pub(super) fn caution(&self) -> Caution {
        if self.troubled.load(Ordering::Relaxed) { self.caution_at(Instant::now()) } else { Caution::None }
    }

    fn caution_at(&self, now: Instant) -> Caution {
        let mut state = self.lock();
        state.age(now);
        match state.phase {
            Phase::Paused => {
                Caution::Paused(format!("not asked after it failed again and again, last: {}", state.reason))
            }
            Phase::Trial { .. } => Caution::OneByOne,
            Phase::Working if state.known.is_empty() && state.since.is_none() => {
                self.troubled.store(false, Ordering::Relaxed);
                Caution::None
            }
            Phase::Working => Caution::Known,
        }
    }

    /// What tells a row of a batch from others, whatever else is in the batch.
    pub(super) fn row(&self, batch: &Batch, row: usize) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        batch.columns.iter().for_each(|column| hash(column.row(row), &mut hasher));
        hasher.finish()
    }

    /// Why a row is not asked about: it made the component fail before.
    pub(super) fn is_known(&self, row: u64) -> Option<String> {
        self.lock().known.get(&row).map(|(_, reason)| reason.to_string())
    }

    /// A row went well that was asked alone, which took so long; `asked`: the component was called.
    pub(super) fn went_well(&self, asked: bool, took: Duration, now: Instant) -> Option<Pause> {
        let mut state = self.lock();
        if let Phase::Trial { rows } = &mut state.phase
            && asked
        {
            *rows = rows.saturating_sub(1);
            if *rows == 0 {
                state.phase = Phase::Working;
                state.forget();
            }
        }
        state.lose(took, now)
    }

    /// A call failed about one row, which took so long.
    pub(super) fn failed(&self, row: u64, took: Duration, reason: &str, now: Instant) -> Option<Pause> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        state.reason = reason.into();
        if state.known.contains_key(&row) {
            // Another worker was sooner.
            return None;
        }
        state.know(row, now);
        state.rows = state.rows.saturating_add(1);
        state.lose(took, now)
    }

    /// A call failed about several rows, and so much of its time is not that of rows that fail alone.
    pub(super) fn failed_together(&self, took: Duration, reason: &str, now: Instant) -> Option<Pause> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        state.reason = reason.into();
        state.lose(took, now)
    }

    /// It cannot be run at all, and will not be.
    pub(super) fn is_unusable(&self, reason: &str, now: Instant) -> Option<Pause> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        state.reason = reason.into();
        state.pauses = state.pauses.max(1);
        if let Phase::Paused = state.phase { None } else { Some(state.pause(now)) }
    }

    /// A thread that panicked holding the lock leaves a state that is whole: no code of ours fails in between.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What time alone changes.
    fn age(&mut self, now: Instant) {
        let is_past = |since: Instant, long: Duration| now.saturating_duration_since(since) >= long;
        if let Phase::Paused = self.phase
            && self.paused_until.is_none_or(|until| now >= until)
        {
            self.phase = Phase::Trial { rows: TRIAL_ROWS };
            self.forget();
        }
        if self.paused_until.is_some_and(|until| is_past(until, FORGIVEN_AFTER)) {
            (self.pauses, self.paused_until) = (0, None);
            self.phase = Phase::Working;
        }
        if self.since.is_some_and(|since| is_past(since, WHILE)) {
            self.forget();
        }
        self.known.retain(|_, (since, _)| !is_past(*since, KNOWN_FOR));
    }

    /// Counts from now on. What is known stays known.
    fn forget(&mut self) {
        (self.since, self.rows, self.lost) = (None, 0, Duration::ZERO);
    }

    fn know(&mut self, row: u64, now: Instant) {
        if self.known.len() >= KNOWN_MAX
            && let Some(oldest) = self.known.iter().min_by_key(|(_, (since, _))| *since).map(|(row, _)| *row)
        {
            self.known.remove(&oldest);
        }
        self.known.insert(row, (now, Arc::clone(&self.reason)));
    }

    /// Time is lost; a pause, if that was too much.
    fn lose(&mut self, took: Duration, now: Instant) -> Option<Pause> {
        self.since.get_or_insert(now);
        self.lost = self.lost.saturating_add(took);
        let patience = match self.phase {
            Phase::Working => WORKING,
            Phase::Trial { .. } => ON_TRIAL,
            // A call ends that began before.
            Phase::Paused => return None,
        };
        (self.rows >= patience.rows || self.lost >= patience.lost).then(|| self.pause(now))
    }

    fn pause(&mut self, now: Instant) -> Pause {
        let in_quarantine = self.pauses > 0;
        let doubled = 1_u32.checked_shl(self.pauses.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = if in_quarantine { QUARANTINE.saturating_mul(doubled).min(QUARANTINE_MAX) } else { BACK_OFF };
        self.pauses = self.pauses.saturating_add(1);
        self.paused_until = now.checked_add(pause);
        self.phase = Phase::Paused;
        self.forget();
        (pause, in_quarantine)
    }
}

fn hash(row: Row<'_>, hasher: &mut impl Hasher) {
    mem::discriminant(&row).hash(hasher);
    let Row::Elements(elements) = row else { return };
    for cell in elements {
        mem::discriminant(&cell).hash(hasher);
        match cell {
            Cell::Absent | Cell::Null => {}
            Cell::Text(text) => text.hash(hasher),
            Cell::Integer(value) => value.hash(hasher),
            Cell::Real(value) => value.to_bits().hash(hasher),
            Cell::Boolean(value) => value.hash(hasher),
        }
    }
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::{LogicalType, batch::ColumnBuilder};

    use super::*;

    const TRAP: Duration = Duration::from_micros(100);
    const LOOP: Duration = Duration::from_millis(500);

    /// A detection that fails about one row after the other, until it is not asked any more.
    fn fail(
        containment: &Containment,
        rows: impl IntoIterator<Item = u64>,
        took: Duration,
        now: Instant,
    ) -> Option<(u64, Duration, bool)> {
        for row in rows {
            if let Some((pause, in_quarantine)) = containment.failed(row, took, "it failed", now) {
                return Some((row, pause, in_quarantine));
            }
        }
        None
    }

    fn is_paused(containment: &Containment, now: Instant) -> bool {
        matches!(containment.caution_at(now), Caution::Paused(reason) if reason.contains("it failed"))
    }

    #[test]
    fn one_row_again_and_again_switches_nothing_off() {
        let (containment, now) = (Containment::default(), Instant::now());
        assert_eq!(containment.caution(), Caution::None);
        for took in [TRAP, LOOP] {
            assert_eq!(fail(&containment, std::iter::repeat_n(7, 10_000), took, now), None, "many workers at once");
        }
        assert_eq!(containment.caution_at(now), Caution::Known);
        assert_eq!(containment.is_known(7).as_deref(), Some("it failed"));
        assert_eq!(containment.is_known(8), None);
        assert_eq!(containment.caution_at(now + WHILE), Caution::Known, "it is still not asked about that row");
        assert_eq!(containment.caution_at(now + KNOWN_FOR), Caution::None);
        assert_eq!(containment.is_known(7), None);
    }

    #[test]
    fn many_rows_pause_a_detection_then_quarantine_it_and_a_trial_decides() {
        let (containment, mut now) = (Containment::default(), Instant::now());
        let last = WORKING.rows as u64 - 1;
        assert_eq!(fail(&containment, 0.., TRAP, now), Some((last, BACK_OFF, false)));
        assert!(is_paused(&containment, now));
        let (mut expected, mut pause) = (QUARANTINE, BACK_OFF);
        for turn in 1..10_u64 {
            now += pause;
            assert_eq!(containment.caution_at(now), Caution::OneByOne, "on trial");
            assert_eq!(fail(&containment, 0..=last, TRAP, now), None, "what is known counts as little as before");
            let others = turn * 1000..;
            let quarantined = Some((turn * 1000 + ON_TRIAL.rows as u64 - 1, expected, true));
            assert_eq!(fail(&containment, others, TRAP, now), quarantined, "few others are enough");
            assert_eq!(containment.failed(u64::MAX, LOOP, "it failed", now), None, "a call ends that began before");
            pause = expected;
            expected = (expected * 2).min(QUARANTINE_MAX);
        }
        now += pause;
        assert_eq!(containment.caution_at(now), Caution::OneByOne, "on trial");
        for _ in 0..1000 {
            assert_eq!(containment.went_well(false, Duration::ZERO, now), None);
        }
        assert_eq!(containment.caution_at(now), Caution::OneByOne, "it was not even asked");
        for _ in 0..TRIAL_ROWS {
            assert_eq!(containment.went_well(true, TRAP, now), None);
        }
        assert_eq!(containment.caution_at(now), Caution::Known, "it works");
        assert_eq!(fail(&containment, (1 << 20).., TRAP, now).map(|(_, pause, _)| pause), Some(QUARANTINE_MAX));
        now += QUARANTINE_MAX + FORGIVEN_AFTER;
        assert_eq!(containment.caution_at(now), Caution::Known, "after a good while it is forgiven");
        assert_eq!(fail(&containment, (1 << 30).., TRAP, now).map(|(_, pause, _)| pause), Some(BACK_OFF));
    }

    #[test]
    fn lost_time_pauses_a_detection() {
        let now = Instant::now();
        let loops = Containment::default();
        assert_eq!(fail(&loops, 0.., LOOP, now), Some((3, BACK_OFF, false)));
        // It traps on several rows, and is slow on one.
        let slow = Containment::default();
        assert_eq!(slow.failed_together(TRAP, "it failed", now), None);
        assert_eq!((0..10).find_map(|_| slow.went_well(true, LOOP, now)), Some((BACK_OFF, false)));
        let together = Containment::default();
        assert_eq!((0..3).find_map(|_| together.failed_together(LOOP, "it failed", now)), None);
        assert_eq!(together.failed_together(LOOP, "it failed", now + WHILE / 2), Some((BACK_OFF, false)));
    }

    #[test]
    fn a_row_is_the_same_in_any_batch() {
        let batch = |texts: &[Option<&str>]| {
            let mut builder = ColumnBuilder::of(LogicalType::String);
            for text in texts {
                builder.push(text.map_or(Cell::Null, Cell::Text));
            }
            Batch { rows: texts.len(), columns: vec![Arc::new(builder.finish())] }
        };
        let containment = Containment::default();
        let rows = [Some("a"), Some(""), None, Some("b")];
        let together: Vec<u64> = (0..rows.len()).map(|row| containment.row(&batch(&rows), row)).collect();
        let alone: Vec<u64> = rows.iter().map(|row| containment.row(&batch(&[*row]), 0)).collect();
        assert_eq!(together, alone);
        let different: std::collections::HashSet<u64> = alone.into_iter().collect();
        assert_eq!(different.len(), rows.len());
    }

    #[test]
    fn what_cannot_be_run_is_quarantined_at_once() {
        let (containment, now) = (Containment::default(), Instant::now());
        assert_eq!(containment.is_unusable("it failed", now), Some((QUARANTINE, true)));
        assert_eq!(containment.is_unusable("it failed", now), None);
        assert!(is_paused(&containment, now));
    }
}
