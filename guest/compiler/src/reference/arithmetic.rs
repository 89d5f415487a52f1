//! `+ - * / %` and the signs, over numbers, datetimes and timespans.
//!
//! <https://learn.microsoft.com/kusto/query/numerical-operators> and
//! <https://learn.microsoft.com/kusto/query/datetime-timespan-arithmetic>. Null with anything is null. Integers wrap and
//! are `long` even where both operands are `int` (measured); integer division truncates and by zero gives null;
//! `%` is never negative (measured); reals follow IEEE 754.

use sandtrap_wit::LogicalType;

use super::{
    error::ReferenceError,
    scalar::Typed,
    value::{Value, is_integer, is_numeric, long_to_real},
};
use crate::{
    diagnostic::Span,
    kql::ast::{BinaryOp, UnaryOp},
};

/// `left op right`
pub(super) fn binary(op: BinaryOp, left: &Typed, right: &Typed, span: &Span) -> Result<Typed, ReferenceError> {
    let (left, right) = &typed(op, left, right);
    let ty = result_type(op, left.ty, right.ty, span)?;
    let value = match (&left.value, &right.value) {
        (Value::Null, _) | (_, Value::Null) => Some(Value::Null),
        (left, right) => apply(op, ty, left, right),
    };
    Ok(Typed { ty, value: value.unwrap_or(Value::Null) })
}

/// Columns that are not there take the type of the other operand, or the one that can be calculated with it.
fn typed(op: BinaryOp, left: &Typed, right: &Typed) -> (Typed, Typed) {
    if left.is_untyped() && right.is_untyped() {
        return (left.clone().or_null_of(LogicalType::Long), right.clone().or_null_of(LogicalType::Long));
    }
    let beside = |other: LogicalType| match (op, other) {
        (BinaryOp::Add, LogicalType::Datetime) => LogicalType::Timespan,
        (BinaryOp::Multiply, LogicalType::Timespan) => LogicalType::Long,
        (_, other) => other,
    };
    (left.clone().or_null_of(beside(right.ty)), right.clone().or_null_of(beside(left.ty)))
}

/// `-x` and `+x`
pub(super) fn unary(op: UnaryOp, operand: &Typed, span: &Span) -> Result<Typed, ReferenceError> {
    let operand = &operand.clone().or_null_of(LogicalType::Long);
    if !is_numeric(operand.ty) && operand.ty != LogicalType::Timespan {
        return Err(ReferenceError::ty(format!("a {} has no sign", operand.ty), span));
    }
    let ty = if is_integer(operand.ty) { LogicalType::Long } else { operand.ty };
    let value = match (op, operand.value.clone()) {
        (UnaryOp::Negate, Value::Long(value)) => Value::Long(value.wrapping_neg()),
        (UnaryOp::Negate, Value::Timespan(value)) => Value::Timespan(value.wrapping_neg()),
        (UnaryOp::Negate, Value::Real(value)) => Value::Real(-value),
        (_, value) => value,
    };
    Ok(Typed { ty, value })
}

fn result_type(
    op: BinaryOp,
    left: LogicalType,
    right: LogicalType,
    span: &Span,
) -> Result<LogicalType, ReferenceError> {
    use LogicalType::{Datetime, Dynamic, Long, Real, Timespan};
    Ok(match (op, left, right) {
        (_, left, right) if is_integer(left) && is_integer(right) => Long,
        (_, left, right) if is_numeric(left) && is_numeric(right) => Real,
        (BinaryOp::Divide, Timespan, Timespan) => Real,
        (BinaryOp::Subtract, Datetime, Datetime)
        | (BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Modulo, Timespan, Timespan) => Timespan,
        (BinaryOp::Add | BinaryOp::Subtract, Datetime, Timespan) | (BinaryOp::Add, Timespan, Datetime) => Datetime,
        (BinaryOp::Multiply | BinaryOp::Divide, Timespan, number) if is_numeric(number) => Timespan,
        (BinaryOp::Multiply, number, Timespan) if is_numeric(number) => Timespan,
        (_, Dynamic, _) | (_, _, Dynamic) => return Err(ReferenceError::unsupported("arithmetic on dynamic", span)),
        _ => return Err(ReferenceError::ty(format!("{op:?} is not defined for {left} and {right}"), span)),
    })
}

/// The result of two values that are not null; `None` where it is null.
fn apply(op: BinaryOp, ty: LogicalType, left: &Value, right: &Value) -> Option<Value> {
    let scaled = matches!(left, Value::Real(_)) || matches!(right, Value::Real(_));
    match ty {
        LogicalType::Real => real(op, number(left)?, number(right)?).map(Value::Real),
        LogicalType::Long => integer(op, ticks(left)?, ticks(right)?).map(Value::Long),
        LogicalType::Datetime => integer(op, ticks(left)?, ticks(right)?).map(Value::Datetime),
        LogicalType::Timespan if scaled => whole(real(op, number(left)?, number(right)?)?).map(Value::Timespan),
        LogicalType::Timespan => integer(op, ticks(left)?, ticks(right)?).map(Value::Timespan),
        _ => None,
    }
}

fn integer(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => Some(left.wrapping_add(right)),
        BinaryOp::Subtract => Some(left.wrapping_sub(right)),
        BinaryOp::Multiply => Some(left.wrapping_mul(right)),
        BinaryOp::Divide => (right != 0).then(|| left.wrapping_div(right)),
        BinaryOp::Modulo => (right != 0).then(|| left.wrapping_rem_euclid(right)),
        _ => None,
    }
}

fn real(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(left + right),
        BinaryOp::Subtract => Some(left - right),
        BinaryOp::Multiply => Some(left * right),
        BinaryOp::Divide => Some(left / right),
        BinaryOp::Modulo => {
            let remainder = left % right;
            Some(if remainder < 0.0 { remainder + right.abs() } else { remainder })
        }
        _ => None,
    }
}

fn ticks(value: &Value) -> Option<i64> {
    match value {
        Value::Long(value) | Value::Datetime(value) | Value::Timespan(value) => Some(*value),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    if let Value::Real(value) = value { Some(*value) } else { ticks(value).map(long_to_real) }
}

/// Truncated to ticks.
#[expect(clippy::cast_possible_truncation, reason = "a timespan has whole ticks")]
fn whole(value: f64) -> Option<i64> {
    value.is_finite().then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::{TICKS_PER_DAY, TICKS_PER_HOUR};

    use super::*;

    fn typed(value: Value) -> Typed {
        let ty = match value {
            Value::Long(_) => LogicalType::Long,
            Value::Real(_) => LogicalType::Real,
            Value::Datetime(_) => LogicalType::Datetime,
            Value::Timespan(_) => LogicalType::Timespan,
            _ => LogicalType::String,
        };
        Typed { ty, value }
    }

    #[test]
    fn arithmetic() {
        use BinaryOp::{Add, Divide, Modulo, Multiply, Subtract};
        use Value::{Datetime, Long, Null, Real, Timespan};
        for (left, op, right, expected) in [
            (Long(i64::MAX), Add, Long(1), Long(i64::MIN)),
            (Long(7), Divide, Long(2), Long(3)),
            (Long(-7), Divide, Long(2), Long(-3)),
            (Long(i64::MIN), Divide, Long(-1), Long(i64::MIN)),
            (Long(7), Divide, Long(0), Null),
            (Long(7), Divide, Real(2.0), Real(3.5)),
            (Long(1), Divide, Real(0.0), Real(f64::INFINITY)),
            (Long(-10), Modulo, Long(4), Long(2)),
            (Long(-5), Modulo, Long(-3), Long(1)),
            (Long(5), Modulo, Long(0), Null),
            (Real(-5.5), Modulo, Long(3), Real(0.5)),
            (Datetime(50), Subtract, Datetime(20), Timespan(30)),
            (Datetime(50), Subtract, Timespan(20), Datetime(30)),
            (Timespan(20), Add, Datetime(50), Datetime(70)),
            (Timespan(TICKS_PER_DAY), Divide, Timespan(5 * TICKS_PER_HOUR), Real(4.8)),
            (Real(1.5), Multiply, Timespan(TICKS_PER_HOUR), Timespan(TICKS_PER_HOUR * 3 / 2)),
            (Timespan(TICKS_PER_DAY), Divide, Long(2), Timespan(12 * TICKS_PER_HOUR)),
            (Timespan(25), Modulo, Timespan(10), Timespan(5)),
        ] {
            let result = binary(op, &typed(left.clone()), &typed(right.clone()), &(0..0)).expect("the types fit");
            assert_eq!(result.value, expected, "{left:?} {op:?} {right:?}");
        }
    }

    #[test]
    fn what_kusto_refuses_is_refused() {
        for (left, op, right) in [
            (Value::Datetime(1), BinaryOp::Add, Value::Datetime(1)),
            (Value::String("a".into()), BinaryOp::Add, Value::String("b".into())),
            (Value::Timespan(1), BinaryOp::Multiply, Value::Timespan(1)),
            (Value::Long(1), BinaryOp::Divide, Value::Timespan(1)),
        ] {
            let result = binary(op, &typed(left), &typed(right), &(3..4));
            assert!(matches!(result, Err(ReferenceError::Type { .. })), "{result:?}");
        }
    }
}
