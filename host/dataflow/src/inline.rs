//! Rows written into the detection itself (`print`, `datatable`, `range`), as a batch.

use std::sync::Arc;

use sandtrap_wit::{
    LogicalType, PhysicalType,
    batch::{Batch, Cell, ColumnBuilder},
    plan::{Rows, Source},
};
use serde_json::Value;

use crate::FlowError;

/// The rows of a source that brings its own; `None` for one that reads a stream.
pub fn inline_rows(source: &Source) -> Result<Option<Batch>, FlowError> {
    let Rows::Inline(rows) = &source.rows else { return Ok(None) };
    let mut columns = Vec::with_capacity(source.columns.len());
    for (index, column) in source.columns.iter().enumerate() {
        if column.list {
            return Err(FlowError::new(format!("column {}: inline rows have no lists", column.field.join("."))));
        }
        let mut builder = ColumnBuilder::of(column.ty);
        for (number, row) in rows.iter().enumerate() {
            let fits = row.get(index).and_then(|value| cell(value, column.ty)).is_some_and(|cell| builder.push(cell));
            if !fits {
                let name = column.field.join(".");
                return Err(FlowError::new(format!("inline row {number}: {name} is not of type {}", column.ty)));
            }
        }
        columns.push(Arc::new(builder.finish()));
    }
    Ok(Some(Batch { rows: rows.len(), columns }))
}

fn cell(value: &Value, ty: LogicalType) -> Option<Cell<'_>> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    match ty.physical() {
        PhysicalType::Text => value.as_str().map(Cell::Text),
        PhysicalType::Integers => value.as_i64().map(Cell::Integer),
        PhysicalType::Reals => value.as_f64().map(Cell::Real),
        PhysicalType::Booleans => value.as_bool().map(Cell::Boolean),
    }
}
