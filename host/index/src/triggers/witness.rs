//! Which clause of each detection is its witness, and in which order the others are verified.
//!
//! A witness should be rare: each time one of its atoms holds, the detection's other clauses are verified. And it should be
//! about keys that are looked at anyway: a key costs every row something, and one whose text is searched costs most.
//! A clause with a negated atom is no witness: it holds of nearly every row, and there is nothing to look for. A detection
//! that has no other is verified for every row.

use super::grams::GRAM;
use crate::{
    atoms::{Asked, Atoms, Kind, Lists, NO_SLOT, number_of},
    rates::Rates,
};

/// What a detection is triggered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The atoms of this clause.
    Witness(u32),
    /// Every row.
    Always,
    /// Nothing: it has no clauses, and is not looked at.
    Unpruned,
}

/// What a trigger costs, in nanoseconds: the other clauses of a detection.
const TRIGGER_NS: f64 = 40.0;
/// What it costs to have one more atom in a table.
const ATOM_NS: f64 = 0.005;
/// What it costs to ask for a value and to look up its hashes.
const KEY_NS: f64 = 25.0;
/// What it costs to look at a byte of text, if every byte is looked at.
const SEARCHED_BYTE_NS: f64 = 0.5;

/// What it costs to verify an atom that is not about a part of a text.
const ATOM_VERIFIED_NS: f64 = 4.0;
/// What it costs to look for one literal in a text.
const CONTAINS_NS: f64 = 12.0;
/// What it costs for each of the text's bytes.
const CONTAINS_BYTE_NS: f64 = 0.06;

/// What a witness needs of a key, in the order of what it costs. A key's needs have successive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Its value.
    Value,
    /// Its text searched for long literals.
    LongSearch,
    /// For such as let no byte be left out.
    Search,
    /// For such as are not even a gram.
    ShortSearch,
}

/// How many needs a key has.
const NEEDS: u32 = 4;

/// From how many bytes on a literal is long.
const LONG: usize = 8;

impl Need {
    const ALL: [Self; NEEDS as usize] = [Self::Value, Self::LongSearch, Self::Search, Self::ShortSearch];

    fn of(asked: Asked, atoms: &Atoms) -> Self {
        match (asked.kind, atoms.literal(asked).len()) {
            (Kind::Contains, LONG..) => Self::LongSearch,
            (Kind::Contains, GRAM..) => Self::Search,
            (Kind::Contains, 1..) => Self::ShortSearch,
            _ => Self::Value,
        }
    }

    /// What it costs for a key with so long a text.
    fn ns(self, text_bytes: f64) -> f64 {
        match self {
            Self::Value => KEY_NS,
            Self::LongSearch => KEY_NS + text_bytes * SEARCHED_BYTE_NS / 4.0,
            Self::Search => KEY_NS + text_bytes * SEARCHED_BYTE_NS,
            Self::ShortSearch => KEY_NS + text_bytes * SEARCHED_BYTE_NS * 2.0,
        }
    }
}

/// How often it is tried to do without each key.
const ROUNDS: usize = 2;

/// The choice for each detection.
pub(super) fn choose(atoms: &Atoms, rates: &Rates<'_>) -> Vec<Choice> {
    let clauses: Vec<f64> = (0..number_of(atoms.clauses())).map(|clause| cost(clause, atoms, rates)).collect();
    let cost_of = |clause: u32| clauses.get(clause as usize).copied().unwrap_or(f64::INFINITY);
    let rarest = |detection: u32| {
        let clauses = atoms.clauses_of(detection);
        let rarest = clauses.iter().copied().min_by(|a, b| cost_of(*a).total_cmp(&cost_of(*b)));
        match rarest {
            None => Choice::Unpruned,
            Some(clause) if cost_of(clause).is_finite() => Choice::Witness(clause),
            Some(_) => Choice::Always,
        }
    };
    let mut choices: Vec<Choice> = atoms.detections().map(rarest).collect();
    let needs = needs(atoms);
    for _ in 0..ROUNDS {
        do_without(&mut choices, atoms, &needs, &cost_of, rates);
    }
    choices
}

/// What a row costs with this clause as a witness; infinite if it cannot be one, because nothing triggers one of its atoms.
fn cost(clause: u32, atoms: &Atoms, rates: &Rates<'_>) -> f64 {
    let costs = atoms.atoms_of(clause).iter().map(|atom| match atoms.atom(*atom) {
        Some(asked) if asked.negated => f64::INFINITY,
        // It always holds.
        Some(asked) if asked.slot == NO_SLOT && asked.kind == Kind::Exists(false) => f64::INFINITY,
        _ => rates.of_atom(*atom) * TRIGGER_NS + ATOM_NS,
    });
    costs.sum()
}

/// What each clause needs as a witness.
fn needs(atoms: &Atoms) -> Lists {
    let mut needs = Lists::default();
    for clause in 0..number_of(atoms.clauses()) {
        let asked = atoms.atoms_of(clause).iter().filter_map(|atom| atoms.atom(*atom));
        let asked = asked.filter(|asked| asked.slot != NO_SLOT);
        let number = |asked: Asked| asked.slot.saturating_mul(NEEDS).saturating_add(Need::of(asked, atoms) as u32);
        let mut list: Vec<u32> = asked.map(number).collect();
        list.sort_unstable();
        list.dedup();
        needs.push(list);
    }
    needs
}

/// Chooses other witnesses where that saves looking at a key, or searching it, for every row.
fn do_without(choices: &mut [Choice], atoms: &Atoms, needs: &Lists, cost_of: &impl Fn(u32) -> f64, rates: &Rates<'_>) {
    let mut users: Vec<Vec<u32>> = vec![Vec::new(); atoms.keys.len().saturating_mul(Need::ALL.len())];
    for (detection, choice) in (0..).zip(&*choices) {
        let Choice::Witness(clause) = choice else { continue };
        for need in needs.get(*clause) {
            if let Some(users) = users.get_mut(*need as usize) {
                users.push(detection);
            }
        }
    }
    let mut used: Vec<bool> = users.iter().map(|users| !users.is_empty()).collect();
    let mut order: Vec<usize> = (0..users.len()).collect();
    order.sort_by_key(|need| users.get(*need).map_or(0, Vec::len));
    for need in order {
        let Some(users) = users.get(need).filter(|users| !users.is_empty()) else { continue };
        set(&mut used, need, false);
        let mut extra = 0.0;
        let mut moves = Vec::with_capacity(users.len());
        for detection in users {
            let now = match choices.get(*detection as usize) {
                Some(Choice::Witness(now)) => cost_of(*now),
                _ => continue,
            };
            let fits = |clause: &u32| needs.get(*clause).iter().all(|need| used.get(*need as usize) == Some(&true));
            let clauses = atoms.clauses_of(*detection);
            let others = clauses.iter().copied().filter(fits);
            let best = others.min_by(|a, b| cost_of(*a).total_cmp(&cost_of(*b)));
            let best = best.map(|best| (cost_of(best), Choice::Witness(best)));
            let always = (always_ns(clauses, atoms, rates), Choice::Always);
            let (cost, choice) = best.filter(|best| best.0 <= always.0).unwrap_or(always);
            extra += cost - now;
            moves.push((*detection, choice));
            if extra > saved(need, &used, rates) {
                break;
            }
        }
        if extra > saved(need, &used, rates) {
            set(&mut used, need, true);
            continue;
        }
        for (detection, better) in moves {
            if let Some(choice) = choices.get_mut(detection as usize) {
                *choice = better;
            }
        }
    }
}

fn set(used: &mut [bool], need: usize, to: bool) {
    if let Some(used) = used.get_mut(need) {
        *used = to;
    }
}

/// What is saved without a need that is not used any more: a key costs as much as the dearest of its needs.
fn saved(need: usize, used: &[bool], rates: &Rates<'_>) -> f64 {
    let slot = need / Need::ALL.len();
    let text_bytes = rates.text_bytes(number_of(slot));
    let others = used.get(slot * Need::ALL.len()..).unwrap_or_default().iter().zip(Need::ALL);
    let left = others.filter(|(used, _)| **used).map(|(_, need)| need.ns(text_bytes)).fold(0.0, f64::max);
    let without = Need::ALL.get(need % Need::ALL.len()).map_or(0.0, |need| need.ns(text_bytes));
    (without - left).max(0.0)
}

/// What it costs to verify a detection for a row that nothing is known of.
fn always_ns(clauses: &[u32], atoms: &Atoms, rates: &Rates<'_>) -> f64 {
    let mut reached = 1.0;
    let mut ns = TRIGGER_NS / 2.0;
    for clause in order(clauses.iter().copied(), atoms, rates) {
        ns += reached * verify_ns(clause, atoms, rates);
        reached *= rates.of_clause(atoms.atoms_of(clause)).min(1.0);
    }
    ns
}

/// What it costs to ask one atom after the other, none of which holds.
fn verify_ns(clause: u32, atoms: &Atoms, rates: &Rates<'_>) -> f64 {
    let ns = atoms.atoms_of(clause).iter().filter_map(|atom| atoms.atom(*atom)).map(|asked| match asked.kind {
        Kind::Contains => CONTAINS_NS + rates.text_bytes(asked.slot) * CONTAINS_BYTE_NS,
        _ => ATOM_VERIFIED_NS,
    });
    ns.sum()
}

/// Clauses in the order in which to verify them: what is cheap and seldom holds comes first.
pub(super) fn order(clauses: impl Iterator<Item = u32>, atoms: &Atoms, rates: &Rates<'_>) -> Vec<u32> {
    let rank =
        |clause: u32| verify_ns(clause, atoms, rates) / (1.0 - rates.of_clause(atoms.atoms_of(clause))).max(0.01);
    let mut ranked: Vec<(f64, u32)> = clauses.map(|clause| (rank(clause), clause)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.into_iter().map(|(_, clause)| clause).collect()
}
