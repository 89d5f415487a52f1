//! Batches in memory, in the layout of `detection.wit`: what readers fill, the engine lowers into components and
//! the dataflow groups and sorts.
//!
//! A [`Column`] keeps the contract's rules by construction: offsets ascend, text is UTF-8, a row without a value holds
//! the empty text or zero (no element, among lists), an absent row is not valid, and bitmaps and list offsets that say
//! nothing are not there. So equal rows lie alike, whoever built the column, and who reads values need not look at
//! bitmaps first.

mod bitmap;
mod builder;
mod cell;
mod column;
mod error;
mod row;
mod values;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use bitmap::Bitmap;
pub use builder::ColumnBuilder;
pub use cell::{Cell, OwnedCell};
pub use column::Column;
pub use error::ColumnError;
pub use row::{Elements, Row};
pub use values::Values;

/// The most text that one column of a batch may hold, in bytes: offsets stay below 2^31.
pub const COLUMN_BYTES_MAX: usize = (1 << 31) - 1;

/// The most cells that the lists of one column of a batch may have together: their offsets stay below 2^31 as well.
pub const COLUMN_CELLS_MAX: usize = (1 << 31) - 1;

/// Rows of typed columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// How many rows each column has.
    pub rows: usize,
    /// The columns; shared, because many detections read the same ones.
    pub columns: Vec<Arc<Column>>,
}
