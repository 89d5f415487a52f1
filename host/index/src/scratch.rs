//! What looking at a row needs, kept between rows so that nothing is allocated for one.

use crate::{atoms::Atoms, recent::Recent, searches::Searched, values::Values};

/// Buffers of [`Index::candidates`](crate::Index::candidates). One may serve any number of indexes.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The row's values.
    pub(crate) values: Values,
    /// What is known of clauses.
    pub(crate) clauses: Memo,
    /// Which detections were looked at.
    pub(crate) looked_at: Memo,
    pub(crate) hits: Hits,
    pub(crate) searched: Searched,
    pub(crate) recent: Recent,
}

impl Scratch {
    /// The next row.
    pub(crate) fn begin(&mut self, atoms: &Atoms) {
        self.values.begin(atoms.keys.len());
        self.clauses.begin(atoms.clauses());
        self.looked_at.begin(atoms.detections().len());
        self.hits.begin(atoms.len());
        self.searched.begin(atoms.len());
    }
}

/// The triggers that a row pulled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits {
    told: Memo,
    /// Atoms that hold, each once.
    pub(crate) atoms: Vec<u32>,
    /// Atoms that may hold: there were too many to compare.
    pub(crate) suspects: Vec<u32>,
}

impl Hits {
    /// The next row, for atoms below `atoms`.
    pub(crate) fn begin(&mut self, atoms: usize) {
        self.told.begin(atoms);
        self.atoms.clear();
        self.suspects.clear();
    }

    /// Whether an atom is known to hold.
    pub(crate) fn has(&self, atom: u32) -> bool {
        self.told.get(atom).is_some()
    }

    /// Says that an atom holds.
    pub(crate) fn add(&mut self, atom: u32) {
        if !self.has(atom) {
            self.told.set(atom, true);
            self.atoms.push(atom);
        }
    }

    /// Says it of all of them.
    pub(crate) fn add_all(&mut self, atoms: &[u32]) {
        for atom in atoms {
            self.add(*atom);
        }
    }

    /// Says that each of these may hold.
    pub(crate) fn suspect(&mut self, atoms: &[u32]) {
        self.suspects.extend_from_slice(atoms);
    }
}

/// Yes or no for numbers, forgotten at once when the next row begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo {
    /// For each number twice the row that it was said of, and one more for yes.
    said: Vec<u32>,
    /// Twice the row's number, which is above 0.
    row: u32,
}

impl Memo {
    /// The next row, for numbers below `len`.
    pub(crate) fn begin(&mut self, len: usize) {
        if self.said.len() < len {
            self.said.resize(len, 0);
        }
        self.row = self.row.wrapping_add(2);
        if self.row == 0 {
            self.said.fill(0);
            self.row = 2;
        }
    }

    /// What was said of a number in this row.
    pub(crate) fn get(&self, number: u32) -> Option<bool> {
        let said = self.said.get(number as usize).copied().unwrap_or_default();
        (said & !1 == self.row).then_some(said & 1 == 1)
    }

    /// Says it.
    pub(crate) fn set(&mut self, number: u32, yes: bool) {
        if let Some(said) = self.said.get_mut(number as usize) {
            *said = self.row | u32::from(yes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_forgets_with_each_row_even_when_their_numbers_start_again() {
        let mut memo = Memo { said: Vec::new(), row: u32::MAX - 3 };
        memo.begin(2);
        memo.set(0, true);
        memo.set(1, false);
        assert_eq!([memo.get(0), memo.get(1), memo.get(2)], [Some(true), Some(false), None]);
        memo.begin(3);
        assert_eq!([memo.get(0), memo.get(1), memo.get(2)], [None; 3]);
        assert_eq!(memo.row, 2, "the numbers of rows started again");
    }
}
