//! Events in, verdicts out.
//!
//! The way of an event: [`input`] finds out what it is read from, and [`ndjson`] or [`evtx`] reads it, [`streams`] says which streams it belongs to and where each stream's
//! fields lie in it, [`binding`] fills per-stream batches with the columns that detections want, [`convert`] turning
//! JSON into the columns' types. What detections find leaves as [`verdict`]s. [`yaml`] reads the files beside rules.
//!
//! Every byte of an event is untrusted: nothing in here panics on one, recurses without a limit, or grows past a named
//! constant because of one. Which detections exist and how they run is not known here.

pub mod binding;
pub mod convert;
pub mod event;
pub mod evtx;
pub mod input;
mod json;
pub mod ndjson;
pub mod path;
mod repair;
pub mod streams;
pub mod verdict;
pub mod yaml;
