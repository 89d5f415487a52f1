//! The text rules that index, runtime, SDK and compiler must apply alike: one case fold, one notion of a term.

mod common;
mod fold;
#[expect(clippy::unreadable_literal, reason = "generated: nobody reads the tables")]
mod tables;
mod term;

pub use common::commonness;
#[cfg(feature = "std")]
pub use fold::fold;
pub use fold::{fold_char, fold_to, is_folded};
pub use tables::UNICODE_VERSION;
pub use term::is_term_char;
