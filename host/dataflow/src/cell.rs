//! Cells as keys and values: read by logical type, encoded, compared.
//!
//! Text is never null: a cell of type string without a value reads as the empty text
//! (<https://learn.microsoft.com/kusto/query/scalar-data-types/null-values>). As keys, absent and null are one, every
//! NaN is one value, and -0.0 is 0.0.

use std::cmp::Ordering;

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell},
};

/// The cell as the query sees it; null where the batch has no such column.
pub(crate) fn read(batch: &Batch, column: u32, row: usize, ty: LogicalType) -> Cell<'_> {
    match batch.columns.get(column as usize).map_or(Cell::Null, |column| column.cell(row)) {
        Cell::Absent | Cell::Null if ty == LogicalType::String => Cell::Text(""),
        Cell::Absent => Cell::Null,
        cell => cell,
    }
}

/// Compares two values of one type: text by its UTF-8 bytes, false before true. NaNs are for the caller.
pub(crate) fn compare(left: Cell<'_>, right: Cell<'_>) -> Ordering {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Integer(left), Cell::Integer(right)) => left.cmp(&right),
        (Cell::Real(left), Cell::Real(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        (Cell::Boolean(left), Cell::Boolean(right)) => left.cmp(&right),
        _ => Ordering::Equal,
    }
}

/// Whether it is a real that has no place in any order.
pub(crate) fn is_nan(cell: Cell<'_>) -> bool {
    matches!(cell, Cell::Real(value) if value.is_nan())
}

const NULL: u8 = 0;
const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const REAL: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;

/// Appends the cell to a key. Two keys of equally typed cells are the same bytes exactly when all cells are equal.
pub(crate) fn encode(cell: Cell<'_>, key: &mut Vec<u8>) {
    match cell {
        Cell::Absent | Cell::Null => key.push(NULL),
        Cell::Text(text) => {
            key.push(TEXT);
            key.extend_from_slice(&(text.len() as u64).to_le_bytes());
            key.extend_from_slice(text.as_bytes());
        }
        Cell::Integer(value) => {
            key.push(INTEGER);
            key.extend_from_slice(&value.to_le_bytes());
        }
        Cell::Real(value) => {
            let canonical = if value.is_nan() { f64::NAN } else { value + 0.0 };
            key.push(REAL);
            key.extend_from_slice(&canonical.to_le_bytes());
        }
        Cell::Boolean(value) => key.push(if value { TRUE } else { FALSE }),
    }
}

/// The cells that [`encode`] made a key of, in order.
pub(crate) fn decode(mut key: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    std::iter::from_fn(move || {
        let (tag, rest) = key.split_first()?;
        let (cell, rest) = match *tag {
            NULL => (Cell::Null, rest),
            FALSE => (Cell::Boolean(false), rest),
            TRUE => (Cell::Boolean(true), rest),
            tag => {
                let (word, rest) = rest.split_first_chunk::<8>()?;
                match tag {
                    INTEGER => (Cell::Integer(i64::from_le_bytes(*word)), rest),
                    REAL => (Cell::Real(f64::from_le_bytes(*word)), rest),
                    _ => {
                        let len = usize::try_from(u64::from_le_bytes(*word)).ok()?;
                        let (text, rest) = rest.split_at_checked(len)?;
                        (Cell::Text(std::str::from_utf8(text).ok()?), rest)
                    }
                }
            }
        };
        key = rest;
        Some(cell)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(cells: &[Cell<'_>]) -> Vec<u8> {
        let mut key = Vec::new();
        for cell in cells {
            encode(*cell, &mut key);
        }
        key
    }

    #[test]
    fn keys_are_equal_exactly_when_their_cells_are() {
        let odd_nan = f64::from_bits(f64::NAN.to_bits() | 1);
        assert_eq!(key(&[Cell::Real(f64::NAN)]), key(&[Cell::Real(odd_nan)]), "every NaN is one value");
        assert_eq!(key(&[Cell::Real(-0.0)]), key(&[Cell::Real(0.0)]));
        assert_eq!(key(&[Cell::Absent]), key(&[Cell::Null]));
        assert_ne!(key(&[Cell::Text("")]), key(&[Cell::Null]));
        assert_ne!(key(&[Cell::Text("a"), Cell::Text("bc")]), key(&[Cell::Text("ab"), Cell::Text("c")]));
        assert_ne!(key(&[Cell::Text("É")]), key(&[Cell::Text("é")]), "text is exact");
    }

    #[test]
    fn keys_give_their_cells_back() {
        let cells = [
            Cell::Null,
            Cell::Text("Krämer"),
            Cell::Integer(i64::MIN),
            Cell::Boolean(true),
            Cell::Real(-1.5),
            Cell::Boolean(false),
            Cell::Text(""),
        ];
        assert_eq!(decode(&key(&cells)).collect::<Vec<_>>(), cells);
    }
}
