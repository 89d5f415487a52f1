//! From events to per-stream batches of the columns that detections want.
//!
//! A [`Binder`] is given events one by one, routes each to its streams, and for every stream that somebody reads fills
//! the wanted columns. When it says [`Fill::Full`] the caller takes the batches: one round covers the same events in
//! every stream, so that verdicts can be put back in the order of the events. An event without a stream is counted,
//! by what it says it is, for a summary.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use sandtrap_wit::{LogicalType, batch::Batch, logsource::Logsource, plan::SourceColumn};
use serde_json::{Map, Value};

use super::{
    counts::{Counts, EventKind, Unconverted},
    stream::WantedStream,
};
use crate::{
    convert::Converted,
    event::{Event, EventRef, Position},
    streams::{EventKey, Fields, Router, StreamMap, Target},
};

/// How much text a round may hold, in bytes, before [`Binder::push`] says that it is full. A round goes past it by at
/// most one event. It is a sixteenth of what a component may have as memory: what it folds and computes must fit there,
/// too, and a call over it must end well before its deadline.
pub const BATCH_TEXT_BYTES_MAX: usize = 4 << 20;

/// A stream that somebody reads, and the columns they want of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The stream's name.
    pub stream: String,
    /// The union of the columns, in the order that the batches will have.
    pub columns: Vec<SourceColumn>,
}

/// The events of one round that belong to one stream.
#[derive(Clone, Debug)]
pub struct StreamBatch {
    /// The stream.
    pub stream: Arc<str>,
    /// One row for each event; the columns as they were wanted.
    pub batch: Batch,
    /// The event of each row.
    pub events: Vec<EventRef>,
}

/// Whether another event may be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a full binder's batches should be taken"]
pub enum Fill {
    /// There is room.
    Room,
    /// Take the batches first.
    Full,
}

/// How many routes are remembered. Events need few, but strangers choose what is in them.
const ROUTES_MAX: usize = 4096;

/// Fills batches with events.
#[derive(Debug)]
pub struct Binder {
    map: Arc<StreamMap>,
    router: Router,
    wanted: Vec<WantedStream>,
    /// By what fills the streams of an event: far fewer than there are events.
    routes: HashMap<Fillers, Arc<Route>>,
    batch_events_max: NonZeroUsize,
    events: usize,
    text_bytes: usize,
    counts: Counts,
}

/// What fills the streams of an event: the mappings that take it, in order, and the logsources that it says it is of,
/// each with the place in [`StreamMap::declared`] of who found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Fillers {
    mappings: Vec<usize>,
    declared: Vec<(usize, Logsource)>,
}

/// Who fills a stream with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Filler {
    /// A mapping of the map.
    Mapping(usize),
    /// The event says its logsource in a place of [`StreamMap::declared`].
    Declared(usize),
}

/// Where a kind of event goes.
#[derive(Debug)]
struct Route {
    /// Every stream that it belongs to.
    streams: Arc<[Arc<str>]>,
    /// The wanted ones: the place in [`Binder::wanted`], and what fills it.
    fills: Vec<(usize, Filler)>,
}

impl Binder {
    /// A binder that fills these streams, in this order, with at most so many events in a round. A stream that the map
    /// does not know stays empty, unless rows are pushed to it or events say themselves that they belong there.
    pub fn new(map: Arc<StreamMap>, wanted: Vec<Wanted>, batch_events_max: NonZeroUsize) -> Self {
        let wanted = wanted.into_iter().map(|wanted| WantedStream::new(wanted, &map)).collect();
        let counts = Counts::new(map.streams());
        let router = Router::new(&map);
        Self { map, router, wanted, routes: HashMap::new(), batch_events_max, events: 0, text_bytes: 0, counts }
    }

    /// Adds an event to every stream that it belongs to.
    pub fn push(&mut self, event: &Event) -> Fill {
        let map = Arc::clone(&self.map);
        let key = EventKey::new(&event.fields, &map.discriminators);
        let declared = map.declared.iter().enumerate();
        let fillers = Fillers {
            mappings: self.router.route(&map, &event.fields, &key),
            declared: declared.filter_map(|(place, by)| Some((place, by.of(&event.fields)?))).collect(),
        };
        let first = match (fillers.mappings.first(), fillers.declared.first()) {
            (Some(mapping), _) => Filler::Mapping(*mapping),
            (None, Some((place, _))) => Filler::Declared(*place),
            (None, None) => {
                self.counts.add_unrouted(EventKind::of(&map.kind(&key)));
                return self.pushed(0);
            }
        };
        let time = first.fields(&map, &event.fields).and_then(|(fields, row)| instant(fields, row));
        let route = self.route(fillers);
        self.counts.routed_to(&route.streams);
        let reference = self.reference(&event.position, time, &route.streams);
        let mut text_bytes = 0_usize;
        for (place, filler) in &route.fills {
            let Some(wanted) = self.wanted.get_mut(*place) else { continue };
            let Some((fields, row)) = filler.fields(&map, &event.fields) else { continue };
            let bytes = wanted.push(*filler, fields, row, event, reference.clone());
            text_bytes = text_bytes.saturating_add(bytes);
        }
        self.pushed(text_bytes)
    }

    /// Adds an event that is a row of `stream` by the caller's word: its fields have the columns' names.
    pub fn push_row(&mut self, stream: &str, event: &Event) -> Fill {
        let map = Arc::clone(&self.map);
        let streams: Arc<[Arc<str>]> = [Arc::from(stream)].into();
        self.counts.routed_to(&streams);
        let time = instant(&map.rows, &event.fields);
        let reference = self.reference(&event.position, time, &streams);
        let mut text_bytes = 0_usize;
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.is(stream)) {
            text_bytes = text_bytes.saturating_add(wanted.push_row(&map.rows, event, reference.clone()));
        }
        self.pushed(text_bytes)
    }

    /// The batches of this round, one for each wanted stream, in that order; empty ones too. The next round begins.
    pub fn take(&mut self) -> Vec<StreamBatch> {
        self.events = 0;
        self.text_bytes = 0;
        self.wanted.iter_mut().map(WantedStream::take).collect()
    }

    /// What was counted since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The columns that had values which could not be converted, in the order wanted.
    pub fn unconverted(&self) -> Vec<Unconverted> {
        self.wanted.iter().flat_map(WantedStream::unconverted).collect()
    }

    /// The wanted streams that nothing in the map fills: only rows, or events that say so themselves, can.
    pub fn unfilled(&self) -> Vec<Arc<str>> {
        self.wanted.iter().map(WantedStream::name).filter(|stream| !self.map.fills(stream)).map(Arc::clone).collect()
    }

    fn pushed(&mut self, text_bytes: usize) -> Fill {
        self.events = self.events.saturating_add(1);
        self.text_bytes = self.text_bytes.saturating_add(text_bytes);
        if self.events >= self.batch_events_max.get() || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
            Fill::Full
        } else {
            Fill::Room
        }
    }

    fn reference(&self, position: &Position, time: Option<i64>, streams: &Arc<[Arc<str>]>) -> EventRef {
        // This event is counted already.
        let ordinal = self.counts.events().saturating_sub(1);
        EventRef { ordinal, position: position.clone(), time, streams: Arc::clone(streams) }
    }

    fn route(&mut self, fillers: Fillers) -> Arc<Route> {
        if let Some(route) = self.routes.get(&fillers) {
            return Arc::clone(route);
        }
        let route = Arc::new(Route { streams: self.streams(&fillers), fills: self.fills(&fillers) });
        if self.routes.len() >= ROUTES_MAX {
            self.routes.clear();
        }
        self.routes.insert(fillers, Arc::clone(&route));
        route
    }

    /// The tables, and the logsources that no other of them says more exactly.
    fn streams(&self, fillers: &Fillers) -> Arc<[Arc<str>]> {
        let mapped = fillers.mappings.iter().filter_map(|mapping| self.map.mappings.get(*mapping));
        let mapped = mapped.map(|mapping| mapping.target.clone());
        let declared = fillers.declared.iter().map(|(_, logsource)| Target::of(logsource.clone()));
        let mut targets: Vec<Target> = Vec::new();
        for target in mapped.chain(declared) {
            if !targets.iter().any(|known| known.says_all_of(&target)) {
                targets.retain(|known| !target.says_all_of(known));
                targets.push(target);
            }
        }
        targets.iter().map(|target| Arc::clone(target.name())).collect()
    }

    /// For each wanted stream the first that fills it.
    fn fills(&self, fillers: &Fillers) -> Vec<(usize, Filler)> {
        let fills = |wanted: &WantedStream| {
            let mapping = fillers.mappings.iter().copied().find(|mapping| {
                self.map.mappings.get(*mapping).is_some_and(|mapping| wanted.is_filled_by(&mapping.target))
            });
            let declared = || fillers.declared.iter().find(|(_, logsource)| wanted.wants(logsource));
            mapping.map(Filler::Mapping).or_else(|| declared().map(|(place, _)| Filler::Declared(*place)))
        };
        let wanted = self.wanted.iter().enumerate();
        wanted.filter_map(|(place, wanted)| Some((place, fills(wanted)?))).collect()
    }
}

impl Filler {
    /// How it finds fields, and the object of the event in which they are.
    fn fields<'m, 'e>(
        self,
        map: &'m StreamMap,
        event: &'e Map<String, Value>,
    ) -> Option<(&'m Fields, &'e Map<String, Value>)> {
        match self {
            Self::Mapping(mapping) => {
                let mapping = map.mappings.get(mapping)?;
                Some((&*mapping.fields, mapping.row(event)?))
            }
            Self::Declared(place) => Some((&*map.declared.get(place)?.fields, event)),
        }
    }
}

/// When the event happened: the first of the sources that has an instant.
fn instant(fields: &Fields, row: &Map<String, Value>) -> Option<i64> {
    fields.time.iter().find_map(|source| match source.find(row, &fields.no_value)?.convert(LogicalType::Datetime) {
        Converted::Integer(ticks) => Some(ticks),
        _ => None,
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
#[cfg(test)]
#[path = "tests_of_logsources.rs"]
mod tests_of_logsources;
