//! The codes of diagnostics about pipelines. Stable; docs/diagnostics.md says the same at length.

/// A file that is no pipeline.
pub(super) const NOT_A_PIPELINE: &str = "PIP0001";
/// A transformation that is not known, or means nothing here.
pub(super) const TRANSFORMATION: &str = "PIP0002";
/// A condition that is not known.
pub(super) const CONDITION: &str = "PIP0003";
/// A parameter that is missing, wrong or unknown.
pub(super) const PARAMETER: &str = "PIP0004";
/// A regular expression that cannot be used.
pub(super) const REGEX: &str = "PIP0005";
/// A section that is about queries, of which there are none. A warning.
pub(super) const QUERIES: &str = "PIP0006";
/// An expression over conditions that cannot be read.
pub(super) const EXPRESSION: &str = "PIP0007";
/// A pipeline says that the rule cannot be used.
pub(super) const FAILURE: &str = "PIP0008";
/// A pipeline drops everything that the rule looks for.
pub(super) const NOTHING_LEFT: &str = "PIP0009";
/// A pipeline makes a rule larger than is compiled.
pub(super) const TOO_LARGE: &str = "PIP0010";
