//! Queries, pipelines and the tabular operators that do not group.
//!
//! Reference: <https://learn.microsoft.com/kusto/query/where-operator>, `project-operator`, `extend-operator`,
//! `sort-operator`, `top-operator`, `take-operator`, `let-statement`.

use sandtrap_wit::{
    LogicalType,
    plan::{Nulls, Order, SortKey},
};

use super::{
    Bind, Binder, EXPRESSION_DEPTH_MAX, OPERATORS_MAX, Reported, codes,
    draft::{Column, Rows, Step, number},
    naming::{Namer, derived, spelled},
    scope::{Binding, BindingValue, Scope},
    untyped,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, Literal, walk},
    kql::{
        ast::{self, ExprKind, Let, LetValue, NamedExpr, Operator, OperatorKind, OrderedExpr, Pipeline, Query},
        tables,
    },
};

impl<'q> Binder<'q> {
    /// A whole query.
    pub(super) fn query(&mut self, query: &'q Query) -> Bind<Rows> {
        for (index, statement) in query.lets.iter().enumerate() {
            self.visible = index;
            self.bind_let(index, statement);
        }
        self.visible = query.lets.len();
        self.pipeline(&query.body)
    }

    fn bind_let(&mut self, index: usize, statement: &'q Let) {
        let name = &statement.name;
        let value = match &statement.value {
            LetValue::Scalar(expr) => self.let_scalar(expr),
            LetValue::Tabular(pipeline) => BindingValue::Tabular(pipeline, index),
            LetValue::Unsupported { construct, span } => {
                let message = format!("{construct} is not supported yet");
                self.report(Diagnostic::error(codes::STATEMENT, span.clone(), message));
                BindingValue::Refused
            }
        };
        if self.lets.contains_key(name.text.as_str()) {
            let message = format!("`{}` is bound twice", name.text);
            self.report(Diagnostic::error(codes::DUPLICATE_LET, name.span.clone(), message));
            return;
        }
        self.lets.insert(&name.text, Binding { index, value });
    }

    fn let_scalar(&mut self, expr: &'q ast::Expr) -> BindingValue<'q> {
        if let ExprKind::Name(name) = &expr.kind {
            match self.binding(name).map(|binding| binding.value.clone()) {
                Some(BindingValue::Scalar(_)) => {}
                // Another name for the same rows, which see no more than they did.
                Some(value) => return value,
                None => {
                    if let Some(table) = tables::find(name) {
                        return BindingValue::Table(table);
                    }
                }
            }
        }
        let Ok(value) = self.expr(expr, &mut Scope::Constant) else { return BindingValue::Refused };
        if walk::weigh(&value).depth > EXPRESSION_DEPTH_MAX {
            let message = format!("the value nests deeper than {EXPRESSION_DEPTH_MAX} levels");
            self.report(Diagnostic::error(codes::LIMIT, expr.span.clone(), message));
            return BindingValue::Refused;
        }
        BindingValue::Scalar(value)
    }

    /// A data source and its operators. After an operator that is refused the rest is only searched for operators
    /// that would be refused by name: what their columns mean is unknown.
    pub(super) fn pipeline(&mut self, pipeline: &'q Pipeline) -> Bind<Rows> {
        self.pipeline_depth = self.pipeline_depth.saturating_add(1);
        let mut rows = self.source(&pipeline.source);
        for operator in &pipeline.operators {
            rows = match (rows, &operator.kind) {
                (_, OperatorKind::Unsupported(keyword)) => Err(self.unsupported_operator(keyword, operator)),
                (Ok(rows), _) => self.operator(rows, operator),
                (Err(Reported), _) => Err(Reported),
            };
        }
        self.pipeline_depth = self.pipeline_depth.saturating_sub(1);
        rows
    }

    fn unsupported_operator(&mut self, keyword: &str, operator: &Operator) -> Reported {
        let message = format!("the operator `{keyword}` is not supported yet");
        let start = operator.span.start;
        let end = start.saturating_add(keyword.len()).min(operator.span.end);
        self.report(Diagnostic::error(codes::OPERATOR, start..end, message))
    }

    fn operator(&mut self, mut rows: Rows, operator: &'q Operator) -> Bind<Rows> {
        self.operators = self.operators.saturating_add(1);
        if self.operators > OPERATORS_MAX {
            let message = format!("the query has more than {OPERATORS_MAX} tabular operators");
            return Err(self.report(Diagnostic::error(codes::LIMIT, operator.span.clone(), message)));
        }
        rows.close_if_large();
        match &operator.kind {
            OperatorKind::Where(predicate) => {
                let first = self.time_comparisons.len();
                self.time_columns = rows.time_columns();
                let condition = self.condition(predicate, &mut Scope::Rows(&rows));
                self.time_columns.clear();
                let condition = condition?;
                self.keep_conditions(first, &condition, &rows);
                rows.filter(condition);
            }
            OperatorKind::Project(columns) => self.project(&mut rows, columns, &operator.span)?,
            OperatorKind::Extend(columns) => self.extend(&mut rows, columns, &operator.span)?,
            OperatorKind::Summarize { aggregates, by } => {
                self.summarize(&mut rows, aggregates, by, &operator.span)?;
            }
            OperatorKind::Distinct(columns) => self.distinct(&mut rows, columns, &operator.span)?,
            OperatorKind::Count => Self::count_rows(&mut rows),
            OperatorKind::Sort(keys) => self.sort(&mut rows, keys, &operator.span)?,
            OperatorKind::Top { rows: count, by } => {
                let count = self.count(count, "top");
                self.sort(&mut rows, by, &operator.span)?;
                limit(&mut rows, count?);
            }
            OperatorKind::Take(count) => {
                let count = self.count(count, "take")?;
                limit(&mut rows, count);
            }
            OperatorKind::Unsupported(keyword) => return Err(self.unsupported_operator(keyword, operator)),
        }
        Ok(rows)
    }

    fn project(&mut self, rows: &mut Rows, written: &'q [NamedExpr], span: &Span) -> Bind<()> {
        self.few_columns(written.len(), span)?;
        self.no_spelled_duplicates(written.iter())?;
        let bound = self.columns(rows, written)?;
        let mut namer = Namer::new(written.iter().filter_map(spelled), std::iter::empty());
        let columns = written.iter().zip(bound).map(|(written, expr)| Column { name: namer.name(written), expr });
        rows.set_columns(columns.collect());
        rows.table = None;
        Ok(())
    }

    /// A column of a name that is there takes its place, whether the name is written or comes from the expression.
    fn extend(&mut self, rows: &mut Rows, written: &'q [NamedExpr], span: &Span) -> Bind<()> {
        self.few_columns(rows.columns().len().saturating_add(written.len()), span)?;
        let bound = self.columns(rows, written)?;
        let mut namer = Namer::new(std::iter::empty(), rows.names().into_iter());
        let mut columns = rows.columns().to_vec();
        let mut made = Vec::with_capacity(written.len());
        for (written, expr) in written.iter().zip(bound) {
            let name = spelled(written).map(String::from).or_else(|| derived(&written.expr));
            let name = name.unwrap_or_else(|| namer.positional());
            let span = written.name.as_ref().map_or(&written.expr.span, |name| &name.span);
            match columns.iter_mut().find(|column| column.name == name) {
                Some(column) => column.expr = expr,
                None => columns.push(Column { name: name.clone(), expr }),
            }
            made.push(ast::Name { text: name, span: span.clone() });
        }
        self.no_duplicates(made.iter())?;
        rows.set_columns(columns);
        Ok(())
    }

    /// The values of columns. All are bound, so that one mistake does not hide the next.
    fn columns(&mut self, rows: &Rows, written: &'q [NamedExpr]) -> Bind<Vec<Expr>> {
        let bound: Vec<Bind<Expr>> = written.iter().map(|column| self.kept(&column.expr, rows)).collect();
        bound.into_iter().collect()
    }

    /// A value that is kept: one without a type is text.
    pub(super) fn kept(&mut self, expr: &ast::Expr, rows: &Rows) -> Bind<Expr> {
        Ok(untyped::settled(self.expr(expr, &mut Scope::Rows(rows))?))
    }

    /// Keys that are not columns are computed before the sort and dropped after it.
    fn sort(&mut self, rows: &mut Rows, written: &'q [OrderedExpr], span: &Span) -> Bind<()> {
        self.few_columns(written.len(), span)?;
        let mut columns = rows.columns().to_vec();
        let mut keys = Vec::with_capacity(written.len());
        for key in written {
            let expr = self.kept(&key.expr, rows)?;
            if expr.ty() == LogicalType::Dynamic {
                let message = "sorting by a dynamic value is not supported yet";
                return Err(self.report(Diagnostic::error(codes::TYPES, key.expr.span.clone(), message)));
            }
            let known = columns.iter().position(|column| column.expr == expr);
            let column = known.unwrap_or_else(|| {
                columns.push(Column { name: format!("$sort{}", columns.len()), expr });
                columns.len().saturating_sub(1)
            });
            let order = if key.ascending == Some(true) { Order::Asc } else { Order::Desc };
            let nulls = match (key.nulls_first, order) {
                (Some(true), _) | (None, Order::Asc) => Nulls::First,
                (Some(false), _) | (None, Order::Desc) => Nulls::Last,
            };
            keys.push(SortKey { column: number(column), order, nulls });
        }
        let visible = rows.columns().len();
        rows.set_columns(columns);
        rows.close();
        rows.push_same(Step::Sort(keys));
        rows.set_columns(rows.columns().iter().take(visible).cloned().collect());
        Ok(())
    }

    /// A number of rows.
    fn count(&mut self, expr: &ast::Expr, operator: &str) -> Bind<u64> {
        let literal = self.constant(expr, operator)?;
        let count = match literal {
            Literal::Integer(value, LogicalType::Int | LogicalType::Long) => u64::try_from(value).ok(),
            _ => None,
        };
        count.ok_or_else(|| {
            let message = format!("`{operator}` takes a whole number of rows from 0");
            self.report(Diagnostic::error(codes::OUT_OF_RANGE, expr.span.clone(), message))
        })
    }
}

fn limit(rows: &mut Rows, count: u64) {
    rows.close();
    rows.push_same(Step::Limit(count));
}
