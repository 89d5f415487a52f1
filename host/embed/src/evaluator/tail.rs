//! The part of a detection that remembers: its dataflow, fed in the order of the events by whoever puts the workers'
//! outcomes in order.

use sandtrap_dataflow::{Changes, Flow, FlowError, KernelError, Limits, Overflow, Table, inline_rows};
use sandtrap_engine::Instance;
use sandtrap_wit::batch::Batch;

use super::{
    Options,
    front::{self, Failure, InstanceKernels},
    ledger::Counters,
    member::Member,
};

/// The memory of one detection.
#[derive(Debug)]
pub(super) struct Tail {
    flow: Flow,
    instance: Instance,
    /// What it did beside what workers did.
    pub(super) counters: Counters,
}

impl Tail {
    /// Of a detection whose rows are not reported one by one; `None` for others.
    pub(super) fn new(member: &Member) -> Result<Option<Self>, FlowError> {
        if member.reports_rows {
            return Ok(None);
        }
        let flow = Flow::new(&member.detection.manifest().plan, Limits::default())?;
        Ok(Some(Self { flow, instance: Instance::new(&member.detection), counters: Counters::default() }))
    }

    /// Takes in rows that came out of the front.
    pub(super) fn push(&mut self, rows: &Batch) {
        self.flow.push(rows);
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.flow.overflow()
    }

    /// The groups that appeared or changed since the last call.
    pub(super) fn changes(&mut self, options: Options) -> Result<Changes, Failure> {
        let Self { flow, instance, counters } = self;
        flow.changes(&mut InstanceKernels { instance, now: options.now, calls: &mut counters.calls })
    }

    /// The table that the query prints. Rows that the detection brings itself are looked at now.
    pub(super) fn finish(&mut self, member: &Member, options: Options) -> Result<Table, Failure> {
        let Self { flow, instance, counters } = self;
        let mut kernels = InstanceKernels { instance, now: options.now, calls: &mut counters.calls };
        let inline = inline_rows(&member.chain.source).map_err(|error| KernelError::Mismatch(error.to_string()))?;
        if let Some(rows) = inline {
            counters.rows = counters.rows.saturating_add(rows.rows as u64);
            flow.push(&front::run(member, options, rows, &mut kernels)?.batch);
        }
        let table = flow.finish(&mut kernels)?;
        counters.verdicts = table.batch.rows as u64;
        Ok(table)
    }
}
