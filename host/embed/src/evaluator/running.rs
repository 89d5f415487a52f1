//! One detection at work: its instance, its dataflow, its counters.

use std::sync::Arc;

use sandtrap_dataflow::{
    Changes, Flow, FlowError, KernelError, Kernels, Limits, LookbackMode, Shape, Table, inline_rows, rows_within,
    run_kernel,
};
use sandtrap_engine::{Detection, EvaluateError, Instance};
use sandtrap_wit::{
    batch::{Batch, Column},
    plan::{Kernel, Rows, SourceColumn},
};

use super::{Options, Reporting};

/// What a detection did in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows of its stream that it could look at, before any lookback.
    pub rows: u64,
    /// Calls of its component.
    pub calls: u64,
    /// Verdicts, or rows of its table.
    pub verdicts: u64,
    /// Rows that it could not be asked about because its component failed.
    pub unevaluated: u64,
}

/// One detection at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) flow: Flow,
    pub(super) counters: Counters,
    kernels: InstanceKernels,
    /// For each column of its source, the column of the stream's batch.
    columns: Vec<usize>,
    options: Options,
}

/// Rows that a detection found one by one.
#[derive(Debug, Default)]
pub(super) struct FoundRows {
    /// Which rows of the stream's batch.
    pub(super) rows: Vec<u32>,
    /// Their result columns.
    pub(super) batch: Batch,
}

#[derive(Debug)]
struct InstanceKernels {
    instance: Instance,
    now: i64,
    calls: u64,
}

impl Kernels for InstanceKernels {
    type Error = EvaluateError;

    fn evaluate(&mut self, kernel: u32, batch: &Batch) -> Result<(Vec<u32>, Vec<Column>), EvaluateError> {
        self.calls = self.calls.saturating_add(1);
        let rows = u32::try_from(batch.rows).unwrap_or(u32::MAX);
        let matches = self.instance.evaluate(kernel, self.now, rows, &batch.columns)?;
        Ok((matches.rows, matches.columns))
    }
}

pub(super) type Failure = KernelError<EvaluateError>;

impl Running {
    /// `columns` says where the columns of its source are in the stream's batches.
    pub(super) fn new(detection: &Detection, columns: Vec<usize>, options: Options) -> Result<Self, FlowError> {
        let flow = Flow::new(&detection.manifest().plan, Limits::default())?;
        let kernels = InstanceKernels { instance: Instance::new(detection), now: options.now, calls: 0 };
        Ok(Self { flow, counters: Counters::default(), kernels, columns, options })
    }

    /// Whether each row is reported by itself as it comes.
    pub(super) fn reports_rows(&self) -> bool {
        self.flow.shape() == Shape::RowWise
            && self.options.reporting == Reporting::AsTheyCome
            && matches!(self.flow.chain().source.rows, Rows::Stream(_))
    }

    /// Looks at rows of its stream. What it finds is returned if it reports row by row, and kept if not.
    pub(super) fn look_at(&mut self, stream: &Batch) -> Result<FoundRows, Failure> {
        let columns = self.columns.iter().map(|index| stream.columns.get(*index).cloned());
        let Some(columns) = columns.collect::<Option<Vec<Arc<Column>>>>() else {
            return Err(KernelError::Mismatch("the stream's batch lacks a column that was asked for".into()));
        };
        self.counters.rows = self.counters.rows.saturating_add(stream.rows as u64);
        let found = self.front(Batch { rows: stream.rows, columns });
        self.counters.calls = self.kernels.calls;
        let found = found.inspect_err(|_| {
            self.counters.unevaluated = self.counters.unevaluated.saturating_add(stream.rows as u64);
        })?;
        if self.reports_rows() {
            self.counters.verdicts = self.counters.verdicts.saturating_add(found.rows.len() as u64);
            return Ok(found);
        }
        self.flow.push(&found.batch);
        Ok(FoundRows::default())
    }

    /// Looks at the rows that the detection brings itself, if it does.
    pub(super) fn look_at_inline(&mut self) -> Result<(), Failure> {
        let rows = inline_rows(&self.flow.chain().source).map_err(|error| KernelError::Mismatch(error.to_string()))?;
        let Some(rows) = rows else { return Ok(()) };
        self.counters.rows = self.counters.rows.saturating_add(rows.rows as u64);
        let found = self.front(rows)?;
        self.flow.push(&found.batch);
        Ok(())
    }

    /// The lookback, then the kernels directly above the source, or all kernels if each row is reported by itself.
    fn front(&mut self, input: Batch) -> Result<FoundRows, Failure> {
        let chain = self.flow.chain();
        let lookback = chain.source.lookback.filter(|_| self.options.lookback == LookbackMode::Query);
        let time =
            lookback.and_then(|lookback| input.columns.get(lookback.column as usize).map(|time| (lookback, time)));
        let rows = match time {
            Some((lookback, time)) => rows_within(&lookback, self.options.now, time),
            None => (0_u32..).zip(0..input.rows).map(|(index, _)| index).collect(),
        };
        let batch = if rows.len() == input.rows { input } else { gather(&input, &rows) };
        let mut found = FoundRows { rows, batch };
        let kernels: Vec<&Kernel> =
            if self.reports_rows() { chain.kernels().collect() } else { chain.front.iter().collect() };
        for kernel in kernels {
            if found.rows.is_empty() {
                return Ok(FoundRows::default());
            }
            let picked = run_kernel(kernel, &found.batch, &mut self.kernels)?;
            let rows = picked.rows.iter().filter_map(|row| found.rows.get(*row as usize).copied()).collect();
            found = FoundRows { rows, batch: picked.batch };
        }
        Ok(found)
    }

    /// The groups that appeared or changed since the last call.
    pub(super) fn changes(&mut self) -> Result<Changes, Failure> {
        let changes = self.flow.changes(&mut self.kernels);
        self.counters.calls = self.kernels.calls;
        changes
    }

    /// The table that the query prints.
    pub(super) fn finish(&mut self) -> Result<Table, Failure> {
        let table = self.flow.finish(&mut self.kernels);
        self.counters.calls = self.kernels.calls;
        table.inspect(|table| self.counters.verdicts = table.batch.rows as u64)
    }
}

fn gather(batch: &Batch, rows: &[u32]) -> Batch {
    Batch { rows: rows.len(), columns: batch.columns.iter().map(|column| Arc::new(column.gather(rows))).collect() }
}

/// The places of `wanted` in `columns`, which has them all; adds those it lacks.
pub(super) fn places(columns: &mut Vec<SourceColumn>, wanted: &[SourceColumn]) -> Vec<usize> {
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
