//! Events that say themselves of which logsource they are: the way in for whatever no mapping recognises.
//!
//! What an event says is untrusted: it can get the event to detections, and nowhere else.

use std::sync::Arc;

use sandtrap_wit::logsource::Logsource;
use serde_json::{Map, Value};

use super::{fields::Fields, source::Physical};

/// The longest part of a logsource that an event may give, in bytes; what is longer is no logsource.
const PART_BYTES_MAX: usize = 100;

/// Where events say of which logsource they are.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) product: Option<Physical>,
    pub(crate) category: Option<Physical>,
    pub(crate) service: Option<Physical>,
    pub(crate) fields: Arc<Fields>,
}

impl Declared {
    /// Where it looks.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Physical> {
        [&self.product, &self.category, &self.service].into_iter().flatten()
    }

    /// The logsource that an event says it is of; `None` if it says nothing.
    pub(crate) fn of(&self, fields: &Map<String, Value>) -> Option<Logsource> {
        let part = |physical: &Option<Physical>| {
            let text = physical.as_ref()?.find(fields, &[])?.as_str()?.trim();
            let sound = !text.is_empty() && text.len() <= PART_BYTES_MAX && !text.contains(['/', '*']);
            sound.then_some(text)
        };
        let logsource = Logsource::new(part(&self.product), part(&self.category), part(&self.service));
        (logsource != Logsource::default()).then_some(logsource)
    }
}
