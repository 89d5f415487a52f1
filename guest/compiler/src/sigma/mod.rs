//! The Sigma front end: YAML to [`ast`], pipelines over it, and from there to the IR.
//!
//! ```text
//! file -> parser -> ast::Document -> pipeline -> lower -> ir::Program
//! ```

pub mod ast;
mod lower;

pub use lower::{Lowered, Placeholders, lower, narrow};
