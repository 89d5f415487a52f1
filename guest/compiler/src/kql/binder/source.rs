//! Where rows come from: tables, `let`s, `print`, `datatable` and `range`.
//!
//! The last three are written into the plan itself. Reference: <https://learn.microsoft.com/kusto/query/print-operator>,
//! `datatable-operator`, `range-operator`.

use sandtrap_wit::{LogicalType, plan};
use serde_json::Value;

use super::{
    Bind, Binder, COLUMNS_MAX, PIPELINE_DEPTH_MAX, Reported,
    arithmetic::{convert, is_number},
    codes,
    draft::{Column, Rows},
    naming::Namer,
    scope::{BindingValue, Scope},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, Literal},
    kql::{
        ast::{self, DataSource, Name, NamedExpr},
        tables::{self, Table},
    },
    suggest,
};

/// How many cells a plan may hold.
const INLINE_CELLS_MAX: usize = 100_000;

impl<'q> Binder<'q> {
    /// The rows of a data source.
    pub(super) fn source(&mut self, source: &'q DataSource) -> Bind<Rows> {
        match source {
            DataSource::Name(name) => self.named_source(name),
            DataSource::Print { columns, span } => self.print(columns, span),
            DataSource::Datatable { columns, cells, span } => self.datatable(columns, cells, span),
            DataSource::Range { name, from, to, step, span } => self.range(name, [from, to, step], span),
            DataSource::Parenthesised(pipeline) => {
                if self.pipeline_depth >= PIPELINE_DEPTH_MAX {
                    return Err(self.too_deep(&pipeline.span));
                }
                self.pipeline(pipeline)
            }
            DataSource::Unsupported { construct, span } => {
                let message = format!("the data source `{construct}` is not supported yet");
                let help = "start the query with one table";
                Err(self.report(Diagnostic::error(codes::DATA_SOURCE, span.clone(), message).help(help)))
            }
        }
    }

    fn named_source(&mut self, name: &Name) -> Bind<Rows> {
        match self.binding(&name.text).cloned() {
            Some(binding) => match binding.value {
                BindingValue::Tabular(pipeline, visible) => {
                    if self.pipeline_depth >= PIPELINE_DEPTH_MAX {
                        return Err(self.too_deep(&name.span));
                    }
                    // The `let` sees what was there when it was written.
                    let visible = std::mem::replace(&mut self.visible, visible);
                    let rows = self.pipeline(pipeline);
                    self.visible = visible;
                    rows
                }
                BindingValue::Table(table) => Ok(stream(table)),
                BindingValue::Scalar(_) => {
                    let message = format!("`{}` stands for a scalar, and rows are wanted here", name.text);
                    Err(self.report(Diagnostic::error(codes::WRONG_KIND, name.span.clone(), message)))
                }
                BindingValue::Refused => Err(Reported),
            },
            None => match tables::find(&name.text) {
                Some(table) => Ok(stream(table)),
                None => Err(self.unknown_table(name)),
            },
        }
    }

    fn unknown_table(&mut self, name: &Name) -> Reported {
        let names = tables::all().iter().map(Table::name);
        let known = names.clone().collect::<Vec<_>>().join(", ");
        let help = match suggest::closest(&name.text, names) {
            Some(found) => format!("did you mean `{found}`? The tables are: {known}"),
            None => format!("the tables are: {known}"),
        };
        let message = format!("the table `{}` is not known", name.text);
        self.report(Diagnostic::error(codes::UNKNOWN_TABLE, name.span.clone(), message).help(help))
    }

    fn too_deep(&mut self, span: &Span) -> Reported {
        let message = format!("tabular expressions nest deeper than {PIPELINE_DEPTH_MAX} levels");
        self.report(Diagnostic::error(codes::LIMIT, span.clone(), message))
    }

    /// One row without columns, to which a kernel gives the values.
    fn print(&mut self, written: &'q [NamedExpr], span: &Span) -> Bind<Rows> {
        self.few_columns(written.len(), span)?;
        self.no_duplicates(written.iter().filter_map(|column| column.name.as_ref()))?;
        let spelled = written.iter().filter_map(|column| column.name.as_ref());
        let mut namer = Namer::new(spelled.map(|name| name.text.as_str()), std::iter::empty());
        let mut columns = Vec::with_capacity(written.len());
        let mut refused = false;
        for (index, column) in written.iter().enumerate() {
            let Ok(expr) = self.expr(&column.expr, &mut Scope::Constant) else {
                refused = true;
                continue;
            };
            let base = column.name.as_ref().map_or_else(|| format!("print_{index}"), |name| name.text.clone());
            columns.push(Column { name: namer.take(&base), expr });
        }
        if refused {
            return Err(Reported);
        }
        let mut rows = Rows::new(plan::Rows::Inline(vec![Vec::new()]), Vec::new(), None);
        rows.set_columns(columns);
        Ok(rows)
    }

    fn datatable(&mut self, columns: &[(Name, Name)], cells: &'q [ast::Expr], span: &Span) -> Bind<Rows> {
        self.few_columns(columns.len(), span)?;
        self.no_duplicates(columns.iter().map(|(name, _)| name))?;
        let types = columns.iter().map(|(_, ty)| self.type_named(ty)).collect::<Vec<_>>();
        let types = types.into_iter().collect::<Bind<Vec<LogicalType>>>()?;
        let count = types.len();
        if count == 0 || !cells.len().is_multiple_of(count) {
            let message = format!("{} values do not fill rows of {count} columns", cells.len());
            return Err(self.report(Diagnostic::error(codes::OUT_OF_RANGE, span.clone(), message)));
        }
        self.few_cells(cells.len(), span)?;
        let mut rows = Vec::with_capacity(cells.len() / count);
        for row in cells.chunks(count) {
            let row: Vec<Bind<Value>> = row.iter().zip(&types).map(|(cell, ty)| self.cell(cell, *ty)).collect();
            rows.push(row.into_iter().collect::<Bind<Vec<Value>>>()?);
        }
        let names = columns.iter().map(|(name, _)| name.text.clone());
        Ok(Rows::new(plan::Rows::Inline(rows), names.zip(types).collect(), None))
    }

    /// A cell of a `datatable` as the plan holds it.
    fn cell(&mut self, cell: &'q ast::Expr, ty: LogicalType) -> Bind<Value> {
        let Expr::Literal(literal) = self.expr(cell, &mut Scope::Constant)? else {
            let message = "the values of a `datatable` must be constant";
            return Err(self.report(Diagnostic::error(codes::NOT_CONSTANT, cell.span.clone(), message)));
        };
        let found = literal.ty();
        let integer_cell = matches!(found, LogicalType::Int | LogicalType::Long);
        let literal = match literal {
            Literal::Null(_) => Some(Literal::Null(ty)),
            literal if found == ty => Some(literal),
            Literal::Integer(value, _) if integer_cell && ty == LogicalType::Int => {
                i32::try_from(value).ok().map(|value| Literal::Integer(value.into(), ty))
            }
            literal if integer_cell && is_number(ty) => match convert(Expr::Literal(literal), ty) {
                Expr::Literal(literal) => Some(literal),
                _ => None,
            },
            _ => None,
        };
        let json = literal.map(json_cell);
        json.flatten().ok_or_else(|| {
            let message = format!("this {found} does not fit a column of type {ty}");
            self.report(Diagnostic::error(codes::OUT_OF_RANGE, cell.span.clone(), message))
        })
    }

    fn type_named(&mut self, name: &Name) -> Bind<LogicalType> {
        Ok(match name.text.as_str() {
            "bool" | "boolean" => LogicalType::Bool,
            "int" => LogicalType::Int,
            "long" => LogicalType::Long,
            "real" | "double" => LogicalType::Real,
            "string" => LogicalType::String,
            "datetime" | "date" => LogicalType::Datetime,
            "timespan" | "time" => LogicalType::Timespan,
            "dynamic" => LogicalType::Dynamic,
            "guid" | "uuid" | "uniqueid" => LogicalType::Guid,
            other => {
                let message = format!("the type `{other}` is not supported yet");
                return Err(self.report(Diagnostic::error(codes::TYPES, name.span.clone(), message)));
            }
        })
    }

    /// All values of a `range`, one row each.
    fn range(&mut self, name: &Name, bounds: [&'q ast::Expr; 3], span: &Span) -> Bind<Rows> {
        let bound = bounds.map(|expr| self.range_bound(expr));
        let [from, to, step] = bound;
        let (from, to, step) = (from?, to?, step?);
        let types = (from.ty(), to.ty(), step.ty());
        let real = [types.0, types.1, types.2].contains(&LogicalType::Real);
        let ty = match types {
            (LogicalType::Datetime, LogicalType::Datetime, LogicalType::Timespan) => LogicalType::Datetime,
            (LogicalType::Timespan, LogicalType::Timespan, LogicalType::Timespan) => LogicalType::Timespan,
            (from, to, step) if is_number(from) && is_number(to) && is_number(step) => {
                if real {
                    LogicalType::Real
                } else {
                    LogicalType::Long
                }
            }
            (from, to, step) => {
                let message = format!("`range` does not go from {from} to {to} by {step}");
                return Err(self.report(Diagnostic::error(codes::ARGUMENTS, span.clone(), message)));
            }
        };
        let cells = match (convert_literal(from, ty), convert_literal(to, ty), convert_literal(step, ty)) {
            (Literal::Integer(from, _), Literal::Integer(to, _), Literal::Integer(step, _)) => {
                integers(from, to, step).map(|values| values.into_iter().map(Value::from).collect())
            }
            (Literal::Real(from), Literal::Real(to), Literal::Real(step)) => {
                reals(from, to, step).map(|values| values.into_iter().map(Value::from).collect())
            }
            // A null among the bounds.
            _ => Some(Vec::new()),
        };
        let Some(cells): Option<Vec<Value>> = cells else {
            let message = format!("the range has no end or more than {INLINE_CELLS_MAX} values");
            return Err(self.report(Diagnostic::error(codes::LIMIT, span.clone(), message)));
        };
        let rows = cells.into_iter().map(|cell| vec![cell]).collect();
        Ok(Rows::new(plan::Rows::Inline(rows), vec![(name.text.clone(), ty)], None))
    }

    /// One of a `range`'s three numbers. Kusto also takes what is only known when the query runs; the plan cannot.
    fn range_bound(&mut self, expr: &ast::Expr) -> Bind<Literal> {
        match self.expr(expr, &mut Scope::Constant)? {
            Expr::Literal(literal) => Ok(literal),
            _ => Err(self.unsupported("`range` over values that are not constant, such as `now()`,", &expr.span)),
        }
    }

    /// A constant that an operator needs.
    pub(super) fn constant(&mut self, expr: &ast::Expr, operator: &str) -> Bind<Literal> {
        if let Expr::Literal(literal) = self.expr(expr, &mut Scope::Constant)? {
            return Ok(literal);
        }
        let message = format!("`{operator}` takes a constant here");
        Err(self.report(Diagnostic::error(codes::NOT_CONSTANT, expr.span.clone(), message)))
    }

    /// Refuses more columns than the compiler takes.
    pub(super) fn few_columns(&mut self, count: usize, span: &Span) -> Bind<()> {
        if count <= COLUMNS_MAX {
            return Ok(());
        }
        let message = format!("{count} columns are more than the {COLUMNS_MAX} that an operator may have");
        Err(self.report(Diagnostic::error(codes::LIMIT, span.clone(), message)))
    }

    fn few_cells(&mut self, count: usize, span: &Span) -> Bind<()> {
        if count <= INLINE_CELLS_MAX {
            return Ok(());
        }
        let message = format!("{count} values are more than the {INLINE_CELLS_MAX} that a query may hold");
        Err(self.report(Diagnostic::error(codes::LIMIT, span.clone(), message)))
    }

    /// Refuses a name that is given twice.
    pub(super) fn no_duplicates<'a>(&mut self, names: impl Iterator<Item = &'a Name>) -> Bind<()> {
        let mut seen = std::collections::HashSet::new();
        let mut refused = false;
        for name in names {
            if !seen.insert(name.text.as_str()) {
                let message = format!("the column `{}` is there twice", name.text);
                let diagnostic = Diagnostic::error(codes::DUPLICATE_COLUMN, name.span.clone(), message);
                self.report(diagnostic.help("give one of them another name"));
                refused = true;
            }
        }
        if refused { Err(Reported) } else { Ok(()) }
    }
}

/// The rows of a table, with every column it has.
fn stream(table: &'static Table) -> Rows {
    Rows::new(plan::Rows::Stream(table.name().to_string()), table.columns().to_vec(), Some(table))
}

fn convert_literal(literal: Literal, ty: LogicalType) -> Literal {
    match convert(Expr::Literal(literal), ty) {
        Expr::Literal(literal) => literal,
        _ => Literal::Null(ty),
    }
}

/// A constant as a cell of an inline row; `None` for a real that JSON cannot hold.
fn json_cell(literal: Literal) -> Option<Value> {
    Some(match literal {
        Literal::Null(LogicalType::String) => Value::String(String::new()),
        Literal::Null(_) => Value::Null,
        Literal::Bool(value) => Value::Bool(value),
        Literal::Integer(value, _) => Value::from(value),
        Literal::Real(value) => Value::Number(serde_json::Number::from_f64(value)?),
        Literal::Text(text, _) => Value::String(text),
    })
}

/// The integers from `from` to `to`; `None` if they are too many.
fn integers(from: i64, to: i64, step: i64) -> Option<Vec<i64>> {
    let mut values = Vec::new();
    let mut next = Some(from);
    while let Some(value) = next.filter(|value| if step < 0 { *value >= to } else { *value <= to }) {
        if values.len() >= INLINE_CELLS_MAX || step == 0 {
            return None;
        }
        values.push(value);
        next = value.checked_add(step);
    }
    Some(values)
}

/// The reals from `from` to `to`; `None` if they are too many.
fn reals(from: f64, to: f64, step: f64) -> Option<Vec<f64>> {
    if ![from, to, step].iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut values = Vec::new();
    let mut value = from;
    while if step < 0.0 { value >= to } else { value <= to } {
        if values.len() >= INLINE_CELLS_MAX || step == 0.0 {
            return None;
        }
        values.push(value);
        value += step;
    }
    Some(values)
}
