//! The streams map: mappings in order, each with the conditions that make an event belong to its stream and the
//! sources of the stream's fields.
//!
//! An event belongs to every stream that one of the mappings gives it. A mapping gives a table, or a logsource, which is
//! in every stream that wants this logsource; where several mappings fill the same stream, the first one does.

use std::{collections::HashSet, sync::Arc};

use sandtrap_wit::logsource::Logsource;
use serde_json::{Map, Value};

use super::{
    condition::{Condition, Discriminator, EventKey, as_text},
    declared::Declared,
    fields::Fields,
    node::StreamMapError,
    parse,
    source::Physical,
};
use crate::path;

/// The files of rules/streams. Earlier ones fill a stream before later ones.
const FILES: [(&str, &str); 6] = [
    ("windows.yaml", include_str!("../../../../rules/streams/windows.yaml")),
    ("linux.yaml", include_str!("../../../../rules/streams/linux.yaml")),
    ("macos.yaml", include_str!("../../../../rules/streams/macos.yaml")),
    ("cloud.yaml", include_str!("../../../../rules/streams/cloud.yaml")),
    ("network.yaml", include_str!("../../../../rules/streams/network.yaml")),
    ("applications.yaml", include_str!("../../../../rules/streams/applications.yaml")),
];

/// Which events belong to which streams, and how each stream's fields are found.
#[derive(Clone, Debug, Default)]
pub struct StreamMap {
    /// The fields that conditions look at, so that an event is asked for each at most once.
    pub(crate) discriminators: Vec<Discriminator>,
    pub(crate) mappings: Vec<Mapping>,
    /// For events that already are rows of the stream.
    pub(crate) rows: Fields,
    /// For events that say of which logsource they are.
    pub(crate) declared: Vec<Declared>,
}

/// One way to belong to a stream.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) target: Target,
    /// All of these hold,
    pub(crate) when: Vec<Condition>,
    /// and none of these.
    pub(crate) unless: Vec<Condition>,
    /// The object whose fields are meant; `None`: the event itself.
    pub(crate) row: Option<String>,
    pub(crate) fields: Arc<Fields>,
}

/// What a mapping fills.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// The stream of that name.
    Table(Arc<str>),
    /// Every stream that wants the logsource, whose own name comes first.
    Logsource(Arc<str>, Logsource),
}

impl StreamMap {
    /// The map that is built in: rules/streams.
    pub fn built_in() -> Result<Self, StreamMapError> {
        let mut map = Self::default();
        for (name, text) in FILES {
            map.extend(Self::parse(name, text)?);
        }
        Ok(map)
    }

    /// Reads a streams file; `name` is for messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, StreamMapError> {
        parse::parse(name, text)
    }

    /// Adds the mappings of another map behind this one's, which come first where both give a stream.
    pub fn extend(&mut self, other: Self) {
        let places: Vec<usize> =
            other.discriminators.into_iter().map(|discriminator| self.discriminator(discriminator)).collect();
        let moved = |conditions: &mut Vec<Condition>| {
            for condition in conditions {
                condition.discriminator = places.get(condition.discriminator).copied().unwrap_or(usize::MAX);
            }
        };
        self.mappings.extend(other.mappings.into_iter().map(|mut mapping| {
            moved(&mut mapping.when);
            moved(&mut mapping.unless);
            mapping
        }));
        self.declared.extend(other.declared);
        for (name, sources) in other.rows.listed {
            self.rows.listed.entry(name).or_insert(sources);
        }
        if self.rows.time.is_empty() {
            self.rows.time = other.rows.time;
        }
        self.rows.unlisted = other.rows.unlisted;
    }

    /// The tables and logsources that events can belong to, in the order of the files, each once.
    pub fn streams(&self) -> Vec<Arc<str>> {
        let mut known: HashSet<&Arc<str>> = HashSet::new();
        let names = self.mappings.iter().map(|mapping| mapping.target.name());
        names.filter(|name| known.insert(name)).map(Arc::clone).collect()
    }

    /// Whether some event can belong to the stream without saying so itself. Of a logsource that nothing fills, nobody
    /// will ever see an event: a run should say so.
    pub fn fills(&self, stream: &str) -> bool {
        let wanted = Logsource::parse(stream);
        self.mappings.iter().any(|mapping| mapping.target.fills(stream, wanted.as_ref()))
    }

    /// The place of a discriminator, added when it is new.
    pub(crate) fn discriminator(&mut self, wanted: Discriminator) -> usize {
        self.discriminators.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            self.discriminators.push(wanted);
            self.discriminators.len() - 1
        })
    }

    /// What an event says it is, for counts: its channel and event id, and what else of its discriminators it has.
    pub(crate) fn kind<'e>(&'e self, key: &EventKey<'e>) -> Kind<'e> {
        let named = |name: &str| {
            let mut places = self.discriminators.iter().enumerate().filter(|(_, known)| known.name == name);
            places.find_map(|(place, _)| key.value(place))
        };
        let (channel, event_id) = (named("Channel"), named("EventID"));
        let mut says = None;
        if channel.is_none() && event_id.is_none() {
            says = self.discriminators.iter().enumerate().find_map(|(place, discriminator)| {
                key.value(place).filter(|value| as_text(value).is_some()).map(|value| (&*discriminator.name, value))
            });
        }
        Kind { channel, event_id, says }
    }
}

/// What an event says it is.
#[derive(Debug)]
pub(crate) struct Kind<'e> {
    pub(crate) channel: Option<&'e Value>,
    pub(crate) event_id: Option<&'e Value>,
    /// For an event with neither, the first other discriminator that it has, and its value.
    pub(crate) says: Option<(&'e str, &'e Value)>,
}

impl Target {
    /// A logsource.
    pub(crate) fn of(logsource: Logsource) -> Self {
        Self::Logsource(logsource.to_string().into(), logsource)
    }

    /// Whether an event of this target needs not be said to be of the other.
    pub(crate) fn says_all_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Logsource(_, this), Self::Logsource(_, other)) => other.wants(this),
            (Self::Table(this), Self::Table(other)) => this == other,
            (Self::Table(_), Self::Logsource(..)) | (Self::Logsource(..), Self::Table(_)) => false,
        }
    }

    /// The name of the table or of the logsource.
    pub(crate) fn name(&self) -> &Arc<str> {
        match self {
            Self::Table(name) | Self::Logsource(name, _) => name,
        }
    }

    /// Whether it is part of the stream of that name, which wants a logsource if it is no table.
    pub(crate) fn fills(&self, stream: &str, wanted: Option<&Logsource>) -> bool {
        match (self, wanted) {
            (Self::Table(name), None) => **name == *stream,
            (Self::Logsource(_, logsource), Some(wanted)) => wanted.wants(logsource),
            (Self::Table(_), Some(_)) | (Self::Logsource(..), None) => false,
        }
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

impl Discriminator {
    pub(crate) fn of_paths(name: &str, paths: Vec<String>) -> Self {
        Self { name: name.to_owned(), physical: Physical::at(paths) }
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
        let of_table = |mapping: &&Mapping| matches!(mapping.target, Target::Table(_));
        let mapped = map.mappings.iter().filter(of_table).filter(|mapping| mapping.fields.listed.len() > 2);
        let mut mappings = 0;
        for mapping in mapped {
            let stream = mapping.target.name();
            let text = std::fs::read_to_string(format!("{tables}/{stream}.json")).unwrap_or_default();
            let table: Value = serde_json::from_str(&text).unwrap_or_default();
            for field in mapping.fields.listed.keys() {
                assert!(table["columns"].get(field).is_some(), "{stream} has no column {field}");
            }
            mappings += 1;
        }
        assert_eq!(mappings, 8, "every mapping of windows.yaml to a table");
    }
}
