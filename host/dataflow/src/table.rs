//! Rows with the names and types of their columns: what a query prints.

use std::sync::Arc;

use sandtrap_wit::{
    batch::{Batch, ColumnBuilder},
    plan::NamedColumn,
};

use crate::Overflow;

/// Rows with the names and types of their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// One for each column of the batch.
    pub columns: Vec<NamedColumn>,
    /// The cells.
    pub batch: Batch,
    /// What the table lacks because it did not fit.
    pub overflow: Overflow,
}

impl Table {
    /// No rows of these columns.
    pub fn empty(columns: &[NamedColumn]) -> Self {
        let cells = columns.iter().map(|column| Arc::new(ColumnBuilder::of(column.ty).finish())).collect();
        Self { columns: columns.to_vec(), batch: Batch { rows: 0, columns: cells }, overflow: Overflow::default() }
    }
}
