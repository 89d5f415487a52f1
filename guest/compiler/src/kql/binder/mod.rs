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
mod summarize;
mod tabular;
mod untyped;

use std::collections::{BTreeSet, HashMap, HashSet};

use draft::Rows;
use lookback::TimeComparison;
use scope::Binding;

use super::ast::Query;
use crate::{
    diagnostic::{Diagnostic, Span},
    ir,
};

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
/// How many nodes the conditions and columns of one kernel may have. The time to translate a function grows faster than
/// its size; the worst measured (divisions) takes 0.9 s on a busy machine.
const KERNEL_NODES_MAX: usize = 1_536;
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
    let rows = binder.query(query).and_then(|rows| binder.emittable(rows, &query.body.span));
    let program = match rows {
        Ok(rows) if !binder.diagnostics.iter().any(Diagnostic::is_error) => {
            let (program, lookback) = lower::lower(rows);
            binder.warn_of_comparisons(&lookback);
            Some(program)
        }
        _ => None,
    };
    let mut diagnostics = binder.diagnostics;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
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
    /// While a condition is bound, the columns that hold the event's time.
    time_columns: BTreeSet<u32>,
    /// Comparisons of the event's time with `now()`.
    time_comparisons: Vec<TimeComparison>,
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
            time_columns: BTreeSet::new(),
            time_comparisons: Vec::new(),
        }
    }

    /// The rows, all steps closed, unless one is too large to be translated.
    fn emittable(&mut self, mut rows: Rows, span: &Span) -> Bind<Rows> {
        rows.close();
        let nodes = rows.largest_kernel();
        if nodes <= KERNEL_NODES_MAX {
            return Ok(rows);
        }
        let message = format!(
            "conditions and columns of one step have {nodes} operators and values, more than {KERNEL_NODES_MAX}"
        );
        let help = "list values in `in (...)` or `has_any (...)` instead of `or`, and use large expressions less often";
        Err(self.report(Diagnostic::error(codes::LIMIT, span.clone(), message).help(help)))
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
