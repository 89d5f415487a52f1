//! The events: bound as a run binds them, and sorted into routes with the keys of each.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    io::{self, BufReader},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
};

use sandtrap_formats::{
    binding::{Binder, Fill, StreamBatch},
    ndjson::Reader,
    streams::StreamMap,
};
use sandtrap_index::{Json, Row};
use sandtrap_wit::{
    PhysicalType,
    batch::{Cell, Column, Row as Cells},
    plan::SourceColumn,
    prefilter::Value,
};

use super::corpus::Corpus;

/// Events in a round.
const ROUND: NonZeroUsize = NonZeroUsize::new(2_000).expect("it is not 0");

/// Events that fill the same streams.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// The streams.
    pub(crate) name: String,
    /// What each key is.
    pub(crate) keys: Vec<String>,
    /// Its rules, by their places in the corpus, with the key of each column.
    pub(crate) detections: Vec<(usize, Vec<u32>)>,
}

/// An event with the values of its route's keys.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its route's place.
    pub(crate) route: usize,
    values: Vec<Value<'static>>,
    /// Its JSON, and the key that has all of its values.
    json: Vec<u8>,
    all_values: Option<u32>,
}

/// What was bound.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    /// In some order.
    pub(crate) routes: Vec<Route>,
    /// In the order of the file.
    pub(crate) events: Vec<Event>,
}

impl Row for Event {
    fn value(&self, key: u32) -> Value<'_> {
        match self.values.get(key as usize) {
            Some(Value::Text(text)) => Value::Text(Cow::Borrowed(text)),
            Some(Value::Elements(elements)) => {
                Value::Elements(elements.iter().map(|text| Cow::Borrowed(&**text)).collect())
            }
            Some(value) => value.clone(),
            None => Value::Null,
        }
    }

    fn json(&self, key: u32) -> Option<Json<'_>> {
        (self.all_values == Some(key)).then_some(Json { text: &self.json, plain: false })
    }
}

impl Event {
    /// Reads some of every cache line that it has.
    pub(crate) fn touch(&self) -> u64 {
        let touch = |bytes: &[u8]| bytes.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>();
        let values = self.values.iter().map(|value| match value {
            Value::Text(text) => touch(text.as_bytes()),
            Value::Elements(elements) => elements.iter().map(|text| touch(text.as_bytes())).sum(),
            _ => 0,
        });
        values.sum::<u64>().wrapping_add(touch(&self.json))
    }
}

/// Where an event's rows are: for each stream its place among those that are wanted, the round, and the row.
type Places = Vec<(usize, usize, usize)>;

/// Binds the events of a file for the rules.
pub(crate) fn bind(file: &Path, corpus: &Corpus) -> Result<Bound, Box<dyn std::error::Error>> {
    let text = fs::read(file)?;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let mut binder = Binder::new(Arc::new(StreamMap::built_in()?), corpus.wanted.clone(), ROUND);
    let mut rounds: Vec<Vec<StreamBatch>> = Vec::new();
    for event in Reader::new("events", BufReader::new(io::Cursor::new(&text))) {
        if binder.push(&event?) == Fill::Full {
            rounds.push(binder.take());
        }
    }
    rounds.push(binder.take());
    let mut places: BTreeMap<(u64, u64), Places> = BTreeMap::new();
    for (round, batches) in rounds.iter().enumerate() {
        for (stream, batch) in batches.iter().enumerate() {
            for (row, event) in batch.events.iter().enumerate() {
                places.entry((event.ordinal, event.position.line)).or_default().push((stream, round, row));
            }
        }
    }
    let mut bound = Bound::default();
    let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut keys: Vec<Vec<(usize, usize)>> = Vec::new();
    for ((_, line), places) in places {
        let streams: Vec<usize> = places.iter().map(|(stream, ..)| *stream).collect();
        let route = *known.entry(streams.clone()).or_insert_with(|| {
            let (route, of_route) = route(&streams, corpus);
            bound.routes.push(route);
            keys.push(of_route);
            bound.routes.len() - 1
        });
        let keys = keys.get(route).map(Vec::as_slice).unwrap_or_default();
        let values = keys.iter().map(|(place, column)| value(&rounds, &places, *place, *column, corpus));
        let is_all = |(place, column): &(usize, usize)| {
            streams.get(*place).and_then(|stream| wanted(corpus, *stream, *column)).is_some_and(is_all_values)
        };
        let line = usize::try_from(line)?.saturating_sub(1);
        bound.events.push(Event {
            route,
            values: values.map(|value| value.unwrap_or(Value::Null)).collect(),
            json: lines.get(line).map(|line| line.to_vec()).unwrap_or_default(),
            all_values: keys.iter().position(is_all).and_then(|key| u32::try_from(key).ok()),
        });
    }
    Ok(bound)
}

/// A route, and of each of its keys the place of the stream in the route and the column. A column that two streams want
/// alike is taken from the first.
fn route(streams: &[usize], corpus: &Corpus) -> (Route, Vec<(usize, usize)>) {
    let mut keys: Vec<(usize, usize)> = Vec::new();
    let mut route = Route::default();
    for stream in streams.iter().filter_map(|stream| corpus.wanted.get(*stream)) {
        route.name += if route.name.is_empty() { "" } else { ", " };
        route.name += &stream.stream;
    }
    for (number, rule) in corpus.rules().iter().enumerate() {
        let Some(place) = streams.iter().position(|stream| *stream == rule.stream) else { continue };
        let mut columns = Vec::with_capacity(rule.columns.len());
        for column in &rule.columns {
            let Some(wanted) = wanted(corpus, rule.stream, *column) else { continue };
            let known = keys.iter().position(|(place, column)| {
                streams.get(*place).and_then(|stream| self::wanted(corpus, *stream, *column)) == Some(wanted)
            });
            let key = known.unwrap_or_else(|| {
                keys.push((place, *column));
                route.keys.push(wanted.field.join("."));
                keys.len() - 1
            });
            columns.push(u32::try_from(key).unwrap_or(u32::MAX));
        }
        route.detections.push((number, columns));
    }
    (route, keys)
}

fn wanted(corpus: &Corpus, stream: usize, column: usize) -> Option<&SourceColumn> {
    corpus.wanted.get(stream)?.columns.get(column)
}

/// Whether a column is what keywords are looked for in.
fn is_all_values(column: &SourceColumn) -> bool {
    column.field.iter().eq(["*"])
}

/// The value of a column in the row of one of the streams.
fn value(
    rounds: &[Vec<StreamBatch>],
    places: &Places,
    place: usize,
    column: usize,
    corpus: &Corpus,
) -> Option<Value<'static>> {
    let (stream, round, row) = *places.get(place)?;
    let is_list = wanted(corpus, stream, column)?.list;
    let column: &Column = rounds.get(round)?.get(stream)?.batch.columns.get(column)?;
    let owned = |cell: Cell<'_>| match cell {
        Cell::Text(text) => Cow::Owned(text.to_owned()),
        _ => Cow::Borrowed(""),
    };
    Some(match column.row(row) {
        Cells::Absent | Cells::Null if column.physical() == PhysicalType::Text && !is_list => {
            Value::Text(Cow::Borrowed(""))
        }
        Cells::Absent | Cells::Null => Value::Null,
        Cells::Elements(elements) => match elements.single() {
            Some(Cell::Text(text)) => Value::Text(Cow::Owned(text.to_owned())),
            Some(Cell::Integer(integer)) => Value::Integer(integer),
            Some(_) => Value::Other,
            None => Value::Elements(elements.map(owned).collect()),
        },
    })
}
