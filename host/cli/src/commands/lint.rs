//! `sandtrap lint`: mistakes in rules, also in those that compile.

use std::io::{self, Write as _};

use sandtrap_embed::{compiler::Diagnostic, rules::lint};

use super::load;
use crate::{args::Lint, diagnostics, exit::Outcome, progress::Progress};

pub(crate) fn run(args: &Lint) -> anyhow::Result<Outcome> {
    let options = load::options(&args.compiling, &args.rules)?;
    let progress = Progress::of_rules();
    let linted = lint(&args.rules, &options, &|at| progress.rule(at.file, at.done, at.of));
    progress.finish();
    linted.remarks.iter().for_each(diagnostics::show);
    linted.refused.iter().for_each(diagnostics::show_refused);
    let found = linted.remarks.iter().flat_map(|remarks| &remarks.diagnostics);
    let errors = found.clone().filter(|found| found.is_error()).count().saturating_add(linted.refused.len());
    let warnings = found.filter(|found: &&Diagnostic| !found.is_error()).count();
    // Nobody reads standard error: there is nowhere left to say so.
    let _ = writeln!(io::stderr().lock(), "{} rule files, {errors} errors, {warnings} warnings", linted.files);
    Ok(if errors > 0 || (args.strict && warnings > 0) { Outcome::RulesFailed } else { Outcome::Done })
}
