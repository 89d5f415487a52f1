//! From events to per-stream batches of the columns that detections want.
//!
//! [`Binder`] fills the batches; [`Counts`] says afterwards where the events went.

mod binder;
mod counts;
mod stream;

pub use binder::{BATCH_TEXT_BYTES_MAX, Binder, Fill, StreamBatch, Wanted};
pub use counts::{Counts, EventKind, UNROUTED_KINDS_MAX, Unconverted};
