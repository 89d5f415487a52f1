//! Loading rules with progress and diagnostics, as every command that runs rules does.

use std::path::PathBuf;

use anyhow::Context as _;
use sandtrap_embed::{Engine, EngineLimits, compiler::Options, rules::RuleSet};

use crate::{args::Compiling, diagnostics, progress::Progress};

impl From<Compiling> for Options {
    fn from(compiling: Compiling) -> Self {
        Self { strict_schema: compiling.strict_schema }
    }
}

/// An engine with the limits that a command has.
pub(super) fn engine() -> anyhow::Result<Engine> {
    Engine::new(EngineLimits::default()).context("the engine cannot be started")
}

/// The rules that `paths` name or hold. What is wrong with the others is shown.
pub(super) fn rules(engine: &Engine, paths: &[PathBuf], compiling: Compiling) -> RuleSet {
    let progress = Progress::of_rules();
    let set = RuleSet::load(engine, paths, &compiling.into(), |at| progress.rule(at.file, at.done, at.of));
    progress.finish();
    set.warnings.iter().for_each(diagnostics::show);
    set.refused.iter().for_each(diagnostics::show_refused);
    if set.rules.is_empty() && set.refused.is_empty() {
        diagnostics::error("there is no rule here: expected .kql, .yaml or .wasm files");
    }
    set
}
