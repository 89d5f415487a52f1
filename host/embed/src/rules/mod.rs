//! From paths to detections that are ready to run.
//!
//! ```text
//! paths -> discover -> compile_file, with the site's filters, pipelines and placeholders -> selection -> RuleSet
//!                        \-- or the cache of what was compiled before                     -> lint
//! watch -> files, again as far as they changed -> follow, which puts another set in force
//! ```

mod cache;
mod discover;
mod files;
mod filters;
mod follow;
mod lint;
mod load;
mod selection;
mod set;
mod site;
mod watch;

pub(crate) use discover::discover_tests;
pub use discover::{RuleKind, Unreadable, discover};
pub use files::RuleFiles;
pub use filters::{FilterUse, idle_filters};
pub use follow::{Followed, Follower};
pub use lint::{Linted, lint};
pub use selection::Selection;
pub use set::{
    CompiledFile, LoadedFile, Progress, RULE_BYTES_MAX, Refusal, Refused, Remarks, Rule, RuleSet, compile_file,
    load_file, read_text,
};
pub use site::SiteFiles;
