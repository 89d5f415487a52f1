//! Scalar expressions.
//!
//! Every operand is evaluated, even one that cannot change the result, so that evaluating an expression over a row of
//! nulls finds its type and every error that Kusto would find before it reads a row.

use std::cmp::Ordering;

use sandtrap_wit::LogicalType;

use super::{
    aggregate, arithmetic,
    error::ReferenceError,
    list,
    tabular::{Context, Origin, Relation},
    text::{self, Case},
    value::{Value, compare, is_integer, is_numeric},
};
use crate::{
    diagnostic::Span,
    kql::ast::{BinaryOp, Expr, ExprKind, LetValue, Literal, Name, TextOp},
};

/// The scalar functions that [`Scope::function`] knows.
const FUNCTIONS: [&str; 13] = [
    "not",
    "now",
    "ago",
    "isnull",
    "isnotnull",
    "isempty",
    "isnotempty",
    "iff",
    "iif",
    "strlen",
    "tolower",
    "toupper",
    "strcat",
];

/// A value and its type.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) ty: LogicalType,
    pub(super) value: Value,
}

impl Typed {
    pub(super) fn bool(value: bool) -> Self {
        Self { ty: LogicalType::Bool, value: Value::Bool(value) }
    }

    /// The null of a column that is not there. A string is never null, so no other value looks like it.
    fn untyped() -> Self {
        Self { ty: LogicalType::String, value: Value::Null }
    }

    pub(super) fn is_untyped(&self) -> bool {
        self.ty == LogicalType::String && self.value.is_null()
    }

    /// The null of a type, if this one has none.
    pub(super) fn or_null_of(self, ty: LogicalType) -> Self {
        if self.is_untyped() { Self { ty, value: Value::null(ty) } } else { self }
    }

    /// Both, where one may give the other its type; text if neither has one.
    pub(super) fn agreed(left: &Self, right: &Self) -> (Self, Self) {
        (left.clone().or_null_of(right.ty), right.clone().or_null_of(left.ty))
    }

    fn maybe(value: Option<bool>) -> Self {
        Self { ty: LogicalType::Bool, value: value.map_or(Value::Null, Value::Bool) }
    }
}

/// What an expression's columns stand for.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// The cells of one row.
    One(&'a [Value]),
    /// The rows of one group: columns may stand only inside aggregates.
    Group(&'a [&'a Vec<Value>]),
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) context: Context<'a>,
    /// Without it there are no columns.
    pub(super) relation: Option<&'a Relation>,
    pub(super) rows: Rows<'a>,
}

impl<'a> Scope<'a> {
    /// A scope without columns.
    pub(super) fn constant(context: Context<'a>) -> Self {
        Self { context, relation: None, rows: Rows::One(&[]) }
    }

    /// The same scope over one row.
    pub(super) fn over(self, row: &'a [Value]) -> Self {
        Self { rows: Rows::One(row), ..self }
    }

    /// The value of an expression.
    pub(super) fn eval(&self, expr: &Expr) -> Result<Typed, ReferenceError> {
        let span = &expr.span;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(literal(value)),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Unary { op, operand } => arithmetic::unary(*op, &self.eval(operand)?, span),
            ExprKind::Binary { op, op_span, left, right } => {
                self::binary(*op, &self.eval(left)?, &self.eval(right)?, op_span)
            }
            ExprKind::List { op, op_span, left, right } => list::eval(self, *op, op_span, left, right),
            ExprKind::Between { negated, value, low, high } => {
                between(&self.eval(value)?, &self.eval(low)?, &self.eval(high)?, span)
                    .map(|inside| Typed::maybe(inside.map(|inside| inside != *negated)))
            }
            ExprKind::Call { name, arguments } => self.call(name, arguments, span),
            ExprKind::Star => Err(ReferenceError::unsupported("`*` in an expression", span)),
            ExprKind::Member { member, .. } => {
                Err(ReferenceError::unsupported(format!("the member access `.{}`", member.text), span))
            }
            ExprKind::Index { .. } => Err(ReferenceError::unsupported("an index in brackets", span)),
            ExprKind::Subquery(_) => Err(ReferenceError::unsupported("a tabular expression as a scalar", span)),
            ExprKind::Error => Err(ReferenceError::unsupported("text that did not parse", span)),
        }
    }

    /// A column, or else a scalar `let`, or else, in a known table, a column without values. (A column shadows a `let` of
    /// its name: measured.)
    fn name(&self, name: &str, span: &Span) -> Result<Typed, ReferenceError> {
        if let Some((index, ty)) = self.column(name) {
            return match self.rows {
                Rows::One(row) => Ok(Typed { ty, value: row.get(index).cloned().unwrap_or(Value::null(ty)) }),
                Rows::Group(_) => Err(ReferenceError::ty(
                    format!("the column `{name}` must stand inside an aggregate function"),
                    span,
                )),
            };
        }
        match self.context.find_let(name) {
            Some((LetValue::Scalar(expr), context)) => Scope::constant(context).eval(expr),
            Some((LetValue::Tabular(_), _)) => {
                Err(ReferenceError::ty(format!("`{name}` is a table, not a scalar"), span))
            }
            Some((LetValue::Unsupported { construct, .. }, _)) => {
                Err(ReferenceError::unsupported(construct.as_str(), span))
            }
            None if self.relation.is_some_and(|relation| relation.origin == Origin::KnownTable) => Ok(Typed::untyped()),
            None => Err(ReferenceError::name(format!("there is no column or `let` named `{name}`"), span)),
        }
    }

    pub(super) fn column(&self, name: &str) -> Option<(usize, LogicalType)> {
        let columns = &self.relation?.table.columns;
        columns.iter().enumerate().find(|(_, (column, _))| column == name).map(|(index, (_, ty))| (index, *ty))
    }

    fn call(&self, name: &Name, arguments: &[Expr], span: &Span) -> Result<Typed, ReferenceError> {
        if let Some(function) = aggregate::Aggregate::named(&name.text) {
            return match self.rows {
                Rows::Group(rows) => aggregate::eval(self, function, rows, arguments, span),
                Rows::One(_) => {
                    Err(ReferenceError::ty(format!("the aggregate `{}` stands outside summarize", name.text), span))
                }
            };
        }
        // An unknown function comes before what may be wrong with its arguments.
        if !FUNCTIONS.contains(&name.text.as_str()) {
            return Err(ReferenceError::unsupported(format!("function `{}`", name.text), &name.span));
        }
        let arguments = arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
        self.function(&name.text, &arguments, span)
    }

    fn function(&self, name: &str, arguments: &[Typed], span: &Span) -> Result<Typed, ReferenceError> {
        let now = self.context.now;
        match (name, arguments) {
            ("not", [value]) => Ok(Typed::maybe(truth(value, span)?.map(|value| !value))),
            ("now", []) => Ok(Typed { ty: LogicalType::Datetime, value: Value::Datetime(now) }),
            ("now", [offset]) => moved(now, offset, i64::wrapping_add, span),
            ("ago", [offset]) => moved(now, offset, i64::wrapping_sub, span),
            ("isnull", [value]) => Ok(Typed::bool(is_null(value))),
            ("isnotnull", [value]) => Ok(Typed::bool(!is_null(value))),
            ("isempty", [value]) => Ok(Typed::bool(is_empty(value))),
            ("isnotempty", [value]) => Ok(Typed::bool(!is_empty(value))),
            ("iff" | "iif", [condition, then, otherwise]) => iff(condition, then, otherwise, span),
            ("strlen", [value]) => {
                let length = i64::try_from(string(value, span)?.chars().count()).unwrap_or(i64::MAX);
                Ok(Typed { ty: LogicalType::Long, value: Value::Long(length) })
            }
            ("tolower", [value]) => Ok(text_of(string(value, span)?.chars().map(text::to_lower).collect())),
            ("toupper", [value]) => Ok(text_of(string(value, span)?.chars().map(text::to_upper).collect())),
            ("strcat", [_, ..]) => {
                if let Some(other) = arguments.iter().find(|argument| argument.ty != LogicalType::String) {
                    return Err(ReferenceError::unsupported(format!("`strcat` of a {}", other.ty), span));
                }
                let parts = arguments.iter().map(|argument| string(argument, span)).collect::<Result<String, _>>()?;
                Ok(text_of(parts))
            }
            _ => Err(ReferenceError::ty(format!("`{name}` does not take {} arguments", arguments.len()), span)),
        }
    }
}

pub(super) fn literal(literal: &Literal) -> Typed {
    let (ty, value) = match literal {
        Literal::Bool(value) => (LogicalType::Bool, Value::Bool(*value)),
        Literal::Long(value) => (LogicalType::Long, Value::Long(*value)),
        Literal::Int(value) => (LogicalType::Int, Value::Long(*value)),
        Literal::Real(value) => (LogicalType::Real, Value::Real(*value)),
        Literal::String(text) => (LogicalType::String, Value::String(text.clone())),
        Literal::Datetime(ticks) => (LogicalType::Datetime, Value::Datetime(*ticks)),
        Literal::Timespan(ticks) => (LogicalType::Timespan, Value::Timespan(*ticks)),
        Literal::Dynamic(json) => (LogicalType::Dynamic, Value::dynamic(json.clone())),
        Literal::Guid(text) => (LogicalType::Guid, Value::Guid(text.clone())),
        Literal::Null(ty) => (*ty, Value::null(*ty)),
    };
    Typed { ty, value }
}

fn binary(op: BinaryOp, left: &Typed, right: &Typed, span: &Span) -> Result<Typed, ReferenceError> {
    match op {
        BinaryOp::And => Ok(Typed::maybe(and(truth(left, span)?, truth(right, span)?))),
        BinaryOp::Or => {
            // De Morgan holds in Kleene's logic.
            let not = |value: Option<bool>| value.map(|value| !value);
            Ok(Typed::maybe(not(and(not(truth(left, span)?), not(truth(right, span)?)))))
        }
        BinaryOp::Equal => equal(left, right, span).map(Typed::maybe),
        BinaryOp::NotEqual => Ok(Typed::maybe(equal(left, right, span)?.map(|equal| !equal))),
        BinaryOp::EqualFold => Ok(Typed::bool(equal_folded(left, right, span)?)),
        BinaryOp::NotEqualFold => Ok(Typed::bool(!equal_folded(left, right, span)?)),
        BinaryOp::Less => ordered(left, right, span, Ordering::is_lt).map(Typed::maybe),
        BinaryOp::LessEqual => ordered(left, right, span, Ordering::is_le).map(Typed::maybe),
        BinaryOp::Greater => ordered(left, right, span, Ordering::is_gt).map(Typed::maybe),
        BinaryOp::GreaterEqual => ordered(left, right, span, Ordering::is_ge).map(Typed::maybe),
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => {
            arithmetic::binary(op, left, right, span)
        }
        BinaryOp::Text(TextOp { kind, negated, case_sensitive }) => {
            let case = if case_sensitive { Case::Sensitive } else { Case::Folded };
            let found = text::matches(string(left, span)?, string(right, span)?, kind, case);
            Ok(Typed::bool(found != negated))
        }
        BinaryOp::Unsupported(keyword) => Err(ReferenceError::unsupported(format!("operator `{keyword}`"), span)),
    }
}

/// Kleene's and.
fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// `==`: null if both are null, false if one is
/// (<https://learn.microsoft.com/kusto/query/scalar-data-types/null-values>).
pub(super) fn equal(left: &Typed, right: &Typed, span: &Span) -> Result<Option<bool>, ReferenceError> {
    let (left, right) = &Typed::agreed(left, right);
    comparable(left.ty, right.ty, span)?;
    Ok(match (left.value.is_null(), right.value.is_null()) {
        (true, true) => None,
        _ => Some(compare(&left.value, &right.value) == Some(Ordering::Equal)),
    })
}

/// `=~`: two-valued, because text is never null.
pub(super) fn equal_folded(left: &Typed, right: &Typed, span: &Span) -> Result<bool, ReferenceError> {
    let fold = |text: &str| text::characters(text, Case::Folded);
    Ok(fold(string(left, span)?) == fold(string(right, span)?))
}

/// `<` and its like: null if either is null; false with a NaN.
fn ordered(
    left: &Typed,
    right: &Typed,
    span: &Span,
    test: fn(Ordering) -> bool,
) -> Result<Option<bool>, ReferenceError> {
    let (left, right) = &Typed::agreed(left, right);
    comparable(left.ty, right.ty, span)?;
    if left.ty == LogicalType::Guid {
        return Err(ReferenceError::unsupported("the order of guids", span));
    }
    let either_null = left.value.is_null() || right.value.is_null();
    Ok((!either_null).then(|| compare(&left.value, &right.value).is_some_and(test)))
}

/// Whether values of these types compare. What Kusto converts implicitly, and what is not documented, is unsupported.
fn comparable(left: LogicalType, right: LogicalType, span: &Span) -> Result<(), ReferenceError> {
    use LogicalType::{Bool, Datetime, Dynamic, Guid, String, Timespan};
    match (left, right) {
        (Dynamic, _) | (_, Dynamic) => Err(ReferenceError::unsupported("a comparison of dynamic", span)),
        (left, right) if left == right || (is_numeric(left) && is_numeric(right)) => Ok(()),
        // Kusto reads the text of a literal as the other type; how far that goes is not documented.
        (String, Datetime | Timespan | Guid) | (Datetime | Timespan | Guid, String) => {
            Err(ReferenceError::unsupported(format!("a comparison of {left} with {right}"), span))
        }
        (Bool, number) | (number, Bool) if is_numeric(number) => {
            Err(ReferenceError::unsupported(format!("a comparison of {left} with {right}"), span))
        }
        _ => Err(ReferenceError::ty(format!("{left} does not compare with {right}"), span)),
    }
}

/// Inclusive at both ends; a timespan as the upper end of datetimes counts from the lower end
/// (<https://learn.microsoft.com/kusto/query/between-operator>).
fn between(value: &Typed, low: &Typed, high: &Typed, span: &Span) -> Result<Option<bool>, ReferenceError> {
    // The first with a type gives it to the others.
    let ty = [value, low, high].into_iter().find(|operand| !operand.is_untyped()).map_or(LogicalType::Long, |it| it.ty);
    let [value, low, high] = &[value, low, high].map(|operand| operand.clone().or_null_of(ty));
    if let Some(refused) = [value, low, high]
        .into_iter()
        .find(|operand| matches!(operand.ty, LogicalType::String | LogicalType::Dynamic | LogicalType::Guid))
    {
        return Err(ReferenceError::ty(format!("between takes no {}", refused.ty), span));
    }
    let from_low = low.ty == LogicalType::Datetime && high.ty == LogicalType::Timespan;
    let high = if from_low { &arithmetic::binary(BinaryOp::Add, low, high, span)? } else { high };
    Ok(and(ordered(value, low, span, Ordering::is_ge)?, ordered(value, high, span, Ordering::is_le)?))
}

fn moved(now: i64, offset: &Typed, by: fn(i64, i64) -> i64, span: &Span) -> Result<Typed, ReferenceError> {
    let value = match (&offset.value, offset.ty) {
        (Value::Timespan(ticks), _) => Value::Datetime(by(now, *ticks)),
        (_, LogicalType::Timespan) => Value::Null,
        _ if offset.is_untyped() => Value::Null,
        _ => return Err(ReferenceError::ty(format!("expected a timespan, found a {}", offset.ty), span)),
    };
    Ok(Typed { ty: LogicalType::Datetime, value })
}

/// Text is never null, that of a column that is not there included.
fn is_null(value: &Typed) -> bool {
    value.value.is_null() && !value.is_untyped()
}

/// Empty text, or null (<https://learn.microsoft.com/kusto/query/isempty-function>).
fn is_empty(value: &Typed) -> bool {
    match &value.value {
        Value::String(text) | Value::Dynamic(serde_json::Value::String(text)) => text.is_empty(),
        other => other.is_null(),
    }
}

fn iff(condition: &Typed, then: &Typed, otherwise: &Typed, span: &Span) -> Result<Typed, ReferenceError> {
    let (then, otherwise) = &Typed::agreed(then, otherwise);
    let ty = match (then.ty, otherwise.ty) {
        (then, otherwise) if then == otherwise => then,
        (then, otherwise) if is_integer(then) && is_integer(otherwise) => LogicalType::Long,
        (then, otherwise) => {
            return Err(ReferenceError::unsupported(format!("iff of {then} and {otherwise}"), span));
        }
    };
    let chosen = if truth(condition, span)? == Some(true) { then } else { otherwise };
    Ok(Typed { ty, value: chosen.value.clone() })
}

/// A boolean operand.
pub(super) fn truth(operand: &Typed, span: &Span) -> Result<Option<bool>, ReferenceError> {
    match (&operand.value, operand.ty) {
        (Value::Bool(value), _) => Ok(Some(*value)),
        (_, LogicalType::Bool) => Ok(None),
        _ if operand.is_untyped() => Ok(None),
        (_, ty) => Err(ReferenceError::ty(format!("expected a bool, found a {ty}"), span)),
    }
}

/// A text operand. Kusto takes the text of a dynamic; this interpreter does not.
pub(super) fn string<'a>(operand: &'a Typed, span: &Span) -> Result<&'a str, ReferenceError> {
    match (&operand.value, operand.ty) {
        (Value::String(text), _) => Ok(text),
        (Value::Null, LogicalType::String) => Ok(""),
        (_, LogicalType::Dynamic) => Err(ReferenceError::unsupported("the text of a dynamic", span)),
        (_, ty) => Err(ReferenceError::ty(format!("expected a string, found a {ty}"), span)),
    }
}

fn text_of(text: String) -> Typed {
    Typed { ty: LogicalType::String, value: Value::String(text) }
}
