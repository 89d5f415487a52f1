//! What is kept while a rule is lowered: its columns, and what is wrong with it.

use super::{codes, columns::Columns, placeholder::Placeholders};
use crate::{
    diagnostic::{Diagnostic, Span},
    findings::Findings,
};

/// So many diagnostics about one rule are kept.
const DIAGNOSTICS_MAX: usize = 100;
/// So many values, after everything that makes several of one, a rule may have.
const VALUES_MAX: usize = 100_000;

/// A rule on its way to a program.
pub(super) struct Lowering<'a> {
    /// The rule's file, for places inside of values.
    pub(super) source: &'a str,
    pub(super) placeholders: &'a Placeholders,
    pub(super) columns: Columns,
    values: usize,
    errors: usize,
    findings: Findings,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(source: &'a str, placeholders: &'a Placeholders, columns: Columns) -> Self {
        Self { source, placeholders, columns, values: 0, errors: 0, findings: Findings::default() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.errors = self.errors.saturating_add(usize::from(diagnostic.is_error()));
        self.findings.push(diagnostic, DIAGNOSTICS_MAX);
    }

    /// How many errors there were, said or not.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// What is wrong.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.findings.into_diagnostics()
    }

    /// Counts values against their limit.
    pub(super) fn count(&mut self, values: usize, span: &Span) -> Result<(), Diagnostic> {
        self.values = self.values.saturating_add(values);
        if self.values <= VALUES_MAX {
            return Ok(());
        }
        let message = format!("the rule has more than {VALUES_MAX} values");
        Err(Diagnostic::error(codes::LIMIT, span.clone(), message).help("split the rule"))
    }
}
