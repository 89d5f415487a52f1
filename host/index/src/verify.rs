//! Whether a row meets a detection's prefilter, clause by clause, and never the same clause twice.

use memchr::{memchr, memmem};

use crate::{
    atoms::{Asked, Atoms, Kind},
    scratch::Scratch,
    searches::Searches,
    values::{Known, Row, Values},
};

impl Atoms {
    /// Whether each of these clauses holds.
    pub(crate) fn all_hold(&self, clauses: &[u32], searches: &Searches, row: &impl Row, scratch: &mut Scratch) -> bool {
        clauses.iter().all(|clause| self.clause_holds(*clause, searches, row, scratch))
    }

    fn clause_holds(&self, clause: u32, searches: &Searches, row: &impl Row, scratch: &mut Scratch) -> bool {
        if let Some(known) = scratch.clauses.get(clause) {
            return known;
        }
        let mut atoms = self.atoms_of(clause).iter().filter_map(|atom| Some((*atom, self.atom(*atom)?)));
        let holds = atoms.any(|(atom, asked)| {
            let Scratch { values, searched, .. } = &mut *scratch;
            let value = values.get(asked.slot, &self.keys, row);
            let has = match value {
                Known::Text(span) => searches.has(atom, asked, values.text(span), self, searched),
                _ => None,
            };
            has.map_or_else(|| self.holds(asked, value, values), |has| has != asked.negated)
        });
        scratch.clauses.set(clause, holds);
        holds
    }

    /// Whether an atom holds of a value.
    pub(crate) fn holds(&self, asked: Asked, value: Known, values: &Values) -> bool {
        self.is_met(asked, value, values) != asked.negated
    }

    /// Whether a value is what an atom asks, were it not negated.
    fn is_met(&self, asked: Asked, value: Known, values: &Values) -> bool {
        match (asked.kind, value) {
            (Kind::Exists(wanted), value) => matches!(value, Known::Null) != wanted,
            (Kind::Integers, Known::Integer(integer)) => self.integers(asked).binary_search(&integer).is_ok(),
            (Kind::Range, Known::Integer(integer)) => match *self.integers(asked) {
                [low, high] => (low..=high).contains(&integer),
                _ => false,
            },
            (_, Known::Text(span)) => self.text_holds(asked, values.text(span)),
            (_, Known::Elements(span)) => {
                values.elements(span).iter().any(|element| self.text_holds(asked, values.text(*element)))
            }
            _ => false,
        }
    }

    /// Whether folded text is what an atom asks, negated or not. Both are UTF-8, so bytes compare as characters do.
    pub(crate) fn text_holds(&self, asked: Asked, text: &[u8]) -> bool {
        let literal = self.literal(asked);
        match asked.kind {
            Kind::Contains => contains(text, literal, usize::from(asked.rare)),
            Kind::Prefix => text.starts_with(literal),
            Kind::Suffix => text.ends_with(literal),
            Kind::Equals => text == literal,
            Kind::Exists(_) | Kind::Integers | Kind::Range => false,
        }
    }
}

/// How often the rare byte may be found in vain.
const VAIN_MAX: usize = 8;

/// Whether a literal is in a text. At `rare` it has a byte that is seldom in text: to look for that takes no preparation,
/// and most text is short. Where it does not help, the search that is linear for sure goes on.
fn contains(text: &[u8], literal: &[u8], rare: usize) -> bool {
    let Some(byte) = literal.get(rare) else { return memmem::find(text, literal).is_some() };
    let mut rest = text;
    for _ in 0..VAIN_MAX {
        // The byte is at `rare` of the literal, so it is not before that in the text.
        let Some(at) = rest.get(rare..).and_then(|rest| memchr(*byte, rest)) else { return false };
        let Some(here) = rest.get(at..) else { return false };
        if here.starts_with(literal) {
            return true;
        }
        rest = here.get(1..).unwrap_or_default();
    }
    memmem::find(rest, literal).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_wherever_its_rare_byte_is() {
        for text in ["", "a", "ab", "ba", "aab", "xaxbxab", "abababababababababababac", "aaaaaaaaaaaaaaaaaab"] {
            for literal in ["", "a", "ab", "b", "aab", "ac", "abc", "c"] {
                for rare in 0..4 {
                    let found = contains(text.as_bytes(), literal.as_bytes(), rare);
                    assert_eq!(found, text.contains(literal), "{literal:?} in {text:?} by its byte {rare}");
                }
            }
        }
    }
}
