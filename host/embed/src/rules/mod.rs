//! From paths to detections that are ready to run.

mod discover;
mod lint;
mod selection;
mod set;
mod site;

pub(crate) use discover::discover_tests;
pub use discover::{RuleKind, Unreadable, discover};
pub use lint::{Linted, lint};
pub use selection::Selection;
pub use set::{
    CompiledFile, LoadedFile, Progress, RULE_BYTES_MAX, Refusal, Refused, Remarks, Rule, RuleSet, compile_file, load_file,
    read_text,
};
pub use site::SiteFiles;
