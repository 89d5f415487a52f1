//! `serde_json` alone: every line to a `Value`, which is dropped. What any engine that reads its events by it pays.

use std::hint::black_box;

use anyhow::Context as _;
use serde_json::Value;

use crate::lane::{Events, Lane, Take};

/// No engine: only the parser.
pub struct JsonLane;

impl Lane for JsonLane {
    fn pass(&mut self, events: &Events, _: &mut Take<'_>) -> anyhow::Result<()> {
        for (n, line) in events.lines() {
            let event: Value = serde_json::from_str(line).with_context(|| format!("line {n}"))?;
            black_box(&event);
        }
        Ok(())
    }
}
