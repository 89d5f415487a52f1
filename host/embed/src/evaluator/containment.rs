//! What becomes of a detection whose component fails: it costs little, hides little, and nobody else notices.
//!
//! ```text
//!                a call fails: its rows are asked again one by one; those that fail
//!                alone are not evaluated, and not asked about again for a while
//!                  +----+
//!                  |    v   too many such rows, or too much time lost, in a while
//!            +--> working ----------------------------------------+
//!            |                                                    v
//!            |                                                  paused: first briefly,
//!            |                                                    |     then in quarantine
//!            |  enough rows went well           a row fails       |
//!            +-------------------------- trial -----------------> +
//!                                          ^                      |
//!                                          +----------------------+
//!                                             the pause is over
//! ```
//!
//! A row that makes a component fail counts once, however often it comes: who sends the same event again and again cannot
//! switch a detection off, and it costs no call. What is paused is asked about nothing; its rows are reported as not
//! evaluated. On trial, rows are asked one by one, so that another failure costs no more than one row.

use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use sandtrap_wit::batch::{Batch, Bitmap, Column, Values};

/// For how long what failed is remembered while a detection works.
const WHILE: Duration = Duration::from_mins(1);

/// How many different rows may make a component fail in that time. A trap costs a fraction of a millisecond.
const ROWS_MAX: usize = 256;

/// How much time calls that failed may take in that time, all together: four endless loops.
const LOST_MAX: Duration = Duration::from_secs(2);

/// The first pause.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The second pause, which is a quarantine. Each further one is twice as long.
const QUARANTINE: Duration = Duration::from_mins(1);

/// The longest pause.
const QUARANTINE_MAX: Duration = Duration::from_hours(1);

/// How many rows must go well on trial.
const TRIAL_ROWS: usize = 64;

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
    /// When something failed that is still remembered.
    since: Option<Instant>,
    /// What rows made it fail since then.
    rows: HashSet<u64>,
    /// How much time failures took since then.
    lost: Duration,
    /// How many pauses there were since it last worked.
    pauses: u32,
    /// How it failed last.
    reason: String,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Working,
    Paused {
        until: Instant,
    },
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
    /// One row at a time, and not about [known](Containment::is_known) ones.
    OneByOne,
    /// Not at all, for this reason.
    Paused(String),
}

/// A detection is not asked for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// `namespace/id`.
    pub detection: String,
    /// Whether it did well for less than a while after the pause before.
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

impl Containment {
    /// How it is to be asked now.
    pub(super) fn caution(&self) -> Caution {
        if self.troubled.load(Ordering::Relaxed) { self.caution_at(Instant::now()) } else { Caution::None }
    }

    fn caution_at(&self, now: Instant) -> Caution {
        let mut state = self.lock();
        if let Phase::Paused { until } = state.phase {
            if now < until {
                return Caution::Paused(state.reason.clone());
            }
            state.phase = Phase::Trial { rows: TRIAL_ROWS };
            state.forget();
        }
        if let Phase::Working = state.phase
            && state.since.is_none_or(|since| now.saturating_duration_since(since) > WHILE)
        {
            state.forget();
            self.troubled.store(false, Ordering::Relaxed);
            return Caution::None;
        }
        Caution::OneByOne
    }

    /// What tells a row from others.
    pub(super) fn row(&self, input: &Batch) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        input.columns.iter().for_each(|column| hash(column, &mut hasher));
        hasher.finish()
    }

    /// Why a row is not asked about: it made the component fail before.
    pub(super) fn is_known(&self, row: u64) -> Option<String> {
        let state = self.lock();
        state.rows.contains(&row).then(|| state.reason.clone())
    }

    /// A row went well, which was asked alone.
    pub(super) fn went_well(&self) {
        let mut state = self.lock();
        if let Phase::Trial { rows } = &mut state.phase {
            *rows = rows.saturating_sub(1);
            if *rows == 0 {
                state.phase = Phase::Working;
                state.pauses = 0;
            }
        }
    }

    /// A call failed that took so long: about this row, or about several. How long the detection is not asked, if so, and
    /// whether that is a quarantine.
    pub(super) fn failed(
        &self,
        row: Option<u64>,
        took: Duration,
        reason: &str,
        now: Instant,
    ) -> Option<(Duration, bool)> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        state.since.get_or_insert(now);
        state.lost = state.lost.saturating_add(took);
        state.rows.extend(row);
        reason.clone_into(&mut state.reason);
        let too_much = match state.phase {
            Phase::Working => state.rows.len() >= ROWS_MAX || state.lost >= LOST_MAX,
            Phase::Trial { .. } => true,
            // Another worker was at it.
            Phase::Paused { .. } => false,
        };
        too_much.then(|| state.pause(now))
    }

    /// It cannot be run at all, and will not be.
    pub(super) fn is_unusable(&self, reason: &str, now: Instant) -> Option<(Duration, bool)> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        reason.clone_into(&mut state.reason);
        state.pauses = state.pauses.max(1);
        if let Phase::Paused { .. } = state.phase { None } else { Some(state.pause(now)) }
    }

    /// A thread that panicked holding the lock leaves a state that is whole: no code of ours fails in between.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self) {
        self.since = None;
        self.rows.clear();
        self.lost = Duration::ZERO;
    }

    fn pause(&mut self, now: Instant) -> (Duration, bool) {
        let in_quarantine = self.pauses > 0;
        let doubled = 1_u32.checked_shl(self.pauses.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = if in_quarantine { QUARANTINE.saturating_mul(doubled).min(QUARANTINE_MAX) } else { BACK_OFF };
        self.pauses = self.pauses.saturating_add(1);
        self.phase = Phase::Paused { until: now.checked_add(pause).unwrap_or(now) };
        (pause, in_quarantine)
    }
}

fn hash(column: &Column, hasher: &mut impl Hasher) {
    match column.values() {
        Values::Text { offsets, text } => (offsets, text).hash(hasher),
        Values::Integers(values) => values.hash(hasher),
        Values::Reals(values) => values.iter().for_each(|value| value.to_bits().hash(hasher)),
        Values::Booleans(values) => values.as_bytes().hash(hasher),
    }
    (column.validity().map(Bitmap::as_bytes), column.absent().map(Bitmap::as_bytes), column.lists()).hash(hasher);
}

#[cfg(test)]
mod tests {
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
            if let Some((pause, in_quarantine)) = containment.failed(Some(row), took, "it trapped", now) {
                return Some((row, pause, in_quarantine));
            }
        }
        None
    }

    #[test]
    fn one_row_again_and_again_switches_nothing_off() {
        let (containment, now) = (Containment::default(), Instant::now());
        assert_eq!(containment.caution(), Caution::None);
        assert_eq!(
            fail(&containment, std::iter::repeat_n(7, 10_000), TRAP, now),
            None,
            "it is one row, whatever a racing worker tells"
        );
        assert_eq!(containment.caution_at(now), Caution::OneByOne);
        assert_eq!(containment.is_known(7).as_deref(), Some("it trapped"));
        assert_eq!(containment.is_known(8), None);
        let later = now + WHILE + TRAP;
        assert_eq!(containment.caution_at(later), Caution::None, "after a while it is forgotten");
        assert_eq!(containment.is_known(7), None);
    }

    #[test]
    fn many_rows_pause_a_detection_then_quarantine_it_and_a_trial_decides() {
        let (containment, mut now) = (Containment::default(), Instant::now());
        let last = ROWS_MAX as u64 - 1;
        assert_eq!(fail(&containment, 0.., TRAP, now), Some((last, BACK_OFF, false)));
        assert_eq!(containment.caution_at(now), Caution::Paused("it trapped".into()));
        let mut expected = QUARANTINE;
        for _ in 0..10 {
            now += QUARANTINE_MAX;
            assert_eq!(containment.caution_at(now), Caution::OneByOne, "on trial");
            assert_eq!(fail(&containment, [1], TRAP, now), Some((1, expected, true)), "one more is enough");
            assert_eq!(containment.failed(Some(2), TRAP, "it trapped", now), None, "another worker comes too late");
            expected = (expected * 2).min(QUARANTINE_MAX);
        }
        now += QUARANTINE_MAX;
        assert_eq!(containment.caution_at(now), Caution::OneByOne, "on trial");
        (0..TRIAL_ROWS).for_each(|_| containment.went_well());
        assert_eq!(containment.caution_at(now), Caution::None, "it works");
        assert_eq!(fail(&containment, 0.., TRAP, now), Some((last, BACK_OFF, false)), "and begins anew");
    }

    #[test]
    fn endless_loops_pause_a_detection_sooner() {
        let (containment, now) = (Containment::default(), Instant::now());
        assert_eq!(fail(&containment, 0.., LOOP, now), Some((3, BACK_OFF, false)));
    }

    #[test]
    fn what_cannot_be_run_is_quarantined_at_once() {
        let (containment, now) = (Containment::default(), Instant::now());
        assert_eq!(containment.is_unusable("no machine code", now), Some((QUARANTINE, true)));
        assert_eq!(containment.is_unusable("no machine code", now), None);
        assert_eq!(containment.caution_at(now), Caution::Paused("no machine code".into()));
    }
}
