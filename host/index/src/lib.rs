//! For an event, the detections whose prefilter admits it, without asking each.
//!
//! An [`Index`] is built from the prefilters of all detections that read the same kind of event. It is asked with a
//! [`Row`], from which it takes the values that it needs, and says exactly what
//! [`Prefilter::admits_values`](sandtrap_wit::prefilter::Prefilter::admits_values) would have said of one detection after
//! the other. Nothing is known here of where values come from or of what a detection does with a row.
//!
//! Of each detection one clause is its witness, and only the atoms of witnesses are looked for, all of a key at once. What
//! they find is verified clause by clause, so a bad guess about what is rare costs time and nothing else.

mod atoms;
mod fingerprint;
mod index;
mod learning;
mod rates;
mod recent;
mod sample;
mod scratch;
mod searches;
mod triggers;
mod values;
mod verify;

pub use index::{Index, Indexed};
pub use scratch::Scratch;
pub use triggers::Watched;
pub use values::{Json, Row, Written};
