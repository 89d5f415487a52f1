//! The codes of the lowering's diagnostics. Stable; docs/diagnostics.md says the same at length.

/// A modifier that cannot stand where it stands.
pub(super) const MODIFIER: &str = "SIG0601";
/// A value that its modifier cannot use.
pub(super) const VALUE: &str = "SIG0602";
/// A regular expression that cannot be used.
pub(super) const REGEX: &str = "SIG0603";
/// A value of `cidr` that is no network.
pub(super) const CIDR: &str = "SIG0604";
/// A placeholder that nothing is known about.
pub(super) const PLACEHOLDER: &str = "SIG0605";
/// A value that stands for too many, or a rule that is larger than the compiler takes.
pub(crate) const LIMIT: &str = "SIG0606";
/// A filter that cannot narrow the rule that it names.
pub(super) const FILTER: &str = "SIG0607";
