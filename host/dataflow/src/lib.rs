//! Groups, sorts and limits what kernels found: the plan nodes that a pure function cannot be.
//!
//! ```text
//! source -> kernel ... | aggregate / sort / limit -> kernel / aggregate / sort / limit ... -> result
//!         the caller   | what a Flow keeps           evaluated for every report
//! ```
//!
//! A [`Flow`] holds the state of one detection. The caller evaluates the front of the chain (see [`Chain`]) and pushes
//! the rows; [`Flow::changes`] reports groups while events stream, [`Flow::finish`] gives the table that the query
//! would print. State lives in memory, is bounded by [`Limits`], and what did not fit is counted, never silently lost.
//! Nothing here knows KQL, Sigma or wasmtime: kernels run through the [`Kernels`] trait.

mod accumulator;
mod budget;
mod cell;
mod chain;
mod error;
mod flow;
mod groups;
mod inline;
mod json;
mod kernels;
mod lookback;
mod retained;
mod sort;
mod table;

pub use budget::{BYTES_MAX, GROUPS_MAX, Limits, Overflow};
pub use chain::{Chain, Shape};
pub use error::FlowError;
pub use flow::{Changes, Flow};
pub use inline::inline_rows;
pub use kernels::{KernelError, Kernels, Picked, run_kernel};
pub use lookback::{LookbackMode, rows_within};
pub use table::Table;
