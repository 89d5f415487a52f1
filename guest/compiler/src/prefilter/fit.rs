//! Clauses that are too large for a manifest, made smaller: shorter texts say less, and several may become one. Of a text
//! that must not be there a part says more: an exclusion is small or is not said.

use std::collections::BTreeSet;

use sandtrap_wit::prefilter::{Atom, Clause, Test};

/// How many atoms a clause has at most. An engine refuses prefilters of more than 10,000.
const ATOMS_MAX: usize = 8_192;
/// How many bytes of a manifest a clause takes at most. An engine refuses manifests of more than 1 MiB.
const BYTES_MAX: usize = 640 << 10;
/// To how many characters texts are cut, one after the other until the clause fits. No text needs more than the first
/// of these to be rare, and every event has texts shorter than the last.
const CHARACTERS: [usize; 8] = [256, 128, 64, 32, 16, 8, 6, 4];

/// So many atoms with texts of so many bytes are small enough, even if each byte is escaped.
const SMALL_ATOMS_MAX: usize = 256;
const SMALL_TEXT_BYTES_MAX: usize = 256;

/// The clause, or one that holds wherever it does and is small enough; `None` if there is none.
pub(super) fn fit(clause: Clause) -> Option<Clause> {
    if is_small(&clause) {
        return Some(clause);
    }
    if clause.atoms.iter().any(|atom| atom.negated) {
        return None;
    }
    CHARACTERS
        .iter()
        .map(|characters| cut(&clause, *characters))
        .find(|clause| clause.atoms.len() <= ATOMS_MAX && json_bytes(clause) <= BYTES_MAX)
}

/// Whether there is nothing to cut, at a glance.
fn is_small(clause: &Clause) -> bool {
    clause.atoms.len() <= SMALL_ATOMS_MAX
        && clause.atoms.iter().all(|atom| match &atom.test {
            Test::Contains(text) | Test::Prefix(text) | Test::Suffix(text) | Test::Equals(text) => {
                text.len() <= SMALL_TEXT_BYTES_MAX
            }
            Test::Integers(set) => set.len() <= SMALL_TEXT_BYTES_MAX,
            Test::Exists(_) | Test::Range(..) => true,
        })
}

/// What a clause takes in a manifest, in bytes.
pub(super) fn json_bytes(clause: &Clause) -> usize {
    serde_json::to_vec(clause).map_or(usize::MAX, |json| json.len())
}

fn cut(clause: &Clause, characters: usize) -> Clause {
    let atoms: BTreeSet<Atom> =
        clause.atoms.iter().map(|atom| Atom::new(atom.column, cut_test(&atom.test, characters))).collect();
    Clause { atoms: atoms.into_iter().collect() }
}

/// What starts or ends with a text starts or ends with a part of it.
fn cut_test(test: &Test, characters: usize) -> Test {
    let start = |text: &str| text.chars().take(characters).collect::<String>();
    match test {
        Test::Contains(literal) => Test::Contains(start(literal)),
        Test::Prefix(literal) => Test::Prefix(start(literal)),
        Test::Suffix(literal) => {
            let skipped = literal.chars().count().saturating_sub(characters);
            Test::Suffix(literal.chars().skip(skipped).collect())
        }
        Test::Equals(literal) if literal.chars().nth(characters).is_some() => Test::Prefix(start(literal)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(tests: impl IntoIterator<Item = Test>) -> Clause {
        Clause { atoms: tests.into_iter().map(|test| Atom::new(0, test)).collect() }
    }

    #[test]
    fn what_is_small_stays_and_long_texts_are_cut() {
        let long = "é".repeat(300);
        let short = "é".repeat(256);
        for (test, expected) in [
            (Test::Contains("a".into()), Test::Contains("a".into())),
            (Test::Equals(short.clone()), Test::Equals(short.clone())),
            (Test::Equals(long.clone()), Test::Prefix(short.clone())),
            (Test::Prefix(long.clone()), Test::Prefix(short.clone())),
            (Test::Contains(long.clone()), Test::Contains(short.clone())),
            (Test::Suffix(format!("x{long}")), Test::Suffix(short)),
            (Test::Integers(vec![1]), Test::Integers(vec![1])),
        ] {
            assert_eq!(fit(clause([test])), Some(clause([expected])));
        }
        let exclusion = |text: &str| Clause { atoms: vec![!Atom::new(0, Test::Contains(text.into()))] };
        assert_eq!(fit(exclusion("a")), Some(exclusion("a")));
        assert_eq!(fit(exclusion(&long)), None);
    }

    #[test]
    fn many_texts_become_fewer() {
        let tests = |start: &str| (0..20_000).map(|n| Test::Contains(format!("{start}{n:05}"))).collect::<Vec<_>>();
        let fits = fit(clause(tests("evil"))).expect("they start alike");
        assert!((1..=ATOMS_MAX).contains(&fits.atoms.len()), "{} atoms", fits.atoms.len());
        let mut some_negated = clause(tests("evil"));
        some_negated.atoms.push(!Atom::new(0, Test::Equals("x".into())));
        assert_eq!(fit(some_negated), None);
        let numbers = (0..20_000).map(|n| Test::Integers(vec![n]));
        assert_eq!(fit(clause(numbers)), None);
        let large = (0..8_000).map(|n| Test::Suffix(format!("{n:05}{}", "x".repeat(200))));
        assert!(fit(clause(large)).is_some_and(|clause| json_bytes(&clause) <= BYTES_MAX));
    }
}
