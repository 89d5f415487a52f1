//! The reference interpreter of Sigma: evaluates [`crate::sigma::ast`] over one JSON event, as plainly as possible.
//!
//! It is the oracle of the conformance tables and the differential tests, so it shares no code with the lowering, the
//! emitter, the runtime or the prefilter: it brings its own wildcards, encodings, networks and calendar, and only takes
//! the case folding of its sister for KQL ([`super`]). Section names are those of the Sigma specification 2.1. What the
//! specification does not define, or leaves to a tool that then must refuse, is a
//! [`super::ReferenceError::Unsupported`], never a guess, and it never depends on the event.

mod encoding;
mod event;
mod item;
mod network;
mod pattern;
mod regex;
mod rule;
mod time_part;
mod value;

pub use event::{Event, Field};
pub use rule::{Placeholders, matches};
