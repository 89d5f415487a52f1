//! One value of a column, borrowed or owned.

/// One value of a column, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// The event does not have the field.
    Absent,
    /// The event has the field, without a value.
    Null,
    /// Text; JSON where the column is dynamic.
    Text(&'a str),
    /// An integer, or ticks.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl Cell<'_> {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}

/// A [`Cell`] that owns its text. Whether a cell without a value is absent or null is not kept.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedCell {
    /// No value.
    Null,
    /// Text; JSON where the column is dynamic.
    Text(Box<str>),
    /// An integer, or ticks.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl OwnedCell {
    /// The cell, borrowed.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Text(text) => Cell::Text(text),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Boolean(value) => Cell::Boolean(*value),
        }
    }

    /// The bytes it owns besides itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 0,
        }
    }
}

impl From<Cell<'_>> for OwnedCell {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Absent | Cell::Null => Self::Null,
            Cell::Text(text) => Self::Text(text.into()),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Boolean(value) => Self::Boolean(value),
        }
    }
}
