//! Sigma filters among rule files, and those of them that do nothing.

use std::collections::BTreeSet;

use super::{CompiledFile, Remarks};
use crate::compiler::Compilation;

/// What a file has to do with filters.
#[derive(Clone, Debug, Default)]
pub struct FilterUse {
    /// The labels of the filters that narrow its rules.
    pub narrowed_by: BTreeSet<String>,
    /// The file with its filters alone, if it has any.
    filters: Option<CompiledFile>,
}

impl FilterUse {
    /// That of a file whose rules are narrowed by these, and which has no filter itself.
    pub(super) fn narrowed_by(labels: BTreeSet<String>) -> Self {
        Self { narrowed_by: labels, filters: None }
    }

    /// What a file has to do with filters.
    pub fn of(file: &CompiledFile) -> Self {
        let narrowed_by =
            file.compilations.iter().flat_map(|compilation| compilation.narrowed_by.iter().cloned()).collect();
        // A filter is what is sound and gives no component.
        let is_filter = |compilation: &&Compilation| compilation.component.is_none() && !compilation.is_broken();
        let compilations: Vec<Compilation> = file.compilations.iter().filter(is_filter).cloned().collect();
        let filters = || CompiledFile { file: file.file.clone(), text: file.text.clone(), compilations };
        let filters = file.compilations.iter().any(|compilation| is_filter(&compilation)).then(filters);
        Self { narrowed_by, filters }
    }
}

/// A warning for each filter that names rules and narrows none of those that are here.
pub fn idle_filters(uses: &[FilterUse]) -> Vec<Remarks> {
    let narrowed_by: BTreeSet<String> = uses.iter().flat_map(|of_file| of_file.narrowed_by.iter().cloned()).collect();
    let of_file = |file: &CompiledFile| {
        let idle = file.compilations.iter().filter_map(|filter| filter.idle_filter(&narrowed_by));
        let remarks = Remarks { file: file.file.clone(), text: file.text.clone(), diagnostics: idle.collect() };
        (!remarks.diagnostics.is_empty()).then_some(remarks)
    };
    uses.iter().filter_map(|of_file| of_file.filters.as_ref()).filter_map(of_file).collect()
}
