//! How the fields of a stream are found in an event.

use std::{collections::HashMap, sync::Arc};

use super::source::{PhysicalNames, Source};

/// How the fields of a stream are found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) listed: HashMap<String, Arc<[Source]>>,
    pub(crate) unlisted: Unlisted,
    /// Texts that stand for no value.
    pub(crate) no_value: Arc<[String]>,
    /// The event's own time.
    pub(crate) time: Arc<[Source]>,
}

/// What is done about a field that is not listed.
#[derive(Clone, Debug, Default)]
pub(crate) enum Unlisted {
    /// No event has it.
    #[default]
    Absent,
    /// It is the physical field of the same name.
    OwnName(Arc<PhysicalNames>),
}

impl Fields {
    /// The sources of a logical field, in order; none when no event can have it.
    pub(crate) fn sources(&self, field: &[String]) -> Arc<[Source]> {
        let name = field.join(".");
        match (self.listed.get(&name), &self.unlisted) {
            (Some(sources), _) => Arc::clone(sources),
            (None, Unlisted::Absent) => Arc::default(),
            (None, Unlisted::OwnName(names)) => [Source::Field(names.physical(&name))].into(),
        }
    }
}
