//! One wanted stream of a round: its columns while they are filled.

use std::{collections::HashMap, sync::Arc};

use sandtrap_wit::{
    batch::{Batch, Cell, ColumnBuilder},
    logsource::Logsource,
    plan::SourceColumn,
};
use serde_json::{Map, Value};

use super::{
    binder::{Filler, StreamBatch, Wanted},
    counts::Unconverted,
};
use crate::{
    convert::{self, Converted, ListCell},
    event::{Event, EventRef},
    streams::{Fields, Source, StreamMap, Target},
};

/// The field that stands for all scalar values of an event: what keywords of Sigma are looked for in.
const ALL_VALUES: &str = "*";

/// For each column, where its cells come from.
type Sources = Arc<[Arc<[Source]>]>;

#[derive(Debug)]
pub(super) struct WantedStream {
    stream: Arc<str>,
    /// What it wants, if it is no table.
    logsource: Option<Logsource>,
    columns: Vec<SourceColumn>,
    /// Filled as they are needed; at most as many as the map has mappings.
    sources: HashMap<Filler, Sources>,
    for_rows: Sources,
    builders: Vec<ColumnBuilder>,
    events: Vec<EventRef>,
    unconverted: Vec<u64>,
}

impl WantedStream {
    pub(super) fn new(wanted: Wanted, map: &StreamMap) -> Self {
        let Wanted { stream, columns } = wanted;
        Self {
            logsource: Logsource::parse(&stream),
            sources: HashMap::new(),
            for_rows: sources(&columns, &map.rows),
            builders: columns.iter().map(|column| ColumnBuilder::of(column.ty)).collect(),
            events: Vec::new(),
            unconverted: vec![0; columns.len()],
            stream: stream.into(),
            columns,
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.stream
    }

    pub(super) fn is(&self, stream: &str) -> bool {
        *self.stream == *stream
    }

    pub(super) fn is_filled_by(&self, target: &Target) -> bool {
        target.fills(&self.stream, self.logsource.as_ref())
    }

    pub(super) fn wants(&self, logsource: &Logsource) -> bool {
        self.logsource.as_ref().is_some_and(|wanted| wanted.wants(logsource))
    }

    /// Adds a row and says how much text it has. `row` is the object of the event in which the fields are.
    pub(super) fn push(
        &mut self,
        filler: Filler,
        fields: &Fields,
        row: &Map<String, Value>,
        event: &Event,
        reference: EventRef,
    ) -> usize {
        let sources = self.sources.entry(filler).or_insert_with(|| sources(&self.columns, fields));
        let sources = Arc::clone(sources);
        self.push_from(&sources, fields, row, event, reference)
    }

    /// Adds an event that is a row of this stream by the caller's word.
    pub(super) fn push_row(&mut self, fields: &Fields, event: &Event, reference: EventRef) -> usize {
        let sources = Arc::clone(&self.for_rows);
        self.push_from(&sources, fields, &event.fields, event, reference)
    }

    fn push_from(
        &mut self,
        sources: &[Arc<[Source]>],
        fields: &Fields,
        row: &Map<String, Value>,
        event: &Event,
        reference: EventRef,
    ) -> usize {
        self.events.push(reference);
        let mut text_bytes = 0_usize;
        let cells = self.columns.iter().zip(sources).zip(self.builders.iter_mut().zip(&mut self.unconverted));
        for ((column, sources), (builder, unconverted)) in cells {
            if column.list {
                let cell = if is_all_values(column) {
                    ListCell::Values(convert::all_scalars(&event.fields))
                } else {
                    fields.find_all(sources, row)
                };
                text_bytes = text_bytes.saturating_add(cell.text_bytes());
                let fits = match cell {
                    ListCell::Absent => builder.push(Cell::Absent),
                    ListCell::Null => builder.push(Cell::Null),
                    ListCell::Values(values) => builder.push_elements(values.iter().map(|text| Cell::Text(text))),
                };
                *unconverted = unconverted.saturating_add(u64::from(!fits));
                continue;
            }
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

    pub(super) fn take(&mut self) -> StreamBatch {
        let fresh = self.columns.iter().map(|column| ColumnBuilder::of(column.ty)).collect();
        let columns = std::mem::replace(&mut self.builders, fresh);
        let columns = columns.into_iter().map(|builder| Arc::new(builder.finish())).collect();
        let events = std::mem::take(&mut self.events);
        StreamBatch { stream: Arc::clone(&self.stream), batch: Batch { rows: events.len(), columns }, events }
    }

    /// The columns that had values which could not be converted.
    pub(super) fn unconverted(&self) -> Vec<Unconverted> {
        let columns = self.columns.iter().cloned().zip(self.unconverted.iter().copied());
        let failed = columns.filter(|(_, cells)| *cells > 0);
        failed.map(|(column, cells)| Unconverted { stream: Arc::clone(&self.stream), column, cells }).collect()
    }

    #[cfg(test)]
    pub(super) fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }
}

fn is_all_values(column: &SourceColumn) -> bool {
    matches!(&*column.field, [only] if only == ALL_VALUES)
}

fn sources(columns: &[SourceColumn], fields: &Fields) -> Sources {
    columns.iter().map(|column| fields.sources(&column.field)).collect()
}
