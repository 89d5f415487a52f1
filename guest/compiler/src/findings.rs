//! Diagnostics as they are found. What is wrong in the same words at many places of a document is said once.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;

/// What is found wrong, in the order found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    /// Where in `found` the first of this document stands with a code and a message.
    alike: HashMap<(&'static str, String), usize>,
}

#[derive(Debug)]
struct Finding {
    first: Diagnostic,
    more: usize,
}

impl Findings {
    /// Adds a diagnostic, or counts it with the first that says the same. New ones are left out once there are `most`.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic, most: usize) {
        let said = (diagnostic.code, diagnostic.message.clone());
        if let Some(finding) = self.alike.get(&said).and_then(|at| self.found.get_mut(*at)) {
            finding.more = finding.more.saturating_add(1);
        } else if self.found.len() < most {
            self.alike.insert(said, self.found.len());
            self.found.push(Finding { first: diagnostic, more: 0 });
        }
    }

    /// What follows is about another document.
    pub(crate) fn next_document(&mut self) {
        self.alike.clear();
    }

    /// How many are said.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Each says how many more are like it.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let counted = |Finding { first, more }| {
            if more == 0 {
                return first;
            }
            let before = if first.label.is_empty() { String::new() } else { format!("{}; ", first.label) };
            first.label(format!("{before}and {more} more like it"))
        };
        self.found.into_iter().map(counted).collect()
    }
}
