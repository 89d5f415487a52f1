//! The streams map: mappings in order, each with the condition that makes an event belong to its stream and the
//! sources of the stream's fields.
//!
//! An event belongs to every stream that one of the mappings gives it; where several mappings give the same stream, the
//! first one fills it. Values are compared as text, ASCII case aside, because shippers write `Security` and
//! `security`, `3` and `"3"`.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    node::StreamMapError,
    parse,
    source::{Found, Physical, PhysicalNames, Source},
};
use crate::path;

const WINDOWS: (&str, &str) = ("windows.yaml", include_str!("../../../../rules/streams/windows.yaml"));

/// Which events belong to which streams, and how each stream's fields are found.
#[derive(Clone, Debug, Default)]
pub struct StreamMap {
    /// The physical fields that conditions look at, so that an event is asked for each only once.
    pub(crate) discriminators: Vec<Physical>,
    pub(crate) mappings: Vec<Mapping>,
    /// For events that already are rows of the stream.
    pub(crate) rows: Fields,
    /// The physical names of the first file.
    pub(crate) names: Arc<PhysicalNames>,
}

/// One way to belong to a stream.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) stream: Arc<str>,
    pub(crate) conditions: Vec<Condition>,
    /// The object whose fields are meant; `None`: the event itself.
    pub(crate) row: Option<String>,
    pub(crate) fields: Fields,
}

/// A discriminator has one of these texts.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) discriminator: usize,
    pub(crate) any_of: Vec<String>,
}

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

/// What an event has in the discriminators: everything that routing depends on.
pub(crate) type RouteKey<'e> = Vec<Option<Cow<'e, str>>>;

impl StreamMap {
    /// The map that is built in: rules/streams.
    pub fn built_in() -> Result<Self, StreamMapError> {
        Self::parse(WINDOWS.0, WINDOWS.1)
    }

    /// Reads a streams file; `name` is for messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, StreamMapError> {
        parse::parse(name, text)
    }

    /// Adds the mappings of another map behind this one's, which come first where both give a stream.
    pub fn extend(&mut self, other: Self) {
        let places: Vec<usize> =
            other.discriminators.into_iter().map(|physical| self.discriminator(physical)).collect();
        self.mappings.extend(other.mappings.into_iter().map(|mut mapping| {
            for condition in &mut mapping.conditions {
                condition.discriminator = places.get(condition.discriminator).copied().unwrap_or(usize::MAX);
            }
            mapping
        }));
        for (name, sources) in other.rows.listed {
            self.rows.listed.entry(name).or_insert(sources);
        }
        if self.rows.time.is_empty() {
            self.rows.time = other.rows.time;
        }
    }

    /// The streams that events can belong to, in the order of the files, each once.
    pub fn streams(&self) -> Vec<Arc<str>> {
        let mut streams: Vec<Arc<str>> = Vec::new();
        for mapping in &self.mappings {
            if !streams.contains(&mapping.stream) {
                streams.push(Arc::clone(&mapping.stream));
            }
        }
        streams
    }

    /// The place of a discriminator, added when it is new.
    pub(crate) fn discriminator(&mut self, physical: Physical) -> usize {
        self.discriminators.iter().position(|known| *known == physical).unwrap_or_else(|| {
            self.discriminators.push(physical);
            self.discriminators.len() - 1
        })
    }

    /// What an event says it is, for counts: its channel and event id.
    pub(crate) fn kind<'e>(&self, fields: &'e Map<String, Value>) -> (Option<&'e Value>, Option<&'e Value>) {
        (self.names.physical("Channel").find(fields, &[]), self.names.physical("EventID").find(fields, &[]))
    }

    /// What routing needs to know of an event.
    pub(crate) fn route_key<'e>(&self, fields: &'e Map<String, Value>) -> RouteKey<'e> {
        self.discriminators.iter().map(|physical| physical.find(fields, &[]).and_then(as_text)).collect()
    }

    /// The mappings that fill a stream for an event: at most one for each stream, in the order of the files.
    pub(crate) fn route(&self, fields: &Map<String, Value>, key: &RouteKey<'_>) -> Vec<usize> {
        let mut routes: Vec<usize> = Vec::new();
        for (index, mapping) in self.mappings.iter().enumerate() {
            let given = |route: &usize| self.mappings.get(*route).is_some_and(|other| other.stream == mapping.stream);
            let holds = mapping.conditions.iter().all(|condition| condition.holds(key));
            if holds && !routes.iter().any(given) && mapping.row(fields).is_some() {
                routes.push(index);
            }
        }
        routes
    }
}

impl Condition {
    fn holds(&self, key: &RouteKey<'_>) -> bool {
        let Some(Some(text)) = key.get(self.discriminator) else { return false };
        self.any_of.iter().any(|wanted| wanted.eq_ignore_ascii_case(text))
    }
}

impl Mapping {
    /// The object whose fields are meant, if the event has it.
    pub(crate) fn row<'e>(&self, fields: &'e Map<String, Value>) -> Option<&'e Map<String, Value>> {
        match &self.row {
            None => Some(fields),
            Some(row) => path::find(fields, row)?.as_object(),
        }
    }
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
}

fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.trim())),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt column in rules/streams would silently never be filled.
    #[test]
    fn every_mapped_field_is_a_column_of_its_table() {
        let map = StreamMap::built_in().unwrap_or_else(|error| unreachable!("{error}"));
        let tables = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest/compiler/tables");
        let mapped: Vec<&Mapping> = map.mappings.iter().filter(|mapping| mapping.fields.listed.len() > 2).collect();
        assert_eq!(mapped.len(), 8, "every mapping of windows.yaml");
        for mapping in mapped {
            let text = std::fs::read_to_string(format!("{tables}/{}.json", mapping.stream)).unwrap_or_default();
            let table: Value = serde_json::from_str(&text).unwrap_or_default();
            for field in mapping.fields.listed.keys() {
                assert!(table["columns"].get(field).is_some(), "{} has no column {field}", mapping.stream);
            }
        }
    }
}
