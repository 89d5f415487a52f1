//! How rare a test is thought to be: a guess that decides which clauses are kept where not all can be. It is never about
//! what is right, only about what is quick.

use sandtrap_wit::prefilter::{Atom, Clause, Test};

/// Of so many events, [`share`] says how many meet a test.
const EVENTS: u64 = 1 << EVENTS_BITS;
const EVENTS_BITS: u32 = 40;
/// What an enumeration's value is thought to take: a logon type, `true`.
const ENUMERATED_BITS: u32 = 3;
/// What a number of several digits takes: a port, the id of an event.
const NUMBER_BITS: u32 = 6;
/// So many digits make one.
const NUMBER_DIGITS_MIN: usize = 3;
/// Bits that a byte of text takes, and one that is not ASCII.
const ASCII_BITS: u32 = 2;
const OTHER_BITS: u32 = 6;
/// The most bits that a text is worth.
const TEXT_BITS_MAX: u32 = 36;
/// Texts up to this long are what enumerations have.
const ENUMERATED_BYTES_MAX: usize = 5;

/// So many characters, of which one must be there, say nothing.
const CHARACTERS_MIN: usize = 4;

/// What a large part of events of Windows and Linux has in it somewhere, folded; found in the 100,000 events that we
/// measure with.
const COMMON: [&str; 18] = [
    "c:\\windows\\system32\\",
    "c:\\windows\\syswow64\\",
    "c:\\windows\\explorer.exe",
    "c:\\program files\\",
    "c:\\program files (x86)\\",
    "c:\\programdata\\microsoft\\",
    "c:\\users\\",
    "\\appdata\\local\\",
    "\\windowspowershell\\v1.0\\powershell.exe",
    "\\svchost.exe",
    "hklm\\software\\microsoft\\windows\\currentversion\\",
    "hklm\\software\\microsoft\\windows nt\\currentversion\\",
    "hklm\\system\\currentcontrolset\\services\\",
    "nt authority\\system",
    "http://www.microsoft.com",
    "https://www.",
    "/usr/bin/",
    "kernelbase.dll",
];

/// How many of 2^40 events meet one of a clause's atoms, at most: an event may meet several.
pub(super) fn of_clause(clause: &Clause) -> u64 {
    clause.atoms.iter().map(of_atom).fold(0, u64::saturating_add)
}

/// How many of 2^40 events an atom holds of.
fn of_atom(atom: &Atom) -> u64 {
    let met = of_test(&atom.test);
    if atom.negated { EVENTS.saturating_sub(met) } else { met }
}

/// Whether a clause may cut down what others let through: one of a few characters is in nearly every text.
pub(super) fn is_telling(clause: &Clause) -> bool {
    let is_character =
        |atom: &Atom| !atom.negated && matches!(&atom.test, Test::Contains(text) if text.chars().nth(1).is_none());
    clause.atoms.len() < CHARACTERS_MIN || !clause.atoms.iter().all(is_character)
}

/// How many of 2^40 events meet a test.
fn of_test(test: &Test) -> u64 {
    let bits = match test {
        Test::Exists(true) => 0,
        Test::Exists(false) | Test::Range(..) => 1,
        Test::Integers(set) => {
            return (EVENTS >> ENUMERATED_BITS).saturating_mul(u64::try_from(set.len()).unwrap_or(u64::MAX));
        }
        Test::Equals(literal) if literal.bytes().all(|byte| byte.is_ascii_digit()) => {
            if literal.len() < NUMBER_DIGITS_MIN { ENUMERATED_BITS } else { NUMBER_BITS }
        }
        Test::Equals(literal) if literal.len() <= ENUMERATED_BYTES_MAX => ENUMERATED_BITS,
        Test::Equals(literal) | Test::Prefix(literal) | Test::Suffix(literal) => {
            text_bits(literal).saturating_add(ASCII_BITS)
        }
        Test::Contains(literal) => text_bits(literal),
    };
    EVENTS >> bits.min(TEXT_BITS_MAX)
}

fn text_bits(text: &str) -> u32 {
    if COMMON.iter().any(|common| common.contains(text)) {
        // Longer parts of common texts are a little less common.
        return u32::try_from(text.len() / 4).unwrap_or(TEXT_BITS_MAX).max(1);
    }
    let bits = text.chars().map(|c| if c.is_ascii() { ASCII_BITS } else { OTHER_BITS });
    bits.fold(0, u32::saturating_add).min(TEXT_BITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_common_to_rare() {
        let tests = [
            Test::Exists(true),
            Test::Range(0, 5),
            Test::Contains(".exe".into()),
            Test::Equals("true".into()),
            Test::Suffix("\\svchost.exe".into()),
            Test::Contains("-enc".into()),
            Test::Equals("0x1fffff".into()),
            Test::Contains("invoke-mimikatz".into()),
        ];
        let shares: Vec<u64> = tests.iter().map(of_test).collect();
        assert!(shares.is_sorted_by(|left, right| left >= right), "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0), "an event may meet any test");
    }

    #[test]
    fn a_choice_of_characters_says_nothing() {
        let clause = |texts: &[&str]| Clause {
            atoms: texts.iter().map(|text| Atom::new(0, Test::Contains((*text).into()))).collect(),
        };
        for (texts, tells) in [
            (&["0", "1", "2", "3"][..], false),
            (&["`"], true),
            (&["0", "1", "2", "kvm"], true),
            (&["ab", "cd", "ef", "gh"], true),
        ] {
            assert_eq!(is_telling(&clause(texts)), tells, "{texts:?}");
        }
    }

    #[test]
    fn a_flood_of_atoms_is_no_overflow() {
        let atom = Atom::new(0, Test::Exists(true));
        let many = Clause { atoms: vec![atom; 1 << 10] };
        assert!(of_clause(&many) >= EVENTS);
    }
}
