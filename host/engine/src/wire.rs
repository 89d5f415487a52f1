//! The records of `detection.wit` as they cross the boundary: columns are lowered from the slices that a batch holds,
//! without a copy of their own, and answers are lifted into vectors that [`crate::answer`] has yet to check.
//!
//! Field and case names must be those of the WIT; wasmtime compares them with the component's type at load.

use std::sync::Arc;

use sandtrap_wit::batch::{Bitmap, Column, Values};
use wasmtime::component::{ComponentType, Lift, Lower};

/// The parameters of `evaluate`.
pub(crate) type EvaluateParams<'a> = (u32, BatchIn<'a>);
/// The results of `evaluate`.
pub(crate) type EvaluateResults = (MatchesOut,);

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct BatchIn<'a> {
    rows: u32,
    now: i64,
    columns: Vec<ColumnIn<'a>>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct ColumnIn<'a> {
    validity: Option<&'a [u8]>,
    absent: Option<&'a [u8]>,
    lists: Option<&'a [u32]>,
    values: ValuesIn<'a>,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub(crate) enum ValuesIn<'a> {
    #[component(name = "text")]
    Text(TextIn<'a>),
    #[component(name = "integers")]
    Integers(&'a [i64]),
    #[component(name = "reals")]
    Reals(&'a [f64]),
    #[component(name = "booleans")]
    Booleans(&'a [u8]),
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct TextIn<'a> {
    offsets: &'a [u32],
    bytes: &'a [u8],
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct MatchesOut {
    pub(crate) rows: Vec<u32>,
    pub(crate) columns: Vec<ColumnOut>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct ColumnOut {
    pub(crate) validity: Option<Vec<u8>>,
    pub(crate) absent: Option<Vec<u8>>,
    pub(crate) lists: Option<Vec<u32>>,
    pub(crate) values: ValuesOut,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum ValuesOut {
    #[component(name = "text")]
    Text(TextOut),
    #[component(name = "integers")]
    Integers(Vec<i64>),
    #[component(name = "reals")]
    Reals(Vec<f64>),
    #[component(name = "booleans")]
    Booleans(Vec<u8>),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct TextOut {
    pub(crate) offsets: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl<'a> BatchIn<'a> {
    /// A batch of columns that have `rows` rows each.
    pub(crate) fn new(rows: u32, now: i64, columns: &'a [Arc<Column>]) -> Self {
        Self { rows, now, columns: columns.iter().map(|column| ColumnIn::of(column)).collect() }
    }
}

impl<'a> ColumnIn<'a> {
    fn of(column: &'a Column) -> Self {
        let values = match column.values() {
            Values::Text { offsets, text } => ValuesIn::Text(TextIn { offsets, bytes: text.as_bytes() }),
            Values::Integers(values) => ValuesIn::Integers(values),
            Values::Reals(values) => ValuesIn::Reals(values),
            Values::Booleans(values) => ValuesIn::Booleans(values.as_bytes()),
        };
        Self {
            validity: column.validity().map(Bitmap::as_bytes),
            absent: column.absent().map(Bitmap::as_bytes),
            lists: column.lists(),
            values,
        }
    }
}
