//! Which clause of each detection is its witness, and in which order the others are verified.
//!
//! A witness should be rare: each time one of its atoms holds, the detection's other clauses are verified. And it should be
//! about keys that are looked at anyway: a key costs every row something, and one whose text is searched costs most.

use crate::{
    atoms::{Atoms, Kind, Lists, NO_SLOT, number_of},
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
const TRIGGER_NS: f32 = 40.0;
/// What it costs to have one more atom in a table.
const ATOM_NS: f32 = 0.005;
/// What it costs to ask for a value and to look up its hashes.
const KEY_NS: f32 = 25.0;
/// What it costs to search a text for grams, for each of its bytes.
const SEARCHED_BYTE_NS: f32 = 0.5;

/// How often it is tried to do without each key.
const ROUNDS: usize = 2;

/// The choice for each detection.
pub(super) fn choose(atoms: &Atoms, rates: &Rates<'_>) -> Vec<Choice> {
    let clauses: Vec<f32> = (0..number_of(atoms.clauses())).map(|clause| cost(clause, atoms, rates)).collect();
    let cost_of = |clause: u32| clauses.get(clause as usize).copied().unwrap_or(f32::INFINITY);
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

/// What a row costs with this clause as a witness; infinite if it cannot be one.
fn cost(clause: u32, atoms: &Atoms, rates: &Rates<'_>) -> f32 {
    let costs = atoms.atoms_of(clause).iter().map(|atom| match atoms.atom(*atom) {
        // It always holds and nothing triggers it.
        Some(asked) if asked.slot == NO_SLOT && asked.kind == Kind::Exists(false) => f32::INFINITY,
        _ => rates.of_atom(*atom) * TRIGGER_NS + ATOM_NS,
    });
    costs.sum()
}

/// What each clause needs as a witness: twice the slot of a key, and one more where its text is searched.
fn needs(atoms: &Atoms) -> Lists {
    let mut needs = Lists::default();
    for clause in 0..number_of(atoms.clauses()) {
        let asked = atoms.atoms_of(clause).iter().filter_map(|atom| atoms.atom(*atom));
        let asked = asked.filter(|asked| asked.slot != NO_SLOT);
        let mut list: Vec<u32> = asked.map(|asked| asked.slot * 2 + u32::from(asked.kind == Kind::Contains)).collect();
        list.sort_unstable();
        list.dedup();
        needs.push(list);
    }
    needs
}

/// Chooses other witnesses where that saves looking at a key, or searching it, for every row.
fn do_without(choices: &mut [Choice], atoms: &Atoms, needs: &Lists, cost_of: &impl Fn(u32) -> f32, rates: &Rates<'_>) {
    let mut users: Vec<Vec<u32>> = vec![Vec::new(); atoms.keys.len().saturating_mul(2)];
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
            let Some(Choice::Witness(now)) = choices.get(*detection as usize).copied() else { continue };
            let fits = |clause: &u32| needs.get(*clause).iter().all(|need| used.get(*need as usize) == Some(&true));
            let others = atoms.clauses_of(*detection).iter().copied().filter(fits);
            let best = others.min_by(|a, b| cost_of(*a).total_cmp(&cost_of(*b)));
            extra += best.map_or(f32::INFINITY, cost_of) - cost_of(now);
            moves.extend(best.map(|best| (*detection, best)));
            if extra > saved(need, &used, rates) {
                break;
            }
        }
        if extra > saved(need, &used, rates) {
            set(&mut used, need, true);
            continue;
        }
        for (detection, best) in moves {
            if let Some(choice) = choices.get_mut(detection as usize) {
                *choice = Choice::Witness(best);
            }
        }
    }
}

fn set(used: &mut [bool], need: usize, to: bool) {
    if let Some(used) = used.get_mut(need) {
        *used = to;
    }
}

/// What is saved without a need that is not used any more.
fn saved(need: usize, used: &[bool], rates: &Rates<'_>) -> f32 {
    // The other need of the same key.
    let key = if used.get(need ^ 1) == Some(&true) { 0.0 } else { KEY_NS };
    if need.is_multiple_of(2) {
        return key;
    }
    key + rates.text_bytes(number_of(need / 2)) * SEARCHED_BYTE_NS
}

/// Clauses in the order in which to verify them: what is cheap and seldom holds comes first.
pub(super) fn order(clauses: impl Iterator<Item = u32>, atoms: &Atoms, rates: &Rates<'_>) -> Vec<u32> {
    let rank = |clause: u32| {
        let list = atoms.atoms_of(clause);
        let ns = list.iter().filter_map(|atom| atoms.atom(*atom)).map(|asked| match asked.kind {
            Kind::Contains => 30.0,
            _ => 4.0,
        });
        let ns: f32 = ns.sum();
        ns / (1.0 - rates.of_clause(list)).max(0.01)
    };
    let mut ranked: Vec<(f32, u32)> = clauses.map(|clause| (rank(clause), clause)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.into_iter().map(|(_, clause)| clause).collect()
}
