//! Verdicts in Sandtrap's own form: one JSON object per line, keys in a fixed order, the same bytes for the same
//! verdict. verdict.schema.json describes it for other languages; a test below holds the two together.
//!
//! A verdict outlives the events that it is about; the rows of a result are shared by the verdicts about them.

use std::{io, sync::Arc};

use sandtrap_wit::manifest::Level;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::columns::VerdictColumns;
use crate::{
    convert::format_datetime,
    event::{EventRef, Position},
};

/// The JSON Schema of a verdict.
pub const JSON_SCHEMA: &str = include_str!("../../verdict.schema.json");

/// What a detection found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whose verdict it is.
    pub detection: Arc<DetectionRef>,
    /// What it is about.
    pub about: About,
    /// When it happened, in ticks of 100 ns since 1970-01-01 UTC.
    pub time: Option<i64>,
    /// The streams of the event; for a group, the streams that the detection reads.
    pub streams: Arc<[Arc<str>]>,
    /// The columns of the result, in the order of the plan.
    pub columns: VerdictColumns,
}

/// The detection of a verdict, shared by all of its verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectionRef {
    /// `namespace/id`.
    pub id: String,
    /// The digest of its component.
    pub digest: String,
    /// Its title.
    pub title: String,
    /// How bad a true positive is, if the detection says.
    pub level: Option<Level>,
}

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One event.
    Event(Position),
    /// A row of an aggregated result.
    Group(Revision),
}

/// Which state of a group a verdict reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// The group so far, reported while events still come: the first report is 1.
    Interim(u64),
    /// The group at the end of the input, as KQL would print it.
    Final,
}

impl Verdict {
    /// A verdict about one event.
    pub fn of_event(detection: Arc<DetectionRef>, event: &EventRef, columns: VerdictColumns) -> Self {
        let about = About::Event(event.position.clone());
        Self { detection, about, time: event.time, streams: Arc::clone(&event.streams), columns }
    }

    /// Writes it as one line.
    pub fn write(&self, mut output: impl io::Write) -> io::Result<()> {
        // One write for a whole line: a pipe's reader never sees half of one because of us.
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        output.write_all(&line)
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("detection", &self.detection.id)?;
        map.serialize_entry("digest", &self.detection.digest)?;
        map.serialize_entry("title", &self.detection.title)?;
        map.serialize_entry("level", &self.detection.level)?;
        map.serialize_entry("kind", self.about.kind())?;
        map.serialize_entry("time", &self.time.and_then(format_datetime))?;
        match &self.about {
            About::Event(position) => map.serialize_entry("event", &Event(position))?,
            About::Group(revision) => map.serialize_entry("group", &Group(*revision))?,
        }
        let streams: Vec<&str> = self.streams.iter().map(AsRef::as_ref).collect();
        map.serialize_entry("streams", &streams)?;
        map.serialize_entry("columns", &Columns(&self.columns))?;
        map.end()
    }
}

impl About {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Group(_) => "group",
        }
    }
}

struct Event<'v>(&'v Position);

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("source", &*self.0.source)?;
        if self.0.line > 0 {
            map.serialize_entry("line", &self.0.line)?;
        }
        if let Some(record) = self.0.record {
            map.serialize_entry("record", &record)?;
        }
        map.serialize_entry("offset", &self.0.offset)?;
        map.end()
    }
}

struct Group(Revision);

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (revision, end) = match self.0 {
            Revision::Interim(revision) => (Some(revision), false),
            Revision::Final => (None, true),
        };
        map.serialize_entry("revision", &revision)?;
        map.serialize_entry("final", &end)?;
        map.end()
    }
}

struct Columns<'v>(&'v VerdictColumns);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, column) in self.0.iter().enumerate() {
            // Names come from a component's manifest. A JSON key that is there twice is read in different ways by
            // different readers, so the first column of a name is the only one.
            if !self.0.names().take(index).any(|earlier| earlier == column.name) {
                map.serialize_entry(column.name, &column.to_json())?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
