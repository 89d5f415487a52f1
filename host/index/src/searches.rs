//! Long texts that are searched once for all literals which clauses ask of them.
//!
//! To look for one literal in a few kilobytes is quick, but rules that leave out what is normal ask for dozens, and each of
//! their variants for other ones. Whether texts of a key are long is learned from rows.

use crate::{
    atoms::{Asked, Atoms, Kind, number_of},
    rates::Rates,
    scratch::Memo,
    triggers::{GRAM, Grams, Search},
};

/// How long the texts of a key are at least on average over all rows, those without it included, in bytes.
const TEXT_BYTES_MIN: f64 = 512.0;

/// How long literals are at least, so that not every byte of a text has to be looked at.
const LITERAL_BYTES_MIN: usize = 8;

/// So many literals are looked for one by one before a text is searched for all.
const ALONE_MAX: usize = 3;

/// For each slot whose texts are long its literals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searches {
    slots: Vec<Option<Grams<GRAM>>>,
}

/// What was searched in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searched {
    /// The slots in whose texts a literal was looked for, once for each.
    alone: Vec<u32>,
    /// The slots whose texts were searched for all, and whether that was completed.
    done: Vec<(u32, bool)>,
    /// Literals that were found.
    found: Memo,
}

impl Searched {
    /// The next row, for atoms below `atoms`.
    pub(crate) fn begin(&mut self, atoms: usize) {
        self.alone.clear();
        self.done.clear();
        self.found.begin(atoms);
    }
}

impl Searches {
    /// For those atoms that ask for long literals, where a sample says that texts are long.
    pub(crate) fn new(atoms: &Atoms, rates: &Rates<'_>) -> Self {
        let mut literals: Vec<Vec<(u32, &[u8])>> = vec![Vec::new(); atoms.keys.len()];
        for number in 0..number_of(atoms.len()) {
            let Some(asked) = atoms.atom(number).filter(|asked| is_searched(*asked, atoms)) else { continue };
            if let Some(of_slot) = literals.get_mut(asked.slot as usize) {
                of_slot.push((number, atoms.literal(asked)));
            }
        }
        let searches = (0..).zip(literals).map(|(slot, literals)| {
            let pays = literals.len() > ALONE_MAX && rates.text_bytes(slot) >= TEXT_BYTES_MIN;
            pays.then(|| Grams::new(&literals, |gram| rates.of_gram(slot, gram)))
        });
        Self { slots: searches.collect() }
    }

    /// Whether the row's text has an atom's literal, if the text is searched for all.
    pub(crate) fn has(
        &self,
        atom: u32,
        asked: Asked,
        text: &[u8],
        atoms: &Atoms,
        searched: &mut Searched,
    ) -> Option<bool> {
        let slot = asked.slot;
        let grams = self.slots.get(slot as usize)?.as_ref().filter(|_| is_searched(asked, atoms))?;
        let Searched { alone, done, found } = searched;
        let known = done.iter().find(|(known, _)| *known == slot).map(|(_, complete)| *complete);
        let complete = match known {
            Some(complete) => complete,
            None if alone.iter().filter(|other| **other == slot).count() < ALONE_MAX => {
                alone.push(slot);
                return None;
            }
            None => {
                let search = grams.find(text, |atom, start| {
                    let literal = atoms.literal(atoms.atom(atom).filter(|_| found.get(atom).is_none())?);
                    if text.get(start..).is_some_and(|rest| rest.starts_with(literal)) {
                        found.set(atom, true);
                    }
                    Some(literal.len())
                });
                done.push((slot, search == Search::Complete));
                search == Search::Complete
            }
        };
        complete.then(|| found.get(atom).is_some())
    }

    /// The memory that they use.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.iter().flatten().map(Grams::bytes).sum::<usize>() + self.slots.capacity() * size_of::<Grams<GRAM>>()
    }
}

fn is_searched(asked: Asked, atoms: &Atoms) -> bool {
    asked.kind == Kind::Contains && atoms.literal(asked).len() >= LITERAL_BYTES_MIN
}
