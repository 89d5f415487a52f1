//! Which rows lie within a detection's lookback.

use sandtrap_wit::{
    batch::{Cell, Column},
    plan::{Bound, Lookback},
};

/// Whether a lookback is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LookbackMode {
    /// Every row counts, however old: for files of old events.
    #[default]
    All,
    /// As the query says.
    Query,
}

/// The rows whose time lies within the lookback, ascending. A row without a time does not: `where` drops null.
pub fn rows_within(lookback: &Lookback, now: i64, time: &Column) -> Vec<u32> {
    let within =
        |ticks: i64| is_after(lookback.from, now, ticks) && lookback.to.is_none_or(|to| is_before(to, now, ticks));
    (0_u32..)
        .zip(0..time.rows())
        .filter(|(_, row)| matches!(time.cell(*row), Cell::Integer(t) if within(t)))
        .map(|(index, _)| index)
        .collect()
}

fn is_after(bound: Bound, now: i64, ticks: i64) -> bool {
    let at = now.saturating_sub(bound.ago);
    ticks > at || (bound.inclusive && ticks == at)
}

fn is_before(bound: Bound, now: i64, ticks: i64) -> bool {
    let at = now.saturating_sub(bound.ago);
    ticks < at || (bound.inclusive && ticks == at)
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::{LogicalType, batch::ColumnBuilder};

    use super::*;

    #[test]
    fn a_row_is_within_between_the_ends() {
        let mut time = ColumnBuilder::of(LogicalType::Datetime);
        for cell in [Cell::Integer(89), Cell::Integer(90), Cell::Null, Cell::Integer(100), Cell::Integer(101)] {
            time.push(cell);
        }
        let time = time.finish();
        let bound = |ago, inclusive| Bound { ago, inclusive };
        let lookback = |from, to| Lookback { column: 0, from, to };
        for (what, lookback, rows) in [
            ("Timestamp > ago(10)", lookback(bound(10, false), None), vec![3, 4]),
            ("Timestamp >= ago(10)", lookback(bound(10, true), None), vec![1, 3, 4]),
            ("between (ago(10) .. now())", lookback(bound(10, true), Some(bound(0, true))), vec![1, 3]),
            ("< now()", lookback(bound(i64::MAX, true), Some(bound(0, false))), vec![0, 1]),
            ("an ago below every datetime", lookback(bound(i64::MIN, true), None), vec![]),
        ] {
            assert_eq!(rows_within(&lookback, 100, &time), rows, "{what}");
        }
    }
}
