//! One rule over some events, in the sandbox and in the reference interpreter.

use std::sync::Arc;

use sandtrap_compiler::{
    emit,
    reference::sigma::{self as reference, Event, Field},
    sigma::{
        self,
        ast::{self, Document},
    },
};
use sandtrap_dataflow::{Chain, Kernels, run_kernel};
use sandtrap_engine::{Detection, Engine, EvaluateError, Instance, Limits as EngineLimits};
use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, Column, ColumnBuilder},
    manifest::Manifest,
    plan::{Plan, Source, SourceColumn},
    prefilter::{Test, Tested},
    text,
};
use serde_json::{Map, Value};

/// The fixed `now` of every run: 2024-05-01T00:00:00Z.
const NOW: i64 = 17_145_216_000_000_000;

/// A file with one rule, and filters that narrow it.
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) rule: ast::Rule,
    pub(crate) filters: Vec<ast::Filter>,
}

impl File {
    /// Reads a file, or says what is wrong with it.
    pub(crate) fn read(text: String) -> Result<Self, String> {
        let parsed = sigma::parse(&text, "generated.yml");
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
        let placeholders = sigma::Placeholders(placeholders.clone());
        let lowered = sigma::lower(&file.rule, &file.text, &placeholders);
        let mut program = lowered.program.ok_or_else(|| format!("{:?}", lowered.diagnostics))?;
        for filter in &file.filters {
            let found = sigma::narrow(&mut program, &filter.detection, &placeholders, &file.rule.span);
            if found.iter().any(sandtrap_compiler::diagnostic::Diagnostic::is_error) {
                return Err(format!("{found:?}"));
            }
        }
        let component =
            emit::component(&program, &manifest(&program.plan)).map_err(|error| format!("emit: {error}"))?;
        let detection = self.engine.load(&component).map_err(|error| format!("load: {error}"))?;
        Ok(Compiled { detection })
    }
}

fn manifest(plan: &Plan) -> Manifest {
    let mut manifest: Manifest = serde_json::from_value(serde_json::json!({
        "schema": 1, "namespace": "test", "id": "generated", "title": "generated", "plan": {"nodes": []}
    }))
    .expect("a manifest");
    manifest.plan = plan.clone();
    manifest
}

/// A rule as a component.
pub(crate) struct Compiled {
    detection: Detection,
}

impl Compiled {
    /// What the component says of each event; an error if it fails, or if its prefilter hides an event that it picks.
    pub(crate) fn verdicts(&self, events: &[Map<String, Value>]) -> Result<Vec<bool>, String> {
        let chain = Chain::of(&self.detection.manifest().plan).map_err(|error| error.to_string())?;
        let columns = chain.source.columns.iter().map(|wanted| Arc::new(column(wanted, events))).collect();
        let batch = Batch { rows: events.len(), columns };
        let mut kernels = Kernel { instance: Instance::new(&self.detection) };
        let mut verdicts = vec![false; events.len()];
        let [front] = chain.front.as_slice() else { return Err("not one kernel".into()) };
        for row in run_kernel(front, &batch, &mut kernels).map_err(|error| error.to_string())?.rows {
            let event = &events[row as usize];
            if !admits(chain.source, event) {
                return Err(format!("the prefilter hides event {row}: {:?}", chain.source.prefilter));
            }
            verdicts[row as usize] = true;
        }
        Ok(verdicts)
    }
}

fn column(wanted: &SourceColumn, events: &[Map<String, Value>]) -> Column {
    let mut builder = ColumnBuilder::of(wanted.ty);
    for event in events {
        match cells(wanted, event) {
            Field::Absent => builder.push_absent(),
            Field::Null => builder.push_null(),
            Field::Values(values) if wanted.ty == LogicalType::Datetime => {
                let ticks = match values.as_slice() {
                    [text] => text.parse().ok(),
                    _ => None,
                };
                builder.push(ticks.map_or(Cell::Null, Cell::Integer));
            }
            Field::Values(values) => {
                assert!(wanted.list && wanted.ty == LogicalType::String, "a column {wanted:?}");
                builder.push_elements(values.iter().map(|value| Cell::Text(value)));
            }
        }
    }
    builder.finish()
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

/// Whether the prefilter admits an event. An atom about a list holds if an element meets it.
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
    clauses.all(|clause| clause.atoms.iter().any(|atom| holds(&atom.test, column(atom.column))))
}
