//! Typed kernels to a WebAssembly component, without a Rust toolchain: `wasm-encoder` writes the core module, the
//! functions it calls are linked in from the prebuilt runtime, and `wit-component` wraps the result.
//!
//! Linear memory of a component:
//!
//! ```text
//! 0           stack of the runtime, growing down; below 0 it traps
//! 16 KiB      static data of the runtime, only the tables that are used (the others' place stays empty)
//! heap base   literal tables, integer sets, text constants, the manifest           (data.rs)
//! ...         arena: the batch as the canonical ABI lowers it, rows and columns of the answer; freed after each call
//! ```
//!
//! A kernel becomes one function of this shape (kernel.rs; `column` is a record of `detection.wit` in memory):
//!
//! ```text
//! fn kernel_0(rows: i32, now: i64, columns: i32, column_count: i32) -> i32 {
//!     trap unless column_count and every column's kind are what the plan says; only a column of lists may have lists
//!     picked = allocate(rows * 4)
//!     for row in 0..rows { if filter(row) == TRUE { picked[count++] = row } }
//!     for each computed column { for row in picked { cell = expression(row) } }
//!     return &matches { picked, columns }
//! }
//! ```
//!
//! The elements of a column of lists are the runtime's to go through: it gets the address of the column's record, the row,
//! and a table of what to look for (element.rs).
//!
//! Booleans are three-valued while they are computed: 0 false, 1 true, 2 null.

mod abi;
mod automaton;
mod builder;
mod component;
mod data;
mod element;
mod expr;
mod kernel;
mod link;
mod runtime;
mod text;
mod truth;
mod windows;

pub use component::{component, readable_module};

use std::fmt;

/// Why a program cannot be emitted: it is too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmitError {
    reason: String,
}

impl EmitError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for EmitError {}
