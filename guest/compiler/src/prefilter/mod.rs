//! Derives a prefilter from a kernel's filter: a *necessary* condition for a row to be picked, in a form that the host
//! can index.
//!
//! ```text
//! filter -> truth: what must hold for it to be true (or false) -> Condition -> Prefilter
//!              |-> element: tests of elements, with network and the literals of regular expressions
//!              |-> negation: searches that find nothing
//! ```
//!
//! Every rule says why what it gives is implied by what it is given: a row that the filter picks must meet the
//! prefilter, while the prefilter may admit rows that the filter drops. Where nothing can be said the answer is "every
//! row". An index looks for the rarest clause of each prefilter and tests the others on what that finds, so a clause of
//! rare texts is worth more than several of common ones; `rarity` says what is thought to be rare. Clauses that rule
//! something out, with negated atoms, come last and have limits of their own: they never take another's place.

mod condition;
mod element;
mod fit;
mod implied;
#[cfg(test)]
mod necessity;
mod negation;
mod network;
mod rarity;
mod reason;
#[cfg(test)]
mod tests;
mod truth;

pub use reason::not_pruned;
use sandtrap_wit::prefilter::Prefilter;

use crate::ir::{Expr, Input};

/// What every row that `filter` picks must meet. `inputs` are the columns of the kernel; `reads` says which column of the
/// source each of them is.
pub fn derive(filter: &Expr, inputs: &[Input], reads: &[u32]) -> Prefilter {
    truth::Derivation { inputs, reads }.when_true(filter).into_prefilter()
}
