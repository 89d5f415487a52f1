//! Between JSON and cells of a logical type. docs/values.md states every rule.
//!
//! A value that has no sensible cell of the wanted type is null and counted, never a guess and never an error.

mod cell;
mod datetime;
mod list;

pub use cell::{Converted, from_instant, from_json, from_text};
pub(crate) use cell::{integer, integer_from_text};
pub use datetime::{format_datetime, format_timespan, from_epoch, parse_datetime, parse_timespan};
pub(crate) use list::scalars_of_list;
pub use list::{ListCell, all_scalars};
