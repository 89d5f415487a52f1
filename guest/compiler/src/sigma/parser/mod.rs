//! The parser: a file's YAML to [`ast::Document`](super::ast::Document)s, and what is wrong with it.
//!
//! ```text
//! yaml::Node -> document -> collection: `action`s merged
//!                        -> rule, filter, correlation: what a document holds, by its sections
//!                             metadata, logsource: what it says about itself
//!                             search -> chain, modifier, scalar: items, their modifiers and values
//!                             condition: over searches
//! ```
//!
//! [`recognise`] says whether a YAML file is Sigma's at all. A document with an error is left out, and the others stay.

use super::ast;

mod chain;
mod codes;
mod collection;
mod condition;
mod correlation;
mod document;
mod filter;
mod logsource;
mod metadata;
mod modifier;
mod recognise;
pub(super) mod report;
mod rule;
pub(super) mod scalar;
pub(super) mod search;
mod section;

pub use condition::unused;
pub use document::{Parsed, parse};
pub use recognise::is_sigma;
