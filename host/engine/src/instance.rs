//! A running detection. It has its own memory and belongs to one thread at a time.
//!
//! After a failure the instance is thrown away and started afresh for the next batch: nothing that a trap left half
//! done is ever read again, and one bad batch does not end a detection.

use std::{fmt, sync::Arc};

use sandtrap_wit::batch::Column;
use wasmtime::{
    Store,
    component::{Func, TypedFunc},
};

use crate::{
    Detection, EvaluateError, answer,
    code::Started,
    detection::KernelRead,
    failure::Failure,
    memory::MemoryCap,
    ticker::ticks,
    wire::{BatchIn, EvaluateParams, EvaluateResults},
};

/// What a kernel found, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Rows of the batch, strictly ascending.
    pub rows: Vec<u32>,
    /// The computed columns, one cell for each of `rows`.
    pub columns: Vec<Column>,
}

/// A detection that evaluates batches.
pub struct Instance {
    detection: Detection,
    live: Option<Live>,
}

struct Live {
    store: Store<MemoryCap>,
    evaluate: Func,
    /// What its memory had when it was started.
    started_bytes: usize,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("detection", &self.detection)
            .field("live", &self.live.is_some())
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// An instance of that detection. It is started when it is first used.
    pub fn new(detection: &Detection) -> Self {
        Self { detection: detection.clone(), live: None }
    }

    /// How many bytes of memory it has; 0 while it is not started.
    pub fn memory_bytes(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.store.data().memory_bytes())
    }

    /// Gives its memory back. It is started again when it is next used, and nothing else changes: instances remember
    /// nothing from one batch to the next.
    pub fn release(&mut self) {
        self.live = None;
    }

    /// The detection that this is an instance of.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// Runs one kernel over a batch of `rows` rows, at `now` in ticks of 100 ns since 1970-01-01 UTC. The columns are
    /// those that the kernel's plan node reads, in its order.
    pub fn evaluate(
        &mut self,
        kernel: u32,
        now: i64,
        rows: u32,
        columns: &[Arc<Column>],
    ) -> Result<Matches, EvaluateError> {
        self.check_request(kernel, rows, columns)?;
        let result = self.run(kernel, now, rows, columns);
        // One large batch should not be paid for by as much memory ever after.
        let kept = self.detection.engine().limits().kept_memory_bytes;
        if result.is_err() || self.live.as_ref().is_some_and(|live| live.grown_bytes() > kept) {
            self.live = None;
        }
        result.map_err(|failure| EvaluateError::of(self.detection.full_id(), kernel, &failure))
    }

    fn run(&mut self, kernel: u32, now: i64, rows: u32, columns: &[Arc<Column>]) -> Result<Matches, Failure> {
        let limits = self.detection.engine().limits();
        let failed = |error: &wasmtime::Error| Failure::of(error, limits.evaluate_deadline, limits.output_bytes);
        let live = match &mut self.live {
            Some(live) => live,
            none => none.insert(Live::start(&self.detection)?),
        };
        live.store.set_epoch_deadline(ticks(limits.evaluate_deadline));
        let (answer,) = live
            .evaluate()
            .call(&mut live.store, (kernel, BatchIn::new(rows, now, columns)))
            .map_err(|error| failed(&error))?;
        let computed = self.detection.kernel(kernel).map_or(&[][..], |kernel| &kernel.computed);
        answer::check(answer, rows, computed).map_err(Failure::Malformed)
    }

    fn check_request(&self, kernel: u32, rows: u32, columns: &[Arc<Column>]) -> Result<(), EvaluateError> {
        let refuse = |message| Err(EvaluateError::request(self.detection.full_id(), kernel, message));
        let Some(expected) = self.detection.kernel(kernel) else {
            return refuse("the plan has no such kernel".into());
        };
        if expected.reads.len() != columns.len() {
            return refuse(format!("given {} columns where the plan has {}", columns.len(), expected.reads.len()));
        }
        for (index, (column, KernelRead { ty, list })) in columns.iter().zip(&expected.reads).enumerate() {
            if column.physical() != ty.physical() {
                return refuse(format!("column {index} is given as {:?} where the plan has {ty}", column.physical()));
            }
            if column.rows() != rows as usize {
                return refuse(format!("column {index} has {} cells for {rows} rows", column.rows()));
            }
            if column.lists().is_some() && !list {
                return refuse(format!("column {index} is of lists, which the kernel does not read"));
            }
        }
        Ok(())
    }
}

impl Live {
    fn start(detection: &Detection) -> Result<Self, Failure> {
        let Started { mut store, instance } = detection.start()?;
        let evaluate = instance
            .get_func(&mut store, detection.code()?.evaluate_export())
            .ok_or_else(|| Failure::Malformed("evaluate is not a function".into()))?;
        evaluate
            .typed::<EvaluateParams<'static>, EvaluateResults>(&store)
            .map_err(|error| Failure::Malformed(format!("evaluate does not have its type: {error:#}")))?;
        store.set_hostcall_fuel(detection.engine().limits().output_bytes);
        let started_bytes = store.data().memory_bytes();
        Ok(Self { store, evaluate, started_bytes })
    }

    /// `evaluate` for a batch that lives as long as one call. Comparing its type each time would be an eighth of a small call.
    #[expect(unsafe_code, reason = "a function with the lifetime of one batch cannot be kept for the next")]
    fn evaluate<'b>(&self) -> TypedFunc<EvaluateParams<'b>, EvaluateResults> {
        // SAFETY: the function must take these parameters and give these results. `start`, the only place that makes a `Live`,
        // has had wasmtime compare the function with the same types, but for the lifetime of what they borrow. Types of
        // the component model know no lifetimes, and what is derived for ours (`crate::wire`) does not depend on them.
        unsafe { TypedFunc::new_unchecked(self.evaluate) }
    }

    /// By how much its memory has grown.
    fn grown_bytes(&self) -> usize {
        self.store.data().memory_bytes().saturating_sub(self.started_bytes)
    }
}
