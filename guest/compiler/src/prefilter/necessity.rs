//! Prefilters of generated filters against generated rows: whatever a filter picks, its prefilter admits. The filters
//! have more alternatives than those of the tests in the sandbox, so that disjunctions meet their limits.

use proptest::prelude::*;
use sandtrap_wit::{
    LogicalType,
    prefilter::Tested,
    text::{self, is_term_char},
};

use super::derive;
use crate::ir::{ElementTest, Expr, Input, MatchKind, Pattern, Piece, Quantifier, TextMatch};

const COLUMNS: u32 = 3;

/// The elements of each column, or no value.
type Row = Vec<Option<Vec<String>>>;

fn row() -> impl Strategy<Value = Row> {
    let element = prop_oneof![Just("-".to_owned()), "[aAbBcK\u{212A}\\\\.]{0,6}"];
    let cell = prop::option::weighted(0.8, prop::collection::vec(element, 0..3));
    prop::collection::vec(cell, COLUMNS as usize)
}

/// A test, or that it fails.
fn leaf() -> impl Strategy<Value = Expr> {
    (test(), any::<bool>()).prop_map(|(test, negated)| if negated { Expr::Not(Box::new(test)) } else { test })
}

fn test() -> impl Strategy<Value = Expr> {
    let kinds =
        vec![MatchKind::Equals, MatchKind::Contains, MatchKind::StartsWith, MatchKind::EndsWith, MatchKind::Term];
    let quantifiers = vec![Quantifier::Any, Quantifier::All];
    let needles = prop::collection::vec("[aAbBcK\\\\.-]{0,3}", 1..4);
    let how = (prop::sample::select(kinds), fold(), prop::sample::select(quantifiers));
    let search = (0..COLUMNS, how, needles).prop_map(|(column, (kind, fold, quantifier), needles)| {
        let haystack = Box::new(Expr::Input { column, ty: LogicalType::String });
        Expr::TextMatch(TextMatch { haystack, needles, kind, fold, quantifier })
    });
    let piece = prop_oneof![
        3 => "[abcK]{1,2}".prop_map(Piece::Literal),
        2 => Just(Piece::AnyText),
        1 => Just(Piece::AnyCharacter)
    ];
    let pattern = prop::collection::vec(piece, 0..6).prop_map(Pattern);
    let wildcards = (0..COLUMNS, fold(), prop::collection::vec(pattern, 1..4)).prop_map(|(column, fold, patterns)| {
        Expr::AnyElement { column, test: ElementTest::Wildcards { patterns, fold } }
    });
    prop_oneof![4 => search, 2 => wildcards, 1 => (0..COLUMNS).prop_map(|column| Expr::HasValue { column })]
}

/// Whether a search folds: most do.
fn fold() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.7)
}

fn filter() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(4, 64, 8, |inner| {
        let several = || prop::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            3 => several().prop_map(Expr::And),
            3 => several().prop_map(Expr::Or),
            2 => inner.clone().prop_map(|operand| Expr::Not(Box::new(operand))),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(condition, then, otherwise)| Expr::If {
                condition: Box::new(condition),
                then: Box::new(then),
                otherwise: Box::new(otherwise),
            }),
        ]
    })
}

/// Whether the filter picks the row, as the documentation of [`Expr`] says.
fn picks(expr: &Expr, row: &Row) -> bool {
    let elements = |column: u32| row[column as usize].as_deref().unwrap_or_default();
    match expr {
        Expr::And(operands) => operands.iter().all(|operand| picks(operand, row)),
        Expr::Or(operands) => operands.iter().any(|operand| picks(operand, row)),
        Expr::Not(operand) => !picks(operand, row),
        Expr::If { condition, then, otherwise } => picks(if picks(condition, row) { then } else { otherwise }, row),
        Expr::HasValue { column } => row[*column as usize].is_some(),
        Expr::AnyElement { column, test: ElementTest::Wildcards { patterns, fold } } => elements(*column)
            .iter()
            .any(|element| patterns.iter().any(|pattern| matches(&pattern.0, &folded(element, *fold), *fold))),
        Expr::TextMatch(TextMatch { haystack, needles, kind, quantifier, fold }) => {
            let Expr::Input { column, .. } = **haystack else { unreachable!("of a column") };
            let found = |needle: &String| {
                let needle = folded(needle, *fold);
                elements(column).iter().map(|element| folded(element, *fold)).any(|element| match kind {
                    MatchKind::Equals => element == needle,
                    MatchKind::StartsWith => element.starts_with(&needle),
                    MatchKind::EndsWith => element.ends_with(&needle),
                    MatchKind::Term => has_term(&element, &needle),
                    _ => element.contains(&needle),
                })
            };
            match quantifier {
                Quantifier::Any => needles.iter().any(found),
                Quantifier::All => needles.iter().all(found),
            }
        }
        other => unreachable!("not generated: {other:?}"),
    }
}

fn folded(text: &str, fold: bool) -> String {
    if fold { text::fold(text) } else { text.to_owned() }
}

/// Whether the needle lies somewhere with no term character next to one at its ends.
fn has_term(text: &str, needle: &str) -> bool {
    let is_term = |c: Option<char>| c.is_some_and(is_term_char);
    let ends = |at: usize| !is_term(needle.chars().next_back()) || !is_term(text[at + needle.len()..].chars().next());
    let starts = |at: usize| !is_term(needle.chars().next()) || !is_term(text[..at].chars().next_back());
    let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.filter(|at| text[*at..].starts_with(needle)).any(|at| starts(at) && ends(at))
}

fn matches(pattern: &[Piece], text: &str, fold: bool) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return text.is_empty() };
    match first {
        Piece::Literal(literal) => {
            text.strip_prefix(&folded(literal, fold)).is_some_and(|left| matches(rest, left, fold))
        }
        Piece::AnyCharacter => text.chars().next().is_some_and(|c| matches(rest, &text[c.len_utf8()..], fold)),
        Piece::AnyText => {
            text.char_indices().any(|(at, _)| matches(rest, &text[at..], fold)) || matches(rest, "", fold)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]
    #[test]
    fn whatever_a_filter_picks_is_admitted(filter in filter(), rows in prop::collection::vec(row(), 1..16)) {
        let inputs = vec![Input { ty: LogicalType::String, list: true }; COLUMNS as usize];
        let prefilter = derive(&filter, &inputs, &[0, 1, 2]);
        prop_assert!(prefilter.clauses.len() <= 16 + 32, "{prefilter:?}");
        for row in rows {
            let folded: Vec<Option<Vec<String>>> = row
                .iter()
                .map(|cell| cell.as_ref().map(|elements| elements.iter().map(|element| text::fold(element)).collect()))
                .collect();
            let cell = |column: u32| folded[column as usize].as_ref().map_or(Tested::Null, |all| Tested::Elements(all));
            let admitted = prefilter.admits(cell);
            prop_assert!(admitted || !picks(&filter, &row), "{:?} hides {:?}", prefilter, row);
        }
    }
}
