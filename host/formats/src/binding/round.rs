//! The events since a binder was cleared, and their cells as somebody asks for them.

use std::{cell::RefCell, collections::HashSet, sync::Arc};

use bumpalo::Bump;
use sandtrap_wit::{
    LogicalType, PhysicalType,
    batch::{Batch, Column, ColumnBuilder},
    prefilter,
};

use super::{
    access::{Known, Written},
    counts::Unconverted,
    layouts::{Layout, Layouts, Which},
    origin::{Made, Origin, Place},
    route::{Destination, Route},
    rows::{Row, Rows},
    wanted::{StreamBatch, WantedStream},
};
use crate::{convert::Converted, event::EventRef, json::Shape};

/// The events of one round. Rows are their numbers, from 0.
#[derive(Clone, Copy, Debug)]
pub struct Round<'b> {
    pub(super) rows: &'b Rows,
    pub(super) shapes: &'b [Shape],
    pub(super) layouts: &'b Layouts,
    pub(super) destinations: &'b [Destination],
    pub(super) wanted: &'b [WantedStream],
    pub(super) failures: &'b RefCell<Failures>,
}

/// The cells that could not be converted. A cell is asked for as often as detections want it, and counted once.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// By wanted stream and column.
    counted: Vec<Vec<u64>>,
    /// Of this round: wanted stream, column and row.
    seen: HashSet<(usize, usize, u32)>,
}

impl<'b> Round<'b> {
    /// How many events there are that were not [forgotten](super::Binder::settle), those included that belong to no wanted
    /// stream.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event for a verdict; `None` if it belongs to no stream at all.
    pub fn event(&self, row: usize) -> Option<EventRef> {
        let room = Bump::new();
        let seen = self.see(row)?.with_room(&room);
        let sources = seen.destination.time.iter().enumerate();
        let time = sources.map(|(source, origin)| seen.make(Which::Time(source), origin)).find_map(|made| match made {
            Made::One(Some(Converted::Integer(ticks))) => Some(ticks),
            _ => None,
        });
        Some(EventRef {
            ordinal: seen.kept.ordinal,
            position: self.rows.position(seen.kept)?,
            time,
            streams: Arc::clone(&seen.destination.streams),
        })
    }

    /// Where the event goes; `None` if it is a row of no wanted stream.
    pub fn route(&self, row: usize) -> Option<&'b Arc<Route>> {
        self.row(row).map(|row| row.route())
    }

    /// An event that is a row of a wanted stream.
    pub fn row(&self, row: usize) -> Option<RoutedRow<'b>> {
        self.see(row).filter(|seen| !seen.destination.route.fills.is_empty()).map(|seen| RoutedRow { seen })
    }

    /// The cell of a key of the row's route, as an index is told of it.
    pub fn value(&self, row: usize, key: u32) -> prefilter::Value<'b> {
        self.row(row).map_or(prefilter::Value::Null, |row| row.value(key))
    }

    /// All rows of a wanted stream, in order.
    pub fn rows_of(&self, wanted: usize) -> Vec<u32> {
        let fills = |destination: &Destination| destination.route.fills(wanted).is_some();
        let fills: Vec<bool> = self.destinations.iter().map(fills).collect();
        let is_of = |row: usize| Some(*fills.get(self.rows.get(row)?.destination? as usize)?);
        let rows = (0..self.len()).filter(|row| is_of(*row) == Some(true));
        rows.filter_map(|row| u32::try_from(row).ok()).collect()
    }

    /// The cells of these rows, which are of that wanted stream, in the columns at these places of
    /// [`Wanted::columns`](super::Wanted::columns). A row that is of another stream has nothing.
    pub fn gather(&self, wanted: usize, columns: &[usize], rows: &[u32]) -> Vec<Arc<Column>> {
        let seen: Vec<_> = rows
            .iter()
            .map(|row| {
                let seen = self.see(*row as usize)?;
                Some((seen, seen.destination.route.fills(wanted)?))
            })
            .collect();
        let column = |place: &usize| {
            let column = self.wanted.get(wanted).and_then(|stream| stream.columns.get(*place));
            let mut builder = ColumnBuilder::of(column.map_or(LogicalType::String, |column| column.ty));
            if column.is_none_or(|column| column.ty.physical() == PhysicalType::Text) {
                // Text that grows piece by piece would be copied again and again.
                let written = seen.iter().filter_map(|seen| {
                    let (seen, keys) = seen.as_ref()?;
                    seen.written(*keys.get(*place)?)
                });
                builder.reserve_text(written.map(|written| written.bytes.len()).sum());
            }
            // What is made for a cell is copied, and a large event may be gathered for very many detections.
            let mut room = Bump::new();
            for (row, seen) in rows.iter().zip(&seen) {
                let made = seen.and_then(|(seen, keys)| seen.with_room(&room).key(*keys.get(*place)?));
                let made = made.map_or(Made::One(None), |(made, _)| made);
                if !made.push_to(&mut builder) {
                    self.failures.borrow_mut().add(wanted, *place, *row);
                }
                drop(made);
                room.reset();
            }
            Arc::new(builder.finish())
        };
        columns.iter().map(column).collect()
    }

    /// A wanted stream with all of its columns and rows.
    pub fn batch(&self, wanted: usize) -> Option<StreamBatch> {
        let stream = self.wanted.get(wanted)?;
        let rows = self.rows_of(wanted);
        let columns: Vec<usize> = (0..stream.columns.len()).collect();
        Some(StreamBatch {
            stream: Arc::clone(&stream.stream),
            batch: Batch { rows: rows.len(), columns: self.gather(wanted, &columns, &rows) },
            events: rows.iter().filter_map(|row| self.event(*row as usize)).collect(),
        })
    }

    fn see(&self, row: usize) -> Option<Seen<'b>> {
        let kept = self.rows.get(row)?;
        let line = self.rows.known(kept).and_then(|(layout, line)| Some((self.layouts.get(layout)?, line)));
        let destination = self.destinations.get(kept.destination? as usize)?;
        Some(Seen { kept, destination, line, rows: self.rows, shapes: self.shapes })
    }
}

/// A row of a round that is a row of a wanted stream, for whoever has many questions about it.
#[derive(Clone, Copy, Debug)]
pub struct RoutedRow<'b> {
    seen: Seen<'b>,
}

impl<'b> RoutedRow<'b> {
    /// Where the event goes.
    pub fn route(&self) -> &'b Arc<Route> {
        &self.seen.destination.route
    }

    /// The cell of a key of the route, as an index is told of it. What must be made for it stays until the round is
    /// cleared, so a key should be asked for once.
    #[inline]
    pub fn value(&self, key: u32) -> prefilter::Value<'b> {
        self.seen.key(key).map_or(prefilter::Value::Null, |(made, origin)| made.into_value(origin.ty))
    }

    /// What decides the value of a key, if that is at hand. For rows of the same route with equal ones, the values are equal.
    #[inline]
    pub fn written(&self, key: u32) -> Option<Written<'b>> {
        self.seen.written(key)
    }

    /// The event's JSON, if it is at hand and the key's cell has all scalar values of it: of these, texts are strings
    /// there, and numbers and booleans may be written in another way than in the cell. And whether it is ASCII without `\u`
    /// escapes.
    pub fn json(&self, key: u32) -> Option<(&'b [u8], bool)> {
        let origin = self.route().origins.get(key as usize)?;
        let (_, line) = self.seen.line.filter(|_| origin.place == Place::AllValues)?;
        Some((line.text.as_bytes(), line.plain))
    }
}

/// A row and what is known about it.
#[derive(Clone, Copy, Debug)]
struct Seen<'b> {
    kept: &'b Row,
    destination: &'b Destination,
    line: Option<(&'b Layout, Known<'b>)>,
    rows: &'b Rows,
    shapes: &'b [Shape],
}

impl<'b> Seen<'b> {
    /// The same with texts made in that room.
    fn with_room<'r>(self, room: &'r Bump) -> Seen<'r>
    where
        'b: 'r,
    {
        let line = self.line.map(|(layout, line)| (layout, Known { made: room, ..line }));
        Seen { line, ..self }
    }

    /// The cell of a key, and where it comes from.
    #[inline]
    fn key(&self, key: u32) -> Option<(Made<'b>, &'b Origin)> {
        let origin = self.destination.route.origins.get(key as usize)?;
        Some((self.make(Which::Key(key as usize), origin), origin))
    }

    /// What decides the cell of a key, if that is at hand.
    #[inline]
    fn written(&self, key: u32) -> Option<Written<'b>> {
        let origin = self.destination.route.origins.get(key as usize)?;
        let (layout, line) = self.line?;
        layout.written(Which::Key(key as usize), origin, line, self.shapes)
    }

    #[inline]
    fn make(&self, which: Which, origin: &'b Origin) -> Made<'b> {
        let of_line = self.line.and_then(|(layout, line)| layout.make(which, origin, line, self.shapes));
        of_line.unwrap_or_else(|| origin.make(self.rows.tree(self.kept)))
    }
}

impl Failures {
    fn add(&mut self, wanted: usize, column: usize, row: u32) {
        if !self.seen.insert((wanted, column, row)) {
            return;
        }
        if self.counted.len() <= wanted {
            self.counted.resize_with(wanted + 1, Vec::new);
        }
        let Some(columns) = self.counted.get_mut(wanted) else { return };
        if columns.len() <= column {
            columns.resize(column + 1, 0);
        }
        if let Some(cells) = columns.get_mut(column) {
            *cells = cells.saturating_add(1);
        }
    }

    pub(super) fn clear_round(&mut self) {
        self.seen.clear();
    }

    pub(super) fn forget(&mut self) {
        self.counted.clear();
    }

    /// The columns that had some.
    pub(super) fn list(&self, wanted: &[WantedStream]) -> Vec<Unconverted> {
        let mut list = Vec::new();
        for (wanted, counted) in wanted.iter().zip(&self.counted) {
            let failed = wanted.columns.iter().zip(counted).filter(|(_, cells)| **cells > 0);
            list.extend(failed.map(|(column, cells)| Unconverted {
                stream: Arc::clone(&wanted.stream),
                column: column.clone(),
                cells: *cells,
            }));
        }
        list
    }
}
