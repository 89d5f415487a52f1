//! From paths to detections that are ready to run.

mod discover;
mod set;

pub(crate) use discover::discover_tests;
pub use discover::{RuleKind, Unreadable, discover};
pub use set::{Progress, RULE_BYTES_MAX, Refusal, Refused, Remarks, Rule, RuleSet, compile_rule, load_rule, read_text};
