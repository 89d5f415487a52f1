//! How the fields of a stream are found in an event.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use crate::convert::ListCell;

use super::source::{Found, PhysicalNames, Source};

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

    /// The value of the first source that has one.
    pub(crate) fn find<'a>(&self, sources: &'a [Source], row: &'a Map<String, Value>) -> Option<Found<'a>> {
        sources.iter().find_map(|source| source.find(row, &self.no_value))
    }

    /// All values of the first source that has one.
    pub(crate) fn find_all<'a>(&self, sources: &'a [Source], row: &'a Map<String, Value>) -> ListCell<'a> {
        let cells = sources.iter().map(|source| source.find_all(row, &self.no_value));
        cells.into_iter().find(|cell| *cell != ListCell::Absent).unwrap_or(ListCell::Absent)
    }
}
