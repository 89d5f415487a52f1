//! The null of a column that its table does not have: it takes its type from what it is used with.
//!
//! It is written as the null of `string`, which nothing else in the binder makes: text has no null, so where nothing
//! gives it a type it is the empty text. An operator gives it one before it looks at types; whoever keeps a value (a
//! column, a group key, the argument of an aggregate) settles it as text.

use sandtrap_wit::LogicalType;

use crate::ir::{Arithmetic, Expr, Literal};

const UNTYPED: Literal = Literal::Null(LogicalType::String);

/// The value of a missing column.
pub(super) fn null() -> Expr {
    Expr::Literal(UNTYPED)
}

/// Whether an expression is the value of a missing column.
pub(super) fn is(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Literal::Null(LogicalType::String)))
}

/// The expression under this type if it has none, else as it is.
pub(super) fn under(expr: Expr, ty: LogicalType) -> Expr {
    match (is(&expr), ty) {
        (false, _) => expr,
        (true, LogicalType::String) => settled(expr),
        (true, ty) => Expr::null(ty),
    }
}

/// The expression as text if it has no type.
pub(super) fn settled(expr: Expr) -> Expr {
    if is(&expr) { Expr::Literal(Literal::Text(String::new(), LogicalType::String)) } else { expr }
}

/// Two operands of which one may give the other its type.
pub(super) fn paired(left: Expr, right: Expr) -> (Expr, Expr) {
    let ty = if is(&left) { right.ty() } else { left.ty() };
    (under(left, ty), under(right, ty))
}

/// The operands of `between`: the first that has a type gives it to the others. Without one they are numbers, because
/// `between` does not take text.
pub(super) fn ranged(operands: [Expr; 3]) -> [Expr; 3] {
    let ty = operands.iter().find(|operand| !is(operand)).map_or(LogicalType::Long, Expr::ty);
    operands.map(|operand| under(operand, ty))
}

/// The operands of arithmetic: the type of the other one, or the one that goes with it.
pub(super) fn calculated(op: Arithmetic, left: Expr, right: Expr) -> (Expr, Expr) {
    let other = match (is(&left), is(&right)) {
        (false, false) => return (left, right),
        (true, true) => LogicalType::Long,
        (true, false) => right.ty(),
        (false, true) => left.ty(),
    };
    let ty = match (op, other) {
        // A datetime moves by a timespan; the distance is that of two datetimes.
        (Arithmetic::Add, LogicalType::Datetime) => LogicalType::Timespan,
        (Arithmetic::Multiply, LogicalType::Timespan) => LogicalType::Long,
        (_, other) => other,
    };
    (under(left, ty), under(right, ty))
}
