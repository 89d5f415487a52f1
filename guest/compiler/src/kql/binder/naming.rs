//! The names that Kusto gives to columns a query does not name.
//!
//! A column takes its name, an expression `Column1`, `Column2`, ..., an aggregate `count_`, `min_X` and so on; a name
//! that is taken gets the first number that makes it unique. Reference:
//! <https://learn.microsoft.com/kusto/query/project-operator> and `summarize-operator`; what the pages leave open
//! follows what the Kusto emulator does.

use std::collections::HashSet;

use crate::kql::ast::{Expr, ExprKind, NamedExpr};

/// Names the columns of one operator, from left to right.
pub(super) struct Namer {
    taken: HashSet<String>,
    reserved: HashSet<String>,
    skip: HashSet<String>,
    positional: usize,
}

impl Namer {
    /// `reserved` are the names that the query spells out, `skip` the names that `ColumnN` must not be: those of the
    /// operator's input for `extend` and `summarize`, none for `project`.
    pub(super) fn new<'a>(reserved: impl Iterator<Item = &'a str>, skip: impl Iterator<Item = &'a str>) -> Self {
        Self {
            taken: HashSet::new(),
            reserved: reserved.map(String::from).collect(),
            skip: skip.map(String::from).collect(),
            positional: 0,
        }
    }

    /// The name of a column.
    pub(super) fn name(&mut self, column: &NamedExpr) -> String {
        let base = spelled(column).map(String::from).or_else(|| derived(&column.expr));
        let base = base.unwrap_or_else(|| self.positional());
        self.take(&base)
    }

    /// The next `ColumnN`.
    pub(super) fn positional(&mut self) -> String {
        loop {
            self.positional = self.positional.saturating_add(1);
            let name = format!("Column{}", self.positional);
            if !self.skip.contains(&name) {
                return name;
            }
        }
    }

    /// `base`, or `base1`, `base2`, ... if that is taken.
    pub(super) fn take(&mut self, base: &str) -> String {
        let mut name = base.to_string();
        let mut number = 0_usize;
        while self.taken.contains(&name) || (number > 0 && self.reserved.contains(&name)) {
            number = number.saturating_add(1);
            name = format!("{base}{number}");
        }
        self.taken.insert(name.clone());
        name
    }
}

/// The name that the query spells out: `name = ...`, or that of a lone column.
pub(super) fn spelled(column: &NamedExpr) -> Option<&str> {
    match (&column.name, &column.expr.kind) {
        (Some(name), _) => Some(&name.text),
        (None, ExprKind::Name(name)) => Some(name),
        (None, _) => None,
    }
}

/// The name that an expression takes from its parts.
pub(super) fn derived(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Call { name, arguments } => {
            let prefix = match name.text.as_str() {
                "count" => return Some("count_".into()),
                "strlen" | "min" | "max" | "dcount" => name.text.as_str(),
                "make_set" => "set",
                _ => return None,
            };
            Some(format!("{prefix}_{}", arguments.first().and_then(derived).unwrap_or_default()))
        }
        _ => None,
    }
}
