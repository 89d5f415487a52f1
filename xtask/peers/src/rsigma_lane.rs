//! rsigma-eval as a library, each event routed by its logsource.
//!
//! Its documentation has one way of routing, an engine of all rules that is told the event's logsource ([`Search::Whole`]).
//! An engine for each stream, or for all streams of an event together, has fewer rules to look at and is faster; rsigma
//! is measured at what is fastest for it.

use std::{collections::HashMap, path::PathBuf, rc::Rc};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use rsigma_eval::{Engine, EvaluationResult, JsonEvent, compile_rule};
use rsigma_parser::{LogSource, parse_sigma_file};
use serde_json::Value;

use crate::{
    lane::{Events, Lane, Take},
    routing::{Route, Router, Stream},
};

/// The version that Cargo.toml pins.
pub const VERSION: &str = "rsigma-eval 0.23.0";

/// How rsigma is asked.
#[derive(Args, Clone, Copy)]
pub struct Settings {
    /// Which rules an engine of its has.
    #[arg(long, value_enum, default_value = "route")]
    search: Search,
    /// Its bloom filter (`set_bloom_prefilter`), off by default.
    #[arg(long)]
    bloom: bool,
    /// Its automaton over the literals of all rules (`set_cross_rule_ac`), off by default.
    #[arg(long)]
    cross_rule_ac: bool,
}

/// Which rules an engine has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Search {
    /// All, and is asked once for each stream of an event (`evaluate_with_logsource`).
    Whole,
    /// Those of one stream; asked once for each stream of an event.
    Stream,
    /// Those of all streams of an event in which its fields have the same names; an event is looked at once, but for
    /// streams with other names.
    Route,
}

/// rsigma with its rules.
pub struct RsigmaLane {
    settings: Settings,
    router: Router,
    rules: Vec<rsigma_eval::CompiledRule>,
    /// Of all rules, for [`Search::Whole`].
    whole: Engine,
    /// By the rules that it has.
    engines: HashMap<Vec<usize>, Rc<Engine>>,
    /// By the place of the route: what it takes to evaluate an event of it.
    steps: Vec<Option<Rc<[Step]>>>,
}

/// One engine to ask about an event.
struct Step {
    engine: Option<Rc<Engine>>,
    logsource: LogSource,
    fields: Rc<[(String, String)]>,
}

impl RsigmaLane {
    /// Loads every rule of the files.
    pub fn load(files: &[PathBuf], router: Router, settings: Settings) -> anyhow::Result<Self> {
        let mut rules = Vec::new();
        for file in files {
            let collection = parse_sigma_file(file).with_context(|| format!("rsigma refuses {}", file.display()))?;
            ensure!(collection.errors.is_empty(), "rsigma refuses {}: {:?}", file.display(), collection.errors);
            for rule in &collection.rules {
                rules.push(compile_rule(rule).with_context(|| format!("rsigma refuses {}", file.display()))?);
            }
        }
        let mut whole = settings.engine();
        if settings.search == Search::Whole {
            whole.extend_compiled_rules(rules.iter().cloned());
        }
        Ok(Self { settings, router, rules, whole, engines: HashMap::new(), steps: Vec::new() })
    }

    /// How many rules are loaded.
    pub fn count(&self) -> usize {
        self.rules.len()
    }

    fn steps(&mut self, route: &Route) -> Rc<[Step]> {
        if let Some(Some(steps)) = self.steps.get(route.place) {
            return Rc::clone(steps);
        }
        let mut groups: Vec<Vec<&Stream>> = Vec::new();
        for stream in &route.streams {
            let joins = |group: &&mut Vec<&Stream>| {
                self.settings.search == Search::Route && group.iter().all(|other| other.fields == stream.fields)
            };
            match groups.iter_mut().find(joins) {
                Some(group) => group.push(stream),
                None => groups.push(vec![stream]),
            }
        }
        let steps = groups.into_iter().filter_map(|group| {
            let first = group.first()?;
            let engine = (self.settings.search != Search::Whole).then(|| self.engine_of(&group));
            Some(Step { engine, logsource: first.logsource.clone(), fields: Rc::clone(&first.fields) })
        });
        let steps: Rc<[Step]> = steps.collect::<Vec<_>>().into();
        if self.steps.len() <= route.place {
            self.steps.resize(route.place + 1, None);
        }
        self.steps[route.place] = Some(Rc::clone(&steps));
        steps
    }

    fn engine_of(&mut self, streams: &[&Stream]) -> Rc<Engine> {
        let of_streams =
            |rule: &rsigma_eval::CompiledRule| streams.iter().any(|stream| selects(&rule.logsource, &stream.logsource));
        let places: Vec<usize> = (0..self.rules.len()).filter(|place| of_streams(&self.rules[*place])).collect();
        let engine = self.engines.entry(places).or_insert_with_key(|places| {
            let mut engine = self.settings.engine();
            engine.extend_compiled_rules(places.iter().map(|place| self.rules[*place].clone()));
            Rc::new(engine)
        });
        Rc::clone(engine)
    }
}

impl Settings {
    fn engine(self) -> Engine {
        let mut engine = Engine::new();
        engine.set_bloom_prefilter(self.bloom);
        engine.set_cross_rule_ac(self.cross_rule_ac);
        engine
    }
}

impl Lane for RsigmaLane {
    fn pass(&mut self, events: &Events, take: &mut Take<'_>) -> anyhow::Result<()> {
        for (n, line) in events.lines() {
            let mut event: Value = serde_json::from_str(line).with_context(|| format!("line {n}"))?;
            let Some(route) = self.router.route(&event)? else { continue };
            for step in &*self.steps(&route) {
                let found = with_names(&mut event, &step.fields, |event| {
                    let event = JsonEvent::borrow(event);
                    match &step.engine {
                        Some(engine) => engine.evaluate(&event),
                        None => self.whole.evaluate_with_logsource(&event, &step.logsource),
                    }
                });
                for EvaluationResult { header, .. } in found {
                    let Some(id) = &header.rule_id else { bail!("a rule without an id: {}", header.rule_title) };
                    take(n, id);
                }
            }
        }
        Ok(())
    }
}

/// Looks at an event while it has some of its fields under other names, too.
fn with_names<T>(event: &mut Value, names: &[(String, String)], look: impl FnOnce(&Value) -> T) -> T {
    let mut before = Vec::with_capacity(names.len());
    if let Some(fields) = event.as_object_mut() {
        let values: Vec<_> = names.iter().map(|(_, field)| fields.get(field).cloned()).collect();
        for ((name, _), value) in names.iter().zip(values) {
            if let Some(value) = value {
                before.push((name, fields.insert(name.clone(), value)));
            }
        }
    }
    let found = look(event);
    if let Some(fields) = event.as_object_mut() {
        for (name, value) in before.into_iter().rev() {
            match value {
                Some(value) => fields.insert(name.clone(), value),
                None => fields.remove(name),
            };
        }
    }
    found
}

/// Whether a rule's logsource selects a stream: what it names, the stream has. As rsigma's `evaluate_with_logsource`
/// does it.
fn selects(rule: &LogSource, stream: &LogSource) -> bool {
    let has = |rule: &Option<String>, stream: &Option<String>| match (rule, stream) {
        (None, _) => true,
        (Some(rule), Some(stream)) => rule.eq_ignore_ascii_case(stream),
        (Some(_), None) => false,
    };
    has(&rule.product, &stream.product) && has(&rule.category, &stream.category) && has(&rule.service, &stream.service)
}
