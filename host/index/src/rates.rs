//! How often atoms are expected to hold: guessed from their kind and length until something was learned from rows.

use sandtrap_wit::text::commonness;

use crate::{
    atoms::{Asked, Atoms, Kind, NO_SLOT},
    sample::Sample,
    triggers::{GRAM, gram_number},
};

/// What is expected of rows.
#[derive(Debug)]
pub(crate) struct Rates<'a> {
    /// Of each atom, in how many of a row.
    atoms: Vec<f64>,
    sample: Option<&'a Sample>,
}

/// How much rarer a guess makes a literal with each of its bytes.
const RARER_WITH_EACH_BYTE: f64 = 0.7;

/// How long text is thought to be, in bytes.
const TEXT_BYTES: f64 = 60.0;

impl<'a> Rates<'a> {
    /// Guesses, and what a sample says.
    pub(crate) fn new(atoms: &Atoms, sample: Option<&'a Sample>) -> Self {
        let rate = |number: u32| {
            let asked = atoms.atom(number)?;
            let learned = sample.and_then(|sample| sample.rate(number, asked, atoms.literal(asked)));
            Some(learned.unwrap_or_else(|| guess(asked, atoms)))
        };
        Self { atoms: (0..crate::atoms::number_of(atoms.len())).filter_map(rate).collect(), sample }
    }

    /// In how many of a row an atom holds, from 0 to 1.
    pub(crate) fn of_atom(&self, atom: u32) -> f64 {
        self.atoms.get(atom as usize).copied().unwrap_or(1.0)
    }

    /// In how many of a row one of a clause's atoms holds, counting those twice that hold together.
    pub(crate) fn of_clause(&self, atoms: &[u32]) -> f64 {
        atoms.iter().map(|atom| self.of_atom(*atom)).sum()
    }

    /// How often a few bytes are in a row's text.
    pub(crate) fn of_gram(&self, slot: u32, gram: &[u8]) -> f64 {
        let guess: f64 = gram.iter().copied().map(commonness).product();
        match self.sample {
            // The guess decides where none of the sample's rows had it.
            Some(sample) if gram.len() == GRAM => sample.rate_of_gram(slot, gram_number(gram)) + guess / 1000.0,
            _ => guess,
        }
    }

    /// How long a key's text is, in bytes.
    pub(crate) fn text_bytes(&self, slot: u32) -> f64 {
        self.sample.and_then(|sample| sample.text_bytes(slot)).unwrap_or(TEXT_BYTES)
    }
}

fn guess(asked: Asked, atoms: &Atoms) -> f64 {
    let met = guess_met(asked, atoms);
    if asked.negated { 1.0 - met } else { met }
}

/// In how many of a row what an atom asks is so, be it negated or not.
fn guess_met(asked: Asked, atoms: &Atoms) -> f64 {
    let literal = atoms.literal(asked);
    match asked.kind {
        _ if asked.slot == NO_SLOT => f64::from(u8::from(asked.kind == Kind::Exists(false))),
        Kind::Exists(_) | Kind::Range => 0.5,
        Kind::Integers => 0.05,
        Kind::Equals if literal.is_empty() => 0.5,
        Kind::Equals => RARER_WITH_EACH_BYTE.powi(exponent(literal)) / 2.0,
        Kind::Contains | Kind::Prefix | Kind::Suffix => RARER_WITH_EACH_BYTE.powi(exponent(literal)),
    }
}

/// A literal's length; past some point it does not get rarer.
fn exponent(literal: &[u8]) -> i32 {
    i32::try_from(literal.len().min(32)).unwrap_or_default()
}
