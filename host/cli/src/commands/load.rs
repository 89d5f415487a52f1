//! Loading rules with progress and diagnostics, as every command that runs rules does.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, anyhow};
use sandtrap_embed::{
    Engine, EngineLimits, PrivateDir,
    compiler::Options,
    rules::{Refused, RuleFiles, RuleSet, Selection, SiteFiles},
};

use crate::{
    args::{Cache, Compiling},
    diagnostics,
    progress::Progress,
};

/// So many rules with warnings are shown one by one.
const WARNED_MAX: usize = 20;

/// What to say where no rule is.
pub(super) const NO_RULES: &str = "there is no rule here: expected .kql, .yaml, .yml or .wasm files";

/// An engine with the limits that a command has, without a cache.
pub(super) fn engine() -> anyhow::Result<Engine> {
    Engine::new(EngineLimits::default()).context("the engine cannot be started")
}

/// The same with a cache, if it can be used. One that cannot costs time and nothing else, so it is said and no more; but
/// one that was asked for must be there.
pub(super) fn cached_engine(asked: &Cache) -> anyhow::Result<Engine> {
    let folder = match asked {
        Cache::Off => return engine(),
        Cache::At(path) => PrivateDir::open(path)?,
        Cache::Default => {
            let Some(path) = PrivateDir::default_path() else { return engine() };
            match PrivateDir::open(&path) {
                Ok(folder) => folder,
                Err(error) => {
                    diagnostics::note(&format!("{error}; nothing is cached"));
                    return engine();
                }
            }
        }
    };
    Engine::with_cache(EngineLimits::default(), &folder).context("the engine cannot be started")
}

/// What the command line asks of the compiler; filters are looked for among the rules. A pipeline with a mistake would
/// change what every rule means, so it ends the command.
pub(super) fn options(compiling: &Compiling, rules: &[PathBuf]) -> anyhow::Result<Options> {
    let (site, warnings) = site_files(compiling, rules).read().map_err(|refused| unusable(&refused))?;
    warnings.iter().for_each(diagnostics::show);
    Ok(Options { strict_schema: compiling.strict_schema, site: Arc::new(site) })
}

fn site_files<'a>(compiling: &'a Compiling, rules: &'a [PathBuf]) -> SiteFiles<'a> {
    SiteFiles { rules, pipelines: &compiling.pipeline, placeholders: &compiling.placeholders }
}

fn unusable(refused: &[Refused]) -> anyhow::Error {
    refused.iter().for_each(diagnostics::show_refused);
    anyhow!("a pipeline or a file of placeholders cannot be used")
}

/// The rules that `paths` name or hold and the selection takes, and their files to load them again. What is wrong with the
/// others is shown.
pub(super) fn rules(
    engine: &Engine,
    paths: &[PathBuf],
    compiling: &Compiling,
    selection: Selection,
    may_change: bool,
) -> anyhow::Result<(RuleSet, RuleFiles)> {
    let files = RuleFiles::new(engine, &site_files(compiling, paths), compiling.strict_schema, selection);
    let mut files = if may_change { files.that_may_change() } else { files };
    let progress = Progress::of_rules();
    let loaded = files.load(&|at| progress.rule(at.file, at.done, at.of));
    progress.finish();
    let (set, warnings) = loaded.map_err(|refused| unusable(&refused))?;
    warnings.iter().for_each(diagnostics::show);
    if let Some(problem) = &set.cache_problem {
        diagnostics::note(&format!("{problem}; rules are compiled again next time"));
    }
    set.warnings.iter().take(WARNED_MAX).for_each(diagnostics::show);
    if let more @ 1.. = set.warnings.len().saturating_sub(WARNED_MAX) {
        diagnostics::note(&format!("{more} more rule files have warnings; `sandtrap lint` shows all"));
    }
    set.refused.iter().for_each(diagnostics::show_refused);
    if set.rules.is_empty() && set.refused.is_empty() {
        diagnostics::error(&if set.left_out > 0 {
            format!("none of the {} rules is selected; see --level, --status, --tag and --exclude-id", set.left_out)
        } else {
            NO_RULES.to_owned()
        });
    }
    Ok((set, files))
}
