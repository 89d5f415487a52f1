//! Aggregate functions: `count`, `min`, `max`, `make_set`, `dcount`.
//!
//! They skip nulls (<https://learn.microsoft.com/kusto/query/scalar-data-types/null-values>); empty text is a value.

use std::collections::HashSet;

use sandtrap_wit::LogicalType;
use serde_json::Value as Json;

use super::{
    error::ReferenceError,
    scalar::{Scope, Typed},
    value::{Value, compare},
};
use crate::{diagnostic::Span, kql::ast::Expr};

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    Min,
    Max,
    MakeSet,
    Dcount,
}

impl Aggregate {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "count" => Some(Self::Count),
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            "make_set" => Some(Self::MakeSet),
            "dcount" => Some(Self::Dcount),
            _ => None,
        }
    }

    /// What the name of a column without one begins with: `count_`, `min_X`, `set_X`, ...
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::MakeSet => "set",
            Self::Dcount => "dcount",
        }
    }
}

/// The aggregate of the rows of one group.
pub(super) fn eval(
    scope: &Scope<'_>,
    function: Aggregate,
    rows: &[&Vec<Value>],
    arguments: &[Expr],
    span: &Span,
) -> Result<Typed, ReferenceError> {
    match (function, arguments) {
        (Aggregate::Count, []) => Ok(long(rows.len())),
        (Aggregate::Min, [argument]) => extreme(scope, rows, argument, std::cmp::Ordering::is_lt),
        (Aggregate::Max, [argument]) => extreme(scope, rows, argument, std::cmp::Ordering::is_gt),
        (Aggregate::MakeSet, [argument]) => make_set(scope, rows, argument, usize::MAX),
        (Aggregate::MakeSet, [argument, size]) => {
            let Value::Long(size) = Scope::constant(scope.context).eval(size)?.value else {
                return Err(ReferenceError::ty("the size of make_set must be a long", span));
            };
            make_set(scope, rows, argument, usize::try_from(size).unwrap_or(0))
        }
        // The second argument only sets how exact an estimate is; here it is exact.
        (Aggregate::Dcount, [argument] | [argument, _]) => {
            let (_, values) = values(scope, rows, argument)?;
            Ok(long(values.iter().map(Value::key).collect::<HashSet<_>>().len()))
        }
        _ => Err(ReferenceError::ty(format!("{function:?} does not take {} arguments", arguments.len()), span)),
    }
}

/// The type of the argument, and its values that are not null.
fn values(
    scope: &Scope<'_>,
    rows: &[&Vec<Value>],
    argument: &Expr,
) -> Result<(LogicalType, Vec<Value>), ReferenceError> {
    let nulls = scope.relation.map(super::tabular::Relation::null_row).unwrap_or_default();
    let ty = scope.over(&nulls).eval(argument)?.ty;
    let mut values = Vec::new();
    for row in rows {
        let value = scope.over(row).eval(argument)?.or_null_of(LogicalType::String).value;
        if !value.is_null() {
            values.push(value);
        }
    }
    Ok((ty, values))
}

/// The first value that is not on the wrong side of another.
fn extreme(
    scope: &Scope<'_>,
    rows: &[&Vec<Value>],
    argument: &Expr,
    better: fn(std::cmp::Ordering) -> bool,
) -> Result<Typed, ReferenceError> {
    let (ty, values) = values(scope, rows, argument)?;
    if matches!(ty, LogicalType::Bool | LogicalType::Dynamic | LogicalType::Guid) {
        return Err(ReferenceError::unsupported(format!("the least or greatest {ty}"), &argument.span));
    }
    let best = values.into_iter().reduce(|best, value| {
        let replaces = compare(&value, &best).is_some_and(better);
        if replaces { value } else { best }
    });
    Ok(Typed { ty, value: best.unwrap_or(Value::null(ty)) })
}

/// Distinct values in the order in which they appear; a dynamic array stands for its elements
/// (<https://learn.microsoft.com/kusto/query/make-set-aggregation-function>).
fn make_set(
    scope: &Scope<'_>,
    rows: &[&Vec<Value>],
    argument: &Expr,
    size_max: usize,
) -> Result<Typed, ReferenceError> {
    let (_, values) = values(scope, rows, argument)?;
    let elements = values.into_iter().flat_map(|value| match value {
        Value::Dynamic(Json::Array(elements)) => elements.into_iter().map(Value::dynamic).collect(),
        value => vec![value],
    });
    let mut seen = HashSet::new();
    let set = elements.filter(|value| !value.is_null() && seen.insert(value.key())).take(size_max);
    let set = set.map(|value| value.to_json()).collect();
    Ok(Typed { ty: LogicalType::Dynamic, value: Value::Dynamic(Json::Array(set)) })
}

fn long(count: usize) -> Typed {
    Typed { ty: LogicalType::Long, value: Value::Long(i64::try_from(count).unwrap_or(i64::MAX)) }
}
