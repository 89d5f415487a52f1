//! What is found wrong with a file, and where in it.

use std::{collections::BTreeSet, ops::Range};

use crate::{
    diagnostic::{Diagnostic, Span},
    findings::Findings,
    rule::source_map::SourceMap,
    yaml::{Data, Node},
};

/// How many diagnostics one file gets. Those behind count as errors, and are not shown.
const DIAGNOSTICS_MAX: usize = 200;

/// Collects diagnostics about one file.
pub(in crate::sigma) struct Report<'t> {
    text: &'t str,
    findings: Findings,
    said: BTreeSet<(usize, usize, &'static str, String)>,
    errors: usize,
}

/// Where the parts of one scalar's value stand in the file.
pub(in crate::sigma) struct Places<'t> {
    text: &'t str,
    map: Option<SourceMap>,
    whole: Span,
}

impl<'t> Report<'t> {
    pub(in crate::sigma) fn new(text: &'t str) -> Self {
        Self { text, findings: Findings::default(), said: BTreeSet::new(), errors: 0 }
    }

    pub(in crate::sigma) fn error(
        &mut self,
        code: &'static str,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, span.clone(), message).help(help));
    }

    pub(in crate::sigma) fn warning(
        &mut self,
        code: &'static str,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::warning(code, span.clone(), message).help(help));
    }

    /// What a collection's documents share is read with each of them; what is wrong with it is said once.
    pub(in crate::sigma) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors = self.errors.saturating_add(usize::from(diagnostic.is_error()));
        let Span { start, end } = diagnostic.span;
        if self.said.insert((start, end, diagnostic.code, diagnostic.message.clone())) {
            self.findings.push(diagnostic, DIAGNOSTICS_MAX);
        }
    }

    /// What follows is about another document of the file, of which what is wrong is said again.
    pub(in crate::sigma) fn next_document(&mut self) {
        self.findings.next_document();
    }

    /// How many errors there were, said or not.
    pub(in crate::sigma) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether nothing more is shown, so that nobody need find words for it.
    pub(in crate::sigma) fn is_full(&self) -> bool {
        self.findings.len() >= DIAGNOSTICS_MAX
    }

    /// In the order of the file.
    pub(in crate::sigma) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut found = self.findings.into_diagnostics();
        found.sort_by_key(|found| found.span.start);
        found
    }

    /// The number of the line that a byte stands in, from 1.
    pub(in crate::sigma) fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count().saturating_add(1)
    }

    pub(in crate::sigma) fn places(&self, node: &Node) -> Places<'t> {
        let map = match &node.data {
            Data::Scalar { text, style } => Some(SourceMap::of_scalar(self.text, &node.span, text, *style)),
            Data::List(_) | Data::Mapping(_) => None,
        };
        Places { text: self.text, map, whole: node.span.clone() }
    }
}

impl Places<'_> {
    /// Where a part of the value stands, in bytes of the file.
    pub(in crate::sigma) fn of(&self, part: Range<usize>) -> Span {
        let span = self.map.as_ref().map_or_else(|| self.whole.clone(), |map| map.span(&part));
        // An escape may stand for several bytes of the value: better the whole scalar than half a character.
        if self.text.get(span.clone()).is_some() { span } else { self.whole.clone() }
    }
}
