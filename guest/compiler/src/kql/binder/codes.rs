//! The codes of the binder's diagnostics. Stable; docs/diagnostics.md says the same at length.

/// A table that is not known.
pub(super) const UNKNOWN_TABLE: &str = "KQL0301";
/// A column that a known table does not have; it reads as null. A warning unless the schema is strict.
pub(super) const MISSING_COLUMN: &str = "KQL0302";
/// A name that stands for nothing.
pub(super) const UNKNOWN_NAME: &str = "KQL0303";
/// A scalar where rows are wanted, or rows where a scalar is wanted.
pub(super) const WRONG_KIND: &str = "KQL0304";
/// Two columns of one name.
pub(super) const DUPLICATE_COLUMN: &str = "KQL0305";
/// A `let` of a name that already has one.
pub(super) const DUPLICATE_LET: &str = "KQL0306";

/// Two values that cannot be compared.
pub(super) const COMPARISON: &str = "KQL0401";
/// Two values that cannot be calculated with.
pub(super) const ARITHMETIC: &str = "KQL0402";
/// A value where a condition is wanted.
pub(super) const NOT_BOOL: &str = "KQL0403";
/// A text operator on something that is not text.
pub(super) const NOT_TEXT: &str = "KQL0404";
/// Too many, too few, or the wrong arguments.
pub(super) const ARGUMENTS: &str = "KQL0405";
/// A list with an element that its operator cannot use.
pub(super) const LIST_ELEMENT: &str = "KQL0406";
/// A value that must be constant and is not.
pub(super) const NOT_CONSTANT: &str = "KQL0407";
/// A column outside an aggregation function, or an aggregation function outside `summarize`.
pub(super) const AGGREGATION: &str = "KQL0408";
/// A constant that is out of range.
pub(super) const OUT_OF_RANGE: &str = "KQL0409";
/// A comparison of the event's time with `now()` that is not a lookback. A warning.
pub(super) const NOT_LOOKBACK: &str = "KQL0410";

/// A tabular operator that is not supported.
pub(super) const OPERATOR: &str = "KQL0501";
/// A function that is not supported.
pub(super) const FUNCTION: &str = "KQL0502";
/// A data source that is not supported.
pub(super) const DATA_SOURCE: &str = "KQL0503";
/// A scalar operator or another scalar construct that is not supported.
pub(super) const EXPRESSION: &str = "KQL0504";
/// An operator that is supported, on types for which it is not.
pub(super) const TYPES: &str = "KQL0505";
/// A statement that is not supported.
pub(super) const STATEMENT: &str = "KQL0506";
/// A query that is larger or deeper than the compiler takes.
pub(super) const LIMIT: &str = "KQL0507";
/// A comparison with a constant of another type, which Kusto converts.
pub(super) const COERCION: &str = "KQL0508";
