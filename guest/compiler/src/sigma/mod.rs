//! The Sigma front end: YAML to [`ast`], pipelines over it, and from there to the IR.
//!
//! ```text
//! file -> parser -> ast::Document -> pipeline -> lower -> ir::Program
//! ```

pub mod ast;
mod chain;
mod codes;
mod collection;
mod condition;
mod correlation;
mod document;
mod filter;
mod lint;
mod logsource;
mod lower;
mod metadata;
mod modifier;
pub(crate) mod narrowing;
pub(crate) mod pipeline;
mod recognise;
mod report;
mod rule;
mod scalar;
mod search;
mod section;

pub use condition::unused;
pub use document::{Parsed, parse};
pub use lint::lint;
pub use lower::{Lowered, Placeholders, check_filter, lower, narrow};
pub use pipeline::Pipeline;
pub use recognise::is_sigma;
