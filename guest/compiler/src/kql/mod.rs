//! The KQL front end: text to plan and typed kernels.
//!
//! ```text
//! text -> lexer -> parser -> ast -> binder (types, tables) -> ir::Program
//! ```

pub mod ast;
mod binder;
mod lexer;
mod literal;
mod parser;
pub mod tables;
mod token;

pub use binder::{BindOptions, Bound, bind};
pub use lexer::QUERY_BYTES_MAX;
pub use parser::{HEIGHT_MAX, Parsed, parse};
