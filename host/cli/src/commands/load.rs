//! Loading rules with progress and diagnostics, as every command that runs rules does.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use sandtrap_embed::{
    Engine, EngineLimits,
    compiler::Options,
    rules::{RuleSet, Selection, SiteFiles},
};

use crate::{args::Compiling, diagnostics, progress::Progress};

/// So many rules with warnings are shown one by one.
const WARNED_MAX: usize = 20;

/// An engine with the limits that a command has.
pub(super) fn engine() -> anyhow::Result<Engine> {
    Engine::new(EngineLimits::default()).context("the engine cannot be started")
}

/// What the command line asks of the compiler; filters are looked for among the rules. A pipeline with a mistake would
/// change what every rule means, so it ends the command.
pub(super) fn options(compiling: &Compiling, rules: &[PathBuf]) -> anyhow::Result<Options> {
    let files = SiteFiles { rules, pipelines: &compiling.pipeline, placeholders: &compiling.placeholders };
    match files.read() {
        Ok((site, warnings)) => {
            warnings.iter().for_each(diagnostics::show);
            Ok(Options { strict_schema: compiling.strict_schema, site: Arc::new(site) })
        }
        Err(refused) => {
            refused.iter().for_each(diagnostics::show_refused);
            bail!("a pipeline or a file of placeholders cannot be used")
        }
    }
}

/// The rules that `paths` name or hold and the selection takes. What is wrong with the others is shown.
pub(super) fn rules(
    engine: &Engine,
    paths: &[PathBuf],
    compiling: &Compiling,
    selection: &Selection,
) -> anyhow::Result<RuleSet> {
    let options = options(compiling, paths)?;
    let progress = Progress::of_rules();
    let set =
        RuleSet::load(engine, paths, &options, selection, &|at| progress.rule(at.file, at.done, at.of));
    progress.finish();
    set.warnings.iter().take(WARNED_MAX).for_each(diagnostics::show);
    if let more @ 1.. = set.warnings.len().saturating_sub(WARNED_MAX) {
        diagnostics::note(&format!("{more} more rule files have warnings; `sandtrap lint` shows all"));
    }
    set.refused.iter().for_each(diagnostics::show_refused);
    if set.rules.is_empty() && set.refused.is_empty() {
        diagnostics::error(&if set.left_out > 0 {
            format!("none of the {} rules is selected; see --level, --status, --tag and --exclude-id", set.left_out)
        } else {
            "there is no rule here: expected .kql, .yaml, .yml or .wasm files".to_owned()
        });
    }
    Ok(set)
}
