//! The index itself: triggers first, then what they triggered is verified.

use std::sync::Arc;

use sandtrap_wit::prefilter::Prefilter;

use crate::{
    atoms::Atoms,
    learning::Learning,
    rates::Rates,
    scratch::Scratch,
    searches::Searches,
    triggers::{Triggers, Watched},
    values::Row,
};

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
    atoms: Arc<Atoms>,
    triggers: Triggers,
    searches: Searches,
    unpruned: Arc<[u32]>,
    learning: Learning,
}

impl Index {
    /// The index of these detections; a detection's number is its place.
    pub fn new(detections: &[Indexed<'_>]) -> Self {
        let atoms = Atoms::new(detections.iter().map(|detection| (detection.prefilter, detection.columns)));
        let unpruned = atoms.detections().filter(|detection| atoms.clauses_of(*detection).is_empty()).collect();
        let triggers = Triggers::new(&atoms, &Rates::new(&atoms, None));
        let searches = Searches::default();
        Self { learning: Learning::new(&atoms), atoms: Arc::new(atoms), triggers, searches, unpruned }
    }

    /// The index of detections that follow others, with what was learned of these: rows are likely to be as they were.
    pub fn after(before: &Self, detections: &[Indexed<'_>]) -> Self {
        let mut index = Self::new(detections);
        if let Some(sample) = before.learning.learned(&before.atoms, &index.atoms) {
            let rates = Rates::new(&index.atoms, Some(&sample));
            (index.triggers, index.searches) =
                (Triggers::new(&index.atoms, &rates), Searches::new(&index.atoms, &rates));
            drop(rates);
            index.learning = before.learning.about(sample);
        }
        index
    }

    /// The same index with better witnesses, when enough was learned from rows. It answers the same; to be asked for now and
    /// then, and put in this one's place.
    pub fn tuned(&self) -> Option<Self> {
        let sample = self.learning.take()?;
        let rates = Rates::new(&self.atoms, Some(&sample));
        let (triggers, searches) = (Triggers::new(&self.atoms, &rates), Searches::new(&self.atoms, &rates));
        drop(rates);
        let learning = self.learning.next(sample);
        Some(Self {
            atoms: Arc::clone(&self.atoms),
            triggers,
            searches,
            unpruned: Arc::clone(&self.unpruned),
            learning,
        })
    }

    /// Appends the numbers of exactly the detections whose prefilter admits the row, ascending, but for those that are
    /// [unpruned](Self::unpruned).
    pub fn candidates(&self, row: &impl Row, scratch: &mut Scratch, found: &mut Vec<u32>) {
        let (atoms, triggers, searches) = (&*self.atoms, &self.triggers, &self.searches);
        scratch.begin(atoms);
        self.learning.look(atoms, row, &mut scratch.values);
        triggers.look(atoms, row, scratch);
        let start = found.len();
        let mut look_at = |detection: u32, clauses: &[u32], scratch: &mut Scratch| {
            if scratch.looked_at.get(detection).is_none() {
                scratch.looked_at.set(detection, true);
                if atoms.all_hold(clauses, searches, row, scratch) {
                    found.push(detection);
                }
            }
        };
        for place in 0..scratch.hits.atoms.len() {
            let Some(atom) = scratch.hits.atoms.get(place).copied() else { break };
            for detection in triggers.targets(atom) {
                look_at(*detection, triggers.rest(*detection), scratch);
            }
        }
        for place in 0..scratch.hits.suspects.len() {
            let Some(atom) = scratch.hits.suspects.get(place).copied() else { break };
            for detection in triggers.targets(atom) {
                look_at(*detection, atoms.clauses_of(*detection), scratch);
            }
        }
        for detection in triggers.always() {
            look_at(*detection, triggers.rest(*detection), scratch);
        }
        if let Some(added) = found.get_mut(start..) {
            added.sort_unstable();
        }
    }

    /// The detections whose prefilter says nothing: they must be given every row. Ascending.
    pub fn unpruned(&self) -> &[u32] {
        &self.unpruned
    }

    /// The keys that are looked at for every row, and what for.
    pub fn watched(&self) -> impl Iterator<Item = Watched> {
        self.triggers.watched(&self.atoms)
    }

    /// The memory that the index uses, in bytes.
    pub fn bytes(&self) -> usize {
        self.atoms.bytes()
            + self.triggers.bytes()
            + self.searches.bytes()
            + size_of_val(&*self.unpruned)
            + self.learning.bytes()
    }
}
