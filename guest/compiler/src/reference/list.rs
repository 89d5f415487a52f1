//! Operators with a list on their right: `in`, `!in`, `in~`, `!in~`, `has_any`, `has_all`.
//!
//! <https://learn.microsoft.com/kusto/query/in-operator>, <https://learn.microsoft.com/kusto/query/has-any-operator>. Two-valued:
//! null is in no list, not even in one with a null (measured). A dynamic array stands for its elements, a tabular
//! expression for its first column.

use sandtrap_wit::LogicalType;
use serde_json::Value as Json;

use super::{
    error::ReferenceError,
    scalar::{Scope, Typed, equal, equal_folded, string},
    source,
    text::{self, Case},
    value::{Value, is_numeric},
};
use crate::{
    diagnostic::Span,
    kql::ast::{Expr, ExprKind, ListOp, TextOpKind},
};

/// An item of the list.
enum Item {
    /// Written in the query, or of a column: its type is checked.
    Scalar(Typed),
    /// An element of a dynamic array: one of another type is unequal to everything.
    Element(Typed),
}

impl Item {
    fn typed(&self) -> &Typed {
        match self {
            Self::Scalar(typed) | Self::Element(typed) => typed,
        }
    }
}

/// `left op (right, ...)`
pub(super) fn eval(
    scope: &Scope<'_>,
    op: ListOp,
    span: &Span,
    left: &Expr,
    right: &[Expr],
) -> Result<Typed, ReferenceError> {
    let value = scope.eval(left)?;
    let items = items(scope, right)?;
    let value = if matches!(op, ListOp::In | ListOp::NotIn) { value.or_null_of(type_of(&items)) } else { value };
    let found = match op {
        ListOp::In | ListOp::NotIn => count(&items, |item| is_equal(&value, item, span))? > 0,
        ListOp::InFold | ListOp::NotInFold => {
            string(&value, span)?;
            count(&items, |item| is_equal_folded(&value, item, span))? > 0
        }
        ListOp::HasAny => count(&items, |item| has(&value, item, span))? > 0,
        ListOp::HasAll => count(&items, |item| has(&value, item, span))? == items.len(),
    };
    // The type of the left operand is checked even against an empty list.
    if matches!(op, ListOp::HasAny | ListOp::HasAll) {
        string(&value, span)?;
    }
    let negated = matches!(op, ListOp::NotIn | ListOp::NotInFold);
    Ok(Typed::bool(found != negated))
}

/// The type that a list gives to a column that is not there: that of the first item with one.
fn type_of(items: &[Item]) -> LogicalType {
    let typed = items.iter().find(|item| match item {
        Item::Scalar(typed) => !typed.is_untyped(),
        Item::Element(typed) => typed.ty != LogicalType::Dynamic,
    });
    typed.map_or(LogicalType::String, |item| item.typed().ty)
}

fn count(items: &[Item], mut test: impl FnMut(&Item) -> Result<bool, ReferenceError>) -> Result<usize, ReferenceError> {
    items.iter().try_fold(0, |count, item| Ok(count + usize::from(test(item)?)))
}

fn is_equal(value: &Typed, item: &Item, span: &Span) -> Result<bool, ReferenceError> {
    let typed = item.typed();
    if let Item::Element(_) = item {
        match value.ty {
            LogicalType::Datetime | LogicalType::Timespan | LogicalType::Guid => {
                return Err(ReferenceError::unsupported(format!("a {} in a dynamic array", value.ty), span));
            }
            ty if ty == typed.ty || (is_numeric(ty) && is_numeric(typed.ty)) => {}
            _ => return Ok(false),
        }
    }
    Ok(equal(value, typed, span)? == Some(true))
}

fn is_equal_folded(value: &Typed, item: &Item, span: &Span) -> Result<bool, ReferenceError> {
    match item {
        Item::Element(typed) if typed.ty != LogicalType::String => Ok(false),
        item => equal_folded(value, item.typed(), span),
    }
}

fn has(value: &Typed, item: &Item, span: &Span) -> Result<bool, ReferenceError> {
    let needle = match item {
        Item::Element(typed) if typed.ty != LogicalType::String => {
            return Err(ReferenceError::unsupported("a dynamic array of needles that are not text", span));
        }
        item => string(item.typed(), span)?,
    };
    Ok(text::matches(string(value, span)?, needle, TextOpKind::Has, Case::Folded))
}

fn items(scope: &Scope<'_>, right: &[Expr]) -> Result<Vec<Item>, ReferenceError> {
    let mut items = Vec::new();
    for expr in right {
        if let Some(column) = first_column(scope, expr)? {
            items.extend(column.into_iter().map(Item::Scalar));
            continue;
        }
        let typed = scope.eval(expr)?;
        match (typed.ty, typed.value) {
            (LogicalType::Dynamic, Value::Null) => {}
            (LogicalType::Dynamic, Value::Dynamic(Json::Array(elements))) => {
                items.extend(elements.into_iter().map(element).map(Item::Element));
            }
            (LogicalType::Dynamic, Value::Dynamic(other)) => items.push(Item::Element(element(other))),
            (ty, value) => items.push(Item::Scalar(Typed { ty, value })),
        }
    }
    Ok(items)
}

/// The first column of a tabular expression, or of a name that stands for a table.
fn first_column(scope: &Scope<'_>, expr: &Expr) -> Result<Option<Vec<Typed>>, ReferenceError> {
    let relation = match &expr.kind {
        ExprKind::Subquery(pipeline) => scope.context.pipeline(pipeline)?,
        ExprKind::Name(name) if scope.column(name).is_none() && scope.context.is_table(name) => {
            source::named(&scope.context, name, &expr.span)?
        }
        _ => return Ok(None),
    };
    let Some((_, ty)) = relation.table.columns.first().cloned() else {
        return Err(ReferenceError::ty("a table without columns has no first column", &expr.span));
    };
    let first = |row: Vec<Value>| row.into_iter().next().map(|value| Typed { ty, value });
    Ok(Some(relation.table.rows.into_iter().filter_map(first).collect()))
}

/// An element of a dynamic array under the type it has by itself.
fn element(json: Json) -> Typed {
    let (ty, value) = match json {
        Json::Bool(value) => (LogicalType::Bool, Value::Bool(value)),
        Json::String(text) => (LogicalType::String, Value::String(text)),
        Json::Number(number) => match number.as_i64() {
            Some(value) => (LogicalType::Long, Value::Long(value)),
            None => (LogicalType::Real, number.as_f64().map_or(Value::Null, Value::Real)),
        },
        other => (LogicalType::Dynamic, Value::dynamic(other)),
    };
    Typed { ty, value }
}
