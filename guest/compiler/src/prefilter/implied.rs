//! Which atoms and clauses follow from others and can be left out without admitting another row.

use sandtrap_wit::prefilter::{Atom, Clause, Test};

/// So many pairs of one clause's atoms are compared at most before it is left at what is there.
const PAIRS_OF_ATOMS_MAX: usize = 1 << 14;
/// So many pairs of two clauses' atoms are.
const PAIRS_OF_CLAUSES_MAX: usize = 1 << 10;

/// Whether every row that meets `atom` meets `other`.
fn atom(atom: &Atom, other: &Atom) -> bool {
    atom.column == other.column
        && match (atom.negated, other.negated) {
            (false, false) => test(&atom.test, &other.test),
            // What is not so cannot be what is only ever so.
            (true, true) => test(&other.test, &atom.test),
            // Of a list, one element may be so and another not.
            _ => false,
        }
}

fn test(test: &Test, other: &Test) -> bool {
    use Test::{Contains, Equals, Exists, Integers, Prefix, Range, Suffix};
    match (test, other) {
        // An element that is so is a value.
        (Contains(_) | Prefix(_) | Suffix(_) | Equals(_) | Integers(_) | Range(..), Exists(true)) => true,
        (Contains(whole) | Prefix(whole) | Suffix(whole) | Equals(whole), Contains(part)) => {
            whole.contains(part.as_str())
        }
        (Prefix(whole) | Equals(whole), Prefix(part)) => whole.starts_with(part.as_str()),
        (Suffix(whole) | Equals(whole), Suffix(part)) => whole.ends_with(part.as_str()),
        (Integers(set), Integers(other)) => set.iter().all(|value| other.contains(value)),
        (Integers(set), Range(low, high)) => set.iter().all(|value| (low..=high).contains(&value)),
        (Range(low, high), Range(other_low, other_high)) => other_low <= low && high <= other_high,
        (test, other) => test == other,
    }
}

/// Leaves out atoms that another atom holds for. Sorted, without duplicates.
pub(super) fn without_redundant_atoms(mut atoms: Vec<Atom>) -> Vec<Atom> {
    atoms.sort_unstable();
    atoms.dedup();
    if atoms.len().saturating_mul(atoms.len()) > PAIRS_OF_ATOMS_MAX {
        return atoms;
    }
    let mut kept: Vec<Atom> = Vec::with_capacity(atoms.len());
    for next in atoms {
        if kept.iter().any(|known| atom(&next, known)) {
            continue;
        }
        kept.retain(|known| !atom(known, &next));
        kept.push(next);
    }
    kept.sort_unstable();
    kept
}

/// Leaves out clauses that hold wherever another does; the earlier of two that are alike stays.
pub(super) fn without_redundant_clauses(clauses: Vec<Clause>) -> Vec<Clause> {
    let mut kept: Vec<Clause> = Vec::with_capacity(clauses.len());
    for next in clauses {
        if kept.iter().any(|known| clause(known, &next)) {
            continue;
        }
        kept.retain(|known| !clause(&next, known));
        kept.push(next);
    }
    kept
}

/// Whether every row that meets `clause` meets `other`. False where it would take too long to say.
fn clause(clause: &Clause, other: &Clause) -> bool {
    if clause == other {
        return true;
    }
    clause.atoms.len().saturating_mul(other.atoms.len()) <= PAIRS_OF_CLAUSES_MAX
        && clause.atoms.iter().all(|each| other.atoms.iter().any(|wider| atom(each, wider)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(column: u32, test: Test) -> Atom {
        Atom::new(column, test)
    }

    fn contains(text: &str) -> Test {
        Test::Contains(text.into())
    }

    #[test]
    fn says_which_tests_follow() {
        use Test::{Equals, Exists, Integers, Prefix, Range, Suffix};
        for (given, other, follows) in [
            (contains("abc"), contains("b"), true),
            (contains("b"), contains("abc"), false),
            (Prefix("ab".into()), contains("b"), true),
            (Prefix("ab".into()), Prefix("a".into()), true),
            (Prefix("ab".into()), Suffix("b".into()), false),
            (Suffix("ab".into()), Suffix("b".into()), true),
            (Equals("ab".into()), Suffix("b".into()), true),
            (Equals("ab".into()), Prefix("a".into()), true),
            (Equals("ab".into()), Equals("a".into()), false),
            (Equals(String::new()), Exists(true), true),
            (Exists(true), Exists(false), false),
            (Exists(false), contains(""), false),
            (Integers(vec![1, 2]), Integers(vec![2, 3, 1]), true),
            (Integers(vec![1, 5]), Range(1, 4), false),
            (Range(2, 3), Range(1, 4), true),
            (Range(0, 3), Range(1, 4), false),
            (Range(0, 3), Exists(true), true),
        ] {
            assert_eq!(test(&given, &other), follows, "{given:?} and {other:?}");
        }
        assert!(!atom(&on(0, contains("a")), &on(1, contains("a"))), "another column");
        for (given, other, follows) in [
            (!on(0, contains("a")), !on(0, contains("abc")), true),
            (!on(0, contains("abc")), !on(0, contains("a")), false),
            (!on(0, Exists(true)), !on(0, contains("a")), true),
            (!on(0, contains("abc")), on(0, contains("a")), false),
            (on(0, Equals("x".into())), !on(0, Equals("y".into())), false),
        ] {
            assert_eq!(atom(&given, &other), follows, "{given:?} and {other:?}");
        }
    }

    #[test]
    fn the_wider_atom_and_the_narrower_clause_stay() {
        let atoms =
            vec![on(0, contains("pipe_")), on(0, contains("pipe")), on(0, contains("x")), on(1, contains("pipes"))];
        let kept = without_redundant_atoms(atoms);
        assert_eq!(kept, [on(0, contains("pipe")), on(0, contains("x")), on(1, contains("pipes"))]);
        let of = |atoms: &[Atom]| Clause { atoms: atoms.to_vec() };
        let (narrow, wide) = (of(&[on(0, contains("abc"))]), of(&[on(0, contains("a")), on(1, contains("z"))]));
        for order in [vec![narrow.clone(), wide.clone()], vec![wide, narrow.clone()]] {
            assert_eq!(without_redundant_clauses(order), std::slice::from_ref(&narrow));
        }
    }
}
