//! What somebody wants of a stream.

use std::sync::Arc;

use sandtrap_wit::{batch::Batch, logsource::Logsource, plan::SourceColumn};

use crate::{event::EventRef, streams::Target};

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

/// A [`Wanted`] stream, its name parsed.
#[derive(Debug)]
pub(super) struct WantedStream {
    pub(super) stream: Arc<str>,
    /// What it wants, if it is no table.
    logsource: Option<Logsource>,
    pub(super) columns: Vec<SourceColumn>,
}

impl WantedStream {
    pub(super) fn new(wanted: Wanted) -> Self {
        let Wanted { stream, columns } = wanted;
        Self { logsource: Logsource::parse(&stream), stream: stream.into(), columns }
    }

    pub(super) fn is_filled_by(&self, target: &Target) -> bool {
        target.fills(&self.stream, self.logsource.as_ref())
    }

    pub(super) fn wants(&self, logsource: &Logsource) -> bool {
        self.logsource.as_ref().is_some_and(|wanted| wanted.wants(logsource))
    }
}
