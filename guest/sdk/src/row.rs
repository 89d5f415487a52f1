//! One row of a batch, as a detection sees it.

use sandtrap_wit::batch::{Cell, Column as Cells};

use crate::{Column, Datetime, Field, Scalar};

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub(crate) reads: &'static [Field],
    pub(crate) columns: &'a [Cells],
    pub(crate) index: usize,
    pub(crate) now: i64,
}

impl<'a> Row<'a> {
    /// The value, or `None` where the event has none.
    ///
    /// # Panics
    ///
    /// When `READS` does not list the column, whatever the row: the first test that reaches the call shows it.
    pub fn value<T: Scalar>(&self, column: &Column<T>) -> Option<T::Of<'a>> {
        T::read(self.cell(column))
    }

    /// The text, empty where the event has none: in KQL a string is never null.
    ///
    /// # Panics
    ///
    /// As [`Self::value`].
    pub fn text(&self, column: &Column<String>) -> &'a str {
        self.value(column).unwrap_or_default()
    }

    /// The cell, which tells a field that is absent from one that is null.
    ///
    /// # Panics
    ///
    /// As [`Self::value`].
    pub fn cell<T: Scalar>(&self, column: &Column<T>) -> Cell<'a> {
        // A handful of names that the optimiser compares at compile time where it can see both sides.
        let place = self.reads.iter().position(|field| *field == column.field());
        let cells = place.and_then(|place| self.columns.get(place));
        // Not an answer but a mistake in the detection. Reading nothing instead would hide events for good; a trap is
        // reported by the host.
        assert!(cells.is_some(), "READS does not list the column {}", column.field().name);
        cells.map_or(Cell::Absent, |cells| cells.cell(self.index))
    }

    /// What `now()` is.
    pub fn now(&self) -> Datetime {
        Datetime(self.now)
    }
}
