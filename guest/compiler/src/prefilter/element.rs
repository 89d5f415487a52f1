//! What an element that passes a test says of its row. An atom about a column of lists is about any of its elements, so
//! what one of them has is not less than what the row must have.

use sandtrap_wit::{
    prefilter::{Atom, Test},
    text,
};

use super::{condition::Condition, network, truth::Derivation};
use crate::{
    ir::{ElementTest, MatchKind, Pattern, Piece},
    regex::Required,
};

impl Derivation<'_> {
    /// What holds whenever an element of the column passes.
    pub(super) fn element(&self, column: u32, test: &ElementTest) -> Condition {
        let Some(at) = self.source_column(column) else { return Condition::always() };
        let passed = match test {
            ElementTest::Wildcards { patterns, .. } => Condition::any(patterns.iter().map(|each| pattern(at, each))),
            ElementTest::Regex(regex) => required(at, &regex.required()),
            ElementTest::Cidr(networks) => Condition::any(networks.iter().map(|each| {
                let tests = network::tests(each).into_iter();
                Condition::one_of(tests.map(|test| Atom::new(at, test)).collect())
            })),
            ElementTest::Number { .. } => Condition::always(),
            ElementTest::Field { column: other, .. } => self.has_value(*other),
        };
        Condition::all([passed, self.has_value(column)])
    }
}

/// What a text that a pattern describes has in it: each literal, the first at the start and the last at the end unless
/// there is a wildcard. Folded, they lie in the folded text as they do in the text.
fn pattern(column: u32, pattern: &Pattern) -> Condition {
    let is_wildcard = |piece: &Piece| !matches!(piece, Piece::Literal(_));
    let runs: Vec<String> = pattern
        .0
        .split(is_wildcard)
        .map(|run| {
            run.iter().map(|piece| if let Piece::Literal(text) = piece { text::fold(text) } else { String::new() })
        })
        .map(Iterator::collect)
        .collect();
    let last = runs.len().saturating_sub(1);
    Condition::all(runs.into_iter().enumerate().filter_map(|(at, run)| {
        let test = match (at, at == last) {
            (0, true) => Test::Equals(run),
            _ if run.is_empty() => return None,
            (0, false) => Test::Prefix(run),
            (_, true) => Test::Suffix(run),
            _ => Test::Contains(run),
        };
        Some(Condition::atom(Atom::new(column, test)))
    }))
}

/// What the folded text of a match has in it.
fn required(column: u32, required: &Required) -> Condition {
    match required {
        Required::OneOf(literals) => Condition::one_of(
            literals
                .iter()
                .map(|literal| {
                    let part = literal.text.clone();
                    let test = match literal.kind {
                        MatchKind::StartsWith => Test::Prefix(part),
                        MatchKind::EndsWith => Test::Suffix(part),
                        _ => Test::Contains(part),
                    };
                    Atom::new(column, test)
                })
                .collect(),
        ),
        Required::All(parts) => Condition::all(parts.iter().map(|part| self::required(column, part))),
        Required::Any(branches) => Condition::any(branches.iter().map(|branch| self::required(column, branch))),
    }
}
