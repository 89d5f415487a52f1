//! What is kept while a rule is lowered: its columns, and what is wrong with it.

use super::{codes, columns::Columns, placeholder::Placeholders};
use crate::diagnostic::{Diagnostic, Span};

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
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(source: &'a str, placeholders: &'a Placeholders, columns: Columns) -> Self {
        Self { source, placeholders, columns, values: 0, diagnostics: Vec::new() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    /// How many errors there are, which does not grow past the limit.
    pub(super) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
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
