//! The running state of one aggregate of one group.
//!
//! Aggregates skip null (<https://learn.microsoft.com/kusto/query/aggregation-functions>). The empty text is a value for
//! all of them, as it is for the reference pages and for duckdb-kql, which is pinned to Kusto's emulator: it is the
//! least text, a member of a set, and counts as distinct. Kusto's pages do not say what `min` and `max` make of NaN;
//! here, as in `sort`, it has no place in the order and is the result only where there is no other value.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use sandtrap_wit::{
    LogicalType,
    batch::{Cell, ColumnBuilder, OwnedCell},
    plan::AggregateFunction,
};

use crate::{
    budget::{Budget, ENTRY_BYTES},
    cell::{compare, encode, is_nan},
    json,
};

/// The running state of one aggregate of one group.
#[derive(Clone, Debug)]
pub(crate) enum Accumulator {
    Count(i64),
    /// The value that compares as `keep` to all others.
    Extreme {
        keep: Ordering,
        best: OwnedCell,
    },
    /// Elements as JSON, in order of first appearance.
    Set {
        size: usize,
        order: Vec<Arc<str>>,
        seen: HashSet<Arc<str>>,
    },
    Distinct(HashSet<Box<[u8]>>),
}

impl Accumulator {
    pub(crate) fn new(function: AggregateFunction) -> Self {
        match function {
            AggregateFunction::Count => Self::Count(0),
            AggregateFunction::Min(_) => Self::Extreme { keep: Ordering::Less, best: OwnedCell::Null },
            AggregateFunction::Max(_) => Self::Extreme { keep: Ordering::Greater, best: OwnedCell::Null },
            AggregateFunction::MakeSet { size, .. } => {
                Self::Set { size: size as usize, order: Vec::new(), seen: HashSet::new() }
            }
            AggregateFunction::Dcount(_) => Self::Distinct(HashSet::new()),
        }
    }

    /// Takes in a row's cell; whether the result is another one now.
    pub(crate) fn add(&mut self, cell: Cell<'_>, ty: LogicalType, budget: &mut Budget) -> bool {
        match self {
            Self::Count(count) => {
                *count = count.saturating_add(1);
                true
            }
            Self::Extreme { keep, best } => add_extreme(*keep, best, cell, budget),
            Self::Set { size, order, seen } => {
                let before = order.len();
                json::elements(cell, ty, &mut |element| {
                    if order.len() < *size
                        && !seen.contains(element)
                        && budget.take_value(element.len().saturating_add(2 * ENTRY_BYTES))
                    {
                        let element: Arc<str> = element.into();
                        seen.insert(Arc::clone(&element));
                        order.push(element);
                    }
                });
                order.len() > before
            }
            Self::Distinct(seen) => {
                if cell.is_null() {
                    return false;
                }
                let mut key = Vec::new();
                encode(cell, &mut key);
                !seen.contains(key.as_slice())
                    && budget.take_value(key.len().saturating_add(ENTRY_BYTES))
                    && seen.insert(key.into_boxed_slice())
            }
        }
    }

    /// Adds the result to a column.
    pub(crate) fn push_to(&self, column: &mut ColumnBuilder) {
        match self {
            Self::Count(count) => column.push(Cell::Integer(*count)),
            Self::Extreme { best, .. } => column.push(best.as_cell()),
            Self::Set { order, .. } => column.push(Cell::Text(&format!("[{}]", order.join(",")))),
            Self::Distinct(seen) => column.push(Cell::Integer(i64::try_from(seen.len()).unwrap_or(i64::MAX))),
        };
    }
}

fn add_extreme(keep: Ordering, best: &mut OwnedCell, cell: Cell<'_>, budget: &mut Budget) -> bool {
    let better = match (best.as_cell(), cell) {
        (_, cell) if cell.is_null() => false,
        (old, _) if old.is_null() => true,
        (old, new) if is_nan(old) || is_nan(new) => is_nan(old) && !is_nan(new),
        (old, new) => compare(new, old) == keep,
    };
    if !better {
        return false;
    }
    let (old, new) = (best.heap_bytes(), text_len(cell));
    if !budget.take_value(new) {
        return false;
    }
    budget.give_back(old);
    *best = OwnedCell::from(cell);
    true
}

fn text_len(cell: Cell<'_>) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    /// What an aggregate makes of these cells, printed.
    fn result(function: AggregateFunction, ty: LogicalType, cells: &[Cell<'_>]) -> String {
        let mut budget = Budget::new(Limits::default());
        let mut accumulator = Accumulator::new(function);
        for cell in cells {
            accumulator.add(*cell, ty, &mut budget);
        }
        let of = match function {
            AggregateFunction::Count | AggregateFunction::Dcount(_) => LogicalType::Long,
            AggregateFunction::Min(_) | AggregateFunction::Max(_) => ty,
            AggregateFunction::MakeSet { .. } => LogicalType::Dynamic,
        };
        let mut column = ColumnBuilder::of(of);
        accumulator.push_to(&mut column);
        let column = column.finish();
        match column.cell(0) {
            Cell::Text(text) => text.to_owned(),
            cell => format!("{cell:?}"),
        }
    }

    #[test]
    fn aggregates_skip_null_and_count_the_empty_text() {
        use AggregateFunction::{Count, Dcount, MakeSet, Max, Min};
        use LogicalType::{Bool, Dynamic, Int, Real, String};
        let set = MakeSet { column: 0, size: 3 };
        let (i, r, t) = (Cell::Integer, Cell::Real, Cell::Text);
        for (function, ty, cells, expected) in [
            (Count, Int, vec![Cell::Null, i(1)], "Integer(2)"),
            (Min(0), Int, vec![Cell::Null, i(3), i(1), i(2)], "Integer(1)"),
            (Max(0), Int, vec![i(3), Cell::Absent], "Integer(3)"),
            (Max(0), Int, vec![Cell::Null], "Null"),
            (Min(0), String, vec![t("b"), t(""), t("a")], ""),
            (Max(0), String, vec![t("Z"), t("a"), t("é")], "é"),
            (Min(0), Real, vec![r(f64::NAN), r(2.0), r(f64::NAN)], "Real(2.0)"),
            (Max(0), Real, vec![r(f64::NAN)], "Real(NaN)"),
            (Max(0), Bool, vec![Cell::Boolean(true), Cell::Boolean(false)], "Boolean(true)"),
            (Dcount(0), String, vec![t("a"), t("A"), t("a"), t("")], "Integer(3)"),
            (Dcount(0), Int, vec![Cell::Null], "Integer(0)"),
            (set, Int, vec![], "[]"),
            (set, Int, vec![i(5), Cell::Null, i(1), i(5)], "[5,1]"),
            (set, Int, vec![i(1), i(2), i(3), i(4)], "[1,2,3]"),
            (set, String, vec![t("b"), t("a"), t("b")], r#"["b","a"]"#),
            (set, Dynamic, vec![t(r#"["A1","A2"]"#), t(r#"["A2","C1"]"#)], r#"["A1","A2","C1"]"#),
        ] {
            assert_eq!(result(function, ty, &cells), expected, "{function:?} of {cells:?}");
        }
    }
}
