//! Rule loading, compiling and evaluation: what every door embeds.
//!
//! The only crate that knows both the compiler and the engine. The command line, and later the daemon and the
//! pipeline plugins, turn paths and options into calls of this crate and print what it returns; nothing here prints.

pub mod compiler;
pub mod evaluator;
pub mod rules;
pub mod run;
mod stream_maps;
pub mod tests_of_rules;

// What a door needs of the crates below, so that it depends on this one only.
pub use sandtrap_dataflow::{LookbackMode, Overflow, Shape, Table};
pub use sandtrap_engine::{
    Detection, Engine, Instance, Limits as EngineLimits,
    cache::{CacheError, PrivateDir},
};
pub use sandtrap_formats::{self as formats, streams::StreamMap};
pub use sandtrap_wit as wit;
pub use stream_maps::stream_map;
pub use tests_of_rules::TestFileError;
