//! Running a kernel of a component over rows: who does it is the caller's business, what its answer means is here.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
};

use sandtrap_wit::{
    batch::{Batch, Column},
    plan::{Kernel, OutputCells},
};

/// Runs kernels of one detection's component.
pub trait Kernels {
    /// Why a kernel gave no answer.
    type Error;

    /// The rows that the kernel picks from `batch`, ascending, and the columns it computes for them. `batch` has the
    /// columns that the kernel's plan node reads, in its order.
    fn evaluate(&mut self, kernel: u32, batch: &Batch) -> Result<(Vec<u32>, Vec<Column>), Self::Error>;
}

/// Why a kernel node has no rows to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelError<E> {
    /// The kernel gave no answer.
    Failed(E),
    /// Its answer, or the batch it was to get, does not fit the plan node.
    Mismatch(String),
}

impl<E: fmt::Display> fmt::Display for KernelError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Mismatch(reason) => f.write_str(reason),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for KernelError<E> {}

/// The rows of a kernel node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picked {
    /// Which rows of the input they are.
    pub rows: Vec<u32>,
    /// Their cells: the columns of the plan node.
    pub batch: Batch,
}

/// Evaluates a kernel node over the rows of its input.
pub fn run_kernel<K: Kernels>(node: &Kernel, input: &Batch, kernels: &mut K) -> Result<Picked, KernelError<K::Error>> {
    let reads = node.reads.iter().map(|read| input_column(node, input, *read)).collect::<Result<_, _>>()?;
    let batch = Batch { rows: input.rows, columns: reads };
    let (rows, computed) = kernels.evaluate(node.kernel, &batch).map_err(KernelError::Failed)?;
    if rows.iter().any(|row| *row as usize >= input.rows) || computed.iter().any(|column| column.rows() != rows.len()) {
        return Err(mismatch(node, "picked rows that do not exist or computed too few cells"));
    }
    let computed: Vec<Arc<Column>> = computed.into_iter().map(Arc::new).collect();
    let every_row = rows.len() == input.rows;
    let mut columns = Vec::with_capacity(node.outputs.len());
    // However many outputs name an input column, its cells are gathered once.
    let mut gathered: HashMap<u32, Arc<Column>> = HashMap::new();
    for output in &node.outputs {
        columns.push(match output.from {
            OutputCells::Input(index) if every_row => input_column(node, input, index)?,
            OutputCells::Input(index) => match gathered.entry(index) {
                Entry::Occupied(known) => Arc::clone(known.get()),
                Entry::Vacant(unknown) => {
                    let column = input_column(node, input, index)?.gather(&rows);
                    Arc::clone(unknown.insert(Arc::new(column)))
                }
            },
            OutputCells::Computed(index) => computed
                .get(index as usize)
                .filter(|column| column.physical() == output.ty.physical())
                .cloned()
                .ok_or_else(|| mismatch(node, &format!("did not compute {} {}", output.ty, output.name)))?,
        });
    }
    Ok(Picked { batch: Batch { rows: rows.len(), columns }, rows })
}

fn input_column<E>(node: &Kernel, input: &Batch, index: u32) -> Result<Arc<Column>, KernelError<E>> {
    let column = input.columns.get(index as usize);
    column.cloned().ok_or_else(|| mismatch(node, &format!("wants column {index} of {}", input.columns.len())))
}

fn mismatch<E>(node: &Kernel, reason: &str) -> KernelError<E> {
    KernelError::Mismatch(format!("kernel {} {reason}", node.kernel))
}
