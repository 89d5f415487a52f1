//! A folder of rules and events, and what comes of running them.

use std::{
    fs, io,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use sandtrap_compiler::{
    emit,
    ir::{self, Program},
};
use sandtrap_embed::{
    Engine, EngineLimits, LookbackMode, StreamMap,
    compiler::Options as CompilerOptions,
    evaluator::{Answer, Evaluator, Options, Paused, Pruning, Reporting, Unevaluated},
    rules::{RuleSet, Selection},
    run::{self, BadLines, Input, RunOptions, RunSummary, Sink},
};
use sandtrap_formats::{ndjson::ReadError, verdict::Verdict};
use sandtrap_wit::{
    manifest::{Attack, Limits, Manifest, SCHEMA},
    plan::{Node, Plan},
};

/// Writes the component of a detection.
pub(crate) fn write_rule(folder: &Path, file: &str, id: &str, nodes: Vec<Node>, kernel: ir::Kernel) {
    let plan = Plan { nodes };
    let manifest = Manifest {
        schema: SCHEMA,
        namespace: "test".into(),
        id: id.into(),
        version: None,
        title: format!("title of {id}"),
        description: String::new(),
        level: None,
        confidence: None,
        status: None,
        authors: Vec::new(),
        references: Vec::new(),
        false_positives: Vec::new(),
        tags: Vec::new(),
        attack: Attack::default(),
        data_sources: Vec::new(),
        licence: None,
        source: None,
        requires: Vec::new(),
        plan: plan.clone(),
        limits: Limits::default(),
    };
    let component = emit::component(&Program { plan, kernels: vec![kernel] }, &manifest).expect("it can be emitted");
    fs::write(folder.join(file), component).expect("a file");
}

/// Collects what comes of a run as text.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) verdicts: Vec<String>,
    pub(crate) answers: Vec<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) paused: Vec<String>,
}

impl Sink for Collected {
    fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let line = serde_json::to_value(verdict)?;
        let place = if line["kind"] == "event" { line["event"]["line"].clone() } else { line["group"].clone() };
        self.verdicts.push(format!("{place} {} {}", line["detection"].as_str().unwrap_or_default(), line["columns"]));
        Ok(())
    }

    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        self.answers.push(format!("{} {} rows", answer.detection.id, answer.table.batch.rows));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        self.errors.push(unevaluated.to_string());
    }

    fn paused(&mut self, paused: &Paused) {
        self.paused.push(paused.to_string());
    }

    fn bad_line(&mut self, error: &ReadError) {
        self.errors.push(error.to_string());
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        self.errors.push(format!("{input}: {error}"));
    }

    fn progress(&mut self, _: u64) {}
}

pub(crate) struct Scene {
    folder: tempfile::TempDir,
    /// How many workers there are beside the first.
    pub(crate) workers: usize,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), workers: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn rules(&self) -> RuleSet {
        let engine = Engine::new(EngineLimits::default()).expect("an engine");
        RuleSet::load(&engine, &[self.path().to_owned()], &CompilerOptions::default(), &Selection::default(), &|_| {})
    }

    pub(crate) fn events(&self, lines: &[&str]) -> Input {
        let path = self.path().join("events.ndjson");
        // A last line without its end would be a chunk of its own, and perhaps a round.
        let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
        fs::write(&path, text).expect("a file");
        Input::File(path)
    }

    /// Runs the rules over the inputs and says what came of it.
    pub(crate) fn run(
        &self,
        inputs: Vec<Input>,
        options: Options,
        bad_lines: BadLines,
    ) -> (Collected, RunSummary, Evaluator) {
        let set = self.rules();
        let mut evaluator = Evaluator::new(&set.rules, options).expect("plans that can be run");
        let streams = Arc::new(StreamMap::built_in().expect("a sound map"));
        let mut collected = Collected::default();
        let workers = NonZeroUsize::MIN.saturating_add(self.workers);
        let run_options = RunOptions { bad_lines, interval: None, reporting: options.reporting, workers };
        let summary = run::run(&mut evaluator, &streams, inputs, run_options, &AtomicBool::new(false), &mut collected)
            .expect("a run");
        (collected, summary, evaluator)
    }
}

pub(crate) const AS_THEY_COME: Options =
    Options { now: 0, lookback: LookbackMode::All, reporting: Reporting::AsTheyCome, pruning: Pruning::Index };
