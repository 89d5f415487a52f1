//! Tabular operators, one after the other over whole tables in memory.
//!
//! <https://learn.microsoft.com/kusto/query/tabular-operators> has a page for each. Where Kusto leaves the order of rows open
//! the interpreter keeps that of the input, and groups stand in the order in which they appear.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use sandtrap_wit::LogicalType;

use super::{
    error::ReferenceError,
    naming::Namer,
    scalar::{Rows, Scope, Typed, truth},
    source,
    value::{Table, Value, compare},
};
use crate::kql::ast::{Expr, ExprKind, Let, LetValue, NamedExpr, Operator, OperatorKind, OrderedExpr, Pipeline, Query};

/// The table that a query gives over the tables that `tables` knows, at the instant `now_ticks` (ticks of 100 ns since
/// 1970-01-01 UTC). A column that a table of `tables` does not have reads as null, and as text it is empty.
pub fn evaluate(
    query: &Query,
    tables: &dyn Fn(&str) -> Option<Table>,
    now_ticks: i64,
) -> Result<Table, ReferenceError> {
    let mut names = HashSet::new();
    if let Some(twice) = query.lets.iter().find(|binding| !names.insert(binding.name.text.as_str())) {
        let message = format!("two `let` statements bind `{}`", twice.name.text);
        return Err(ReferenceError::name(message, &twice.name.span));
    }
    let context = Context { tables, now: now_ticks, lets: &query.lets };
    context.pipeline(&query.body).map(|relation| relation.table)
}

/// What every expression of a query sees.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) tables: &'a dyn Fn(&str) -> Option<Table>,
    pub(super) now: i64,
    /// Those before the place of the expression.
    pub(super) lets: &'a [Let],
}

/// A table on its way through a pipeline.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) table: Table,
    pub(super) origin: Origin,
}

/// Whether a column that is not there is a column without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is: the rows are those of a known table, whose schema may have lost the column.
    KnownTable,
    /// It is a mistake: the query says which columns there are.
    Computed,
}

impl Relation {
    pub(super) fn computed(columns: Vec<(String, LogicalType)>, rows: Vec<Vec<Value>>) -> Self {
        Self { table: Table { columns, rows }, origin: Origin::Computed }
    }

    /// A row of nulls: what an expression's type is found with.
    pub(super) fn null_row(&self) -> Vec<Value> {
        self.table.columns.iter().map(|(_, ty)| Value::null(*ty)).collect()
    }
}

impl<'a> Context<'a> {
    /// What a `let` binds, with what its value sees: only the `let` statements before it.
    pub(super) fn find_let(&self, name: &str) -> Option<(&'a LetValue, Self)> {
        let index = self.lets.iter().position(|binding| binding.name.text == name)?;
        Some((&self.lets.get(index)?.value, Self { lets: self.lets.get(..index)?, ..*self }))
    }

    /// Whether a name stands for a table.
    pub(super) fn is_table(&self, name: &str) -> bool {
        match self.find_let(name) {
            Some((LetValue::Tabular(_), _)) => true,
            Some((LetValue::Scalar(Expr { kind: ExprKind::Name(other), .. }), context)) => context.is_table(other),
            Some(_) => false,
            None => (self.tables)(name).is_some(),
        }
    }

    /// The table that a pipeline gives.
    pub(super) fn pipeline(&self, pipeline: &Pipeline) -> Result<Relation, ReferenceError> {
        let source = source::rows(self, &pipeline.source)?;
        pipeline.operators.iter().try_fold(source, |relation, operator| self.operator(relation, operator))
    }

    fn operator(&self, relation: Relation, operator: &Operator) -> Result<Relation, ReferenceError> {
        match &operator.kind {
            OperatorKind::Where(predicate) => self.filter(relation, predicate),
            OperatorKind::Project(columns) => self.project(&relation, columns),
            OperatorKind::Extend(columns) => self.extend(&relation, columns),
            OperatorKind::Summarize { aggregates, by } => self.summarize(&relation, aggregates, by),
            OperatorKind::Distinct(columns) => self.distinct(relation, columns),
            OperatorKind::Count => {
                let count = i64::try_from(relation.table.rows.len()).unwrap_or(i64::MAX);
                let columns = vec![("Count".to_owned(), LogicalType::Long)];
                Ok(Relation::computed(columns, vec![vec![Value::Long(count)]]))
            }
            OperatorKind::Sort(keys) => self.sort(relation, keys),
            OperatorKind::Top { rows, by } => {
                let sorted = self.sort(relation, by)?;
                self.take(sorted, rows)
            }
            OperatorKind::Take(rows) => self.take(relation, rows),
            OperatorKind::Unsupported(keyword) => {
                Err(ReferenceError::unsupported(format!("the operator `{keyword}`"), &operator.span))
            }
        }
    }

    /// The type of an expression and its value for each row.
    fn column(&self, relation: &Relation, expr: &Expr) -> Result<(LogicalType, Vec<Value>), ReferenceError> {
        let nulls = relation.null_row();
        let scope = Scope { context: *self, relation: Some(relation), rows: Rows::One(&nulls) };
        let ty = scope.eval(expr)?.ty;
        let rows = relation.table.rows.iter();
        let values = rows.map(|row| scope.over(row).eval(expr).map(kept)).collect::<Result<_, _>>()?;
        Ok((ty, values))
    }

    /// Keeps the rows for which the predicate is true; null is not true.
    fn filter(&self, mut relation: Relation, predicate: &Expr) -> Result<Relation, ReferenceError> {
        let nulls = relation.null_row();
        let scope = Scope { context: *self, relation: Some(&relation), rows: Rows::One(&nulls) };
        truth(&scope.eval(predicate)?, &predicate.span)?;
        let mut kept = Vec::new();
        for row in &relation.table.rows {
            if truth(&scope.over(row).eval(predicate)?, &predicate.span)? == Some(true) {
                kept.push(row.clone());
            }
        }
        relation.table.rows = kept;
        Ok(relation)
    }

    fn project(&self, relation: &Relation, columns: &[NamedExpr]) -> Result<Relation, ReferenceError> {
        let mut namer = Namer::new(columns.iter(), std::iter::empty())?;
        let mut projected = Relation::computed(Vec::new(), vec![Vec::new(); relation.table.rows.len()]);
        for column in columns {
            let (ty, values) = self.column(relation, &column.expr)?;
            append(&mut projected.table, namer.next(column), ty, values);
        }
        Ok(projected)
    }

    /// A column of a name that is there already replaces it in its place. All expressions see the input.
    fn extend(&self, relation: &Relation, columns: &[NamedExpr]) -> Result<Relation, ReferenceError> {
        let input = relation.table.columns.iter().map(|(name, _)| name.as_str());
        let mut namer = Namer::new(columns.iter(), input)?;
        let mut extended = relation.clone();
        let mut seen = HashSet::new();
        for column in columns {
            let name = namer.base(column);
            if !seen.insert(name.clone()) {
                return Err(ReferenceError::name(format!("two columns are named `{name}`"), &column.expr.span));
            }
            let (ty, values) = self.column(relation, &column.expr)?;
            append(&mut extended.table, name, ty, values);
        }
        Ok(extended)
    }

    fn summarize(
        &self,
        relation: &Relation,
        aggregates: &[NamedExpr],
        by: &[NamedExpr],
    ) -> Result<Relation, ReferenceError> {
        let input = relation.table.columns.iter().map(|(name, _)| name.as_str());
        let mut namer = Namer::new(by.iter().chain(aggregates.iter().filter(|column| column.name.is_some())), input)?;
        let Table { mut columns, rows: keys } = self.group_keys(relation, by, &mut namer)?;

        // Null is a group like any other. Without `by` there is one group, be it empty.
        let mut groups: Vec<(&[Value], Vec<&Vec<Value>>)> = Vec::new();
        let mut index: HashMap<Vec<String>, usize> = HashMap::new();
        if by.is_empty() {
            groups.push((&[], relation.table.rows.iter().collect()));
        } else {
            for (key, row) in keys.iter().zip(&relation.table.rows) {
                let at = *index.entry(key.iter().map(Value::key).collect()).or_insert(groups.len());
                match groups.get_mut(at) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((key, vec![row])),
                }
            }
        }

        let scope = |rows| Scope { context: *self, relation: Some(relation), rows: Rows::Group(rows) };
        for aggregate in aggregates {
            columns.push((namer.next(aggregate), scope(&[]).eval(&aggregate.expr)?.ty));
        }
        let mut rows = Vec::new();
        for (key, members) in &groups {
            let mut row = key.to_vec();
            for aggregate in aggregates {
                row.push(scope(members).eval(&aggregate.expr)?.value);
            }
            rows.push(row);
        }
        Ok(Relation::computed(columns, rows))
    }

    /// The group keys: their columns, and their values for each row.
    fn group_keys(
        &self,
        relation: &Relation,
        by: &[NamedExpr],
        namer: &mut Namer<'_>,
    ) -> Result<Table, ReferenceError> {
        let mut keys = Table { columns: Vec::new(), rows: vec![Vec::new(); relation.table.rows.len()] };
        for key in by {
            let (ty, values) = self.column(relation, &key.expr)?;
            if ty == LogicalType::Dynamic {
                return Err(ReferenceError::ty("a dynamic is not a group key", &key.expr.span));
            }
            append(&mut keys, namer.next(key), ty, values);
        }
        Ok(keys)
    }

    fn distinct(&self, relation: Relation, columns: &[Expr]) -> Result<Relation, ReferenceError> {
        if let [Expr { kind: ExprKind::Star, .. }] = columns {
            let mut seen = HashSet::new();
            let Table { columns, mut rows } = relation.table;
            rows.retain(|row| seen.insert(row.iter().map(Value::key).collect::<Vec<_>>()));
            return Ok(Relation::computed(columns, rows));
        }
        let by: Vec<_> = columns.iter().map(|expr| NamedExpr { name: None, expr: expr.clone() }).collect();
        self.summarize(&relation, &[], &by)
    }

    fn sort(&self, mut relation: Relation, keys: &[OrderedExpr]) -> Result<Relation, ReferenceError> {
        let mut order: Vec<usize> = (0..relation.table.rows.len()).collect();
        // From the last key to the first: a stable sort by a key leaves the order of the later ones among equals.
        for key in keys.iter().rev() {
            let (ty, values) = self.column(&relation, &key.expr)?;
            if ty == LogicalType::Dynamic {
                return Err(ReferenceError::ty("a dynamic has no order", &key.expr.span));
            }
            order.sort_by(|left, right| match (values.get(*left), values.get(*right)) {
                (Some(left), Some(right)) => by_key(left, right, key),
                _ => Ordering::Equal,
            });
        }
        relation.table.rows = order.into_iter().filter_map(|row| relation.table.rows.get(row).cloned()).collect();
        Ok(relation)
    }

    /// The first rows; none if the number is negative (measured).
    fn take(&self, mut relation: Relation, rows: &Expr) -> Result<Relation, ReferenceError> {
        match Scope::constant(*self).eval(rows)?.value {
            Value::Long(count) => relation.table.rows.truncate(usize::try_from(count).unwrap_or(0)),
            _ => return Err(ReferenceError::ty("the number of rows must be a long", &rows.span)),
        }
        Ok(relation)
    }
}

/// The value that a column keeps: that of a column that is not there is empty text.
fn kept(typed: Typed) -> Value {
    typed.or_null_of(LogicalType::String).value
}

/// Appends a column, or replaces the one of that name in its place.
fn append(table: &mut Table, name: String, ty: LogicalType, values: Vec<Value>) {
    let at = table.columns.iter().position(|(column, _)| *column == name).unwrap_or(table.columns.len());
    match table.columns.get_mut(at) {
        Some(column) => column.1 = ty,
        None => table.columns.push((name, ty)),
    }
    for (row, value) in table.rows.iter_mut().zip(values) {
        match row.get_mut(at) {
            Some(cell) => *cell = value,
            None => row.push(value),
        }
    }
}

/// Default desc. Nulls, and NaNs next to them, are last on desc and first on asc unless the query says otherwise
/// (<https://learn.microsoft.com/kusto/query/sort-operator>).
fn by_key(left: &Value, right: &Value, key: &OrderedExpr) -> Ordering {
    let ascending = key.ascending.unwrap_or(false);
    let nulls_first = key.nulls_first.unwrap_or(ascending);
    let rank = |value: &Value| match value {
        Value::Null => 2,
        Value::Real(value) if value.is_nan() => 1,
        _ => 0,
    };
    let special = rank(left).cmp(&rank(right));
    let special = if nulls_first { special.reverse() } else { special };
    let values = compare(left, right).unwrap_or(Ordering::Equal);
    special.then(if ascending { values } else { values.reverse() })
}

/// A tree built by hand, so that the interpreter is tested without the parser; everything else is in `tests.rs`.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::kql::ast::{BinaryOp, DataSource, Literal, Name};

    fn expr(kind: ExprKind) -> Expr {
        Expr { kind, span: 0..0 }
    }

    fn named(text: &str) -> Name {
        Name { text: text.to_owned(), span: 0..0 }
    }

    fn column(name: &str) -> Expr {
        expr(ExprKind::Name(name.to_owned()))
    }

    fn over_t(kinds: Vec<OperatorKind>) -> Query {
        let operators = kinds.into_iter().map(|kind| Operator { kind, span: 0..0 }).collect();
        let body = Pipeline { source: DataSource::Name(named("T")), operators, span: 0..0 };
        Query { lets: Vec::new(), body }
    }

    #[test]
    fn where_drops_null_and_summarize_counts_the_rest() {
        let rows = [serde_json::json!({"N": 1}), serde_json::json!({}), serde_json::json!({"N": 2})];
        let table = Table::from_json(vec![("N".to_owned(), LogicalType::Long)], &rows);
        let tables = |name: &str| (name == "T").then(|| table.clone());
        let one = expr(ExprKind::Literal(Literal::Long(1)));
        let compared = |op| {
            let (left, right) = (Box::new(column("N")), Box::new(one.clone()));
            OperatorKind::Where(expr(ExprKind::Binary { op, op_span: 0..0, left, right }))
        };
        let count = expr(ExprKind::Call { name: named("count"), arguments: Vec::new() });
        let summarize = OperatorKind::Summarize {
            aggregates: vec![NamedExpr { name: None, expr: count }],
            by: vec![NamedExpr { name: None, expr: column("N") }],
        };
        for (op, expected) in [
            (BinaryOp::Greater, vec![vec![Value::Long(2), Value::Long(1)]]),
            (BinaryOp::NotEqual, vec![vec![Value::Null, Value::Long(1)], vec![Value::Long(2), Value::Long(1)]]),
            (BinaryOp::Less, vec![]),
        ] {
            let result = evaluate(&over_t(vec![compared(op), summarize.clone()]), &tables, 0).expect("it runs");
            let names: Vec<_> = result.columns.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["N", "count_"]);
            assert_eq!(result.rows, expected, "{op:?}");
        }
    }
}
