//! One rule over some events, in the sandbox and in the reference interpreter.

use std::{num::NonZeroUsize, sync::Arc};

use sandtrap_compiler::{
    Options, Site,
    reference::sigma::{self as reference, Event, Field},
    sigma::{
        self, Placeholders,
        ast::{self, Document},
    },
};
use sandtrap_dataflow::{Chain, Kernels, run_kernel};
use sandtrap_engine::{Detection, Engine, EvaluateError, Instance, Limits as EngineLimits};
use sandtrap_formats::{
    binding::{Binder, Fill, Wanted},
    event::{Event as BoundEvent, Position},
    streams::StreamMap,
};
use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Column},
    plan::{Rows, Source, SourceColumn},
    prefilter::{Test, Tested},
    text,
};
use serde_json::{Map, Value};

/// The fixed `now` of every run: 2024-05-01T00:00:00Z.
const NOW: i64 = 17_145_216_000_000_000;

/// What rules are called: the name says that they are YAML.
const FILE_NAME: &str = "generated.yml";

/// Every event is of the logsource of the tests, with its fields as they are.
const STREAMS: &str = "
format: 1
mappings:
  - name: every event
    when: {no such field: {exists: false}}
    logsource: {category: test}
";

/// A file with one rule, and filters that narrow it.
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) rule: ast::Rule,
    pub(crate) filters: Vec<ast::Filter>,
}

impl File {
    /// Reads a file, or says what is wrong with it.
    pub(crate) fn read(text: String) -> Result<Self, String> {
        let parsed = sigma::parse(&text, FILE_NAME);
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.is_error()).collect();
        if !errors.is_empty() {
            return Err(format!("{errors:?}"));
        }
        let (mut rules, mut filters) = (Vec::new(), Vec::new());
        for document in parsed.documents {
            match document {
                Document::Rule(rule) => rules.push(*rule),
                Document::Filter(filter) => filters.push(*filter),
                Document::Correlation(_) => return Err("a correlation rule".into()),
            }
        }
        let rule = rules.pop().filter(|_| rules.is_empty()).ok_or("not one rule")?;
        Ok(Self { text, rule, filters })
    }

    /// What the reference interpreter says of each event.
    pub(crate) fn expected(
        &self,
        placeholders: &reference::Placeholders,
        events: &[Map<String, Value>],
    ) -> Result<Vec<bool>, String> {
        let matches = |event| reference::matches(&self.rule, &self.filters, placeholders, Event::new(event));
        events.iter().map(matches).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }
}

/// Where components run.
pub(crate) struct Sandbox {
    engine: Engine,
}

struct Kernel {
    instance: Instance,
}

impl Kernels for Kernel {
    type Error = EvaluateError;

    fn evaluate(&mut self, kernel: u32, batch: &Batch) -> Result<(Vec<u32>, Vec<Column>), EvaluateError> {
        let rows = u32::try_from(batch.rows).expect("a small batch");
        let matches = self.instance.evaluate(kernel, NOW, rows, &batch.columns)?;
        Ok((matches.rows, matches.columns))
    }
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { engine: Engine::new(EngineLimits::default()).expect("an engine") }
    }

    /// Compiles the rule with its filters, or says why it cannot be.
    pub(crate) fn compile(&self, file: &File, placeholders: &reference::Placeholders) -> Result<Compiled, String> {
        let mut site = Site { placeholders: Placeholders(placeholders.clone()), ..Site::default() };
        site.filters.extend(Site::filters_of(FILE_NAME, &file.text));
        let options = Options { site: Arc::new(site), ..Options::default() };
        let compiled = sandtrap_compiler::compile(FILE_NAME, &file.text, &options);
        let component = compiled.iter().find_map(|compilation| compilation.component.as_ref()).ok_or_else(|| {
            let found = compiled.iter().flat_map(|compilation| &compilation.diagnostics);
            format!("{:?}", found.filter(|found| found.is_error()).collect::<Vec<_>>())
        })?;
        let detection = self.engine.load(component).map_err(|error| format!("load: {error}"))?;
        Ok(Compiled { detection })
    }
}

/// A rule as a component.
pub(crate) struct Compiled {
    detection: Detection,
}

impl Compiled {
    /// What the component says of each event; an error if it fails, or if its prefilter hides an event that it picks.
    pub(crate) fn verdicts(&self, events: &[Map<String, Value>]) -> Result<Vec<bool>, String> {
        let chain = Chain::of(&self.detection.manifest().plan).map_err(|error| error.to_string())?;
        let batch = bound(&chain.source, events)?;
        let mut kernels = Kernel { instance: Instance::new(&self.detection) };
        let mut verdicts = vec![false; events.len()];
        let [front] = chain.front.as_slice() else { return Err("not one kernel".into()) };
        for row in run_kernel(front, &batch, &mut kernels).map_err(|error| error.to_string())?.rows {
            let event = &events[row as usize];
            if !admits(&chain.source, event) {
                return Err(format!("the prefilter hides event {row}: {:?}", chain.source.prefilter));
            }
            verdicts[row as usize] = true;
        }
        Ok(verdicts)
    }
}

/// The events as a run would put them into the columns that the rule wants.
fn bound(source: &Source, events: &[Map<String, Value>]) -> Result<Batch, String> {
    let Rows::Stream(stream) = &source.rows else { return Err("no stream".into()) };
    let map = StreamMap::parse("test", STREAMS).map_err(|error| error.to_string())?;
    let wanted = Wanted { stream: stream.clone(), columns: source.columns.clone() };
    let most = NonZeroUsize::new(events.len() + 1).expect("not zero");
    let mut binder = Binder::new(Arc::new(map), vec![wanted], most);
    for fields in events {
        let position = Position { source: "generated".into(), line: 1, record: None, offset: 0 };
        let fill = binder.push(&BoundEvent { fields: fields.clone(), position });
        assert_eq!(fill, Fill::Room, "the events are few and small");
    }
    let batch = binder.take().pop().ok_or("no batch")?.batch;
    if batch.rows == events.len() { Ok(batch) } else { Err(format!("{} rows of {}", batch.rows, events.len())) }
}

/// A field's values; the ticks of a time.
fn cells(wanted: &SourceColumn, event: &Map<String, Value>) -> Field {
    let name = wanted.field.join(".");
    match (name.as_str(), wanted.ty) {
        ("*", _) => Field::Values(Event::new(event).all_values()),
        (name, LogicalType::Datetime) => match Event::new(event).time(name) {
            Some(ticks) => Field::Values(vec![ticks.to_string()]),
            None => Field::Null,
        },
        (name, _) => Event::new(event).field(name),
    }
}

/// Whether the prefilter admits an event. An element of a list that meets a test is enough, and one too many where it is
/// negated.
fn admits(source: &Source, event: &Map<String, Value>) -> bool {
    let holds = |test: &Test, wanted: &SourceColumn| {
        let Field::Values(values) = cells(wanted, event) else { return test.holds(Tested::Null) };
        match test {
            Test::Exists(wanted) => *wanted,
            _ if wanted.ty == LogicalType::Datetime => {
                values.iter().any(|value| value.parse().is_ok_and(|ticks| test.holds(Tested::Integer(ticks))))
            }
            _ => values.iter().any(|value| test.holds(Tested::Folded(&text::fold(value)))),
        }
    };
    let column = |column: u32| &source.columns[column as usize];
    let mut clauses = source.prefilter.clauses.iter();
    clauses.all(|clause| clause.atoms.iter().any(|atom| holds(&atom.test, column(atom.column)) != atom.negated))
}
