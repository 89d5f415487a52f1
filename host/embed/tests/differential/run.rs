//! Runs one query both ways and compares the tables, and the verdicts if it gives them row by row.

use std::sync::Arc;

use sandtrap_compiler::{
    emit,
    ir::Program,
    kql::{self, BindOptions},
    reference::{self, Table, Value},
};
use sandtrap_dataflow::{Flow, Kernels, Limits, Table as FlowTable, inline_rows, run_kernel};
use sandtrap_engine::{Detection, Engine, EvaluateError, Instance, Limits as EngineLimits};
use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, Column, ColumnBuilder},
    manifest::Manifest,
    plan::{Plan, Source, SourceColumn},
    prefilter::Tested,
    text,
};

use crate::{
    generate::{COLUMNS, NOW, TABLE},
    streamed,
};

/// What both ways agree on.
pub(crate) enum Outcome {
    /// The same table, with so many rows; `streamed`: and the same verdicts as rows come.
    Equal { rows: usize, streamed: bool },
    /// The query is not one that either evaluates.
    BothRefuse,
    /// The compiler refuses what the interpreter evaluates, and says why.
    BinderRefuses(String),
}

/// Where components run.
pub(crate) struct Sandbox {
    engine: Engine,
}

struct Kernel<'a> {
    instance: &'a mut Instance,
}

impl Kernels for Kernel<'_> {
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

    /// Compares the two ways, or says how they differ.
    pub(crate) fn compare(&self, query: &str, rows: &[Vec<Value>]) -> Result<Outcome, String> {
        let parsed = kql::parse(query);
        let Some(tree) = parsed.query else { return Err(format!("does not parse: {:?}", parsed.diagnostics)) };
        let columns = COLUMNS.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
        let table = Table { columns, rows: rows.to_vec() };
        let expected = reference::evaluate(&tree, &|name| (name == TABLE).then(|| table.clone()), NOW);
        let bound = kql::bind(&tree, &BindOptions::default());
        let (expected, program) = match (expected, bound.program) {
            (Ok(expected), Some(program)) => (expected, program),
            (Err(_), None) => return Ok(Outcome::BothRefuse),
            (Ok(_), None) => return Ok(Outcome::BinderRefuses(format!("{:?}", bound.diagnostics))),
            (Err(error), Some(_)) => return Err(format!("only the reference refuses it: {error}")),
        };
        let component = emit::component(&program, &manifest(&program.plan)).map_err(|error| error.to_string())?;
        let detection = self.engine.load(&component).map_err(|error| error.to_string())?;
        equal(&expected, &table_at_the_end(&program, &detection, rows)?)?;
        let streamed = streamed::verdicts(&detection, rows)?;
        if let Some(verdicts) = &streamed {
            streamed::equal(&expected, verdicts).map_err(|difference| format!("as they come: {difference}"))?;
        }
        Ok(Outcome::Equal { rows: expected.rows.len(), streamed: streamed.is_some() })
    }
}

/// What the query prints when all rows were seen.
fn table_at_the_end(program: &Program, detection: &Detection, rows: &[Vec<Value>]) -> Result<FlowTable, String> {
    let mut instance = Instance::new(detection);
    let mut kernels = Kernel { instance: &mut instance };
    let mut flow = Flow::new(&program.plan, Limits::default()).map_err(|error| error.to_string())?;
    let chain = flow.chain().clone();
    let source = &chain.source;
    let batch = match inline_rows(source).map_err(|error| error.to_string())? {
        Some(inline) => inline,
        None => within_lookback(source, batch(&source.columns, rows)),
    };
    let mut fed = batch.clone();
    for (index, front) in chain.front.iter().enumerate() {
        let picked = run_kernel(front, &fed, &mut kernels).map_err(|error| error.to_string())?;
        if index == 0 {
            check_prefilter(source, &batch, &picked.rows)?;
        }
        fed = picked.batch;
    }
    flow.push(&fed);
    flow.finish(&mut kernels).map_err(|error| error.to_string())
}

/// Every row that the kernel picks must pass the prefilter that it declared.
fn check_prefilter(source: &Source, batch: &Batch, picked: &[u32]) -> Result<(), String> {
    let hidden =
        picked.iter().find(|row| !source.prefilter.admits(|column| tested(source, batch, column, **row).borrow()));
    let Some(row) = hidden else { return Ok(()) };
    let cells: Vec<_> = batch.columns.iter().map(|column| column.cell(*row as usize)).collect();
    Err(format!("the prefilter {:?} hides {cells:?}", source.prefilter))
}

fn manifest(plan: &Plan) -> Manifest {
    let mut manifest: Manifest = serde_json::from_value(serde_json::json!({
        "schema": 1, "namespace": "test", "id": "generated", "title": "generated", "plan": {"nodes": []}
    }))
    .expect("a manifest");
    manifest.plan = plan.clone();
    manifest
}

/// The rows as a batch of the columns that are wanted.
fn batch(wanted: &[SourceColumn], rows: &[Vec<Value>]) -> Batch {
    let column = |name: &str, ty: LogicalType| {
        let at = COLUMNS.iter().position(|(known, _)| *known == name);
        let mut builder = ColumnBuilder::of(ty);
        for row in rows {
            builder.push(at.map_or(Cell::Absent, |at| cell(&row[at])));
        }
        Arc::new(builder.finish())
    };
    let columns = wanted.iter().map(|wanted| column(&wanted.field.join("."), wanted.ty)).collect();
    Batch { rows: rows.len(), columns }
}

pub(crate) fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null | Value::Dynamic(_) => Cell::Null,
        Value::Bool(value) => Cell::Boolean(*value),
        Value::Long(value) | Value::Datetime(value) | Value::Timespan(value) => Cell::Integer(*value),
        Value::Real(value) => Cell::Real(*value),
        Value::String(text) | Value::Guid(text) => Cell::Text(text),
    }
}

/// The rows that a host shows the detection when it applies the lookback.
fn within_lookback(source: &Source, batch: Batch) -> Batch {
    let Some(lookback) = &source.lookback else { return batch };
    let rows = sandtrap_dataflow::rows_within(lookback, NOW, &batch.columns[lookback.column as usize]);
    let columns = batch.columns.iter().map(|column| Arc::new(column.gather(&rows))).collect();
    Batch { rows: rows.len(), columns }
}

enum TestedCell {
    Null,
    Folded(String),
    Integer(i64),
    Other,
}

impl TestedCell {
    fn borrow(self) -> Tested<'static> {
        match self {
            Self::Null => Tested::Null,
            // One short text for each row that is looked at, in a test.
            Self::Folded(text) => Tested::Folded(text.leak()),
            Self::Integer(value) => Tested::Integer(value),
            Self::Other => Tested::Other,
        }
    }
}

fn tested(source: &Source, batch: &Batch, column: u32, row: u32) -> TestedCell {
    let ty = source.columns[column as usize].ty;
    match batch.columns[column as usize].cell(row as usize) {
        Cell::Null | Cell::Absent if ty == LogicalType::String => TestedCell::Folded(String::new()),
        Cell::Null | Cell::Absent => TestedCell::Null,
        Cell::Text(cell) => TestedCell::Folded(text::fold(cell)),
        Cell::Integer(value) => TestedCell::Integer(value),
        Cell::Real(_) | Cell::Boolean(_) => TestedCell::Other,
    }
}

/// Whether the tables are the same: a query that projects nothing gives all columns of the table, of which the
/// interpreter knows those that the rows have.
fn equal(expected: &Table, given: &FlowTable) -> Result<(), String> {
    if expected.rows.len() != given.batch.rows {
        return Err(format!("{} rows expected, {} given: {expected:?}", expected.rows.len(), given.batch.rows));
    }
    let mut last = 0;
    for (index, (name, ty)) in expected.columns.iter().enumerate() {
        let at = given.columns.iter().position(|column| column.name == *name);
        let at = at.ok_or_else(|| format!("no column {name} in {:?}", given.columns))?;
        let everything = given.columns.len() > 40;
        if !everything && (at < last || given.columns.len() != expected.columns.len()) {
            return Err(format!("columns {:?} expected, {:?} given", expected.columns, given.columns));
        }
        last = at;
        if given.columns[at].ty != *ty {
            return Err(format!("column {name}: {ty} expected, {} given", given.columns[at].ty));
        }
        for (row, values) in expected.rows.iter().enumerate() {
            let found = given.batch.columns[at].cell(row);
            if !same(&values[index], found, *ty) {
                return Err(format!(
                    "row {row}, column {name}: {:?} expected, {found:?} given\n{values:?}",
                    values[index]
                ));
            }
        }
    }
    Ok(())
}

pub(crate) fn same(expected: &Value, found: Cell<'_>, ty: LogicalType) -> bool {
    match (expected, found) {
        (Value::Null, Cell::Null | Cell::Absent) => true,
        (Value::String(text), Cell::Null | Cell::Absent) => text.is_empty(),
        (Value::Dynamic(json), Cell::Text(found)) => {
            serde_json::from_str::<serde_json::Value>(found).is_ok_and(|found| found == *json)
        }
        (Value::Real(expected), Cell::Real(found)) => {
            expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan()
        }
        (expected, found) => ty != LogicalType::Dynamic && !found.is_null() && cell(expected) == found,
    }
}
