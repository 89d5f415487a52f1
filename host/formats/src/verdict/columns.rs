//! The columns of verdicts: rows of a result, which all verdicts about it share.

use std::sync::Arc;

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, Row},
};
use serde_json::Value;

use super::cell::cell_to_json;

/// A column of a detection's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name.
    pub name: Arc<str>,
    /// Its type; of the elements where it is a list.
    pub ty: LogicalType,
    /// Whether it is a column of lists.
    pub list: bool,
}

/// Rows of a detection's result. They lie as long as there is a verdict about one of them.
#[derive(Debug)]
pub struct ResultRows {
    columns: Arc<[ResultColumn]>,
    batch: Batch,
}

impl ResultRows {
    /// Rows that have these columns, in the order of the batch.
    pub fn new(columns: &Arc<[ResultColumn]>, batch: Batch) -> Arc<Self> {
        Arc::new(Self { columns: Arc::clone(columns), batch })
    }
}

/// The columns of a verdict.
#[derive(Clone, Debug)]
pub struct VerdictColumns {
    rows: Arc<ResultRows>,
    row: usize,
}

impl VerdictColumns {
    /// Those of one row.
    pub fn new(rows: &Arc<ResultRows>, row: usize) -> Self {
        Self { rows: Arc::clone(rows), row }
    }

    /// What they are called, in the order of the plan.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.columns.iter().map(|column| &*column.name)
    }

    /// One after the other, in the order of the plan.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = VerdictColumn<'_>> {
        self.rows.columns.iter().zip(&self.rows.batch.columns).map(|(column, cells)| VerdictColumn {
            name: &column.name,
            ty: column.ty,
            value: if column.list {
                VerdictValue::List(cells.row(self.row))
            } else {
                VerdictValue::Cell(cells.cell(self.row))
            },
        })
    }
}

/// A cell or list of a verdict, with its column.
#[derive(Clone, Debug)]
pub struct VerdictColumn<'v> {
    /// The column's name.
    pub name: &'v str,
    /// Its type; of the elements where it is a list.
    pub ty: LogicalType,
    /// The cell or list.
    pub value: VerdictValue<'v>,
}

/// What a column of a verdict holds.
#[derive(Clone, Debug)]
pub enum VerdictValue<'v> {
    /// A plain column's cell.
    Cell(Cell<'v>),
    /// What a column of lists has in this row.
    List(Row<'v>),
}

impl VerdictColumn<'_> {
    /// The value as a verdict's JSON has it. A list is its element when there is exactly one, so that a field which may
    /// be a list reads as one that may not; else an array. Without a value it is null, also among texts.
    pub fn to_json(&self) -> Value {
        match &self.value {
            VerdictValue::Cell(cell) => cell_to_json(self.ty, *cell),
            VerdictValue::List(Row::Absent | Row::Null) => Value::Null,
            VerdictValue::List(Row::Elements(elements)) => {
                let mut elements = elements.clone().map(|element| cell_to_json(self.ty, element));
                match (elements.len(), elements.next()) {
                    (1, Some(only)) => only,
                    (_, first) => first.into_iter().chain(elements).collect(),
                }
            }
        }
    }
}
