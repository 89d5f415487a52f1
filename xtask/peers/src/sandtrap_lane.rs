//! Sandtrap as a library, one worker. The only file here that knows its interface.

use std::{
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use sandtrap_embed::{
    Engine, EngineLimits, LookbackMode, PrivateDir, StreamMap,
    compiler::Options as CompilerOptions,
    evaluator::{Answer, Evaluated, Evaluator, Options, Paused, Pruning, Reporting, Unevaluated, Worker},
    formats::{event::Position, input::ReadError, verdict::About, verdict::Verdict},
    rules::{RuleSet, Selection, SiteFiles},
    run::{BadLines, Input, RunOptions, Sink, run},
    stream_map,
};

use crate::lane::{Events, Lane, Take};

/// How often the worker is asked for what it has, in lines.
const LINES: u64 = 8192;

/// Sandtrap with its rules.
pub struct SandtrapLane {
    set: RuleSet,
    streams: Arc<StreamMap>,
    evaluator: Evaluator,
    worker: Worker,
}

impl SandtrapLane {
    /// Loads every rule of the files; machine code comes from the cache, if there is one.
    pub fn load(files: &[PathBuf], placeholders: &[PathBuf], cache: Option<&Path>) -> anyhow::Result<Self> {
        let limits = EngineLimits::default();
        let engine = match cache {
            Some(folder) => Engine::with_cache(limits, &PrivateDir::open(folder)?),
            None => Engine::new(limits),
        };
        let engine = engine.context("the engine cannot be started")?;
        let site = SiteFiles { rules: files, pipelines: &[], placeholders }.read();
        let (site, _) = site.map_err(|refused| anyhow!("{refused:?}"))?;
        let options = CompilerOptions { site: Arc::new(site), ..CompilerOptions::default() };
        let set = RuleSet::load(&engine, files, &options, &Selection::default(), &|_| {});
        ensure!(set.refused.is_empty(), "Sandtrap refuses {}", set.refused[0]);
        let streams = Arc::new(stream_map(None).map_err(|error| anyhow!(error))?);
        let options = Options {
            now: i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() / 100)?,
            lookback: LookbackMode::All,
            reporting: Reporting::AsTheyCome,
            pruning: Pruning::Index,
        };
        let mut evaluator = Evaluator::new(&set.rules, options)?;
        let worker = evaluator.worker(&streams);
        Ok(Self { set, streams, evaluator, worker })
    }

    /// How many rules are loaded.
    pub fn count(&self) -> usize {
        self.set.rules.len()
    }

    /// A whole run over a file, so many times one after the other, with its readers and so many workers, as the command does
    /// it. Says how many verdicts it gave.
    pub fn run(&mut self, events: &Path, times: NonZeroUsize, workers: NonZeroUsize) -> anyhow::Result<u64> {
        let options =
            RunOptions { bad_lines: BadLines::Stop, interval: None, reporting: Reporting::AsTheyCome, workers };
        let mut sink = Count::default();
        let inputs = (0..times.get()).map(|_| Input::File(events.to_owned())).collect();
        run(&mut self.evaluator, &self.streams, inputs, options, &AtomicBool::new(false), &mut sink)?;
        ensure!(sink.problems.is_empty(), "{}", sink.problems.join("; "));
        Ok(sink.verdicts)
    }
}

/// Counts verdicts.
#[derive(Default)]
struct Count {
    verdicts: u64,
    problems: Vec<String>,
}

impl Sink for Count {
    fn verdict(&mut self, _: &Verdict) -> io::Result<()> {
        self.verdicts += 1;
        Ok(())
    }

    fn answer(&mut self, _: &Answer) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        self.problems.push(format!("{}: {unevaluated}", unevaluated.detection));
    }

    fn paused(&mut self, paused: &Paused) {
        self.problems.push(paused.to_string());
    }

    fn bad_line(&mut self, error: &ReadError) {
        self.problems.push(error.to_string());
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        self.problems.push(format!("{input}: {error}"));
    }

    fn progress(&mut self, _: u64) {}
}

impl Lane for SandtrapLane {
    fn pass(&mut self, events: &Events, take: &mut Take<'_>) -> anyhow::Result<()> {
        let mut position = Position { source: Arc::from("events"), line: 0, record: None, offset: 0 };
        for (n, line) in events.lines() {
            position.line = n;
            self.worker.push_line(line.as_bytes(), &position, BadLines::Stop);
            position.offset += line.len() as u64 + 1;
            if n % LINES == 0 {
                hand_on(&mut self.evaluator, &mut self.worker, take)?;
            }
        }
        hand_on(&mut self.evaluator, &mut self.worker, take)
    }

    fn stages(&self) -> Vec<(&'static str, f64)> {
        let stages = self.worker.stages();
        [
            ("read and route", stages.read),
            ("index", stages.index),
            ("gather", stages.gather),
            ("call", stages.call),
            ("write", stages.write),
        ]
        .map(|(name, took)| (name, took.as_secs_f64()))
        .into()
    }
}

/// What could not be read or evaluated would make the measurement worthless.
fn hand_on(evaluator: &mut Evaluator, worker: &mut Worker, take: &mut Take<'_>) -> anyhow::Result<()> {
    let outcome = worker.evaluate();
    if let Some(bad) = outcome.bad.first() {
        bail!("{bad}");
    }
    let Evaluated { verdicts, unevaluated, .. } = evaluator.take(outcome);
    if let Some(unevaluated) = unevaluated.first() {
        bail!("{}: {unevaluated}", unevaluated.detection);
    }
    for verdict in &verdicts {
        let id = &verdict.detection.id;
        if let About::Event(position) = &verdict.about {
            take(position.line, id.rsplit_once('/').map_or(id, |(_, id)| id));
        }
    }
    Ok(())
}
