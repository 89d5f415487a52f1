//! Which streams an event belongs to, and where each stream's fields lie in it.
//!
//! docs/streams.md describes the form of a streams file. The files of rules/streams are built in.

mod map;
mod parse;
mod source;
mod yaml;

pub(crate) use map::Fields;
pub use map::StreamMap;
pub(crate) use source::Source;
pub use yaml::StreamMapError;
