//! Rows that are kept as they are, for a `sort` or `limit` at the end of the input.
//!
//! A `take` keeps only its first rows and a `top` prunes to its best, so neither grows with the input.

use std::sync::Arc;

use sandtrap_wit::{
    batch::{Batch, Cell, Column, ColumnBuilder, Values},
    plan::{NamedColumn, Node, Sort},
};

use crate::{Limits, Overflow, budget::Budget, sort::sorted_rows};

/// A `top` sorts and prunes what it keeps when there is this many times what it wants, and at least [`PRUNE_ROWS`].
const PRUNE_FACTOR: usize = 4;
const PRUNE_ROWS: usize = 4_096;

/// A row costs this much, however few columns it has.
const ROW_BYTES: usize = 8;

/// Which rows can still matter.
#[derive(Clone, Debug)]
enum Keep {
    All,
    First(usize),
    Top(Sort, usize),
}

/// Rows that are kept as they are.
#[derive(Clone, Debug)]
pub(crate) struct Retained {
    keep: Keep,
    columns: Vec<NamedColumn>,
    chunks: Vec<Batch>,
    rows: usize,
    budget: Budget,
}

impl Retained {
    /// For rows of these columns under these nodes.
    pub(crate) fn new(above: &[(u32, Node)], columns: &[NamedColumn], limits: Limits) -> Self {
        let wanted = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let keep = match above {
            [(_, Node::Limit(limit)), ..] => Keep::First(wanted(limit.rows)),
            [(_, Node::Sort(sort)), (_, Node::Limit(limit)), ..] => Keep::Top(sort.clone(), wanted(limit.rows)),
            _ => Keep::All,
        };
        Self { keep, columns: columns.to_vec(), chunks: Vec::new(), rows: 0, budget: Budget::new(limits) }
    }

    pub(crate) fn push(&mut self, batch: &Batch) {
        let room = match &self.keep {
            Keep::First(rows) => rows.saturating_sub(self.rows),
            Keep::All | Keep::Top(..) => usize::MAX,
        };
        let batch = if batch.rows <= room { batch.clone() } else { first_rows(batch, room) };
        if batch.rows == 0 {
            return;
        }
        let bytes = bytes_of(&batch);
        if !self.budget.take(bytes) {
            self.prune();
            if !self.budget.take(bytes) {
                self.budget.miss_rows(batch.rows);
                return;
            }
        }
        self.rows = self.rows.saturating_add(batch.rows);
        self.chunks.push(batch);
        if let Keep::Top(_, wanted) = self.keep
            && self.rows >= wanted.saturating_mul(PRUNE_FACTOR).max(PRUNE_ROWS)
        {
            self.prune();
        }
    }

    /// Reduces a `top` to its best rows.
    fn prune(&mut self) {
        let Keep::Top(sort, wanted) = &self.keep else { return };
        let all = self.all();
        let mut rows = sorted_rows(sort, &self.columns, &all);
        rows.truncate(*wanted);
        let best = gather(&all, &rows);
        let before: usize = self.chunks.iter().map(bytes_of).sum();
        self.budget.give_back(before.saturating_sub(bytes_of(&best)));
        self.rows = best.rows;
        self.chunks = vec![best];
    }

    /// The rows in the order they came, or, of a `top`, in one that sorts the same.
    pub(crate) fn all(&self) -> Batch {
        if let [only] = self.chunks.as_slice() {
            return only.clone();
        }
        let columns = self.columns.iter().enumerate().map(|(index, column)| {
            let mut builder = ColumnBuilder::of(column.ty);
            for chunk in &self.chunks {
                match chunk.columns.get(index) {
                    Some(lists) if lists.lists().is_some() => (0..chunk.rows).for_each(|row| {
                        builder.push_row(lists.row(row));
                    }),
                    plain => (0..chunk.rows).for_each(|row| {
                        builder.push(plain.map_or(Cell::Null, |column| column.cell(row)));
                    }),
                }
            }
            Arc::new(builder.finish())
        });
        Batch { rows: self.rows, columns: columns.collect() }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.budget.overflow
    }
}

/// The rows at these indices, in that order.
pub(crate) fn gather(batch: &Batch, rows: &[u32]) -> Batch {
    let columns = batch.columns.iter().map(|column| Arc::new(column.gather(rows))).collect();
    Batch { rows: rows.len(), columns }
}

/// At most so many rows.
pub(crate) fn first_rows(batch: &Batch, wanted: usize) -> Batch {
    if batch.rows <= wanted {
        return batch.clone();
    }
    let rows: Vec<u32> = (0_u32..).zip(0..wanted).map(|(index, _)| index).collect();
    gather(batch, &rows)
}

fn bytes_of(batch: &Batch) -> usize {
    let cells: usize = batch.columns.iter().map(|column| bytes_of_column(column)).sum();
    cells.saturating_add(batch.rows.saturating_mul(ROW_BYTES))
}

fn bytes_of_column(column: &Column) -> usize {
    let cells = match column.values() {
        Values::Text { offsets, text } => text.len().saturating_add(offsets.len().saturating_mul(4)),
        Values::Integers(_) | Values::Reals(_) => column.cells().saturating_mul(8),
        Values::Booleans(bits) => bits.as_bytes().len(),
    };
    cells.saturating_add(column.lists().map_or(0, |offsets| offsets.len().saturating_mul(4)))
}
