//! Compiles detections to sandboxed WebAssembly components.
//!
//! ```text
//! KQL text   -> kql::{lexer, parser, ast, binder}          -> ir::Program -> emit -> component
//! Sigma YAML -> sigma::{parser, ast, pipeline, lower} -----^
//! ```
//!
//! A front end turns a language into the typed [`ir`]; everything behind it is shared. The [`reference`] interpreter
//! evaluates the syntax tree directly and shares no evaluation code with [`emit`]: it is the oracle of the tests.

mod compile;
pub mod diagnostic;
pub mod emit;
mod findings;
pub mod ir;
pub mod kql;
pub mod prefilter;
#[cfg(any(test, feature = "reference"))]
pub mod reference;
pub mod regex;
pub mod rule;
pub mod sigma;
mod site;
mod suggest;
mod yaml;

pub use compile::{Compilation, Options, compile, lint};
pub use site::Site;

/// A digest of everything that decides what a rule compiles to: the sources of this crate and of the contract, the runtime
/// that is linked in, and the versions of all dependencies. Two compilers with the same one write the same components.
pub const FINGERPRINT: &str = env!("SANDTRAP_COMPILER_FINGERPRINT");
