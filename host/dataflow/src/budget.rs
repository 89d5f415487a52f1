//! How much one detection may keep, and the count of what did not fit.
//!
//! Events are untrusted: whoever can choose a group key can make as many groups as there are events. Groups that exist
//! go on counting when there is no room for a new one, so a flood of keys hides nothing that came before it.

use std::fmt;

/// How many groups an aggregate may keep.
pub const GROUPS_MAX: usize = 100_000;

/// How many bytes of keys, values and rows one detection may keep.
pub const BYTES_MAX: usize = 64 << 20;

/// What an entry of a map or list costs besides its bytes: a fair guess, so that many tiny entries count too.
pub(crate) const ENTRY_BYTES: usize = 48;

/// How much one detection may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many groups an aggregate may keep.
    pub groups_max: usize,
    /// How many bytes of keys, values and rows.
    pub bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { groups_max: GROUPS_MAX, bytes_max: BYTES_MAX }
    }
}

/// What did not fit within [`Limits`]: the table lacks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// Rows that belong to no kept group, or were not kept themselves.
    pub rows: u64,
    /// Values that an aggregate (`make_set`, `dcount`, `min`, `max`) could not take in.
    pub values: u64,
}

impl Overflow {
    /// Whether everything fitted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What did not fit in one place and in another.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_add(other.rows), values: self.values.saturating_add(other.values) }
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows and {} values did not fit into the memory of the detection", self.rows, self.values)
    }
}

/// Room within [`Limits::bytes_max`], and what found none.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    pub(crate) overflow: Overflow,
    used: usize,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, overflow: Overflow::default(), used: 0 }
    }

    /// Takes `bytes` if there is room.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match self.used.checked_add(bytes) {
            Some(used) if used <= self.limits.bytes_max => {
                self.used = used;
                true
            }
            _ => false,
        }
    }

    /// Takes `bytes` for a value of an aggregate, or counts the value.
    pub(crate) fn take_value(&mut self, bytes: usize) -> bool {
        let taken = self.take(bytes);
        if !taken {
            self.overflow.values = self.overflow.values.saturating_add(1);
        }
        taken
    }

    pub(crate) fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    pub(crate) fn miss_rows(&mut self, rows: usize) {
        self.overflow.rows = self.overflow.rows.saturating_add(rows as u64);
    }
}
