//! Disagreements that are understood: `xtask/kql_oracle/explained.json`.
//!
//! An entry that no longer explains anything is an error too, so that the file cannot outlive its reasons.

use std::fs;

use anyhow::Context as _;
use serde::Deserialize;

use crate::root;

/// Everything that is understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Explained {
    /// Queries that one parser accepts and the other does not.
    pub(super) syntax: Vec<Syntax>,
    /// Kinds of values over which the two engines return different rows.
    pub(super) values: Vec<Values>,
}

/// A query that one parser accepts and the other does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Syntax {
    /// What the path of the query ends with.
    pub(super) path: String,
    /// Who is right, and why.
    pub(super) reason: String,
}

/// A kind of values over which the two engines return different rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    /// The name of the kind in rows.py.
    pub(super) kind: String,
    /// Who is right, and why.
    pub(super) reason: String,
}

/// Reads the file.
pub(super) fn load() -> anyhow::Result<Explained> {
    let path = root().join("xtask/kql_oracle/explained.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
}
