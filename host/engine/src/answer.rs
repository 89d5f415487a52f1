//! What a component answers is untrusted: this turns it into columns that keep the contract, or says how it broke it.

use sandtrap_wit::{
    LogicalType, PhysicalType,
    batch::{Bitmap, Column, ColumnError, Values},
};

use crate::{
    Matches,
    wire::{ColumnOut, MatchesOut, ValuesOut},
};

/// Checks an answer for a batch of `rows` rows from a kernel that computes columns of these types.
pub(crate) fn check(answer: MatchesOut, rows: u32, computed: &[LogicalType]) -> Result<Matches, String> {
    check_rows(&answer.rows, rows)?;
    if answer.columns.len() != computed.len() {
        return Err(format!("{} computed columns where the plan has {}", answer.columns.len(), computed.len()));
    }
    let mut columns = Vec::with_capacity(computed.len());
    for (index, (column, ty)) in answer.columns.into_iter().zip(computed).enumerate() {
        columns
            .push(check_column(column, answer.rows.len(), *ty).map_err(|reason| format!("column {index}: {reason}"))?);
    }
    Ok(Matches { rows: answer.rows, columns })
}

fn check_rows(found: &[u32], rows: u32) -> Result<(), String> {
    let mut previous: Option<u32> = None;
    for row in found {
        if *row >= rows {
            return Err(format!("row {row} is out of range: the batch has {rows}"));
        }
        if previous.is_some_and(|previous| previous >= *row) {
            return Err(format!("row {row} is not after the one before it: rows must ascend strictly"));
        }
        previous = Some(*row);
    }
    Ok(())
}

fn check_column(column: ColumnOut, rows: usize, ty: LogicalType) -> Result<Column, String> {
    if column.lists.is_some() {
        return Err(ColumnError::Lists.to_string());
    }
    let physical = ty.physical();
    let values = match (column.values, physical) {
        (ValuesOut::Text(text), PhysicalType::Text) => Values::text(text.offsets, text.bytes),
        (ValuesOut::Integers(values), PhysicalType::Integers) => Ok(Values::Integers(values)),
        (ValuesOut::Reals(values), PhysicalType::Reals) => Ok(Values::Reals(values)),
        (ValuesOut::Booleans(bytes), PhysicalType::Booleans) => bitmap(bytes, rows).map(Values::Booleans),
        (other, _) => {
            return Err(format!("{} where the plan has {ty}", kind(&other)));
        }
    };
    let validity = column.validity.map(|bytes| bitmap(bytes, rows)).transpose();
    let absent = column.absent.map(|bytes| bitmap(bytes, rows)).transpose();
    let column =
        values.and_then(|values| Column::new(values, validity?, absent?)).map_err(|error| error.to_string())?;
    if column.rows() != rows {
        return Err(format!("{} cells for {rows} rows", column.rows()));
    }
    Ok(column)
}

fn bitmap(bytes: Vec<u8>, len: usize) -> Result<Bitmap, ColumnError> {
    Bitmap::from_bytes(bytes, len).ok_or(ColumnError::Bitmap)
}

fn kind(values: &ValuesOut) -> &'static str {
    match values {
        ValuesOut::Text(_) => "text",
        ValuesOut::Integers(_) => "integers",
        ValuesOut::Reals(_) => "reals",
        ValuesOut::Booleans(_) => "booleans",
    }
}
