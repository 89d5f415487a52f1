//! From events to what detections see of them: streams of rows, and columns of cells.
//!
//! A [`Binder`] takes a round of events and routes them; the [`Round`] gives each event's [`Route`], single values and
//! columns of whichever rows are asked for. [`Counts`] says afterwards where the events went.

mod access;
mod binder;
mod counts;
mod layouts;
mod origin;
mod round;
mod route;
mod rows;
mod wanted;

pub use access::Written;
pub use binder::{BATCH_TEXT_BYTES_MAX, Binder, Fill, Pushed};
pub use counts::{Counts, EventKind, UNROUTED_KINDS_MAX, Unconverted};
pub use round::{Round, RoutedRow};
pub use route::{Route, RouteFill};
pub use wanted::{StreamBatch, Wanted};
