//! The contract between detections and the host, as Rust types.
//!
//! `detection.wit` fixes how bytes cross the sandbox boundary; this crate is its other half: the manifest that
//! `describe` returns ([`manifest`], [`plan`], [`prefilter`]), batches in memory ([`batch`]), and the rules for
//! text ([`text`]) and for the texts of times ([`time`]) that both sides must apply alike. Compiler and engine meet here and nowhere else; nothing in here
//! knows KQL, Sigma or wasmtime.
//!
//! Without the `std` feature only [`text`] is left, for the runtime linked into components.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
pub mod batch;
#[cfg(feature = "std")]
pub mod logsource;
#[cfg(feature = "std")]
pub mod manifest;
#[cfg(feature = "std")]
pub mod plan;
#[cfg(feature = "std")]
pub mod prefilter;
pub mod text;
#[cfg(feature = "std")]
pub mod time;
#[cfg(feature = "std")]
mod types;

#[cfg(feature = "std")]
pub use types::{LogicalType, PhysicalType, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};

/// The WIT package itself, for those who generate bindings or wrap a module into a component.
#[cfg(feature = "std")]
pub const DETECTION_WIT: &str = include_str!("../detection.wit");

/// The name of the exported interface, as it appears in a component.
pub const INTERFACE: &str = "sandtrap:detection/detection@0.1.0";

/// The name of the world in [`DETECTION_WIT`].
pub const WORLD: &str = "sandboxed";

/// The name of the custom section, of the outermost component, that holds what `describe` returns, byte for byte: so
/// that a host can list, select and index detections without making machine code of any. A component may leave it out.
/// `describe` stays what counts: the host asks before it first evaluates, and refuses a component that answers otherwise.
#[cfg(feature = "std")]
pub const MANIFEST_SECTION: &str = "sandtrap:manifest";
