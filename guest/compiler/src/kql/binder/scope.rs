//! What a name stands for: a column, a `let`, a table, or a column that its table does not have.

use super::{Bind, Binder, COPIED_NODES_MAX, codes, draft::Rows, summarize::Aggregating, untyped};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, walk},
    kql::{
        ast::Pipeline,
        tables::{self, Table},
    },
    suggest,
};
/// What a `let` stands for.
#[derive(Clone, Debug)]
pub(super) struct Binding<'q> {
    /// Which `let` of the query it is; a `let` sees the ones before it.
    pub(super) index: usize,
    /// What it stands for.
    pub(super) value: BindingValue<'q>,
}

/// What a `let` stands for.
#[derive(Clone, Debug)]
pub(super) enum BindingValue<'q> {
    /// A scalar without columns.
    Scalar(Expr),
    /// Rows, bound where the name is used, and how many `let`s they see.
    Tabular(&'q Pipeline, usize),
    /// A table.
    Table(&'static Table),
    /// Something that was refused.
    Refused,
}

/// Which names an expression sees besides `let`s.
pub(super) enum Scope<'a> {
    /// None.
    Constant,
    /// The columns of these rows.
    Rows(&'a Rows),
    /// The columns of these rows, inside aggregation functions only.
    Aggregating(Aggregating<'a>),
}

impl<'a> Scope<'a> {
    fn rows(&self) -> Option<&'a Rows> {
        match self {
            Self::Constant => None,
            Self::Rows(rows) => Some(rows),
            Self::Aggregating(aggregating) => Some(aggregating.rows),
        }
    }
}

impl<'q> Binder<'q> {
    /// The `let` of that name, if it is visible here.
    pub(super) fn binding(&self, name: &str) -> Option<&Binding<'q>> {
        self.lets.get(name).filter(|binding| binding.index < self.visible)
    }

    /// Whether a name stands for rows: then it cannot stand for a scalar or a list.
    pub(super) fn is_tabular(&self, name: &str, scope: &Scope<'_>) -> bool {
        if scope.rows().is_some_and(|rows| rows.column(name).is_some()) {
            return false;
        }
        match self.binding(name) {
            Some(binding) => matches!(binding.value, BindingValue::Tabular(..) | BindingValue::Table(_)),
            None => tables::find(name).is_some(),
        }
    }

    /// The expression that a name stands for. A column hides a `let` of its name.
    pub(super) fn name(&mut self, name: &str, span: &Span, scope: &Scope<'_>) -> Bind<Expr> {
        if let Some(column) = scope.rows().and_then(|rows| rows.column(name)) {
            if let Scope::Aggregating(_) = scope {
                return Err(self.outside_aggregate(name, span));
            }
            let expr = column.expr.clone();
            return self.copied(expr, span);
        }
        if self.is_tabular(name, scope) {
            let message = format!("`{name}` stands for rows, and a scalar is wanted here");
            return Err(self.report(Diagnostic::error(codes::WRONG_KIND, span.clone(), message)));
        }
        match self.binding(name).map(|binding| binding.value.clone()) {
            Some(BindingValue::Scalar(expr)) => return self.copied(expr, span),
            Some(_) => return Err(super::Reported),
            None => {}
        }
        match scope.rows().and_then(|rows| rows.table) {
            Some(table) if !matches!(scope, Scope::Aggregating(_)) => self.missing_column(name, span, table),
            Some(_) => Err(self.outside_aggregate(name, span)),
            None => Err(self.unknown_name(name, span, scope)),
        }
    }

    /// A copy of what a name stands for, as long as copies do not outgrow the compiler.
    pub(super) fn copied(&mut self, expr: Expr, span: &Span) -> Bind<Expr> {
        self.copied_nodes = self.copied_nodes.saturating_add(walk::weigh(&expr).nodes);
        if self.copied_nodes > COPIED_NODES_MAX {
            let message = "the query is too large: its names stand for too much";
            let help = "use fewer names that stand for large expressions, or use them less often";
            return Err(self.report(Diagnostic::error(codes::LIMIT, span.clone(), message).help(help)));
        }
        Ok(expr)
    }

    /// A column that its table does not have reads as null, whatever it is used for: public hunts name columns of
    /// other tables, and would otherwise not run at all.
    fn missing_column(&mut self, name: &str, span: &Span, table: &'static Table) -> Bind<Expr> {
        let message = format!("the table `{}` has no column `{name}`", table.name());
        let columns = table.columns().iter().map(|(column, _)| column.as_str());
        let found = if self.is_full() { None } else { suggest::closest(name, columns) };
        let advice = found.map(|found| format!("did you mean `{found}`?"));
        let mut diagnostic = if self.options.strict_schema {
            Diagnostic::error(codes::MISSING_COLUMN, span.clone(), message)
        } else {
            Diagnostic::warning(codes::MISSING_COLUMN, span.clone(), message)
                .label("reads as null, and as text it is empty")
        };
        diagnostic.help = advice;
        let refused = diagnostic.is_error();
        if self.missing.insert(name.to_string()) {
            self.report(diagnostic);
        }
        if refused { Err(super::Reported) } else { Ok(untyped::null()) }
    }

    fn unknown_name(&mut self, name: &str, span: &Span, scope: &Scope<'_>) -> super::Reported {
        let message = format!("`{name}` is neither a column here nor a `let`");
        let mut diagnostic = Diagnostic::error(codes::UNKNOWN_NAME, span.clone(), message);
        if self.is_full() {
            return self.report(diagnostic);
        }
        let columns: Vec<&str> = scope.rows().map(Rows::names).unwrap_or_default();
        let lets = self.lets.iter().filter(|(_, binding)| binding.index < self.visible).map(|(name, _)| *name);
        let mut known: Vec<&str> = columns.into_iter().chain(lets).collect();
        known.sort_unstable();
        let advice = suggest::closest(name, known.into_iter()).map(|found| format!("did you mean `{found}`?"));
        diagnostic.help = advice;
        self.report(diagnostic)
    }

    fn outside_aggregate(&mut self, name: &str, span: &Span) -> super::Reported {
        let message = format!("the column `{name}` stands outside an aggregation function");
        let help = "use it in an aggregation function such as `max(...)`, or group by it";
        self.report(Diagnostic::error(codes::AGGREGATION, span.clone(), message).help(help))
    }
}
