//! Sandtrap as a library, one worker. The only file here that knows its interface.

use std::{
    io::Cursor,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, ensure};
use sandtrap_embed::{
    Engine, EngineLimits, LookbackMode,
    compiler::Options as CompilerOptions,
    evaluator::{Evaluated, Evaluator, Options, Reporting},
    formats::{
        binding::{Binder, Fill},
        input::open,
        verdict::About,
    },
    rules::{RuleSet, Selection, SiteFiles},
    run::ROUND_EVENTS,
    stream_map,
};

use crate::lane::{Events, Lane, Take};

/// Sandtrap with its rules.
pub struct SandtrapLane {
    set: RuleSet,
    streams: Arc<sandtrap_embed::StreamMap>,
    evaluator: Evaluator,
}

impl SandtrapLane {
    /// Loads every rule of the files.
    pub fn load(files: &[PathBuf], placeholders: &[PathBuf]) -> anyhow::Result<Self> {
        let engine = Engine::new(EngineLimits::default()).context("the engine cannot be started")?;
        let site = SiteFiles { rules: files, pipelines: &[], placeholders }.read();
        let (site, _) = site.map_err(|refused| anyhow!("{refused:?}"))?;
        let options = CompilerOptions { site: Arc::new(site), ..CompilerOptions::default() };
        let set = RuleSet::load(&engine, files, &options, &Selection::default(), &|_| {});
        ensure!(set.refused.is_empty(), "Sandtrap refuses {}", set.refused[0]);
        let streams = Arc::new(stream_map(None).map_err(|error| anyhow!(error))?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() / 100;
        let options = Options { now: now.try_into()?, lookback: LookbackMode::All, reporting: Reporting::AsTheyCome };
        let evaluator = Evaluator::new(&set.rules, options)?;
        Ok(Self { set, streams, evaluator })
    }

    /// How many rules are loaded.
    pub fn count(&self) -> usize {
        self.set.rules.len()
    }
}

impl Lane for SandtrapLane {
    fn pass(&mut self, events: &Events, take: &mut Take<'_>) -> anyhow::Result<()> {
        let round_max: NonZeroUsize = ROUND_EVENTS;
        let mut binder = Binder::new(Arc::clone(&self.streams), self.evaluator.wanted().to_vec(), round_max);
        for event in open("events", Box::new(Cursor::new(events.text())), None)? {
            if binder.push(&event?) == Fill::Full {
                hand_on(&self.evaluator.evaluate(&binder.take()), take)?;
            }
        }
        hand_on(&self.evaluator.evaluate(&binder.take()), take)
    }
}

/// What could not be evaluated would make the measurement worthless.
fn hand_on(evaluated: &Evaluated, take: &mut Take<'_>) -> anyhow::Result<()> {
    if let Some(unevaluated) = evaluated.unevaluated.first() {
        return Err(anyhow!("{}: {unevaluated}", unevaluated.detection));
    }
    for verdict in &evaluated.verdicts {
        let id = &verdict.detection.id;
        if let About::Event(position) = &verdict.about {
            take(position.line, id.rsplit_once('/').map_or(id, |(_, id)| id));
        }
    }
    Ok(())
}
