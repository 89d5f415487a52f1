//! Conjunctions of clauses, and how they are put together with `and` and `or`.
//!
//! A clause with a negated atom is an exclusion: it holds of nearly every row, and an index cannot look for it. Exclusions
//! stand after all other clauses and are chosen by themselves, so that these are what they would be without them.

use std::collections::HashSet;

use sandtrap_wit::prefilter::{Atom, Clause, Prefilter};

use super::{
    fit::{fit, json_bytes},
    implied::{without_redundant_atoms, without_redundant_clauses},
    rarity,
};

/// How many clauses a condition has at most; leaving one out only admits more rows.
const CLAUSES_MAX: usize = 16;
/// How many of them are compared, of which those that follow from others are left out.
const COMPARED_MAX: usize = 2 * CLAUSES_MAX;
/// How many bytes a prefilter's clauses take in the manifest after the rarest: they only cut down what that lets through.
const FURTHER_BYTES_MAX: usize = 16 << 10;
/// How many atoms a disjunction may write down for the clauses that it tries.
const TRIED_ATOMS_MAX: usize = 16_384;
/// How many exclusions a condition has at most besides.
const EXCLUSIONS_MAX: usize = 32;
/// How many bytes they take in the manifest, which a component has twice. Of `SigmaHQ`'s rules a fifth has exclusions, and
/// one in forty more than this; they make all components together 0.6 % larger. Without a limit it would be 0.9 %, to spare
/// less than a candidate in two hundred.
const EXCLUSION_BYTES_MAX: usize = 1 << 10;
/// How many atoms a disjunction may write down for exclusions.
const TRIED_EXCLUSION_ATOMS_MAX: usize = 2_048;

/// A conjunction of clauses, the rarest first and exclusions last. Without clauses it always holds, with an empty one never.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition(Vec<Clause>);

impl Condition {
    pub(super) fn always() -> Self {
        Self(Vec::new())
    }

    pub(super) fn never() -> Self {
        Self(vec![Clause::default()])
    }

    pub(super) fn atom(atom: Atom) -> Self {
        Self(vec![Clause { atoms: vec![atom] }])
    }

    /// One of these atoms.
    pub(super) fn one_of(atoms: Vec<Atom>) -> Self {
        Self::of(vec![Clause { atoms }])
    }

    /// All of these clauses; the rarest of them, where they are too many.
    fn of(clauses: Vec<Clause>) -> Self {
        if clauses.iter().any(|clause| clause.atoms.is_empty()) {
            return Self::never();
        }
        let simple = clauses.into_iter().map(|clause| Clause { atoms: without_redundant_atoms(clause.atoms) });
        // Of what is too large nothing is said, which is weaker and so still necessary.
        let mut known = HashSet::new();
        let mut clauses: Vec<Clause> =
            simple.filter_map(fit).filter(|clause| known.insert(clause.atoms.clone())).collect();
        clauses.sort_by_cached_key(|clause| (is_exclusion(clause), rarity::of_clause(clause), clause.atoms.len()));
        truncate(&mut clauses, COMPARED_MAX, 2 * EXCLUSIONS_MAX);
        clauses = without_redundant_clauses(clauses);
        truncate(&mut clauses, CLAUSES_MAX, EXCLUSIONS_MAX);
        Self(clauses)
    }

    pub(super) fn is_always(&self) -> bool {
        self.0.is_empty()
    }

    fn is_never(&self) -> bool {
        self.0.iter().any(|clause| clause.atoms.is_empty())
    }

    /// All hold: the clauses of all.
    pub(super) fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::of(conditions.into_iter().flat_map(|condition| condition.0).collect())
    }

    /// One of them holds. (A and B) or C is (A or C) and (B or C): each clause made here has a clause of every side, of
    /// which one holds whenever that side does.
    ///
    /// All choices of one clause a side would be too many. Those that are made are the rarest of each side together, the
    /// second rarest, and so on; and then the rarest of all sides but one with each clause of that one, which leaves only
    /// rows that meet all of a side or the rarest clauses of two.
    pub(super) fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut sides: Vec<Vec<Clause>> = Vec::new();
        for condition in conditions {
            if condition.is_always() {
                return condition;
            }
            if !condition.is_never() {
                sides.push(condition.0);
            }
        }
        let Some((first, rest)) = sides.split_first() else { return Self::never() };
        if rest.is_empty() {
            return Self(first.clone());
        }
        // What all sides say is said once.
        let shared: Vec<Clause> =
            first.iter().filter(|clause| rest.iter().all(|side| side.contains(clause))).cloned().collect();
        for side in &mut sides {
            side.retain(|clause| !shared.contains(clause));
        }
        let mut clauses = shared;
        // A side of nothing else says nothing more.
        if sides.iter().all(|side| !side.is_empty()) {
            let excluding = sides.iter().any(|side| side.last().is_some_and(is_exclusion)).then(|| sides.clone());
            for side in &mut sides {
                side.retain(|clause| !is_exclusion(clause));
            }
            if sides.iter().all(|side| !side.is_empty()) {
                clauses.extend(distributed(&sides, TRIED_ATOMS_MAX));
            }
            let excluding = excluding.map(|sides| distributed(&sides, TRIED_EXCLUSION_ATOMS_MAX));
            clauses.extend(excluding.into_iter().flatten().filter(is_exclusion));
        }
        Self::of(clauses)
    }

    /// The rarest clause, and the others that are worth their place.
    pub(super) fn into_prefilter(self) -> Prefilter {
        let mut kept: Vec<Clause> = Vec::new();
        let (mut further, mut excluding) = (FURTHER_BYTES_MAX, EXCLUSION_BYTES_MAX);
        for clause in self.0 {
            let room = if is_exclusion(&clause) { &mut excluding } else { &mut further };
            if kept.is_empty() && !is_exclusion(&clause) {
                kept.push(clause);
            } else if rarity::is_telling(&clause)
                && let Some(left) = room.checked_sub(json_bytes(&clause))
            {
                *room = left;
                kept.push(clause);
            }
        }
        Prefilter { clauses: kept }
    }
}

fn is_exclusion(clause: &Clause) -> bool {
    clause.atoms.iter().any(|atom| atom.negated)
}

/// Leaves so many clauses, and so many of the exclusions that stand after them.
fn truncate(clauses: &mut Vec<Clause>, most: usize, exclusions_most: usize) {
    let mut exclusions = clauses.split_off(clauses.partition_point(|clause| !is_exclusion(clause)));
    clauses.truncate(most);
    exclusions.truncate(exclusions_most);
    clauses.append(&mut exclusions);
}

/// Clauses that hold if one of the sides does; none of the sides is empty, and the rarest clause of each is its first.
fn distributed(sides: &[Vec<Clause>], room: usize) -> Vec<Clause> {
    let mut tried = Tried { sides, clauses: Vec::new(), room };
    let longest = sides.iter().map(Vec::len).max().unwrap_or(0);
    for place in 0..longest {
        if !tried.add(|_| place) {
            return tried.clauses;
        }
    }
    for (varied, side) in sides.iter().enumerate() {
        for place in 1..side.len() {
            if !tried.add(|at| if at == varied { place } else { 0 }) {
                return tried.clauses;
            }
        }
    }
    tried.clauses
}

/// Choices of one clause a side.
struct Tried<'a> {
    sides: &'a [Vec<Clause>],
    clauses: Vec<Clause>,
    /// How many atoms more may be written down.
    room: usize,
}

impl Tried<'_> {
    /// Adds the choice of the clause at the place that `place` says for each side, or its last; false if there is no room.
    /// There is for the first.
    fn add(&mut self, place: impl Fn(usize) -> usize) -> bool {
        let sides = self.sides.iter().enumerate();
        let picked = sides.filter_map(|(at, side)| side.get(place(at)).or(side.last()));
        let atoms = picked.clone().map(|clause| clause.atoms.len()).fold(0, usize::saturating_add);
        if atoms > self.room && !self.clauses.is_empty() {
            return false;
        }
        self.room = self.room.saturating_sub(atoms);
        self.clauses.push(Clause { atoms: picked.flat_map(|clause| clause.atoms.iter().cloned()).collect() });
        true
    }
}
