//! The same query as `sandtrap run` has it by default: each row is a verdict as it comes, in the order of the events.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use sandtrap_compiler::reference::{Table, Value};
use sandtrap_dataflow::{Chain, LookbackMode, Shape};
use sandtrap_embed::{
    evaluator::{Evaluator, Options, Pruning, Reporting},
    rules::Rule,
};
use sandtrap_engine::Detection;
use sandtrap_formats::{
    event::{Event, Position},
    streams::StreamMap,
    verdict::{Verdict, VerdictValue, cell_to_json},
};
use sandtrap_wit::plan::Rows;

use crate::{
    generate::{COLUMNS, NOW},
    run::{cell, same},
};

/// Rows have their columns' names in it.
static STREAMS: LazyLock<Arc<StreamMap>> =
    LazyLock::new(|| StreamMap::built_in().unwrap_or_else(|error| unreachable!("{error}")).into());

/// The verdicts about these rows; `None` for a detection that does not give verdicts about single rows.
pub(crate) fn verdicts(detection: &Detection, rows: &[Vec<Value>]) -> Result<Option<Vec<Verdict>>, String> {
    let chain = Chain::of(&detection.manifest().plan).map_err(|error| error.to_string())?;
    let Rows::Stream(stream) = &chain.source.rows else { return Ok(None) };
    if chain.shape != Shape::RowWise {
        return Ok(None);
    }
    let rule = Rule { file: PathBuf::new(), detection: detection.clone() };
    let options =
        Options { now: NOW, lookback: LookbackMode::Query, reporting: Reporting::AsTheyCome, pruning: Pruning::Index };
    let mut evaluator = Evaluator::new(&[rule], options).map_err(|error| error.to_string())?;
    let mut worker = evaluator.worker(&STREAMS);
    let source: Arc<str> = "generated".into();
    for (line, row) in (1..).zip(rows) {
        let fields =
            COLUMNS.iter().zip(row).map(|((name, ty), value)| ((*name).into(), cell_to_json(*ty, cell(value))));
        let position = Position { source: Arc::clone(&source), line, record: None, offset: 0 };
        worker.push_row(stream, &Event { fields: fields.collect(), position });
    }
    let evaluated = evaluator.take(worker.evaluate());
    match evaluated.unevaluated.first() {
        Some(failure) => Err(failure.to_string()),
        None => Ok(Some(evaluated.verdicts)),
    }
}

/// Whether the verdicts are the table's rows, in any order. A query that projects nothing gives all columns of the
/// table, of which the interpreter knows those that the rows have.
pub(crate) fn equal(expected: &Table, given: &[Verdict]) -> Result<(), String> {
    let mut left: Vec<&Verdict> = given.iter().collect();
    for row in &expected.rows {
        let found = left.iter().position(|verdict| is_row(expected, row, verdict));
        let found = found.ok_or_else(|| format!("no verdict among {left:?} is the row {row:?}"))?;
        left.swap_remove(found);
    }
    if left.is_empty() { Ok(()) } else { Err(format!("verdicts that are no row: {left:?}")) }
}

fn is_row(table: &Table, row: &[Value], verdict: &Verdict) -> bool {
    let everything = verdict.columns.iter().len() > 40;
    let mut cells = table.columns.iter().zip(row);
    (everything || verdict.columns.iter().len() == table.columns.len())
        && cells.all(|((name, ty), value)| {
            let column = verdict.columns.iter().find(|column| *column.name == **name);
            column.is_some_and(|column| {
                column.ty == *ty && matches!(&column.value, VerdictValue::Cell(cell) if same(value, *cell, *ty))
            })
        })
}
