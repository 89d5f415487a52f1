//! Finds how far back a query looks: conditions of a kernel on a table that compare its time with `now()`.
//!
//! `T > ago(x)`, `T between (now(-x) .. now())` and the like leave the filter and become the source's lookback, which
//! the host applies: a file of old events can then be searched as if it were fresh. Conditions on fixed times stay in
//! the filter, as does everything about a second time column and a second bound of the same side.

use sandtrap_wit::plan::{Bound, Lookback};

use super::arithmetic::now_offset;
use crate::ir::{CompareOp, Expr};

/// Which end of the lookback a condition is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    From,
    To,
}

struct Condition {
    column: u32,
    side: Side,
    bound: Bound,
}

/// Takes the conditions that make a lookback out of a filter. Without a lower end there is no lookback and the filter
/// stays as it is.
pub(super) fn take(filter: &mut Vec<Expr>, is_time: impl Fn(u32) -> bool) -> Option<Lookback> {
    let conditions: Vec<Option<Condition>> =
        filter.iter().map(|condition| recognise(condition).filter(|condition| is_time(condition.column))).collect();
    let find = |side, column: Option<u32>| {
        let fits = |condition: &Condition| condition.side == side && column.is_none_or(|at| at == condition.column);
        let mut numbered = conditions.iter().enumerate();
        numbered.find_map(|(index, condition)| condition.as_ref().filter(|it| fits(it)).map(|it| (index, it)))
    };
    let (from_index, from) = find(Side::From, None)?;
    let to = find(Side::To, Some(from.column));
    let lookback = Lookback { column: from.column, from: from.bound, to: to.map(|(_, condition)| condition.bound) };
    let to_index = to.map(|(index, _)| index);
    let mut index = 0_usize;
    filter.retain(|_| {
        let keep = index != from_index && Some(index) != to_index;
        index = index.saturating_add(1);
        keep
    });
    Some(lookback)
}

fn recognise(condition: &Expr) -> Option<Condition> {
    let Expr::Compare { op, left, right } = condition else { return None };
    let (column, op, offset) = match (left.as_ref(), right.as_ref()) {
        (Expr::Input { column, .. }, other) => (*column, *op, now_offset(other)?),
        (other, Expr::Input { column, .. }) => (*column, op.mirrored(), now_offset(other)?),
        _ => return None,
    };
    let (side, inclusive) = match op {
        CompareOp::Greater => (Side::From, false),
        CompareOp::GreaterEqual => (Side::From, true),
        CompareOp::Less => (Side::To, false),
        CompareOp::LessEqual => (Side::To, true),
        CompareOp::Equal | CompareOp::NotEqual => return None,
    };
    Some(Condition { column, side, bound: Bound { ago: offset.checked_neg()?, inclusive } })
}
