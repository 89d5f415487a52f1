//! What each detection costs and gives, and where a run's time goes.

use std::{ops::AddAssign, time::Duration};

/// What a detection did in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows of its stream, or those that it brings itself, before any lookback.
    pub rows: u64,
    /// Rows that its component was asked about: those that meet its prefilter.
    pub candidates: u64,
    /// Calls of its component.
    pub calls: u64,
    /// How long its component took to answer. Gathered columns are shared, and no single detection's.
    pub time: Duration,
    /// Verdicts, or rows of its table.
    pub verdicts: u64,
    /// Rows that it could not be asked about because its component failed.
    pub unevaluated: u64,
    /// How often its component failed.
    pub failures: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.candidates = self.candidates.saturating_add(other.candidates);
        self.calls = self.calls.saturating_add(other.calls);
        self.time = self.time.saturating_add(other.time);
        self.verdicts = self.verdicts.saturating_add(other.verdicts);
        self.unevaluated = self.unevaluated.saturating_add(other.unevaluated);
        self.failures = self.failures.saturating_add(other.failures);
    }
}

/// Where a worker's time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// Lines became events with a route.
    pub read: Duration,
    /// Indexes were built and asked for candidates.
    pub index: Duration,
    /// Candidates' cells became columns.
    pub gather: Duration,
    /// Components were compiled, started and called.
    pub call: Duration,
    /// Matches became verdicts.
    pub write: Duration,
}

impl AddAssign for Stages {
    fn add_assign(&mut self, other: Self) {
        self.read = self.read.saturating_add(other.read);
        self.index = self.index.saturating_add(other.index);
        self.gather = self.gather.saturating_add(other.gather);
        self.call = self.call.saturating_add(other.call);
        self.write = self.write.saturating_add(other.write);
    }
}
