//! Sigma: compiled components give what the specification says, and what the reference interpreter gives.
//!
//! Conformance tables hold rules, events and verdicts with the section that each comes from; reference interpreter and
//! component must both give them. The differential test (Invariant 3) makes rules and events up: rules as text, so that
//! the parser is tested too, and events as JSON, which the binder puts into columns as in a run. A failure prints the
//! rule and the event, after taking away whatever it does not need.

mod conformance;
mod differential;
mod event;
#[path = "../differential/random.rs"]
mod random;
mod run;
mod text;
mod write;
