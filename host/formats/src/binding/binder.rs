//! From events to what detections see of them.
//!
//! A [`Binder`] is given events one by one, or lines, and routes each to its streams. What it keeps of a round is the
//! events themselves: a [`Round`] takes cells out of them when they are asked for, for an event that no detection can
//! match needs no columns. One round covers the same events in every stream, so that verdicts can be put back in the
//! order of the events. An event without a stream is counted, by what it says it is, for a summary.

use std::{cell::RefCell, num::NonZeroUsize, ops::Range, sync::Arc};

use serde_json::{Map, Value};

use super::{
    counts::{Counts, EventKind, Unconverted},
    layouts::{Goes, Layouts},
    round::{Failures, Round},
    route::Routes,
    rows::Rows,
    wanted::{StreamBatch, Wanted, WantedStream},
};
use crate::{
    event::{Event, Position},
    input::line,
    json::Shapes,
    ndjson::ReadError,
    streams::{EventKey, StreamMap},
};

/// How much text a round may hold, in bytes, before [`Binder::push`] says that it is full. A round goes past it by at
/// most one event.
pub const BATCH_TEXT_BYTES_MAX: usize = 12 << 20;

/// How much more than its text an event counts that was parsed as a whole: it takes some tens of bytes for each value.
const PARSED_WEIGHT: usize = 3;

/// Whether another event may be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a full binder should be cleared"]
pub enum Fill {
    /// There is room.
    Room,
    /// Evaluate and clear the round first.
    Full,
}

/// What a line was.
#[derive(Debug)]
#[must_use = "an envelope's elements are yet to be pushed, and a full binder should be cleared"]
pub enum Pushed {
    /// Nothing: it is blank.
    Blank,
    /// An event, which is in the round now.
    Event {
        /// Whether there is room for another.
        fill: Fill,
        /// Whether it is an event only because what is no Unicode in it became U+FFFD.
        repaired: bool,
    },
    /// An envelope. Nothing was pushed.
    Envelope {
        /// Its elements: events, to be pushed one by one, or why they are none.
        elements: Vec<Result<Event, ReadError>>,
        /// As of an event.
        repaired: bool,
    },
}

/// Keeps the events of a round and finds their cells.
#[derive(Debug)]
pub struct Binder {
    routes: Routes,
    wanted: Vec<WantedStream>,
    rows: Rows,
    shapes: Shapes,
    layouts: Layouts,
    batch_events_max: NonZeroUsize,
    text_bytes: usize,
    counts: Counts,
    failures: RefCell<Failures>,
}

impl Binder {
    /// A binder that fills these streams, in this order, with at most so many events in a round. A stream that the map
    /// does not know stays empty, unless rows are pushed to it or events say themselves that they belong there.
    pub fn new(map: Arc<StreamMap>, wanted: Vec<Wanted>, batch_events_max: NonZeroUsize) -> Self {
        Self {
            counts: Counts::new(map.streams()),
            routes: Routes::new(map),
            wanted: wanted.into_iter().map(WantedStream::new).collect(),
            rows: Rows::default(),
            shapes: Shapes::default(),
            layouts: Layouts::default(),
            batch_events_max,
            text_bytes: 0,
            failures: RefCell::default(),
        }
    }

    /// Adds an event.
    pub fn push(&mut self, event: &Event) -> Fill {
        self.push_owned(event.clone())
    }

    /// Adds an event. Its fields are kept until the binder is cleared.
    pub fn push_owned(&mut self, event: Event) -> Fill {
        let text_bytes = text_bytes(&event.fields);
        self.push_tree(event.fields, &event.position, text_bytes)
    }

    /// Adds an event that is a row of `stream` by the caller's word: its fields have the columns' names.
    pub fn push_row(&mut self, stream: &str, event: &Event) -> Fill {
        let place = self.routes.of_row(stream, &self.wanted, &mut self.counts);
        self.count(place);
        self.rows.push_tree(Some(place), &event.position, event.fields.clone());
        self.pushed(text_bytes(&event.fields).saturating_mul(PARSED_WEIGHT))
    }

    /// Adds the event that a line of NDJSON is; `position` is where the line begins. The same lines are events, and for
    /// those that are none there are the same errors, as for [`ndjson::Reader`](crate::ndjson::Reader), which skips the
    /// byte order mark of an input's first line, too.
    pub fn push_line(&mut self, line: &[u8], position: &Position) -> Result<Pushed, ReadError> {
        let text = line::content(line, position.offset);
        if text.is_empty() {
            return Ok(Pushed::Blank);
        }
        if let Ok(line) = simdutf8::basic::from_utf8(text)
            && let Some(fill) = self.push_known(line, position)
        {
            return Ok(Pushed::Event { fill, repaired: false });
        }
        Ok(match line::parse(text, position)? {
            line::Parsed::Event { fields, repaired } => {
                Pushed::Event { fill: self.push_tree(fields, position, text.len()), repaired }
            }
            line::Parsed::Envelope { elements, repaired } => Pushed::Envelope { elements, repaired },
        })
    }

    /// The events since the binder was made or cleared.
    pub fn round(&self) -> Round<'_> {
        Round {
            rows: &self.rows,
            shapes: self.shapes.all(),
            layouts: &self.layouts,
            destinations: self.routes.destinations(),
            wanted: &self.wanted,
            failures: &self.failures,
        }
    }

    /// The rows of this round of which nobody said whether they are kept.
    pub fn unsettled(&self) -> Range<usize> {
        self.rows.unsettled()
    }

    /// Keeps those of the [unsettled](Self::unsettled) rows of which `keep` says so, from the first of these numbers on and
    /// in their order, and forgets the others: most events concern no detection, and one that is looked at soon after it
    /// was read is still in a cache.
    pub fn settle(&mut self, keep: impl Fn(usize) -> bool) {
        self.rows.settle(keep);
    }

    /// Fills these streams from now on: those that it fills already, in the same places and with the same columns and perhaps
    /// more, and then others. Events that were not taken are forgotten; what was learned about lines is not.
    pub fn want(&mut self, wanted: Vec<Wanted>) {
        self.clear();
        self.routes.clear();
        self.layouts.clear();
        self.wanted = wanted.into_iter().map(WantedStream::new).collect();
    }

    /// Begins the next round. What the last one took as memory is used again.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.text_bytes = 0;
        self.failures.get_mut().clear_round();
        // Layouts speak of both.
        let forgotten = self.routes.trim() | self.shapes.trim();
        if forgotten || self.layouts.is_full() {
            self.layouts.clear();
        }
    }

    /// The batches of this round, one for each wanted stream, in that order; empty ones too. The next round begins.
    pub fn take(&mut self) -> Vec<StreamBatch> {
        let round = self.round();
        let batches = (0..self.wanted.len()).filter_map(|wanted| round.batch(wanted)).collect();
        self.clear();
        batches
    }

    /// The streams that events may be of.
    pub fn streams(&self) -> &Arc<StreamMap> {
        self.routes.map()
    }

    /// Begins to count anew.
    pub fn forget_counts(&mut self) {
        self.counts.forget();
        self.failures.get_mut().forget();
    }

    /// What was counted since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The columns that had values which could not be converted, in the order wanted. Only cells are counted that were
    /// asked for.
    pub fn unconverted(&self) -> Vec<Unconverted> {
        self.failures.borrow().list(&self.wanted)
    }

    /// The wanted streams that nothing in the map fills: only rows, or events that say so themselves, can.
    pub fn unfilled(&self) -> Vec<Arc<str>> {
        let names = self.wanted.iter().map(|wanted| &wanted.stream);
        names.filter(|stream| !self.routes.map().fills(stream)).map(Arc::clone).collect()
    }

    /// Adds a line without parsing it. `None`, and nothing is added, if that cannot be done.
    fn push_known(&mut self, line: &str, position: &Position) -> Option<Fill> {
        let before = self.rows.leaves().len();
        let shape = self.shapes.read(line, self.rows.leaves())?;
        let leaves = self.rows.leaves().get(before..).unwrap_or_default();
        let known = self.layouts.find(shape, line, leaves);
        let new = || if self.layouts.is_undecidable(shape) { None } else { self.lay_out(shape, line, before) };
        let Some(place) = known.or_else(new) else {
            self.rows.leaves().truncate(before);
            return None;
        };
        let destination = match &self.layouts.get(place)?.goes {
            Goes::To(destination) => Some(*destination),
            Goes::Nowhere(kind) => {
                self.counts.add_unrouted(kind);
                None
            }
        };
        if let Some(destination) = destination {
            self.count(destination);
        }
        self.rows.push_line(destination, position, line, self.shapes.is_plain(), before, place);
        Some(self.pushed(line.len()))
    }

    /// Finds out where a line goes that is the first of its kind. The place of its layout.
    fn lay_out(&mut self, shape: u32, line: &str, leaves: usize) -> Option<usize> {
        let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
        let map = Arc::clone(self.routes.map());
        let key = EventKey::new(&fields, &map.discriminators);
        let place = self.routes.find(&fields, &key, &self.wanted, &mut self.counts);
        let goes = place.map_or_else(|| Goes::Nowhere(EventKind::of(&map.kind(&key))), Goes::To);
        let skeleton = &self.shapes.all().get(shape as usize)?.skeleton;
        let Some(looked_at) = self.routes.decisive(skeleton, &key.asked()) else {
            self.layouts.set_undecidable(shape);
            return None;
        };
        let destination = place.and_then(|place| self.routes.destinations().get(place));
        let leaves = self.rows.leaves().get(leaves..).unwrap_or_default();
        self.layouts.add(shape, line, leaves, &looked_at, goes, destination)
    }

    fn push_tree(&mut self, fields: Map<String, Value>, position: &Position, text_bytes: usize) -> Fill {
        let map = Arc::clone(self.routes.map());
        let key = EventKey::new(&fields, &map.discriminators);
        let place = self.routes.find(&fields, &key, &self.wanted, &mut self.counts);
        match place {
            Some(place) => self.count(place),
            None => self.counts.add_unrouted(&EventKind::of(&map.kind(&key))),
        }
        drop(key);
        self.rows.push_tree(place, position, fields);
        self.pushed(text_bytes.saturating_mul(PARSED_WEIGHT))
    }

    fn count(&mut self, place: usize) {
        if let Some(destination) = self.routes.destinations().get(place) {
            self.counts.add(&destination.counted);
        }
    }

    fn pushed(&mut self, text_bytes: usize) -> Fill {
        self.text_bytes = self.text_bytes.saturating_add(text_bytes);
        let many = self.rows.pushed() >= self.batch_events_max.get() as u64 || self.text_bytes >= BATCH_TEXT_BYTES_MAX;
        // Routes can be forgotten when no event of the round needs them any more.
        if many || self.routes.is_full() { Fill::Full } else { Fill::Room }
    }
}

/// About how much text an event has: that of its scalars, and a few bytes for what is no text.
fn text_bytes(fields: &Map<String, Value>) -> usize {
    const SCALAR_BYTES: usize = 8;
    let mut bytes = 0_usize;
    let mut open: Vec<&Value> = fields.values().collect();
    while let Some(value) = open.pop() {
        let own = match value {
            Value::String(text) => text.len(),
            Value::Array(items) => {
                open.extend(items);
                0
            }
            Value::Object(inner) => {
                open.extend(inner.values());
                0
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => SCALAR_BYTES,
        };
        bytes = bytes.saturating_add(own);
    }
    bytes
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
#[cfg(test)]
#[path = "tests_of_lines.rs"]
mod tests_of_lines;
#[cfg(test)]
#[path = "tests_of_logsources.rs"]
mod tests_of_logsources;
