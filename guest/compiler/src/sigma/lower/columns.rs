//! The columns that a detection asks of its stream.

use std::collections::HashMap;

use sandtrap_wit::{LogicalType, plan::SourceColumn};

/// What stands for all values of the event, which keywords are looked for in.
const EVERY_FIELD: &str = "*";

/// Columns in the order in which they were first asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    columns: Vec<SourceColumn>,
    places: HashMap<SourceColumn, u32>,
}

impl Columns {
    /// Columns of a source that has some already.
    pub(super) fn after(columns: Vec<SourceColumn>) -> Self {
        let places = columns.iter().cloned().zip(0..).collect();
        Self { columns, places }
    }

    /// The values of a field; of the whole event without one.
    pub(super) fn values(&mut self, field: Option<&str>) -> u32 {
        self.column(field.unwrap_or(EVERY_FIELD), LogicalType::String, true)
    }

    /// A field as a time.
    pub(super) fn time(&mut self, field: &str) -> u32 {
        self.column(field, LogicalType::Datetime, false)
    }

    fn column(&mut self, field: &str, ty: LogicalType, list: bool) -> u32 {
        let column = SourceColumn { field: vec![field.to_owned()], ty, list };
        if let Some(at) = self.places.get(&column) {
            return *at;
        }
        let at = u32::try_from(self.columns.len()).unwrap_or(u32::MAX);
        self.places.insert(column.clone(), at);
        self.columns.push(column);
        at
    }

    /// All of them.
    pub(super) fn into_columns(self) -> Vec<SourceColumn> {
        self.columns
    }
}

/// Whether a column is the pseudo-field of keywords.
pub(super) fn is_every_field(column: &SourceColumn) -> bool {
    matches!(column.field.as_slice(), [field] if field == EVERY_FIELD)
}
