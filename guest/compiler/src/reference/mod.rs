//! The reference interpreter: evaluates a KQL syntax tree over plain rows, as plainly as possible.
//!
//! It is the oracle of the differential tests, so it shares no evaluation code with the binder, the IR or the emitter:
//! it reads [`crate::kql::ast`] and brings its own case folding, term rule, arithmetic and names of columns. Where
//! Kusto's behaviour is documented the comment cites the page; where it is not, the facts come from measurements
//! against Kusto's emulator that the `duckdb-kql` project (MIT) publishes. A construct it does not know is a
//! [`ReferenceError::Unsupported`], never a guess. It is slow, trusts the parser to limit the depth of the tree, and is
//! compiled only for tests and under the feature `reference`.

mod aggregate;
mod arithmetic;
mod error;
mod list;
mod naming;
mod render;
mod scalar;
pub mod sigma;
mod source;
mod tabular;
mod text;
mod time;
mod value;

#[cfg(test)]
mod reference_cases;
#[cfg(test)]
mod tests;

pub use error::ReferenceError;
pub use render::render;
pub use tabular::evaluate;
pub use value::{Table, Value};
