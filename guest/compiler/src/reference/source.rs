//! Data sources: tables, tabular `let` statements, `print`, `datatable`, `range`.

use sandtrap_wit::LogicalType;

use super::{
    arithmetic,
    error::ReferenceError,
    naming::Namer,
    scalar::{Scope, Typed},
    tabular::{Context, Origin, Relation},
    value::{Value, compare, is_integer, is_numeric, long_to_real},
};
use crate::{
    diagnostic::Span,
    kql::ast::{BinaryOp, DataSource, Expr, ExprKind, LetValue, Name, NamedExpr},
};

/// `range` gives no more rows.
const RANGE_ROWS_MAX: i64 = 1_000_000;

/// The rows of a data source.
pub(super) fn rows(context: &Context<'_>, source: &DataSource) -> Result<Relation, ReferenceError> {
    match source {
        DataSource::Name(name) => named(context, &name.text, &name.span),
        DataSource::Print { columns, .. } => print(context, columns),
        DataSource::Datatable { columns, cells, span } => datatable(context, columns, cells, span),
        DataSource::Range { name, from, to, step, span } => {
            let constant = |expr: &Expr| Scope::constant(*context).eval(expr);
            range(name, &constant(from)?, &constant(to)?, &constant(step)?, span)
        }
        DataSource::Parenthesised(pipeline) => context.pipeline(pipeline),
        DataSource::Unsupported { construct, span } => Err(ReferenceError::unsupported(construct.as_str(), span)),
    }
}

/// A tabular `let`, or a table of that name.
pub(super) fn named(context: &Context<'_>, name: &str, span: &Span) -> Result<Relation, ReferenceError> {
    match context.find_let(name) {
        Some((LetValue::Tabular(pipeline), context)) => context.pipeline(pipeline),
        Some((LetValue::Scalar(Expr { kind: ExprKind::Name(other), .. }), context)) => named(&context, other, span),
        Some((LetValue::Scalar(_), _)) => Err(ReferenceError::ty(format!("`{name}` is a scalar, not a table"), span)),
        Some((LetValue::Unsupported { construct, .. }, _)) => {
            Err(ReferenceError::unsupported(construct.as_str(), span))
        }
        None => match (context.tables)(name) {
            Some(table) => Ok(Relation { table, origin: Origin::KnownTable }),
            None => Err(ReferenceError::name(format!("there is no table named `{name}`"), span)),
        },
    }
}

/// A column without a name is `print_N`, be it a lone `let`
/// (<https://learn.microsoft.com/kusto/query/print-operator>).
fn print(context: &Context<'_>, columns: &[NamedExpr]) -> Result<Relation, ReferenceError> {
    Namer::new(columns.iter().filter(|column| column.name.is_some()), std::iter::empty())?;
    let (mut named, mut row) = (Vec::new(), Vec::new());
    for (position, column) in columns.iter().enumerate() {
        let Typed { ty, value } = Scope::constant(*context).eval(&column.expr)?;
        let name = column.name.as_ref().map_or_else(|| format!("print_{position}"), |name| name.text.clone());
        named.push((name, ty));
        row.push(value);
    }
    Ok(Relation::computed(named, vec![row]))
}

/// <https://learn.microsoft.com/kusto/query/datatable-operator>
fn datatable(
    context: &Context<'_>,
    columns: &[(Name, Name)],
    cells: &[Expr],
    span: &Span,
) -> Result<Relation, ReferenceError> {
    let typed = |(name, ty): &(Name, Name)| match type_named(&ty.text) {
        Some(ty) => Ok((name.text.clone(), ty)),
        None => Err(ReferenceError::unsupported(format!("the type `{}`", ty.text), &ty.span)),
    };
    let columns: Vec<_> = columns.iter().map(typed).collect::<Result<_, _>>()?;
    if columns.is_empty() || !cells.len().is_multiple_of(columns.len()) {
        return Err(ReferenceError::ty("the number of values is not a multiple of the columns", span));
    }
    let mut rows = Vec::new();
    for row in cells.chunks(columns.len()) {
        let cell = |(cell, (_, ty)): (&Expr, &(String, LogicalType))| {
            converted(Scope::constant(*context).eval(cell)?, *ty, &cell.span)
        };
        rows.push(row.iter().zip(&columns).map(cell).collect::<Result<_, _>>()?);
    }
    Ok(Relation::computed(columns, rows))
}

/// <https://learn.microsoft.com/kusto/query/scalar-data-types/>
fn type_named(name: &str) -> Option<LogicalType> {
    Some(match name {
        "bool" | "boolean" => LogicalType::Bool,
        "int" => LogicalType::Int,
        "long" => LogicalType::Long,
        "real" | "double" => LogicalType::Real,
        "string" => LogicalType::String,
        "datetime" | "date" => LogicalType::Datetime,
        "timespan" | "time" => LogicalType::Timespan,
        "dynamic" => LogicalType::Dynamic,
        "guid" | "uuid" | "uniqueid" => LogicalType::Guid,
        _ => return None,
    })
}

/// A cell as a value of its column's type.
fn converted(cell: Typed, ty: LogicalType, span: &Span) -> Result<Value, ReferenceError> {
    match (ty, cell.ty, cell.value) {
        (_, _, Value::Null) => Ok(Value::null(ty)),
        (ty, from, value) if ty == from || (is_integer(ty) && is_integer(from)) => Ok(value),
        (LogicalType::Real, _, Value::Long(value)) => Ok(Value::Real(long_to_real(value))),
        (LogicalType::Dynamic, _, value) => Ok(Value::dynamic(value.to_json())),
        (ty, from, _) => Err(ReferenceError::unsupported(format!("a {from} in a column of {ty}"), span)),
    }
}

/// Both ends are included; a step away from the end gives no rows
/// (<https://learn.microsoft.com/kusto/query/range-operator>).
fn range(name: &Name, from: &Typed, to: &Typed, step: &Typed, span: &Span) -> Result<Relation, ReferenceError> {
    let ty = match (from.ty, to.ty, step.ty) {
        (from, to, step) if is_integer(from) && is_integer(to) && is_integer(step) => LogicalType::Long,
        (from, to, step) if is_numeric(from) && is_numeric(to) && is_numeric(step) => LogicalType::Real,
        (LogicalType::Datetime, LogicalType::Datetime, LogicalType::Timespan) => LogicalType::Datetime,
        (LogicalType::Timespan, LogicalType::Timespan, LogicalType::Timespan) => LogicalType::Timespan,
        (from, to, step) => {
            return Err(ReferenceError::ty(format!("no range from {from} to {to} by {step}"), span));
        }
    };
    let ascending = match &step.value {
        Value::Long(step) | Value::Timespan(step) if *step != 0 => *step > 0,
        Value::Real(step) if *step != 0.0 && step.is_finite() => *step > 0.0,
        _ => return Err(ReferenceError::ty("a range needs a step that is neither zero nor null", span)),
    };
    let mut rows = Vec::new();
    for count in 0.. {
        let count = Typed { ty: LogicalType::Long, value: Value::Long(count) };
        let distance = arithmetic::binary(BinaryOp::Multiply, step, &count, span)?;
        let value = arithmetic::binary(BinaryOp::Add, from, &distance, span)?.value;
        let past = if ascending { std::cmp::Ordering::is_gt } else { std::cmp::Ordering::is_lt };
        if compare(&value, &to.value).is_none_or(past) {
            break;
        }
        if count.value == Value::Long(RANGE_ROWS_MAX) {
            return Err(ReferenceError::unsupported(format!("a range of more than {RANGE_ROWS_MAX} rows"), span));
        }
        let value = Typed { ty: if matches!(value, Value::Long(_)) { LogicalType::Long } else { ty }, value };
        rows.push(vec![converted(value, ty, span)?]);
    }
    Ok(Relation::computed(vec![(name.text.clone(), ty)], rows))
}
