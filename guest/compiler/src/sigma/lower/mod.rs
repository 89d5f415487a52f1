//! From a rule's syntax tree to a program: `source -> kernel`.
//!
//! ```text
//! value and modifiers -> value -> item -> condition -> plan
//!                        pattern: how text is written; encode: base64 and its kin
//!                        merge: many searches of one column as one
//! ```
//!
//! What everything means is written down in docs/sigma-semantics.md.

mod codes;
mod columns;
mod condition;
mod encode;
mod item;
mod lowering;
mod merge;
mod narrow;
mod pattern;
mod placeholder;
mod program;
mod value;

pub(crate) use codes::LIMIT;
pub use narrow::{CheckedFilter, check_filter, narrow};
pub(super) use pattern::{Part, parse as parse_text, parts, plain_of, written};
pub use placeholder::Placeholders;
pub use program::{Lowered, lower};
