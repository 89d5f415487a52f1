//! Rule files: from a file's text to the query in it and what the file says about the rule.
//!
//! ```text
//! NAME.kql, .csl, .kusto   the query; its first comment line is the title, the file's name the id
//! NAME.yaml, .yml          Sentinel's YAML envelope, with some keys of our own, if it is not of Sigma (crate::sigma)
//! ```
//!
//! Positions in the query are brought back to the file with [`RuleFile::locate`], so that a diagnostic points at what its
//! reader sees. Nothing here parses KQL.

pub(crate) mod attack;
pub(crate) mod file;
mod query_file;
mod repair;
pub(crate) mod sentinel;
pub(crate) mod source_map;

pub use file::{DEFAULT_NAMESPACE, FILE_BYTES_MAX, Kind, Loaded, Metadata, RuleFile, digest, kind, load};
