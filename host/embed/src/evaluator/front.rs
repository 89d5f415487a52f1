//! The part of a detection that needs no memory: the lookback, then the kernels directly above the source. Workers run it,
//! each with an instance of its own.

use std::sync::Arc;

use sandtrap_dataflow::{KernelError, Kernels, LookbackMode, rows_within, run_kernel};
use sandtrap_engine::{EvaluateError, Instance};
use sandtrap_wit::{
    batch::{Batch, Column},
    plan::Kernel,
};

use super::{Options, member::Member};

/// Rows that a detection picked.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// Which rows of the batch that it was given.
    pub(super) rows: Vec<u32>,
    /// Their columns.
    pub(super) batch: Batch,
}

/// An instance that answers the kernels of a plan.
#[derive(Debug)]
pub(super) struct InstanceKernels<'i> {
    pub(super) instance: &'i mut Instance,
    pub(super) now: i64,
    /// Counts the calls of the component.
    pub(super) calls: &'i mut u64,
}

pub(super) type Failure = KernelError<EvaluateError>;

impl Kernels for InstanceKernels<'_> {
    type Error = EvaluateError;

    fn evaluate(&mut self, kernel: u32, batch: &Batch) -> Result<(Vec<u32>, Vec<Column>), EvaluateError> {
        *self.calls = self.calls.saturating_add(1);
        let rows = u32::try_from(batch.rows).unwrap_or(u32::MAX);
        let matches = self.instance.evaluate(kernel, self.now, rows, &batch.columns)?;
        Ok((matches.rows, matches.columns))
    }
}

/// The rows of `input`, which has the columns of the detection's source, that come out of the front; out of all kernels
/// if each row is reported by itself.
pub(super) fn run(
    member: &Member,
    options: Options,
    input: Batch,
    kernels: &mut InstanceKernels<'_>,
) -> Result<Picked, Failure> {
    let chain = &member.chain;
    let lookback = chain.source.lookback.filter(|_| options.lookback == LookbackMode::Query);
    let time = lookback.and_then(|lookback| input.columns.get(lookback.column as usize).map(|time| (lookback, time)));
    let rows = match time {
        Some((lookback, time)) => rows_within(&lookback, options.now, time),
        None => (0_u32..).zip(0..input.rows).map(|(index, _)| index).collect(),
    };
    let batch = if rows.len() == input.rows { input } else { gather(&input, &rows) };
    let mut found = Picked { rows, batch };
    let nodes: Vec<&Kernel> =
        if member.reports_rows { chain.kernels().collect() } else { chain.front.iter().collect() };
    for node in nodes {
        if found.rows.is_empty() {
            return Ok(Picked::default());
        }
        let picked = run_kernel(node, &found.batch, kernels)?;
        let rows = picked.rows.iter().filter_map(|row| found.rows.get(*row as usize).copied()).collect();
        found = Picked { rows, batch: picked.batch };
    }
    Ok(found)
}

fn gather(batch: &Batch, rows: &[u32]) -> Batch {
    Batch { rows: rows.len(), columns: batch.columns.iter().map(|column| Arc::new(column.gather(rows))).collect() }
}
