//! What holds of a row in which a search finds nothing: atoms that are negated.
//!
//! A negated atom rules out every row that meets its test, so here a test must be *sufficient* for the search to succeed,
//! where elsewhere it only has to be necessary. It is where both say the same of the same folded text. That leaves out
//! searches that heed case, terms (`has`) with their boundaries, patterns that several texts or any character make,
//! regular expressions, networks, numbers in texts and what is calculated.

use sandtrap_wit::{
    PhysicalType,
    prefilter::{Atom, Test},
    text,
};

use super::{
    condition::Condition,
    truth::{Derivation, INTEGERS_MAX},
};
use crate::ir::{ElementTest, Expr, MatchKind, Pattern, Piece, Quantifier, TextMatch};

impl Derivation<'_> {
    /// What holds whenever a search finds nothing. In a list that is: no element meets what is looked for. A cell without
    /// a value either has no text that could meet it, or is tested as the empty text as it is searched.
    pub(super) fn not_found(&self, found: &TextMatch) -> Condition {
        let column = self.column(&found.haystack, PhysicalType::Text).filter(|_| found.fold);
        let Some(column) = column else { return Condition::always() };
        let test: fn(String) -> Test = match found.kind {
            MatchKind::Equals => Test::Equals,
            MatchKind::Contains => Test::Contains,
            MatchKind::StartsWith => Test::Prefix,
            MatchKind::EndsWith => Test::Suffix,
            MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => return Condition::always(),
        };
        let not_one = found.needles.iter().map(|needle| Condition::atom(!Atom::new(column, test(text::fold(needle)))));
        match found.quantifier {
            // None of the needles is found.
            Quantifier::Any => Condition::all(not_one),
            // One of them is not.
            Quantifier::All => Condition::any(not_one),
        }
    }

    /// What holds whenever no element passes: of each pattern that is one plain text, that no element is so.
    pub(super) fn no_element(&self, column: u32, test: &ElementTest) -> Condition {
        match (self.source_column(column), test) {
            (Some(column), ElementTest::Wildcards { patterns, fold: true }) => {
                let plain = patterns.iter().filter_map(plain);
                Condition::all(plain.map(|test| Condition::atom(!Atom::new(column, test))))
            }
            _ => Condition::always(),
        }
    }

    /// What holds whenever an integer is none of these. A null is none of them.
    pub(super) fn none_of(&self, value: &Expr, set: &[i64]) -> Condition {
        match self.column(value, PhysicalType::Integers) {
            Some(column) if set.len() <= INTEGERS_MAX => {
                Condition::atom(!Atom::new(column, Test::Integers(set.to_vec())))
            }
            _ => Condition::always(),
        }
    }

    /// What holds whenever a text is not empty.
    pub(super) fn not_empty(&self, value: &Expr) -> Condition {
        match self.column(value, PhysicalType::Text) {
            Some(column) => Condition::atom(!Atom::new(column, Test::Equals(String::new()))),
            None => Condition::always(),
        }
    }
}

/// The test that a folded text meets exactly if the pattern describes it: one text, with wildcards at its ends at most.
fn plain(pattern: &Pattern) -> Option<Test> {
    let (test, literals): (fn(String) -> Test, &[Piece]) = match pattern.0.as_slice() {
        [Piece::AnyText] => (Test::Contains, &[]),
        [Piece::AnyText, literals @ .., Piece::AnyText] => (Test::Contains, literals),
        [Piece::AnyText, literals @ ..] => (Test::Suffix, literals),
        [literals @ .., Piece::AnyText] => (Test::Prefix, literals),
        literals => (Test::Equals, literals),
    };
    let literals = literals.iter().map(|piece| match piece {
        Piece::Literal(literal) => Some(text::fold(literal)),
        Piece::AnyCharacter | Piece::AnyText => None,
    });
    literals.collect::<Option<String>>().map(test)
}
