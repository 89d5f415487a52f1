//! The Sigma front end: YAML to [`ast`], pipelines over it, and from there to the IR.
//!
//! ```text
//! file -> parser -> ast::Document -> narrowing by filters -> pipeline -> lower -> ir::Program
//! ```
//!
//! [`lint`](lint()) looks for mistakes in what compiles.

pub mod ast;
mod lint;
mod lower;
pub(crate) mod narrowing;
mod parser;
pub(crate) mod pipeline;
mod size;

pub use lint::lint;
pub(crate) use lower::LIMIT;
pub use lower::{CheckedFilter, Lowered, Placeholders, check_filter, lower, narrow};
pub use parser::{Parsed, is_sigma, parse, unused};
pub use pipeline::Pipeline;
