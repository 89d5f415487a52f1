//! Which streams an event belongs to, and where each stream's fields lie in it.
//!
//! docs/streams.md describes the form of a streams file. The files of rules/streams are built in.

mod condition;
mod declared;
mod fields;
mod map;
mod node;
mod parse;
mod parse_fields;
mod router;
mod source;

pub(crate) use condition::EventKey;
pub(crate) use declared::Declared;
pub(crate) use fields::Fields;
pub use map::StreamMap;
pub(crate) use map::{Kind, Target};
pub use node::StreamMapError;
pub(crate) use router::Router;
pub(crate) use source::{Physical, Source, without_attributes};
#[cfg(test)]
pub(crate) use {condition::Test, source::Place};
