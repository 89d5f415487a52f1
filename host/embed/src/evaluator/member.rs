//! What does not change about a detection during a run: its plan, where its columns are, how its verdicts look.

use std::sync::Arc;

use sandtrap_dataflow::{Chain, FlowError, Overflow, Shape};
use sandtrap_engine::Detection;
use sandtrap_formats::{
    binding::Wanted,
    verdict::{DetectionRef, ResultColumn, ResultRows},
};
use sandtrap_wit::{
    batch::Batch,
    plan::{NamedColumn, Rows, SourceColumn},
    prefilter::Prefilter,
};

use super::{Counters, Options, Reporting, Summary, containment::Containment};
use crate::rules::Rule;

/// A detection of a run. Workers share it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) detection: Detection,
    pub(super) chain: Chain,
    /// Whether each row is reported by itself as it comes.
    pub(super) reports_rows: bool,
    pub(super) reference: Arc<DetectionRef>,
    /// The stream that it reads, in a list as verdicts have it; empty when it brings its own rows.
    pub(super) streams: Arc<[Arc<str>]>,
    /// Where its rows come from; `None` when it brings its own.
    pub(super) reads: Option<Reads>,
    /// What becomes of it when its component fails.
    pub(super) containment: Containment,
    /// The columns of its verdicts.
    results: Arc<[ResultColumn]>,
}

/// What a detection reads of a stream.
#[derive(Debug)]
pub(super) struct Reads {
    /// The place of the stream among the wanted ones.
    pub(super) wanted: usize,
    /// For each column of its source, the column of the stream.
    pub(super) columns: Vec<usize>,
}

impl Member {
    /// Adds what the detection wants to `wanted`.
    pub(super) fn new(rule: &Rule, options: Options, wanted: &mut Vec<Wanted>) -> Result<Self, FlowError> {
        let detection = rule.detection.clone();
        let manifest = detection.manifest();
        let chain = Chain::of(&manifest.plan)?;
        let (streams, reads): (Arc<[Arc<str>]>, _) = match &chain.source.rows {
            Rows::Stream(stream) => {
                ([Arc::from(stream.as_str())].into(), Some(add_wanted(wanted, stream, &chain.source.columns)))
            }
            Rows::Inline(_) => (Arc::from([]), None),
        };
        let results = detection.columns_of_nodes().get(chain.result() as usize).into_iter().flatten();
        let results = results
            .map(|NamedColumn { name, ty, list }| ResultColumn { name: name.as_str().into(), ty: *ty, list: *list })
            .collect();
        let reference = Arc::new(DetectionRef {
            id: detection.full_id().to_owned(),
            digest: detection.digest().to_owned(),
            title: manifest.title.clone(),
            level: manifest.level,
        });
        let as_they_come = options.reporting == Reporting::AsTheyCome;
        let reports_rows = chain.shape == Shape::RowWise && as_they_come && reads.is_some();
        let containment = Containment::default();
        Ok(Self { detection, chain, reports_rows, reference, streams, reads, containment, results })
    }

    /// Whether it is that detection, to the byte.
    pub(super) fn is(&self, detection: &Detection) -> bool {
        self.detection.component_digest() == detection.component_digest()
            && self.detection.manifest_digest() == detection.manifest_digest()
    }

    /// What every row that it can match meets.
    pub(super) fn prefilter(&self) -> &Prefilter {
        &self.chain.source.prefilter
    }

    /// Its summary before it did anything.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            detection: Arc::clone(&self.reference),
            stream: self.streams.first().cloned(),
            is_pruned: !self.prefilter().is_always(),
            counters: Counters::default(),
            last_failure: None,
            overflow: Overflow::default(),
        }
    }

    /// Rows of its result, as verdicts have them.
    pub(super) fn rows(&self, batch: Batch) -> Arc<ResultRows> {
        ResultRows::new(&self.results, batch)
    }
}

/// Adds what a detection wants of a stream, and says where it will be.
fn add_wanted(wanted: &mut Vec<Wanted>, stream: &str, columns: &[SourceColumn]) -> Reads {
    let place = wanted.iter().position(|known| known.stream == stream).unwrap_or_else(|| {
        wanted.push(Wanted { stream: stream.to_owned(), columns: Vec::new() });
        wanted.len().saturating_sub(1)
    });
    let columns = wanted.get_mut(place).map_or_else(Vec::new, |known| places(&mut known.columns, columns));
    Reads { wanted: place, columns }
}

/// The places of `wanted` in `columns`; adds those it lacks.
fn places(columns: &mut Vec<SourceColumn>, wanted: &[SourceColumn]) -> Vec<usize> {
    wanted
        .iter()
        .map(|column| {
            columns.iter().position(|known| known == column).unwrap_or_else(|| {
                columns.push(column.clone());
                columns.len().saturating_sub(1)
            })
        })
        .collect()
}
