//! Whether a row meets a detection's prefilter, clause by clause, and never the same clause twice.

use memchr::memmem;

use crate::{
    atoms::{Asked, Atoms, Kind},
    scratch::Scratch,
    values::{Known, Row, Values},
};

impl Atoms {
    /// Whether each of these clauses holds.
    pub(crate) fn all_hold(&self, clauses: &[u32], row: &impl Row, scratch: &mut Scratch) -> bool {
        clauses.iter().all(|clause| self.clause_holds(*clause, row, scratch))
    }

    fn clause_holds(&self, clause: u32, row: &impl Row, scratch: &mut Scratch) -> bool {
        if let Some(known) = scratch.clauses.get(clause) {
            return known;
        }
        let mut atoms = self.atoms_of(clause).iter().filter_map(|atom| self.atom(*atom));
        let holds = atoms.any(|asked| {
            let value = scratch.values.get(asked.slot, &self.keys, row);
            self.holds(asked, value, &scratch.values)
        });
        scratch.clauses.set(clause, holds);
        holds
    }

    /// Whether an atom holds of a value.
    pub(crate) fn holds(&self, asked: Asked, value: Known, values: &Values) -> bool {
        match (asked.kind, value) {
            (Kind::Exists(wanted), value) => matches!(value, Known::Null) != wanted,
            (Kind::Integers, Known::Integer(integer)) => self.integers(asked).binary_search(&integer).is_ok(),
            (Kind::Range, Known::Integer(integer)) => match *self.integers(asked) {
                [low, high] => (low..=high).contains(&integer),
                _ => false,
            },
            (kind, Known::Text(span)) => text_holds(kind, self.literal(asked), values.text(span)),
            (kind, Known::Elements(span)) => {
                let literal = self.literal(asked);
                values.elements(span).iter().any(|element| text_holds(kind, literal, values.text(*element)))
            }
            _ => false,
        }
    }
}

/// Whether folded text is so. Both are UTF-8, so bytes compare as characters do.
pub(crate) fn text_holds(kind: Kind, literal: &[u8], text: &[u8]) -> bool {
    match kind {
        Kind::Contains => memmem::find(text, literal).is_some(),
        Kind::Prefix => text.starts_with(literal),
        Kind::Suffix => text.ends_with(literal),
        Kind::Equals => text == literal,
        Kind::Exists(_) | Kind::Integers | Kind::Range => false,
    }
}
