//! From events to per-stream batches of the columns that detections want.
//!
//! A [`Binder`] is given events one by one, routes each to its streams, and for every stream that somebody reads fills
//! the wanted columns. When it says [`Fill::Full`] the caller takes the batches: one round covers the same events in
//! every stream, so that verdicts can be put back in the order of the events. An event without a stream is counted,
//! by what it says it is, for a summary.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, ColumnBuilder},
    plan::SourceColumn,
};
use serde_json::{Map, Value};

use super::counts::{Counts, EventKind, Unconverted};
use crate::{
    convert::Converted,
    event::{Event, EventRef, Position},
    streams::{Fields, Source, StreamMap},
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

/// Fills batches with events.
#[derive(Debug)]
pub struct Binder {
    map: Arc<StreamMap>,
    wanted: Vec<WantedStream>,
    /// By the mappings that an event matches: far fewer than there are events.
    routes: HashMap<Vec<usize>, Route>,
    batch_events_max: NonZeroUsize,
    events: usize,
    text_bytes: usize,
    counts: Counts,
}

/// Where a kind of event goes.
#[derive(Clone, Debug)]
struct Route {
    /// Every stream that it belongs to.
    streams: Arc<[Arc<str>]>,
    /// The wanted ones: the place in [`Binder::wanted`], and the mapping that fills it.
    fills: Arc<[(usize, usize)]>,
}

#[derive(Debug)]
struct WantedStream {
    stream: Arc<str>,
    columns: Vec<SourceColumn>,
    /// For each mapping of the stream, and for rows, where each column's cells come from.
    by_mapping: HashMap<usize, Arc<[Arc<[Source]>]>>,
    for_rows: Arc<[Arc<[Source]>]>,
    builders: Vec<ColumnBuilder>,
    events: Vec<EventRef>,
    unconverted: Vec<u64>,
}

impl Binder {
    /// A binder that fills these streams, in this order, with at most so many events in a round. A stream that the map
    /// does not know stays empty, unless rows are pushed to it.
    pub fn new(map: Arc<StreamMap>, wanted: Vec<Wanted>, batch_events_max: NonZeroUsize) -> Self {
        let wanted = wanted.into_iter().map(|wanted| WantedStream::new(wanted, &map)).collect();
        let counts = Counts::new(map.streams());
        Self { map, wanted, routes: HashMap::new(), batch_events_max, events: 0, text_bytes: 0, counts }
    }

    /// Adds an event to every stream that it belongs to.
    pub fn push(&mut self, event: &Event) -> Fill {
        let map = Arc::clone(&self.map);
        let key = map.route_key(&event.fields);
        let mappings = map.route(&event.fields, &key);
        let Some(first) = mappings.first().and_then(|index| map.mappings.get(*index)) else {
            let kind = map.kind(&event.fields);
            self.counts.add_unrouted(EventKind::of(kind.0, kind.1));
            return self.pushed(0);
        };
        let route = self.route(mappings);
        self.counts.routed_to(&route.streams);
        let time = first.row(&event.fields).and_then(|row| instant(&first.fields, row));
        let reference = self.reference(&event.position, time, &route.streams);
        let mut text_bytes = 0_usize;
        for (place, mapping) in &*route.fills {
            let Some(wanted) = self.wanted.get_mut(*place) else { continue };
            let Some(sources) = wanted.by_mapping.get(mapping).map(Arc::clone) else { continue };
            let Some(mapping) = map.mappings.get(*mapping) else { continue };
            let Some(row) = mapping.row(&event.fields) else { continue };
            text_bytes = text_bytes.saturating_add(wanted.push(&mapping.fields, &sources, row, reference.clone()));
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
        for wanted in self.wanted.iter_mut().filter(|wanted| &*wanted.stream == stream) {
            let sources = Arc::clone(&wanted.for_rows);
            text_bytes = text_bytes.saturating_add(wanted.push(&map.rows, &sources, &event.fields, reference.clone()));
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
        let of_stream = |wanted: &WantedStream| {
            let stream = Arc::clone(&wanted.stream);
            let columns = wanted.columns.iter().cloned().zip(wanted.unconverted.iter().copied());
            columns
                .filter(|(_, cells)| *cells > 0)
                .map(move |(column, cells)| Unconverted { stream: Arc::clone(&stream), column, cells })
                .collect::<Vec<_>>()
        };
        self.wanted.iter().flat_map(of_stream).collect()
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

    fn route(&mut self, mappings: Vec<usize>) -> Route {
        if let Some(route) = self.routes.get(&mappings) {
            return route.clone();
        }
        let stream = |mapping: &usize| self.map.mappings.get(*mapping).map(|mapping| Arc::clone(&mapping.stream));
        let streams: Arc<[Arc<str>]> = mappings.iter().filter_map(stream).collect();
        let fills = mappings.iter().flat_map(|mapping| {
            let places = self.wanted.iter().enumerate();
            places.filter(|(_, wanted)| wanted.by_mapping.contains_key(mapping)).map(|(place, _)| (place, *mapping))
        });
        let route = Route { streams, fills: fills.collect() };
        self.routes.insert(mappings, route.clone());
        route
    }
}

impl WantedStream {
    fn new(wanted: Wanted, map: &StreamMap) -> Self {
        let Wanted { stream, columns } = wanted;
        let sources = |fields: &Fields| columns.iter().map(|column| fields.sources(&column.field)).collect();
        let of_stream = map.mappings.iter().enumerate().filter(|(_, mapping)| *mapping.stream == *stream);
        Self {
            by_mapping: of_stream.map(|(index, mapping)| (index, sources(&mapping.fields))).collect(),
            for_rows: sources(&map.rows),
            builders: columns.iter().map(|column| ColumnBuilder::of(column.ty)).collect(),
            events: Vec::new(),
            unconverted: vec![0; columns.len()],
            stream: stream.into(),
            columns,
        }
    }

    /// Adds a row and says how much text it has.
    fn push(&mut self, fields: &Fields, sources: &[Arc<[Source]>], row: &Map<String, Value>, event: EventRef) -> usize {
        self.events.push(event);
        let mut text_bytes = 0_usize;
        let cells = self.columns.iter().zip(sources).zip(self.builders.iter_mut().zip(&mut self.unconverted));
        for ((column, sources), (builder, unconverted)) in cells {
            let converted = fields.find(sources, row).map(|found| found.convert(column.ty));
            let cell = converted.as_ref().map_or(Cell::Absent, Converted::as_cell);
            if let Cell::Text(text) = cell {
                text_bytes = text_bytes.saturating_add(text.len());
            }
            let fits = builder.push(cell);
            if !fits || converted == Some(Converted::Unconvertible) {
                *unconverted = unconverted.saturating_add(1);
            }
        }
        text_bytes
    }

    fn take(&mut self) -> StreamBatch {
        let fresh = self.columns.iter().map(|column| ColumnBuilder::of(column.ty)).collect();
        let columns = std::mem::replace(&mut self.builders, fresh);
        let columns = columns.into_iter().map(|builder| Arc::new(builder.finish())).collect();
        let events = std::mem::take(&mut self.events);
        StreamBatch { stream: Arc::clone(&self.stream), batch: Batch { rows: events.len(), columns }, events }
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
