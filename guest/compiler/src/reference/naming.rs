//! The names of columns that the query does not name.
//!
//! A column keeps its name, an aggregate is `min_X` (`min_` if its argument has no name), `strlen(X)` is `strlen_X`,
//! anything else is `Column1`, `Column2`, ...; a name that is taken gets 1, 2, ... appended (all measured, and in part
//! documented: <https://learn.microsoft.com/kusto/query/summarize-operator>).

use std::collections::HashSet;

use super::{aggregate::Aggregate, error::ReferenceError};
use crate::kql::ast::{Expr, ExprKind, NamedExpr};

/// The name that an expression gives its column, if any.
pub(super) fn natural_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Call { name, arguments } => {
            let prefix = match Aggregate::named(&name.text) {
                Some(aggregate) => aggregate.prefix(),
                None if name.text == "strlen" => "strlen",
                None => return None,
            };
            let argument = arguments.first().and_then(natural_name).unwrap_or_default();
            Some(format!("{prefix}_{argument}"))
        }
        _ => None,
    }
}

/// Gives the columns of one operator their names, from left to right.
pub(super) struct Namer<'a> {
    taken: HashSet<String>,
    /// Names that the query itself writes; a number is not appended so that one of them comes out.
    written: HashSet<&'a str>,
    /// Columns of the input, whose names `Column1`, ... steps past.
    input: HashSet<&'a str>,
    positional: usize,
}

impl<'a> Namer<'a> {
    /// Refuses a name that is written twice.
    pub(super) fn new(
        columns: impl Iterator<Item = &'a NamedExpr>,
        input: impl Iterator<Item = &'a str>,
    ) -> Result<Self, ReferenceError> {
        let mut written = HashSet::new();
        for column in columns {
            let name = match (&column.name, &column.expr.kind) {
                (Some(name), _) => name.text.as_str(),
                (None, ExprKind::Name(name)) => name,
                _ => continue,
            };
            if !written.insert(name) {
                return Err(ReferenceError::name(format!("two columns are named `{name}`"), &column.expr.span));
            }
        }
        Ok(Self { taken: HashSet::new(), written, input: input.collect(), positional: 0 })
    }

    /// The name of the next column.
    pub(super) fn next(&mut self, column: &NamedExpr) -> String {
        let base = self.base(column);
        let mut name = base.clone();
        let mut number = 0;
        while self.taken.contains(&name) || (number > 0 && self.written.contains(name.as_str())) {
            number += 1;
            name = format!("{base}{number}");
        }
        self.taken.insert(name.clone());
        name
    }

    /// The name it would have if no other column had it.
    pub(super) fn base(&mut self, column: &NamedExpr) -> String {
        if let Some(name) = &column.name {
            return name.text.clone();
        }
        natural_name(&column.expr).unwrap_or_else(|| self.positional_name())
    }

    fn positional_name(&mut self) -> String {
        loop {
            self.positional += 1;
            let name = format!("Column{}", self.positional);
            if !self.input.contains(name.as_str()) {
                return name;
            }
        }
    }
}
