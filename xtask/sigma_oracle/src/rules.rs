//! The loaded rules, and what rsigma says of an event.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ValueEnum;
use rsigma_eval::{Engine, JsonEvent, evaluate_rule};
use rsigma_parser::{LogSource, parse_sigma_file};
use serde::Serialize;
use serde_json::Value;

/// How to find the rules that an event is evaluated against. Both must give the same verdicts; that they do checks
/// rsigma's index, so that a difference from us is one of the evaluation.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Search {
    /// rsigma's own engine with its index.
    Index,
    /// Every rule of the stream, one after the other.
    Scan,
}

/// A file, or a rule in it, that rsigma does not load.
#[derive(Serialize)]
pub struct Refused {
    file: PathBuf,
    error: String,
}

/// Rules, ready for events.
pub struct Rules {
    engine: Engine,
    search: Search,
    /// Which rules belong to a stream, by (product, category, service).
    of_stream: HashMap<[Option<String>; 3], Vec<usize>>,
    by_id: HashMap<String, usize>,
    /// How many files were read.
    pub files: usize,
    /// What was not loaded, and why.
    pub refused: Vec<Refused>,
}

impl Rules {
    /// Loads every rule of the files and folders. What cannot be loaded is remembered with its reason.
    pub fn load(paths: &[PathBuf], search: Search) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            find(path, &mut files)?;
        }
        let (mut parsed, mut refused) = (Vec::new(), Vec::new());
        for file in &files {
            let mut refuse = |error: String| refused.push(Refused { file: file.clone(), error });
            match parse_sigma_file(file) {
                Ok(collection) => {
                    collection.errors.into_iter().for_each(&mut refuse);
                    parsed.extend(collection.rules.into_iter().map(|rule| (file, rule)));
                }
                Err(error) => refuse(error.to_string()),
            }
        }
        let mut engine = Engine::new();
        let failed = engine.add_rules(parsed.iter().map(|(_, rule)| rule));
        let named = |(at, error): (usize, rsigma_eval::EvalError)| {
            let file = parsed.get(at).map(|(file, _)| (*file).clone()).unwrap_or_default();
            Refused { file, error: error.to_string() }
        };
        refused.extend(failed.into_iter().map(named));
        let by_id = engine.rules().iter().enumerate().filter_map(|(at, rule)| Some((rule.id.clone()?, at))).collect();
        Ok(Self { engine, search, of_stream: HashMap::new(), by_id, files: files.len(), refused })
    }

    /// How many rules are loaded.
    pub fn count(&self) -> usize {
        self.engine.rule_count()
    }

    /// The ids (titles, where there is none) of the rules of a stream that fire.
    pub fn evaluate(&mut self, stream: &LogSource, fields: &Value) -> Vec<String> {
        let event = JsonEvent::borrow(fields);
        let results = match self.search {
            Search::Index => self.engine.evaluate_with_logsource(&event, stream),
            Search::Scan => {
                let rules = self.engine.rules();
                let key = [&stream.product, &stream.category, &stream.service].map(Clone::clone);
                let of_stream = self
                    .of_stream
                    .entry(key)
                    .or_insert_with(|| (0..rules.len()).filter(|at| selects(&rules[*at].logsource, stream)).collect());
                of_stream.iter().filter_map(|at| evaluate_rule(&rules[*at], &event)).collect()
            }
        };
        results.into_iter().map(|result| result.header.rule_id.unwrap_or(result.header.rule_title)).collect()
    }

    /// The title of a rule.
    pub fn title(&self, id: &str) -> Option<&str> {
        let rule = self.engine.rules().get(*self.by_id.get(id)?)?;
        Some(&rule.title)
    }

    /// Whether one rule fires, whatever its logsource.
    ///
    /// # Errors
    ///
    /// When no such rule is loaded.
    pub fn fires(&self, id: &str, fields: &Value) -> anyhow::Result<bool> {
        let at = self.by_id.get(id).with_context(|| format!("no rule {id} is loaded"))?;
        Ok(evaluate_rule(&self.engine.rules()[*at], &JsonEvent::borrow(fields)).is_some())
    }
}

/// Whether a rule's logsource selects a stream: what it names, the stream has. As rsigma's engine does it.
fn selects(rule: &LogSource, stream: &LogSource) -> bool {
    let has = |rule: &Option<String>, stream: &Option<String>| {
        rule.is_none() || rule.as_deref().map(str::to_ascii_lowercase) == stream.as_deref().map(str::to_ascii_lowercase)
    };
    has(&rule.product, &stream.product) && has(&rule.category, &stream.category) && has(&rule.service, &stream.service)
}

/// Adds a file, or every rule file of a folder, in the order of their names.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    for path in paths {
        let is_rule = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        if path.is_dir() || is_rule {
            find(&path, files)?;
        }
    }
    Ok(())
}
