//! What a [`Binder`](super::Binder) counts, for a summary at the end of a run.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sandtrap_wit::plan::SourceColumn;
use serde_json::Value;

use crate::streams::Kind;

/// How many kinds of events without a stream are told apart; events are untrusted and could invent any number.
pub const UNROUTED_KINDS_MAX: usize = 1000;

/// How many streams are counted that the map does not know: events may say of which logsource they are.
const DECLARED_STREAMS_MAX: usize = 1000;

/// How much of a channel's or an event id's text is kept, in characters.
const KIND_CHARS_MAX: usize = 100;

/// What an event without a stream says it is; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKind {
    /// `Channel`, in lower case: shippers do not agree on its case.
    pub channel: String,
    /// `EventID`.
    pub event_id: String,
    /// For an event with neither: `FIELD: VALUE` of a field that tells kinds of events apart.
    pub says: String,
}

/// A column that had values which could not be converted to its type and read as null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconverted {
    /// The stream.
    pub stream: Arc<str>,
    /// The column.
    pub column: SourceColumn,
    /// How many cells.
    pub cells: u64,
}

/// Events, by where they went.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    events: u64,
    streams: Vec<(Arc<str>, u64)>,
    places: HashMap<Arc<str>, usize>,
    unrouted: BTreeMap<EventKind, u64>,
    unrouted_others: u64,
    /// How many of the streams the map does not know.
    declared: usize,
}

impl Counts {
    pub(super) fn new(streams: Vec<Arc<str>>) -> Self {
        let places = streams.iter().enumerate().map(|(place, stream)| (Arc::clone(stream), place)).collect();
        Self { streams: streams.into_iter().map(|stream| (stream, 0)).collect(), places, ..Self::default() }
    }

    /// Begins anew. Where events of which streams are counted stays.
    pub(super) fn forget(&mut self) {
        (self.events, self.unrouted_others) = (0, 0);
        self.streams.iter_mut().for_each(|(_, events)| *events = 0);
        self.unrouted.clear();
    }

    /// How many events were pushed.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many events went to each table and logsource that the map knows, in the map's order, and behind them those
    /// that events named themselves. An event may be in several.
    pub fn streams(&self) -> &[(Arc<str>, u64)] {
        &self.streams
    }

    /// How many events belong to no stream.
    pub fn unrouted(&self) -> u64 {
        self.unrouted.values().fold(self.unrouted_others, |sum, events| sum.saturating_add(*events))
    }

    /// The events that belong to no stream, by what they say they are, the most frequent first; at most
    /// [`UNROUTED_KINDS_MAX`] kinds.
    pub fn unrouted_kinds(&self) -> Vec<(&EventKind, u64)> {
        let mut kinds: Vec<_> = self.unrouted.iter().map(|(kind, events)| (kind, *events)).collect();
        kinds.sort_by_key(|(_, events)| std::cmp::Reverse(*events));
        kinds
    }

    /// Adds what another binder counted.
    pub fn merge(&mut self, other: &Self) {
        self.events = self.events.saturating_add(other.events);
        self.unrouted_others = self.unrouted_others.saturating_add(other.unrouted_others);
        for (stream, more) in &other.streams {
            let place = *self.places.entry(Arc::clone(stream)).or_insert(self.streams.len());
            match self.streams.get_mut(place) {
                Some((_, events)) => *events = events.saturating_add(*more),
                None => self.streams.push((Arc::clone(stream), *more)),
            }
        }
        for (kind, more) in &other.unrouted {
            self.add_of_kind(kind, *more);
        }
    }

    /// Where events of these streams are counted.
    pub(super) fn places(&mut self, streams: &[Arc<str>]) -> Vec<usize> {
        let mut places = Vec::with_capacity(streams.len());
        for stream in streams {
            if let Some(place) = self.places.get(stream) {
                places.push(*place);
            } else if self.declared < DECLARED_STREAMS_MAX {
                self.declared += 1;
                self.places.insert(Arc::clone(stream), self.streams.len());
                places.push(self.streams.len());
                self.streams.push((Arc::clone(stream), 0));
            }
        }
        places
    }

    /// Counts an event of the streams at these places.
    pub(super) fn add(&mut self, places: &[usize]) {
        self.events = self.events.saturating_add(1);
        for place in places {
            if let Some((_, events)) = self.streams.get_mut(*place) {
                *events = events.saturating_add(1);
            }
        }
    }

    pub(super) fn add_unrouted(&mut self, kind: &EventKind) {
        self.events = self.events.saturating_add(1);
        self.add_of_kind(kind, 1);
    }

    fn add_of_kind(&mut self, kind: &EventKind, events: u64) {
        let room = self.unrouted.len() < UNROUTED_KINDS_MAX;
        // Nearly always it is there.
        let count = match self.unrouted.get_mut(kind) {
            Some(count) => count,
            None if room => self.unrouted.entry(kind.clone()).or_default(),
            None => &mut self.unrouted_others,
        };
        *count = count.saturating_add(events);
    }
}

impl EventKind {
    pub(super) fn of(kind: &Kind<'_>) -> Self {
        let says = kind.says.map(|(field, value)| format!("{field}: {}", shown(Some(value))));
        Self {
            channel: shown(kind.channel).to_lowercase(),
            event_id: shown(kind.event_id),
            says: says.unwrap_or_default(),
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.trim().chars().take(KIND_CHARS_MAX).collect(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => String::new(),
    }
}
