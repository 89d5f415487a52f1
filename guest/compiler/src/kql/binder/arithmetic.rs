//! Arithmetic: its types, the conversions they need, and the value where both operands are constant.
//!
//! Reference: <https://learn.microsoft.com/kusto/query/numerical-operators> and `datetime-timespan-arithmetic`. Any two
//! integers give `long`, as the engine does, whatever the width of the operands.

use sandtrap_wit::{
    LogicalType,
    time::{DATETIME_MAX, DATETIME_MIN},
};

use super::{Bind, Binder, codes, untyped};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Arithmetic, Expr, Literal},
    kql::ast::UnaryOp,
};

/// Whether a type is one of the numbers.
pub(super) fn is_number(ty: LogicalType) -> bool {
    matches!(ty, LogicalType::Int | LogicalType::Long | LogicalType::Real)
}

fn is_integer(ty: LogicalType) -> bool {
    matches!(ty, LogicalType::Int | LogicalType::Long)
}

/// An integer or so many ticks.
pub(super) fn integer(value: i64, ty: LogicalType) -> Expr {
    Expr::Literal(Literal::Integer(value, ty))
}

/// A value under another type; the pair must be one that the IR converts.
pub(super) fn convert(value: Expr, ty: LogicalType) -> Expr {
    match value {
        value if value.ty() == ty => value,
        Expr::Literal(Literal::Null(_)) => Expr::null(ty),
        #[expect(clippy::cast_precision_loss, reason = "what promotion to real does")]
        Expr::Literal(Literal::Integer(value, _)) if ty == LogicalType::Real => {
            Expr::Literal(Literal::Real(value as f64))
        }
        Expr::Literal(Literal::Integer(value, _)) => integer(value, ty),
        value => Expr::Convert { value: Box::new(value), ty },
    }
}

/// Two numbers as the same physical type: both `real` if one is.
pub(super) fn promoted(left: Expr, right: Expr) -> (Expr, Expr) {
    if left.ty() == LogicalType::Real || right.ty() == LogicalType::Real {
        (convert(left, LogicalType::Real), convert(right, LogicalType::Real))
    } else {
        (left, right)
    }
}

/// `now()` and so many ticks: always written the same way, so that it can be recognised.
fn now_and(ticks: i64) -> Expr {
    match ticks {
        0 => Expr::Now,
        ticks => Expr::Arithmetic {
            op: Arithmetic::Add,
            left: Box::new(Expr::Now),
            right: Box::new(integer(ticks, LogicalType::Timespan)),
            ty: LogicalType::Datetime,
        },
    }
}

/// The ticks after `now()`, if that is what an expression is.
pub(super) fn now_offset(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Now => Some(0),
        Expr::Arithmetic { op: Arithmetic::Add, left, right, .. } => match (left.as_ref(), right.as_ref()) {
            (Expr::Now, Expr::Literal(Literal::Integer(ticks, LogicalType::Timespan))) => Some(*ticks),
            _ => None,
        },
        _ => None,
    }
}

impl Binder<'_> {
    /// `left op right`.
    pub(super) fn arithmetic(&mut self, op: Arithmetic, left: Expr, right: Expr, span: &Span) -> Bind<Expr> {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        use LogicalType::{Datetime, Long, Real, Timespan};
        let (left, right) = untyped::calculated(op, left, right);
        let (left_ty, right_ty) = (left.ty(), right.ty());
        let ty = match (op, left_ty, right_ty) {
            (_, left, right) if is_number(left) && is_number(right) => {
                if left == Real || right == Real {
                    Real
                } else {
                    Long
                }
            }
            (Subtract, Datetime, Datetime) | (Add | Subtract, Timespan, Timespan) => Timespan,
            (Add | Subtract, Datetime, Timespan) | (Add, Timespan, Datetime) => Datetime,
            (Multiply | Divide, Timespan, number) if is_integer(number) => Timespan,
            (Multiply, number, Timespan) if is_integer(number) => Timespan,
            // The quotient of two spans is a plain number.
            (Divide, Timespan, Timespan) => Real,
            (Multiply | Divide, Timespan, Real) | (Multiply, Real, Timespan) => {
                return self.scaled(op, left, right, span);
            }
            _ => return Err(self.no_arithmetic(op, left_ty, right_ty, span)),
        };
        match folded_now(op, &left, &right) {
            Ok(Some(folded)) => return Ok(folded),
            Ok(None) => {}
            Err(OutOfRange) => {
                let message = "this is before the year 1 or after the year 9999 whatever `now()` is";
                return Err(self.report(Diagnostic::error(codes::OUT_OF_RANGE, span.clone(), message)));
            }
        }
        let (left, right) = if ty == Real { (convert(left, Real), convert(right, Real)) } else { (left, right) };
        if let (Expr::Literal(left), Expr::Literal(right)) = (&left, &right)
            && let Some(folded) = folded(op, left, right, ty)
        {
            return Ok(folded);
        }
        Ok(Expr::Arithmetic { op, left: Box::new(left), right: Box::new(right), ty })
    }

    /// A span times or by a real: a span. The IR has no conversion back to ticks, so both must be constant.
    fn scaled(&mut self, op: Arithmetic, left: Expr, right: Expr, span: &Span) -> Bind<Expr> {
        let types = (left.ty(), right.ty());
        let value = match (convert(left, LogicalType::Real), convert(right, LogicalType::Real)) {
            (Expr::Literal(Literal::Real(left)), Expr::Literal(Literal::Real(right))) if op == Arithmetic::Multiply => {
                left * right
            }
            (Expr::Literal(Literal::Real(left)), Expr::Literal(Literal::Real(right))) => left / right,
            _ => return Err(self.no_arithmetic(op, types.0, types.1, span)),
        };
        if !value.is_finite() {
            return Ok(Expr::null(LogicalType::Timespan));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a timespan has whole ticks")]
        Ok(integer(value as i64, LogicalType::Timespan))
    }

    /// `-value` and `+value`
    pub(super) fn signed(&mut self, op: UnaryOp, value: Expr, span: &Span) -> Bind<Expr> {
        let value = untyped::under(value, LogicalType::Long);
        let ty = value.ty();
        if !is_number(ty) && ty != LogicalType::Timespan {
            let message = format!("{ty} has no sign");
            return Err(self.report(Diagnostic::error(codes::ARITHMETIC, span.clone(), message)));
        }
        match (op, value) {
            (UnaryOp::Plus, value) if is_integer(ty) => Ok(convert(value, LogicalType::Long)),
            (UnaryOp::Plus, value) => Ok(value),
            (UnaryOp::Negate, Expr::Literal(Literal::Real(value))) => Ok(Expr::Literal(Literal::Real(-value))),
            // Times -1, because 0 - 0.0 is not -0.0.
            (UnaryOp::Negate, value) if ty == LogicalType::Real => {
                self.arithmetic(Arithmetic::Multiply, value, Expr::Literal(Literal::Real(-1.0)), span)
            }
            (UnaryOp::Negate, value) => self.arithmetic(Arithmetic::Subtract, integer(0, ty), value, span),
        }
    }

    fn no_arithmetic(&mut self, op: Arithmetic, left: LogicalType, right: LogicalType, span: &Span) -> super::Reported {
        let sign = sign(op);
        let types = [left, right];
        // Kusto calculates with these; the compiler does not.
        let timespans = types.contains(&LogicalType::Timespan)
            && types.iter().all(|ty| is_number(*ty) || *ty == LogicalType::Timespan)
            && !matches!(op, Arithmetic::Add | Arithmetic::Subtract);
        if types.contains(&LogicalType::Dynamic) || timespans {
            let message = format!("`{left} {sign} {right}` is not supported yet");
            return self.report(Diagnostic::error(codes::TYPES, span.clone(), message));
        }
        let mut diagnostic = Diagnostic::error(
            codes::ARITHMETIC,
            span.clone(),
            format!("`{sign}` does not apply to {left} and {right}"),
        );
        if types.contains(&LogicalType::String) && op == Arithmetic::Add {
            diagnostic = diagnostic.help("join texts with `strcat(...)`");
        }
        self.report(diagnostic)
    }
}

fn sign(op: Arithmetic) -> char {
    match op {
        Arithmetic::Add => '+',
        Arithmetic::Subtract => '-',
        Arithmetic::Multiply => '*',
        Arithmetic::Divide => '/',
        Arithmetic::Modulo => '%',
    }
}

/// A time that is no datetime.
struct OutOfRange;

/// `now() ± span` and the distance of two such times. A span that is longer than the time from the first datetime to the
/// last leads to no datetime; shorter ones cannot overflow.
fn folded_now(op: Arithmetic, left: &Expr, right: &Expr) -> Result<Option<Expr>, OutOfRange> {
    const SPAN_MAX: u64 = DATETIME_MAX.abs_diff(DATETIME_MIN);
    let ticks = |expr: &Expr| match expr {
        Expr::Literal(Literal::Integer(ticks, LogicalType::Timespan)) => Some(*ticks),
        _ => None,
    };
    let (offset, moved) = match (op, now_offset(left), now_offset(right)) {
        (Arithmetic::Subtract, Some(left), Some(right)) => {
            return Ok(left.checked_sub(right).map(|ticks| integer(ticks, LogicalType::Timespan)));
        }
        (Arithmetic::Add, Some(offset), _) => (offset, ticks(right)),
        (Arithmetic::Add, _, Some(offset)) => (offset, ticks(left)),
        (Arithmetic::Subtract, Some(offset), None) => (offset, ticks(right).map(i64::saturating_neg)),
        _ => return Ok(None),
    };
    let Some(moved) = moved else { return Ok(None) };
    match offset.checked_add(moved).filter(|ticks| ticks.unsigned_abs() <= SPAN_MAX) {
        Some(ticks) => Ok(Some(now_and(ticks))),
        None => Err(OutOfRange),
    }
}

/// The value of an operation on constants, as the IR defines it; `None` where it leaves that to the runtime.
fn folded(op: Arithmetic, left: &Literal, right: &Literal, ty: LogicalType) -> Option<Expr> {
    match (left, right) {
        (Literal::Null(_), _) | (_, Literal::Null(_)) => Some(Expr::null(ty)),
        (Literal::Integer(left, _), Literal::Integer(right, _)) => Some(match op {
            Arithmetic::Add => integer(left.wrapping_add(*right), ty),
            Arithmetic::Subtract => integer(left.wrapping_sub(*right), ty),
            Arithmetic::Multiply => integer(left.wrapping_mul(*right), ty),
            Arithmetic::Divide | Arithmetic::Modulo if *right == 0 => Expr::null(ty),
            Arithmetic::Divide => integer(left.wrapping_div(*right), ty),
            Arithmetic::Modulo => integer(left.wrapping_rem_euclid(*right), ty),
        }),
        (Literal::Real(left), Literal::Real(right)) => {
            let value = match op {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Modulo => return None,
            };
            Some(Expr::Literal(Literal::Real(value)))
        }
        _ => None,
    }
}
