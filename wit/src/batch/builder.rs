//! Builds columns row by row.

use super::{Bitmap, COLUMN_CELLS_MAX, Cell, Column, Row, Values, values::offset};
use crate::{LogicalType, PhysicalType};

/// Builds a column row by row: of plain cells with [`push`](Self::push), of lists with
/// [`push_elements`](Self::push_elements), [`push_null`](Self::push_null) and [`push_absent`](Self::push_absent).
///
/// As long as each row has one element or no value, lists lie as plain cells do. From the first that is otherwise on
/// there are offsets, but rows that could lie plainly still do until the next such row, so that adding a plain cell
/// costs the same whether there are lists or not.
#[derive(Debug)]
pub struct ColumnBuilder {
    values: Values,
    /// Offsets of the first rows; the rows after them lie plainly. `None` while all do.
    lists: Option<Vec<u32>>,
    validity: Bitmap,
    absent: Bitmap,
    any_null: bool,
    any_absent: bool,
}

impl ColumnBuilder {
    /// An empty column of that layout.
    pub fn new(physical: PhysicalType) -> Self {
        Self {
            values: Values::none(physical),
            lists: None,
            validity: Bitmap::default(),
            absent: Bitmap::default(),
            any_null: false,
            any_absent: false,
        }
    }

    /// An empty column for cells of that type.
    pub fn of(ty: LogicalType) -> Self {
        Self::new(ty.physical())
    }

    /// Makes room for so much more text, in bytes; does nothing for a column of anything else.
    pub fn reserve_text(&mut self, bytes: usize) {
        if let Values::Text { text, .. } = &mut self.values {
            text.reserve(bytes);
        }
    }

    /// Adds a cell. One of another kind than the column's, or text that would not fit under [`COLUMN_BYTES_MAX`](super::COLUMN_BYTES_MAX), is
    /// added as null and answered with false.
    pub fn push(&mut self, cell: Cell<'_>) -> bool {
        let fits = self.values.push(cell);
        let absent = matches!(cell, Cell::Absent);
        if !fits {
            self.values.push_empty();
            self.any_null = true;
            self.any_absent |= absent;
        }
        self.validity.push(fits);
        self.absent.push(absent);
        fits || cell.is_null()
    }

    /// Adds a row for a field that the event does not have.
    pub fn push_absent(&mut self) {
        self.push(Cell::Absent);
    }

    /// Adds a row for a field that the event has, without a value.
    pub fn push_null(&mut self) {
        self.push(Cell::Null);
    }

    /// Adds a row that is a list; cells without a value among the elements are left out. If one is of another kind
    /// than the column's, or the elements do not fit under [`COLUMN_BYTES_MAX`](super::COLUMN_BYTES_MAX) and [`COLUMN_CELLS_MAX`], the row is
    /// added as null and answered with false.
    pub fn push_elements<'c>(&mut self, elements: impl IntoIterator<Item = Cell<'c>>) -> bool {
        let mut elements = elements.into_iter().filter(|element| !element.is_null());
        let (first, second) = (elements.next(), elements.next());
        if let (Some(only), None) = (first, second) {
            return self.push(only);
        }
        self.settle();
        let start = self.values.len();
        let fits = first.into_iter().chain(second).chain(elements).all(|element| self.values.push(element))
            && self.values.len() <= COLUMN_CELLS_MAX;
        if !fits {
            self.values.truncate(start);
            self.push_null();
            return false;
        }
        self.validity.push(true);
        self.absent.push(false);
        if let Some(lists) = &mut self.lists {
            lists.push(offset(self.values.len()));
        }
        true
    }

    /// Adds a row as [`Column::row`] gives it; false as [`push_elements`](Self::push_elements) answers.
    pub fn push_row(&mut self, row: Row<'_>) -> bool {
        match row {
            Row::Absent => self.push(Cell::Absent),
            Row::Null => self.push(Cell::Null),
            Row::Elements(elements) => self.push_elements(elements),
        }
    }

    /// Gives the rows that lie plainly their offsets. Those without a value lose their empty cell.
    fn settle(&mut self) {
        let lists = self.lists.get_or_insert_with(|| vec![0]);
        let settled = lists.len() - 1;
        let start = lists.last().map_or(0, |end| *end as usize);
        if self.any_null {
            self.values.retain_from(start, |distance| self.validity.get(settled + distance));
        }
        let mut end = start;
        for row in settled..self.validity.len() {
            end += usize::from(self.validity.get(row));
            lists.push(offset(end));
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column.
    pub fn finish(mut self) -> Column {
        if self.lists.is_some() {
            self.settle();
        }
        let rows = self.validity.len();
        Column {
            rows,
            plain: if self.lists.is_some() { 0 } else { rows },
            values: self.values,
            validity: self.any_null.then_some(self.validity),
            absent: self.any_absent.then_some(self.absent),
            lists: self.lists,
        }
    }
}
