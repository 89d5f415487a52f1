//! For an event, the detections whose prefilter admits it, without asking each.
//!
//! An [`Index`] is built from the prefilters of all detections that read the same kind of event. It is asked with a
//! [`Row`], from which it takes the values that it needs, and says exactly what
//! [`Prefilter::admits_values`] would have said of one detection after the other. Nothing is known here of
//! where values come from or of what a detection does with a row.

mod atoms;
mod scratch;
mod values;
mod verify;

use sandtrap_wit::prefilter::Prefilter;
pub use scratch::Scratch;
pub use values::Row;

use crate::atoms::Atoms;

/// A detection to index.
#[derive(Clone, Copy, Debug)]
pub struct Indexed<'a> {
    /// Its prefilter.
    pub prefilter: &'a Prefilter,
    /// The key of each column that the prefilter may name. A column past the end never has a value.
    pub columns: &'a [u32],
}

/// Says which detections' prefilters admit a row.
#[derive(Debug)]
pub struct Index {
    atoms: Atoms,
    indexed: Vec<u32>,
    unpruned: Vec<u32>,
}

impl Index {
    /// The index of these detections; a detection's number is its place.
    pub fn new(detections: &[Indexed<'_>]) -> Self {
        let atoms = Atoms::new(detections.iter().map(|detection| (detection.prefilter, detection.columns)));
        let (indexed, unpruned) = atoms.detections().partition(|detection| !atoms.clauses_of(*detection).is_empty());
        Self { atoms, indexed, unpruned }
    }

    /// Appends the numbers of exactly the detections whose prefilter admits the row, ascending, but for those that are
    /// [unpruned](Self::unpruned).
    pub fn candidates(&self, row: &impl Row, scratch: &mut Scratch, found: &mut Vec<u32>) {
        scratch.values.begin(self.atoms.keys.len());
        scratch.clauses.begin(self.atoms.clauses());
        for detection in &self.indexed {
            if self.atoms.admits(*detection, row, scratch) {
                found.push(*detection);
            }
        }
    }

    /// The detections whose prefilter says nothing: they must be given every row. Ascending.
    pub fn unpruned(&self) -> &[u32] {
        &self.unpruned
    }

    /// The memory that the index uses, in bytes.
    pub fn bytes(&self) -> usize {
        self.atoms.bytes() + (self.indexed.capacity() + self.unpruned.capacity()) * size_of::<u32>()
    }
}
