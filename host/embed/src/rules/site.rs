//! The files that say what a site adds to every rule.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sandtrap_compiler::sigma::ast::Filter;

use super::{Refusal, Refused, Remarks, RuleKind, discover, read_text};
use crate::compiler::{Diagnostic, Site};

/// Where a site's additions are.
#[derive(Clone, Copy, Debug)]
pub struct SiteFiles<'a> {
    /// Rules, and among them the Sigma filters.
    pub rules: &'a [PathBuf],
    /// Processing pipelines.
    pub pipelines: &'a [PathBuf],
    /// Placeholders and what they stand for.
    pub placeholders: &'a [PathBuf],
}

impl SiteFiles<'_> {
    /// Reads them all, and gives warnings too. Errors are those of pipelines and placeholders; what is wrong with a filter
    /// is said when its file is compiled.
    pub fn read(&self) -> Result<(Site, Vec<Remarks>), Vec<Refused>> {
        let (mut site, warnings) = self.read_without_filters()?;
        let files = discover(self.rules).0;
        site.filters
            .extend(files.par_iter().flat_map_iter(|file| filters_of(file).unwrap_or_default()).collect::<Vec<_>>());
        Ok((site, warnings))
    }

    /// The same without Sigma filters.
    pub(super) fn read_without_filters(&self) -> Result<(Site, Vec<Remarks>), Vec<Refused>> {
        let mut site = Site::default();
        let mut warnings = Vec::new();
        let mut refused = Vec::new();
        let mut add = |file: &Path, add: &mut dyn FnMut(&str) -> Vec<Diagnostic>| match read_text(file) {
            Ok(text) => {
                let diagnostics = add(&text);
                let is_broken = diagnostics.iter().any(Diagnostic::is_error);
                let remarks = Remarks { file: file.to_owned(), text, diagnostics };
                if is_broken {
                    refused.push(Refused { file: file.to_owned(), reason: Refusal::Source(remarks) });
                } else if !remarks.diagnostics.is_empty() {
                    warnings.push(remarks);
                }
            }
            Err(reason) => refused.push(Refused { file: file.to_owned(), reason }),
        };
        for file in self.placeholders {
            add(file, &mut |text| site.add_placeholders(text));
        }
        for file in self.pipelines {
            add(file, &mut |text| site.add_pipeline(text));
        }
        if refused.is_empty() { Ok((site, warnings)) } else { Err(refused) }
    }
}

/// The Sigma filters in a rule file; `None` if it cannot be read, which is reported when it is loaded as a rule.
pub(super) fn filters_of(file: &Path) -> Option<Vec<Filter>> {
    if RuleKind::of(file) != Some(RuleKind::Source) {
        return Some(Vec::new());
    }
    Some(Site::filters_of(&file.to_string_lossy(), &read_text(file).ok()?))
}
