//! When an index learns from rows, and when it has learned enough to choose other witnesses.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use crate::{
    atoms::Atoms,
    sample::Sample,
    values::{Row, Values},
};

/// The first rows are all looked at, until the first choice can be made.
const FIRST_ROWS: u32 = 64;

/// Later on one of so many.
const ONE_OF: u32 = 32;

/// How large a sample is when witnesses are chosen anew. After the last there is nothing more to learn.
const STAGES: [u32; 3] = [FIRST_ROWS, 256, 512];

/// A choice among so many atoms takes as long as a row with bad witnesses does.
const ATOMS_PER_ROW: usize = 16;

/// What an index learns.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    /// How many rows there were. Several threads may ask; one that is not counted does not matter.
    rows: AtomicU32,
    /// How many there must have been so that another choice pays.
    rows_min: u32,
    sample: Mutex<Option<Sample>>,
    /// What the last choice was made with.
    learned: Option<Arc<Sample>>,
    /// Of [`STAGES`].
    stage: usize,
}

impl Learning {
    /// An index that has seen no row.
    pub(crate) fn new(atoms: &Atoms) -> Self {
        let rows_min = crate::atoms::number_of(atoms.len() / ATOMS_PER_ROW);
        let sample = Mutex::new(Some(Sample::new(atoms)));
        Self { rows: AtomicU32::new(0), rows_min, sample, learned: None, stage: 0 }
    }

    /// What was learned so far, in terms of other atoms about the same keys.
    pub(crate) fn learned(&self, own: &Atoms, others: &Atoms) -> Option<Sample> {
        self.learned.as_ref()?.about(own, others)
    }

    /// Learns from a row, or lets it pass.
    pub(crate) fn look(&self, atoms: &Atoms, row: &impl Row, values: &mut Values) {
        let Some(enough) = STAGES.get(self.stage) else { return };
        let rows = self.rows.load(Ordering::Relaxed);
        self.rows.store(rows.wrapping_add(1), Ordering::Relaxed);
        if rows >= FIRST_ROWS && !rows.is_multiple_of(ONE_OF) {
            return;
        }
        if let Ok(mut sample) = self.sample.try_lock()
            && let Some(sample) = &mut *sample
            && sample.rows() < *enough
        {
            sample.add(atoms, row, values);
        }
    }

    /// The sample, if it is large enough for another choice.
    pub(crate) fn take(&self) -> Option<Sample> {
        let enough = STAGES.get(self.stage)?;
        if self.rows.load(Ordering::Relaxed) < self.rows_min {
            return None;
        }
        self.sample.lock().ok()?.take_if(|sample| sample.rows() >= *enough)
    }

    /// What comes after a choice was made with a sample.
    pub(crate) fn next(&self, sample: Sample) -> Self {
        self.with(sample, self.stage.saturating_add(1))
    }

    /// The same about other atoms, with a sample about those.
    pub(crate) fn about(&self, sample: Sample) -> Self {
        self.with(sample, self.stage)
    }

    fn with(&self, sample: Sample, stage: usize) -> Self {
        let learned = Some(Arc::new(sample.clone()));
        let sample = (stage < STAGES.len()).then_some(sample);
        let rows = AtomicU32::new(self.rows.load(Ordering::Relaxed));
        Self { rows, rows_min: self.rows_min, sample: Mutex::new(sample), learned, stage }
    }

    /// The memory that it uses.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |sample: &Option<Sample>| sample.as_ref().map_or(0, Sample::bytes);
        let learned = self.learned.as_ref().map_or(0, |learned| learned.bytes());
        learned + self.sample.lock().map_or(0, |sample| bytes(&sample))
    }
}
