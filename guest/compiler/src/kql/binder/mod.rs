//! The binder: resolves names, types expressions and turns a syntax tree into a plan and typed kernels.
//!
//! Whatever it cannot give Kusto's meaning it refuses by name and place; it never guesses. A query comes from
//! outside, so recursion, sizes and the number of diagnostics are bounded by the constants below. It does not look at
//! events and does not evaluate anything but constants.

#[cfg(test)]
mod agreement;
mod arithmetic;
mod codes;
mod compare;
mod draft;
mod expr;
mod function;
mod list;
mod lookback;
mod lower;
mod naming;
mod scope;
mod source;
mod suggest;
mod summarize;
mod tabular;
mod walk;

use std::collections::{HashMap, HashSet};

use scope::Binding;

use super::ast::Query;
use crate::{diagnostic::Diagnostic, ir};

/// How deep an expression may nest.
const EXPRESSION_DEPTH_MAX: usize = 128;
/// How deep tabular `let`s and parentheses may nest.
const PIPELINE_DEPTH_MAX: usize = 32;
/// How many tabular operators a query may have, those of the `let`s it uses included.
const OPERATORS_MAX: usize = 1_000;
/// How many columns an operator may make.
const COLUMNS_MAX: usize = 1_024;
/// How much may be copied where names stand for expressions, in nodes.
const COPIED_NODES_MAX: usize = 200_000;
/// How many diagnostics are kept.
const DIAGNOSTICS_MAX: usize = 100;

/// How to bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindOptions {
    /// Whether a column that its table does not have is an error rather than a warning.
    pub strict_schema: bool,
}

/// A bound query.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The plan and its kernels; `None` when there are errors.
    pub program: Option<ir::Program>,
    /// What there is to say, in the order of the text. Spans are bytes of the query.
    pub diagnostics: Vec<Diagnostic>,
}

/// Binds a query.
pub fn bind(query: &Query, options: &BindOptions) -> Bound {
    let mut binder = Binder::new(*options);
    let rows = binder.query(query);
    let mut diagnostics = binder.diagnostics;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let program = match rows {
        Ok(rows) if !diagnostics.iter().any(Diagnostic::is_error) => Some(lower::lower(rows)),
        _ => None,
    };
    Bound { program, diagnostics }
}

/// An error has been reported; there is nothing more to say.
#[derive(Clone, Copy, Debug)]
struct Reported;

/// A result whose error has been reported.
type Bind<T> = Result<T, Reported>;

/// What is known while binding.
struct Binder<'q> {
    options: BindOptions,
    diagnostics: Vec<Diagnostic>,
    /// The `let`s bound so far, by name.
    lets: HashMap<&'q str, Binding<'q>>,
    /// `let`s from this one on are not visible.
    visible: usize,
    expression_depth: usize,
    pipeline_depth: usize,
    operators: usize,
    copied_nodes: usize,
    /// Missing columns already reported.
    missing: HashSet<String>,
}

impl Binder<'_> {
    fn new(options: BindOptions) -> Self {
        Self {
            options,
            diagnostics: Vec::new(),
            lets: HashMap::new(),
            visible: 0,
            expression_depth: 0,
            pipeline_depth: 0,
            operators: 0,
            copied_nodes: 0,
            missing: HashSet::new(),
        }
    }

    /// Whether no more diagnostics are kept; nobody need work on advice then.
    fn is_full(&self) -> bool {
        self.diagnostics.len() >= DIAGNOSTICS_MAX
    }

    /// Keeps a diagnostic. Past [`DIAGNOSTICS_MAX`] warnings are dropped and errors replace nothing: there are enough.
    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        if !self.is_full() {
            self.diagnostics.push(diagnostic);
        } else if diagnostic.is_error() && !self.diagnostics.iter().any(Diagnostic::is_error) {
            self.diagnostics.pop();
            self.diagnostics.push(diagnostic);
        }
        Reported
    }
}
