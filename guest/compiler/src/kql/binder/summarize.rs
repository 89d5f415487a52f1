//! `summarize`, `distinct` and `count`: what is grouped by is computed first, and what is done with aggregates after.
//!
//! Reference: <https://learn.microsoft.com/kusto/query/summarize-operator> and `aggregation-functions`.

use sandtrap_wit::{
    LogicalType,
    plan::{AggregateFunction, MAKE_SET_SIZE},
};

use super::{
    Bind, Binder, Reported, codes,
    draft::{Column, Rows, Step, number},
    lower::aggregate_type,
    naming::{Namer, spelled},
    scope::Scope,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, Literal},
    kql::ast::{self, ExprKind, Name, NamedExpr},
};

/// The aggregation functions there are.
pub(super) const AGGREGATES: [&str; 5] = ["count", "dcount", "make_set", "max", "min"];

/// Aggregates found in the expressions of a `summarize`.
pub(super) struct Aggregating<'a> {
    /// What is summarized.
    pub(super) rows: &'a Rows,
    /// How many keys stand before the aggregates.
    keys: usize,
    /// The values that keys and aggregates are made of, columns of the step before the aggregate.
    values: &'a mut Vec<Expr>,
    /// The aggregates, over `values`.
    found: &'a mut Vec<AggregateFunction>,
}

impl Aggregating<'_> {
    /// The number of a value, added if it is new.
    fn value(&mut self, expr: Expr) -> u32 {
        position_or_push(self.values, expr)
    }
}

fn position_or_push(values: &mut Vec<Expr>, expr: Expr) -> u32 {
    let known = values.iter().position(|value| *value == expr);
    number(known.unwrap_or_else(|| {
        values.push(expr);
        values.len().saturating_sub(1)
    }))
}

impl<'q> Binder<'q> {
    /// `summarize aggregates by keys`
    pub(super) fn summarize(
        &mut self,
        rows: &mut Rows,
        aggregates: &'q [NamedExpr],
        by: &'q [NamedExpr],
        span: &Span,
    ) -> Bind<()> {
        self.few_columns(by.len().saturating_add(aggregates.len()), span)?;
        self.no_spelled_duplicates(by.iter().chain(aggregates.iter().filter(|column| column.name.is_some())))?;
        let mut values = Vec::new();
        let keys = self.keys(rows, by, &mut values);
        let mut found = Vec::new();
        let results = self.aggregates(rows, aggregates, by.len(), &mut values, &mut found);
        let (keys, results) = (keys?, results?);
        let mut namer = {
            let written = aggregates.iter().filter(|column| column.name.is_some());
            Namer::new(by.iter().chain(written).filter_map(spelled), rows.names().into_iter())
        };
        let mut columns = Vec::with_capacity(by.len().saturating_add(results.len()));
        for (index, (key, value)) in by.iter().zip(&keys).enumerate() {
            let ty = values.get(*value as usize).map_or(LogicalType::String, Expr::ty);
            columns.push(Column { name: namer.name(key), expr: Expr::Input { column: number(index), ty } });
        }
        for (written, expr) in aggregates.iter().zip(results) {
            columns.push(Column { name: namer.name(written), expr });
        }
        group(rows, values, &keys, found, columns);
        Ok(())
    }

    /// `distinct a, b`: groups without aggregates.
    pub(super) fn distinct(&mut self, rows: &mut Rows, written: &'q [ast::Expr], span: &Span) -> Bind<()> {
        if let [ast::Expr { kind: ExprKind::Star, .. }] = written {
            let values: Vec<Expr> = rows.columns().iter().map(|column| column.expr.clone()).collect();
            for (value, column) in values.iter().zip(rows.columns()) {
                self.groupable(value, &column.name, span)?;
            }
            let columns = rows.columns().iter().enumerate().map(|(index, column)| Column {
                name: column.name.clone(),
                expr: Expr::Input { column: number(index), ty: column.expr.ty() },
            });
            let columns: Vec<Column> = columns.collect();
            let mut distinct_values = Vec::new();
            let keys: Vec<u32> =
                values.into_iter().map(|value| position_or_push(&mut distinct_values, value)).collect();
            group(rows, distinct_values, &keys, Vec::new(), columns);
            return Ok(());
        }
        self.few_columns(written.len(), span)?;
        let by: Vec<NamedExpr> = written.iter().map(|expr| NamedExpr { name: None, expr: expr.clone() }).collect();
        self.no_spelled_duplicates(by.iter())?;
        let mut values = Vec::new();
        let keys = self.keys(rows, &by, &mut values)?;
        let mut namer = Namer::new(by.iter().filter_map(spelled), std::iter::empty());
        let columns = by.iter().zip(&keys).enumerate().map(|(index, (key, value))| {
            let ty = values.get(*value as usize).map_or(LogicalType::String, Expr::ty);
            Column { name: namer.name(key), expr: Expr::Input { column: number(index), ty } }
        });
        let columns = columns.collect();
        group(rows, values, &keys, Vec::new(), columns);
        Ok(())
    }

    /// `count`: one row with the column `Count`.
    pub(super) fn count_rows(rows: &mut Rows) {
        let column = Column { name: "Count".into(), expr: Expr::Input { column: 0, ty: LogicalType::Long } };
        group(rows, Vec::new(), &[], vec![AggregateFunction::Count], vec![column]);
    }

    fn keys(&mut self, rows: &Rows, by: &[NamedExpr], values: &mut Vec<Expr>) -> Bind<Vec<u32>> {
        let mut keys = Vec::with_capacity(by.len());
        let mut refused = false;
        for key in by {
            let bound = self.kept(&key.expr, rows).and_then(|expr| {
                let name = spelled(key).unwrap_or("this expression");
                self.groupable(&expr, name, &key.expr.span)?;
                Ok(expr)
            });
            match bound {
                Ok(expr) => keys.push(position_or_push(values, expr)),
                Err(Reported) => refused = true,
            }
        }
        if refused { Err(Reported) } else { Ok(keys) }
    }

    fn groupable(&mut self, expr: &Expr, name: &str, span: &Span) -> Bind<()> {
        if expr.ty() != LogicalType::Dynamic {
            return Ok(());
        }
        let message = format!("`{name}` is dynamic, and grouping by dynamic values is not supported yet");
        Err(self.report(Diagnostic::error(codes::TYPES, span.clone(), message)))
    }

    /// The results of the aggregates' expressions, over the columns of the aggregate step.
    fn aggregates(
        &mut self,
        rows: &Rows,
        written: &[NamedExpr],
        keys: usize,
        values: &mut Vec<Expr>,
        found: &mut Vec<AggregateFunction>,
    ) -> Bind<Vec<Expr>> {
        let mut results = Vec::with_capacity(written.len());
        let mut refused = false;
        for column in written {
            let mut scope = Scope::Aggregating(Aggregating { rows, keys, values, found });
            match self.expr(&column.expr, &mut scope) {
                Ok(expr) => results.push(expr),
                Err(Reported) => refused = true,
            }
        }
        if refused { Err(Reported) } else { Ok(results) }
    }

    /// `max(x)` and its like: the column of the aggregate step that will hold it.
    pub(super) fn aggregate(
        &mut self,
        name: &Name,
        arguments: &[ast::Expr],
        span: &Span,
        aggregating: &mut Aggregating<'_>,
    ) -> Bind<Expr> {
        let rows = aggregating.rows;
        let function = match (name.text.as_str(), arguments) {
            ("count", []) => AggregateFunction::Count,
            ("count", more) => return Err(self.count_of_arguments(name, "0", more.len())),
            ("min", [value]) => AggregateFunction::Min(self.ordered(value, name, aggregating)?),
            ("max", [value]) => AggregateFunction::Max(self.ordered(value, name, aggregating)?),
            // The second argument of dcount is how exact it should be; ours always is.
            ("dcount", [value] | [value, _]) => {
                if let [_, accuracy] = arguments {
                    self.size(accuracy, name, 0)?;
                }
                let value = self.kept(value, rows)?;
                self.groupable(&value, "dcount", span)?;
                AggregateFunction::Dcount(aggregating.value(value))
            }
            ("make_set", [value] | [value, _]) => {
                let size = match arguments {
                    [_, size] => self.size(size, name, 1)?,
                    _ => MAKE_SET_SIZE,
                };
                let value = self.kept(value, rows)?;
                AggregateFunction::MakeSet { column: aggregating.value(value), size: size.min(MAKE_SET_SIZE) }
            }
            ("min" | "max", more) => return Err(self.count_of_arguments(name, "1", more.len())),
            (_, more) => return Err(self.count_of_arguments(name, "1 or 2", more.len())),
        };
        self.few_columns(aggregating.found.len().saturating_add(1), span)?;
        let values = &aggregating.values;
        let type_of = |column: u32| values.get(column as usize).map_or(LogicalType::Long, Expr::ty);
        let ty = aggregate_type(function, type_of);
        let known = aggregating.found.iter().position(|other| *other == function);
        let index = known.unwrap_or_else(|| {
            aggregating.found.push(function);
            aggregating.found.len().saturating_sub(1)
        });
        Ok(Expr::Input { column: number(aggregating.keys.saturating_add(index)), ty })
    }

    /// The argument of `min` or `max`.
    fn ordered(&mut self, value: &ast::Expr, name: &Name, aggregating: &mut Aggregating<'_>) -> Bind<u32> {
        let bound = self.kept(value, aggregating.rows)?;
        if bound.ty() == LogicalType::Dynamic {
            let message = format!("`{}` of a dynamic value is not supported yet", name.text);
            return Err(self.report(Diagnostic::error(codes::TYPES, value.span.clone(), message)));
        }
        Ok(aggregating.value(bound))
    }

    fn size(&mut self, size: &ast::Expr, name: &Name, least: u32) -> Bind<u32> {
        let literal = self.constant(size, &name.text)?;
        let found = match literal {
            Literal::Integer(value, LogicalType::Int | LogicalType::Long) if value >= i64::from(least) => {
                Some(u32::try_from(value).unwrap_or(u32::MAX))
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let message = format!("the second argument of `{}` is a whole number from {least}", name.text);
            self.report(Diagnostic::error(codes::OUT_OF_RANGE, size.span.clone(), message))
        })
    }

    /// Refuses a name that the query spells out twice.
    pub(super) fn no_spelled_duplicates<'a>(&mut self, columns: impl Iterator<Item = &'a NamedExpr>) -> Bind<()> {
        let names: Vec<Name> = columns
            .filter_map(|column| {
                let span = column.name.as_ref().map_or(&column.expr.span, |name| &name.span);
                spelled(column).map(|text| Name { text: text.to_string(), span: span.clone() })
            })
            .collect();
        self.no_duplicates(names.iter())
    }
}

/// Closes the open kernel onto `values`, groups them, and leaves `columns` over the groups.
fn group(rows: &mut Rows, values: Vec<Expr>, keys: &[u32], found: Vec<AggregateFunction>, columns: Vec<Column>) {
    let types: Vec<LogicalType> = values.iter().map(Expr::ty).collect();
    let type_of = |value: u32| types.get(value as usize).copied().unwrap_or(LogicalType::Long);
    let passes = rows.passes_through(&values);
    // Values that are columns already need no kernel in between.
    let inputs: Vec<u32> = values
        .iter()
        .enumerate()
        .map(|(index, value)| match value {
            Expr::Input { column, .. } if passes => *column,
            _ => number(index),
        })
        .collect();
    let input = |value: u32| inputs.get(value as usize).copied().unwrap_or(value);
    if !passes {
        let before = rows.columns().to_vec();
        let named = values.into_iter().enumerate().map(|(index, expr)| {
            let known = before.iter().find(|column| column.expr == expr);
            Column { name: known.map_or_else(|| format!("${index}"), |column| column.name.clone()), expr }
        });
        rows.set_columns(named.collect());
        rows.close();
    }
    let name_of = |index: usize| {
        let direct = |column: &&Column| matches!(column.expr, Expr::Input { column, .. } if column == number(index));
        columns.iter().find(direct).map_or_else(|| format!("${index}"), |column| column.name.clone())
    };
    let mut outputs = Vec::new();
    let mut by = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        outputs.push((name_of(index), type_of(*key)));
        by.push((name_of(index), input(*key)));
    }
    let mut aggregates = Vec::new();
    for (index, function) in found.into_iter().enumerate() {
        let name = name_of(keys.len().saturating_add(index));
        outputs.push((name.clone(), aggregate_type(function, type_of)));
        let function = match function {
            AggregateFunction::Count => function,
            AggregateFunction::Min(value) => AggregateFunction::Min(input(value)),
            AggregateFunction::Max(value) => AggregateFunction::Max(input(value)),
            AggregateFunction::Dcount(value) => AggregateFunction::Dcount(input(value)),
            AggregateFunction::MakeSet { column, size } => AggregateFunction::MakeSet { column: input(column), size },
        };
        aggregates.push((name, function));
    }
    rows.push(Step::Aggregate { by, aggregates }, outputs);
    rows.set_columns(columns);
    rows.table = None;
}
