//! Which streams an event belongs to, and where each stream's fields lie in it.
//!
//! docs/streams.md describes the form of a streams file. The files of rules/streams are built in.

mod map;
mod node;
mod parse;
mod source;

pub(crate) use map::Fields;
pub use map::StreamMap;
pub use node::StreamMapError;
pub(crate) use source::Source;
