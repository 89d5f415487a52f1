//! Verdicts out: [`Verdict`] in Sandtrap's own form, and its cells as JSON and as text for a table.

mod cell;
mod columns;
mod native;

pub use cell::{cell_to_json, cell_to_text, row_to_text};
pub use columns::{ResultColumn, ResultRows, VerdictColumn, VerdictColumns, VerdictValue};
pub use native::{About, DetectionRef, JSON_SCHEMA, Revision, Verdict};
