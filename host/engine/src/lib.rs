//! Loads, limits and evaluates detection components.
//!
//! A component is untrusted: it is checked before it is compiled, it runs without imports under a deadline and caps on
//! memory, stack and output, and what it answers is checked before anyone uses it. Whatever a component does costs that
//! component that batch, and nobody else anything.
//!
//! [`Engine::load`] turns bytes into a [`Detection`]; an [`Instance`] of it evaluates batches, one thread at a time. The
//! engine knows the contract in `sandtrap_wit` and no rule language. It does not read events, choose rows or follow
//! plans: it runs one kernel over one batch.

#![forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answer;
pub mod cache;
mod check;
mod code;
mod component;
mod detection;
mod digest;
mod engine;
mod error;
mod failure;
mod functions;
mod instance;
pub mod limits;
mod manifest;
mod memory;
mod ticker;
mod wire;

pub use component::ComponentSource;
pub use detection::{Detection, KernelColumns, KernelRead, Known};
pub use digest::Digest;
pub use engine::{Engine, MACHINE_CODE_BYTES_MAX};
pub use error::{EvaluateError, EvaluateErrorKind, LoadError, LoadErrorKind};
pub use instance::{Instance, Matches};
pub use limits::Limits;
