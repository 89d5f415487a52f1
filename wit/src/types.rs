//! Logical types (what a column means) and physical types (how its cells lie in a batch).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Ticks of 100 ns in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks of 100 ns in a minute.
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// Ticks of 100 ns in an hour.
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
/// Ticks of 100 ns in a day.
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// What a column means. The names are KQL's scalar data types
/// (<https://learn.microsoft.com/kusto/query/scalar-data-types/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogicalType {
    /// True or false.
    Bool,
    /// A signed 32-bit integer, kept in 64 bits.
    Int,
    /// A signed 64-bit integer.
    Long,
    /// An IEEE 754 double.
    Real,
    /// Unicode text; never null, at worst empty.
    String,
    /// An instant: ticks of 100 ns since 1970-01-01 UTC.
    Datetime,
    /// A span of time: ticks of 100 ns.
    Timespan,
    /// Any JSON value, as text holding JSON.
    Dynamic,
    /// A GUID, as text.
    Guid,
}

impl LogicalType {
    /// How cells of this type lie in a batch.
    pub fn physical(self) -> PhysicalType {
        match self {
            Self::Bool => PhysicalType::Booleans,
            Self::Int | Self::Long | Self::Datetime | Self::Timespan => PhysicalType::Integers,
            Self::Real => PhysicalType::Reals,
            Self::String | Self::Dynamic | Self::Guid => PhysicalType::Text,
        }
    }

    /// The name in a manifest and in KQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::String => "string",
            Self::Datetime => "datetime",
            Self::Timespan => "timespan",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
        }
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the cells of a column lie in a batch: a case of `values` in `detection.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhysicalType {
    /// UTF-8 with offsets.
    Text,
    /// 64-bit signed integers.
    Integers,
    /// 64-bit floats.
    Reals,
    /// A bitmap.
    Booleans,
}
