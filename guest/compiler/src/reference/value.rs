//! Values and tables of the reference interpreter.
//!
//! A value knows whether it is null but not its type: types belong to columns and expressions. A string is never
//! null (<https://learn.microsoft.com/kusto/query/scalar-data-types/null-values>), so the null of `string` is the empty
//! text, and JSON's null is the null of `dynamic`.

use std::cmp::Ordering;

use sandtrap_wit::LogicalType;
use serde_json::Value as Json;

use super::time;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The null of any type but `string`.
    Null,
    /// A `bool`.
    Bool(bool),
    /// An `int` or a `long`.
    Long(i64),
    /// A `real`.
    Real(f64),
    /// A `string`.
    String(String),
    /// A `datetime`: ticks of 100 ns since 1970-01-01 UTC.
    Datetime(i64),
    /// A `timespan`: ticks of 100 ns.
    Timespan(i64),
    /// A `dynamic`, never JSON's null.
    Dynamic(Json),
    /// A `guid`: lower case, with dashes.
    Guid(String),
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names and types of the columns.
    pub columns: Vec<(String, LogicalType)>,
    /// Rows, each with a value per column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// Typed rows out of JSON objects, one key per column. A key that is absent, null or not of the column's type gives
    /// null (for text: empty). Numbers may be written as strings; other values of a text column are their JSON.
    pub fn from_json(columns: Vec<(String, LogicalType)>, rows: &[Json]) -> Self {
        let row = |object: &Json| {
            columns.iter().map(|(name, ty)| Value::from_json(*ty, object.get(name).unwrap_or(&Json::Null))).collect()
        };
        let rows = rows.iter().map(row).collect();
        Self { columns, rows }
    }
}

impl Value {
    /// The null of a type.
    pub(super) fn null(ty: LogicalType) -> Self {
        if ty == LogicalType::String { Self::String(String::new()) } else { Self::Null }
    }

    /// JSON as a `dynamic`.
    pub(super) fn dynamic(json: Json) -> Self {
        if json.is_null() { Self::Null } else { Self::Dynamic(json) }
    }

    fn from_json(ty: LogicalType, json: &Json) -> Self {
        let value = match (ty, json) {
            (LogicalType::String, Json::Null) => None,
            (LogicalType::String, Json::String(text)) => Some(Self::String(text.clone())),
            (LogicalType::String, other) => Some(Self::String(other.to_string())),
            (LogicalType::Dynamic, json) => Some(Self::dynamic(json.clone())),
            (LogicalType::Bool, json) => json.as_bool().map(Self::Bool),
            (LogicalType::Int | LogicalType::Long, Json::String(text)) => text.parse().ok().map(Self::Long),
            (LogicalType::Int | LogicalType::Long, json) => json.as_i64().map(Self::Long),
            (LogicalType::Real, Json::String(text)) => text.parse().ok().map(Self::Real),
            (LogicalType::Real, json) => json.as_f64().map(Self::Real),
            (LogicalType::Datetime, json) => json.as_str().and_then(time::parse_datetime).map(Self::Datetime),
            (LogicalType::Timespan, json) => json.as_str().and_then(time::parse_timespan).map(Self::Timespan),
            (LogicalType::Guid, json) => json.as_str().map(|text| Self::Guid(text.to_lowercase())),
        };
        value.unwrap_or_else(|| Self::null(ty))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The JSON that stands for it in a `dynamic`
    /// (<https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic>).
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Long(value) => Json::from(*value),
            Self::Real(value) if value.is_finite() => Json::from(*value),
            Self::Real(value) => Json::from(value.to_string()),
            Self::String(text) | Self::Guid(text) => Json::from(text.as_str()),
            Self::Datetime(ticks) => Json::from(time::datetime_text(*ticks, 'T') + "Z"),
            Self::Timespan(ticks) => Json::from(time::timespan_text(*ticks)),
            Self::Dynamic(json) => json.clone(),
        }
    }

    /// Two values of one column are the same group, and the same element of a set, if their keys are equal.
    pub(super) fn key(&self) -> String {
        match self {
            // One zero, one NaN.
            Self::Real(value) if *value == 0.0 => "Real(0)".to_owned(),
            Self::Real(value) if value.is_nan() => "Real(NaN)".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

/// How two values compare; `None` with a null, with a NaN, and for types that do not compare.
///
/// A long and a real compare as reals. Text compares by its UTF-8 bytes, false is less than true.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Long(left), Value::Long(right))
        | (Value::Datetime(left), Value::Datetime(right))
        | (Value::Timespan(left), Value::Timespan(right)) => Some(left.cmp(right)),
        (Value::Real(left), Value::Real(right)) => left.partial_cmp(right),
        (Value::Long(left), Value::Real(right)) => long_to_real(*left).partial_cmp(right),
        (Value::Real(left), Value::Long(right)) => left.partial_cmp(&long_to_real(*right)),
        (Value::String(left), Value::String(right)) | (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// The nearest real.
#[expect(clippy::cast_precision_loss, reason = "Kusto converts a long to the nearest real")]
pub(super) fn long_to_real(value: i64) -> f64 {
    value as f64
}

pub(super) fn is_integer(ty: LogicalType) -> bool {
    matches!(ty, LogicalType::Int | LogicalType::Long)
}

pub(super) fn is_numeric(ty: LogicalType) -> bool {
    is_integer(ty) || ty == LogicalType::Real
}
