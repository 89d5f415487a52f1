//! Finds how far back a query looks: conditions of a kernel on a table that compare its time with `now()`.
//!
//! `T > ago(x)`, `T between (now(-x) .. now())` and the like leave the filter and become the source's lookback, which
//! the host applies: a file of old events can then be searched as if it were fresh. Several bounds of one side become
//! the tightest of them. Conditions on fixed times stay in the filter, as does everything about a second time column.
//! A comparison of the time with `now()` that stays is worth a warning, because nobody can lift it.

use std::{cmp::Reverse, collections::BTreeSet};

use sandtrap_wit::plan::{Bound, Lookback};

use super::{Binder, arithmetic::now_offset, codes, draft::Rows};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{CompareOp, Expr, walk},
};

/// So many comparisons are watched; a query with more gets no warnings about the others.
const COMPARISONS_MAX: usize = 100;

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

/// A comparison of the event's time with `now()`.
#[derive(Debug)]
pub(super) struct TimeComparison {
    span: Span,
    /// What it is in the filter, if it can become the lookback.
    condition: Option<Expr>,
}

/// Takes the conditions that make a lookback out of a filter, and gives them too. Without a lower end there is no
/// lookback and the filter stays as it is.
pub(super) fn take(filter: &mut Vec<Expr>, is_time: impl Fn(u32) -> bool) -> Option<(Lookback, Vec<Expr>)> {
    let recognised = |condition: &Expr| recognise(condition).filter(|condition| is_time(condition.column));
    let column = filter.iter().filter_map(recognised).find(|condition| condition.side == Side::From)?.column;
    let mut bounds = Vec::new();
    let mut taken = Vec::new();
    filter.retain(|condition| match recognised(condition).filter(|found| found.column == column) {
        Some(found) => {
            bounds.push((found.side, found.bound));
            taken.push(condition.clone());
            false
        }
        None => true,
    });
    let of = |side| bounds.iter().filter(move |(found, _)| *found == side).map(|(_, bound)| *bound);
    // The tightest: the latest lower end, the earliest upper end, and without the end itself if one is.
    let from = of(Side::From).min_by_key(|bound| (bound.ago, bound.inclusive))?;
    let to = of(Side::To).min_by_key(|bound| (Reverse(bound.ago), bound.inclusive));
    Some((Lookback { column, from, to }, taken))
}

fn recognise(condition: &Expr) -> Option<Condition> {
    let Expr::Compare { op, left, right } = condition else { return None };
    bounding(*op, left, right)
}

fn bounding(op: CompareOp, left: &Expr, right: &Expr) -> Option<Condition> {
    let (column, op, offset) = match (left, right) {
        (Expr::Input { column, .. }, other) => (*column, op, now_offset(other)?),
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

fn reads_now(expr: &Expr) -> bool {
    matches!(expr, Expr::Now) || walk::operands(expr).into_iter().any(reads_now)
}

fn reads_any(expr: &Expr, columns: &BTreeSet<u32>) -> bool {
    let mut found = false;
    walk::inputs(expr, &mut |column| found |= columns.contains(&column));
    found
}

impl Binder<'_> {
    /// Notes a comparison of the event's time with `now()`, while a condition is bound.
    pub(super) fn note_time(&mut self, op: CompareOp, left: &Expr, right: &Expr, span: &Span) {
        let columns = &self.time_columns;
        if columns.is_empty() || self.time_comparisons.len() >= COMPARISONS_MAX {
            return;
        }
        let reads_time = reads_any(left, columns) || reads_any(right, columns);
        if !reads_time || !(reads_now(left) || reads_now(right)) {
            return;
        }
        let condition = bounding(op, left, right).map(|_| Expr::Compare {
            op,
            left: Box::new(left.clone()),
            right: Box::new(right.clone()),
        });
        self.time_comparisons.push(TimeComparison { span: span.clone(), condition });
    }

    /// Of the comparisons noted from `first` on, those that are no conditions of their own cannot be lookbacks.
    pub(super) fn keep_conditions(&mut self, first: usize, condition: &Expr, rows: &Rows) {
        let conditions = match condition {
            Expr::And(conditions) => conditions.as_slice(),
            condition => std::slice::from_ref(condition),
        };
        for noted in self.time_comparisons.iter_mut().skip(first) {
            // Columns of a later step are other columns.
            let stands = |wanted: &Expr| rows.is_first_kernel() && conditions.contains(wanted);
            noted.condition = noted.condition.take().filter(stands);
        }
    }

    /// Warns of the comparisons that have not become the lookback.
    pub(super) fn warn_of_comparisons(&mut self, taken: &[Expr]) {
        let mut warned = BTreeSet::new();
        for noted in std::mem::take(&mut self.time_comparisons) {
            let lifted = noted.condition.as_ref().is_some_and(|condition| taken.contains(condition));
            if lifted || !warned.insert((noted.span.start, noted.span.end)) {
                continue;
            }
            let message = "this compares with `now()` but is not a lookback: `--lookback all` does not lift it";
            let help =
                "a lookback is a condition of its own with the time column on one side, such as `Timestamp > ago(1d)`";
            self.report(Diagnostic::warning(codes::NOT_LOOKBACK, noted.span, message).help(help));
        }
    }
}
