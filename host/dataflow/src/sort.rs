//! `sort` and `limit` over rows in memory.
//!
//! Where nulls and NaNs go: <https://learn.microsoft.com/kusto/query/sort-operator>. They are always together at the
//! end that `nulls` names, the nulls outermost, whichever way the values are ordered.

use std::cmp::Ordering;

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell},
    plan::{NamedColumn, Nulls, Order, Sort, SortKey},
};

use crate::cell::{compare, is_nan, read};

/// The indices of the rows of `batch`, sorted; rows with equal keys stay in order.
pub(crate) fn sorted_rows(sort: &Sort, columns: &[NamedColumn], batch: &Batch) -> Vec<u32> {
    let keys: Vec<(SortKey, LogicalType)> =
        sort.by.iter().filter_map(|key| columns.get(key.column as usize).map(|column| (*key, column.ty))).collect();
    let mut rows: Vec<u32> = (0_u32..).zip(0..batch.rows).map(|(index, _)| index).collect();
    rows.sort_by(|left, right| {
        keys.iter()
            .map(|(key, ty)| {
                let cell = |row: &u32| read(batch, key.column, *row as usize, *ty);
                compare_by(*key, cell(left), cell(right))
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    rows
}

fn compare_by(key: SortKey, left: Cell<'_>, right: Cell<'_>) -> Ordering {
    let by_lack = match key.nulls {
        Nulls::First => lack(right).cmp(&lack(left)),
        Nulls::Last => lack(left).cmp(&lack(right)),
    };
    by_lack.then_with(|| match key.order {
        Order::Asc => compare(left, right),
        Order::Desc => compare(right, left),
    })
}

/// How far a cell is from being a value with a place in the order.
fn lack(cell: Cell<'_>) -> u8 {
    if cell.is_null() { 2 } else { u8::from(is_nan(cell)) }
}
