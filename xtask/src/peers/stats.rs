//! Rounds in a few numbers.

use super::program::{Lane, Took};

/// The middle and the ends of several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// Which time.
#[derive(Clone, Copy)]
pub(super) enum Clock {
    /// The clock's.
    Wall,
    /// The processors'.
    Processor,
}

impl Spread {
    /// Of some values; zeros if there is none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or_default();
        let (last, middle) = (values.len().saturating_sub(1), values.len() / 2);
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { median, min: at(0), max: at(last) }
    }
}

impl Took {
    /// The seconds that a clock shows.
    pub(super) fn seconds(self, clock: Clock) -> f64 {
        match clock {
            Clock::Wall => self.wall_s,
            Clock::Processor => self.cpu_s,
        }
    }
}

impl Lane {
    /// Microseconds for each event.
    pub(super) fn us_per_event(&self, events: u64, clock: Clock) -> Spread {
        Spread::of(self.rounds.iter().map(|took| took.seconds(clock) * 1e6 / count(events)))
    }

    /// Events per second.
    pub(super) fn events_per_second(&self, events: u64, clock: Clock) -> Spread {
        Spread::of(self.rounds.iter().map(|took| count(events) / took.seconds(clock)))
    }

    /// How many times as fast as another: the median of what the rounds, which alternate, say one by one.
    pub(super) fn times(&self, other: &Self, clock: Clock) -> f64 {
        let rounds = self.rounds.iter().zip(&other.rounds);
        Spread::of(rounds.map(|(ours, theirs)| theirs.seconds(clock) / ours.seconds(clock))).median
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Spread::of([]), Spread { median: 0.0, min: 0.0, max: 0.0 });
    }

    #[test]
    fn ratios_are_those_of_rounds_side_by_side() {
        let lane = |seconds: [f64; 3]| Lane {
            name: String::new(),
            rules: 0,
            verdicts: 0,
            rounds: seconds.map(|wall_s| Took { wall_s, cpu_s: 1.0 }).into(),
            stages: Vec::new(),
        };
        let (fast, slow) = (lane([1.0, 10.0, 2.0]), lane([4.0, 40.0, 9.0]));
        assert!((fast.times(&slow, Clock::Wall) - 4.0).abs() < 1e-9);
        assert!((fast.times(&slow, Clock::Processor) - 1.0).abs() < 1e-9);
    }
}
