//! Conjunctions and disjunctions in which searches of one column become one search.
//!
//! A search for many texts costs little more than a search for one. All conditions here are true or false, never null,
//! so that their order does not matter.

use std::collections::{HashMap, HashSet};

use crate::ir::{ElementTest, Expr, MatchKind, Quantifier, TextMatch};

/// What searches must have in common to become one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Text(MatchKind, bool),
    Wildcards(bool),
    Cidr,
}

/// One of them holds.
pub(super) fn any(operands: Vec<Expr>) -> Expr {
    let mut result: Vec<Expr> = Vec::new();
    let mut places: HashMap<(u32, Kind), usize> = HashMap::new();
    for operand in flat(operands, |expr| match expr {
        Expr::Or(operands) => Ok(operands),
        expr => Err(expr),
    }) {
        let Some(kind) = mergeable(&operand, Quantifier::Any) else {
            result.push(operand);
            continue;
        };
        if let Some(into) = places.get(&kind).and_then(|at| result.get_mut(*at)) {
            join(into, operand, Quantifier::Any);
        } else {
            places.insert(kind, result.len());
            result.push(operand);
        }
    }
    finish(result, Expr::Or)
}

/// All of them hold.
pub(super) fn all(operands: Vec<Expr>) -> Expr {
    let mut result: Vec<Expr> = Vec::new();
    let mut places: HashMap<(u32, Kind), usize> = HashMap::new();
    for operand in flat(operands, |expr| match expr {
        Expr::And(operands) => Ok(operands),
        expr => Err(expr),
    }) {
        // Only texts: one element must be in a network of a list, so that lists of them are not joined.
        let kind = mergeable(&operand, Quantifier::All).filter(|(_, kind)| matches!(kind, Kind::Text(..)));
        let Some(kind) = kind else {
            result.push(operand);
            continue;
        };
        if let Some(into) = places.get(&kind).and_then(|at| result.get_mut(*at)) {
            join(into, operand, Quantifier::All);
        } else {
            places.insert(kind, result.len());
            result.push(operand);
        }
    }
    finish(result, Expr::And)
}

/// It does not hold.
pub(super) fn not(operand: Expr) -> Expr {
    match operand {
        Expr::Not(operand) => *operand,
        operand => Expr::Not(Box::new(operand)),
    }
}

/// Operands of operands, one level: theirs were made here, too.
fn flat(operands: Vec<Expr>, open: impl Fn(Expr) -> Result<Vec<Expr>, Expr>) -> Vec<Expr> {
    operands
        .into_iter()
        .flat_map(|operand| match open(operand) {
            Ok(operands) => operands,
            Err(operand) => vec![operand],
        })
        .collect()
}

/// The column and kind of a search that can become one with others of which one must, or all must hold.
fn mergeable(expr: &Expr, quantifier: Quantifier) -> Option<(u32, Kind)> {
    match expr {
        Expr::TextMatch(text) if text.quantifier == quantifier || text.needles.len() == 1 => {
            let Expr::Input { column, .. } = *text.haystack else { return None };
            Some((column, Kind::Text(text.kind, text.fold)))
        }
        Expr::AnyElement { column, test: ElementTest::Wildcards { fold, .. } } => {
            Some((*column, Kind::Wildcards(*fold)))
        }
        Expr::AnyElement { column, test: ElementTest::Cidr(_) } => Some((*column, Kind::Cidr)),
        _ => None,
    }
}

fn join(into: &mut Expr, from: Expr, quantifier: Quantifier) {
    match (into, from) {
        (Expr::TextMatch(into), Expr::TextMatch(from)) => {
            into.quantifier = quantifier;
            into.needles.extend(from.needles);
        }
        (
            Expr::AnyElement { test: ElementTest::Wildcards { patterns: into, .. }, .. },
            Expr::AnyElement { test: ElementTest::Wildcards { patterns: from, .. }, .. },
        ) => into.extend(from),
        (
            Expr::AnyElement { test: ElementTest::Cidr(into), .. },
            Expr::AnyElement { test: ElementTest::Cidr(from), .. },
        ) => into.extend(from),
        // `mergeable` gives each kind its own place.
        _ => {}
    }
}

fn finish(mut operands: Vec<Expr>, several: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    for operand in &mut operands {
        match operand {
            Expr::TextMatch(TextMatch { needles, .. }) => unique(needles),
            Expr::AnyElement { test: ElementTest::Wildcards { patterns, .. }, .. } => unique(patterns),
            Expr::AnyElement { test: ElementTest::Cidr(networks), .. } => unique(networks),
            _ => {}
        }
    }
    if operands.len() == 1
        && let Some(only) = operands.pop()
    {
        return only;
    }
    several(operands)
}

fn unique<T: Clone + Eq + std::hash::Hash>(items: &mut Vec<T>) {
    let mut seen = HashSet::with_capacity(items.len());
    items.retain(|item| seen.insert(item.clone()));
}
