//! Where the cells of a column come from, in an event of some route: the same for all columns that take them from there.

use std::{borrow::Cow, sync::Arc};

use sandtrap_wit::{
    LogicalType, PhysicalType,
    batch::{Cell, ColumnBuilder},
    plan::SourceColumn,
    prefilter,
};
use serde_json::{Map, Value};

use crate::{
    convert::{self, Converted, ListCell},
    path,
    streams::{Fields, Source},
};

/// The field that stands for all scalar values of an event: what keywords of Sigma are looked for in.
const ALL_VALUES: &str = "*";

/// Where cells come from, and what they are made into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) ty: LogicalType,
    pub(super) list: bool,
}

/// Where in an event values are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Everywhere.
    AllValues,
    /// At the first of the sources that has a value.
    Sources {
        /// The object in which the fields are; `None`: the event itself.
        row: Option<String>,
        sources: Arc<[Source]>,
        /// Texts that stand for no value.
        no_value: Arc<[String]>,
    },
}

/// A cell as an event has it.
#[derive(Debug)]
pub(super) enum Made<'v> {
    /// Of a column that is no list; `None`: the event does not have the field.
    One(Option<Converted<'v>>),
    /// Of a column of lists.
    List(ListCell<'v>),
    /// Of a column of lists: one element.
    Only(Cow<'v, str>),
}

impl Origin {
    /// Where a column of fields that are found so comes from. The fields are in the object `row`.
    pub(super) fn of_column(column: &SourceColumn, fields: &Fields, row: Option<&str>) -> Self {
        let all = column.list && matches!(&*column.field, [only] if only == ALL_VALUES);
        let sources = || Place::Sources {
            row: row.map(str::to_owned),
            sources: fields.sources(&column.field),
            no_value: Arc::clone(&fields.no_value),
        };
        Self { place: if all { Place::AllValues } else { sources() }, ty: column.ty, list: column.list }
    }

    /// Where the time of events comes from: the first of these that gives an instant.
    pub(super) fn of_time(fields: &Fields, row: Option<&str>) -> Vec<Self> {
        let origin = |source: &Source| {
            let (row, no_value) = (row.map(str::to_owned), Arc::clone(&fields.no_value));
            let place = Place::Sources { row, sources: [source.clone()].into(), no_value };
            Self { place, ty: LogicalType::Datetime, list: false }
        };
        fields.time.iter().map(origin).collect()
    }

    /// The cell of an event that does not have it.
    pub(super) fn nothing(&self) -> Made<'static> {
        if self.list { Made::List(ListCell::Absent) } else { Made::One(None) }
    }

    /// The cell of an event.
    pub(super) fn make<'a>(&'a self, event: &'a Map<String, Value>) -> Made<'a> {
        let (row, sources, no_value) = match &self.place {
            Place::AllValues => return Made::List(ListCell::Values(convert::all_scalars(event))),
            Place::Sources { row, sources, no_value } => (row, sources, no_value),
        };
        let row = row.as_ref().map_or(Some(event), |row| path::find(event, row)?.as_object());
        if self.list {
            let cells = row.into_iter().flat_map(|row| sources.iter().map(|source| source.find_all(row, no_value)));
            return Made::List(cells.into_iter().find(|cell| *cell != ListCell::Absent).unwrap_or(ListCell::Absent));
        }
        let found = row.and_then(|row| sources.iter().find_map(|source| source.find(row, no_value)));
        Made::One(found.map(|found| found.convert(self.ty)))
    }
}

impl<'v> Made<'v> {
    /// Whether the event does not have it.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::One(None) | Self::List(ListCell::Absent))
    }

    /// The same with its text owned.
    pub(super) fn into_owned(self) -> Made<'static> {
        match self {
            Self::One(converted) => Made::One(converted.map(Converted::into_owned)),
            Self::List(cell) => Made::List(cell.into_owned()),
            Self::Only(text) => Made::Only(Cow::Owned(text.into_owned())),
        }
    }

    /// Adds it to a column. Whether the value, if there is one, has a cell of the column's type.
    pub(super) fn push_to(&self, builder: &mut ColumnBuilder) -> bool {
        match self {
            Self::One(None) | Self::List(ListCell::Absent) => builder.push(Cell::Absent),
            Self::One(Some(converted)) => builder.push(converted.as_cell()) && *converted != Converted::Unconvertible,
            Self::List(ListCell::Null) => builder.push(Cell::Null),
            Self::Only(text) => builder.push(Cell::Text(text)),
            Self::List(ListCell::Values(values)) => builder.push_elements(values.iter().map(|text| Cell::Text(text))),
        }
    }

    /// What an index is told of the cell that [`push_to`](Self::push_to) adds.
    pub(super) fn into_value(self, ty: LogicalType) -> prefilter::Value<'v> {
        use prefilter::Value;
        match self {
            Self::One(Some(Converted::Text(text))) => Value::Text(text),
            Self::One(Some(Converted::Integer(integer))) => Value::Integer(integer),
            Self::One(Some(Converted::Real(_) | Converted::Boolean(_))) => Value::Other,
            Self::One(_) if ty == LogicalType::String => Value::Text(Cow::Borrowed("")),
            // Text does not fit into lists of something else, the empty list does.
            Self::Only(_) if ty.physical() != PhysicalType::Text => Value::Null,
            Self::Only(text) => Value::Text(text),
            Self::One(_) | Self::List(ListCell::Absent | ListCell::Null) => Value::Null,
            Self::List(ListCell::Values(values)) => match <[Cow<'_, str>; 1]>::try_from(values) {
                Ok([only]) => Self::Only(only).into_value(ty),
                Err(values) if !values.is_empty() && ty.physical() != PhysicalType::Text => Value::Null,
                Err(values) => Value::Elements(values),
            },
        }
    }
}
