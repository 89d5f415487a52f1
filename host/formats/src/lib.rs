//! Events in, verdicts out.
