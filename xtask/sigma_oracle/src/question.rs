//! What is asked about one event: `{"n", "fields", "streams": [...]}`, or `{"n", "fields", "rule"}`.

use std::borrow::Cow;

use rsigma_parser::LogSource;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One line of the input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What the event is called in the answers.
    pub n: u64,
    /// The event.
    pub fields: Value,
    /// The streams that the event belongs to; it is evaluated once for each.
    #[serde(default)]
    pub streams: Vec<Stream>,
    /// The id of one rule to evaluate whatever its logsource.
    #[serde(default)]
    pub rule: Option<String>,
}

/// A stream that an event belongs to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    product: Option<String>,
    category: Option<String>,
    service: Option<String>,
    /// Fields that the event has in this stream beside its own, or instead of them.
    #[serde(default)]
    set: Map<String, Value>,
}

impl Stream {
    /// The stream as rsigma names it.
    pub fn logsource(&self) -> LogSource {
        LogSource {
            product: self.product.clone(),
            category: self.category.clone(),
            service: self.service.clone(),
            ..LogSource::default()
        }
    }

    /// The event as it looks in this stream.
    pub fn view<'a>(&self, fields: &'a Value) -> Cow<'a, Value> {
        if self.set.is_empty() {
            return Cow::Borrowed(fields);
        }
        let mut view = fields.clone();
        if let Some(fields) = view.as_object_mut() {
            fields.extend(self.set.clone());
        }
        Cow::Owned(view)
    }
}
