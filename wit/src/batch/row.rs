//! One row of a column whose rows are lists.

use std::{iter::FusedIterator, ops::Range};

use super::{Cell, Values};

/// One row of a column, borrowed. A column without list offsets has one element in each row that has a value.
#[derive(Clone, Debug)]
pub enum Row<'a> {
    /// The event does not have the field.
    Absent,
    /// The event has the field, without a value.
    Null,
    /// The values, none of which is null. There may be none at all: an empty list is a value.
    Elements(Elements<'a>),
}

/// The elements of a [`Row`] in order.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    values: &'a Values,
    /// Cells of `values`, in range.
    cells: Range<usize>,
}

impl<'a> Elements<'a> {
    pub(super) fn new(values: &'a Values, cells: Range<usize>) -> Self {
        Self { values, cells }
    }

    /// The element, when there is exactly one.
    pub fn single(&self) -> Option<Cell<'a>> {
        (self.cells.len() == 1).then(|| self.values.cell(self.cells.start))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        self.cells.next().map(|cell| self.values.cell(cell))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cells.size_hint()
    }
}

impl ExactSizeIterator for Elements<'_> {}
impl FusedIterator for Elements<'_> {}
