//! The KQL front end: text to plan and typed kernels.
//!
//! ```text
//! text -> lexer -> parser -> ast -> binder (types, tables) -> ir::Program
//! ```

pub mod ast;
