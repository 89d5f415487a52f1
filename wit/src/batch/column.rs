//! One column of a batch: plain, a cell for each row, or of lists.

use super::{Bitmap, Cell, ColumnBuilder, ColumnError, Elements, Row, Values};
use crate::PhysicalType;

/// One column of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub(super) values: Values,
    pub(super) validity: Option<Bitmap>,
    pub(super) absent: Option<Bitmap>,
    pub(super) lists: Option<Vec<u32>>,
    pub(super) rows: usize,
    /// How many rows are the cells of the same index: all, or with list offsets none. So [`Column::cell`] asks once
    /// for both that the row is there and that it is plain.
    pub(super) plain: usize,
}

impl Column {
    /// A column of plain cells from untrusted parts.
    ///
    /// What lies in a cell without a value is emptied rather than refused: Arrow leaves it undefined, and who builds
    /// columns with an Arrow library does nothing wrong. A cell that is absent and valid at once is refused, for
    /// either reading would be a guess.
    pub fn new(values: Values, validity: Option<Bitmap>, absent: Option<Bitmap>) -> Result<Self, ColumnError> {
        let rows = values.len();
        let (validity, absent) = checked(validity, absent, rows)?;
        let values = match &validity {
            None => values,
            Some(validity) => values.emptied(validity),
        };
        Ok(Self { values, validity, absent, lists: None, rows, plain: rows })
    }

    /// A column of lists from untrusted parts: the elements of row `i` are the cells `lists[i]..lists[i + 1]`, and the
    /// bitmaps speak of rows.
    ///
    /// Elements of a row without a value are dropped, as [`Column::new`] empties cells. Offsets that say nothing, for
    /// every row has one element or no value, are dropped too.
    pub fn with_lists(
        values: Values,
        lists: Vec<u32>,
        validity: Option<Bitmap>,
        absent: Option<Bitmap>,
    ) -> Result<Self, ColumnError> {
        let ascending = lists.windows(2).all(|pair| pair[0] <= pair[1]);
        let end = lists.last().map(|end| *end as usize);
        if lists.first() != Some(&0) || end != Some(values.len()) || !ascending {
            return Err(ColumnError::ListOffsets);
        }
        let rows = lists.len().saturating_sub(1);
        let (validity, absent) = checked(validity, absent, rows)?;
        let has_value = |row| validity.as_ref().is_none_or(|validity| validity.get(row));
        let mut lengths = lists.windows(2).map(|pair| pair[1] - pair[0]).enumerate();
        let any_list = lengths.clone().any(|(row, elements)| elements != 1 && has_value(row));
        let any_stray = lengths.any(|(row, elements)| elements != 0 && !has_value(row));
        let column = Self { values, validity, absent, lists: Some(lists), rows, plain: 0 };
        Ok(if any_list && !any_stray { column } else { column.collect(0..rows) })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many cells there are: as many as rows where rows are plain, all elements together where they are lists.
    pub fn cells(&self) -> usize {
        self.values.len()
    }

    /// The cells as they lie.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Which rows have a value; `None` when all do.
    pub fn validity(&self) -> Option<&Bitmap> {
        self.validity.as_ref()
    }

    /// Which rows stand for a field that the event does not have; `None` when there is none.
    pub fn absent(&self) -> Option<&Bitmap> {
        self.absent.as_ref()
    }

    /// The elements of row `i` are the cells from the offset at `i` to the next; one more offset than rows. `None` when
    /// row `i` is cell `i`, which is also how lists lie when each has one element.
    pub fn lists(&self) -> Option<&[u32]> {
        self.lists.as_deref()
    }

    /// How the cells lie.
    pub fn physical(&self) -> PhysicalType {
        match self.values {
            Values::Text { .. } => PhysicalType::Text,
            Values::Integers(_) => PhysicalType::Integers,
            Values::Reals(_) => PhysicalType::Reals,
            Values::Booleans(_) => PhysicalType::Booleans,
        }
    }

    /// The cell at `row` of a plain column; absent past the end. Of a list that has not exactly one element there is
    /// no such cell: it is null, and [`Column::row`] has it.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        if row >= self.plain {
            return self.cell_of_list(row);
        }
        if self.is_absent(row) {
            return Cell::Absent;
        }
        if self.is_invalid(row) {
            return Cell::Null;
        }
        self.values.cell(row)
    }

    #[cold]
    fn cell_of_list(&self, row: usize) -> Cell<'_> {
        match self.row(row) {
            Row::Absent => Cell::Absent,
            Row::Null => Cell::Null,
            Row::Elements(elements) => elements.single().unwrap_or(Cell::Null),
        }
    }

    /// The row at `row` with all of its elements; absent past the end.
    pub fn row(&self, row: usize) -> Row<'_> {
        if row >= self.rows || self.is_absent(row) {
            return Row::Absent;
        }
        if self.is_invalid(row) {
            return Row::Null;
        }
        let cells = match &self.lists {
            None => row..row + 1,
            Some(lists) => lists[row] as usize..lists[row + 1] as usize,
        };
        Row::Elements(Elements::new(&self.values, cells))
    }

    fn is_absent(&self, row: usize) -> bool {
        self.absent.as_ref().is_some_and(|absent| absent.get(row))
    }

    fn is_invalid(&self, row: usize) -> bool {
        self.validity.as_ref().is_some_and(|validity| !validity.get(row))
    }

    /// The rows at `rows`, in that order.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        self.collect(rows.iter().map(|row| *row as usize))
    }

    fn collect(&self, rows: impl Iterator<Item = usize>) -> Self {
        let mut builder = ColumnBuilder::new(self.physical());
        if self.lists.is_none() {
            rows.for_each(|row| {
                builder.push(self.cell(row));
            });
        } else {
            rows.for_each(|row| {
                builder.push_row(self.row(row));
            });
        }
        builder.finish()
    }
}

/// The bitmaps of a column, those that say nothing left out.
fn checked(
    validity: Option<Bitmap>,
    absent: Option<Bitmap>,
    rows: usize,
) -> Result<(Option<Bitmap>, Option<Bitmap>), ColumnError> {
    if [&validity, &absent].into_iter().flatten().any(|bitmap| bitmap.len() != rows) {
        return Err(ColumnError::Bitmap);
    }
    let validity = validity.filter(|validity| !validity.all());
    let absent = absent.filter(Bitmap::any);
    if absent.as_ref().is_some_and(|absent| validity.as_ref().is_none_or(|validity| validity.and(absent).any())) {
        return Err(ColumnError::Absent);
    }
    Ok((validity, absent))
}
