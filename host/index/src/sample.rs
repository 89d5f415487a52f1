//! What was seen in some rows: how often four bytes are in the text of each key, and how often other atoms hold.
//!
//! From it [`Rates`](crate::rates::Rates) tells which atoms are rare. It never changes what an index answers.

use crate::{
    atoms::{Asked, Atoms, Kind, number_of},
    triggers::{GRAM, gram_number},
    values::{Known, Row, Values},
};

/// Counters of grams: grams of all keys share them by hash.
const COUNTERS: usize = 1 << 16;

/// How much of a text is looked at, in bytes, and of how many elements of a list.
const SEEN_BYTES_MAX: usize = 1024;
/// See [`SEEN_BYTES_MAX`].
const SEEN_ELEMENTS_MAX: usize = 64;

/// How many atoms are counted one by one: those without four bytes of text.
const COUNTED_MAX: usize = 256;

/// Counts over rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    rows: u32,
    grams: Vec<u16>,
    /// By slot.
    text_bytes: Vec<u32>,
    /// Atoms that are counted one by one, ascending, and in how many rows each held.
    counted: Vec<(u32, u32)>,
}

impl Sample {
    /// A sample for rows about which these atoms are asked.
    pub(crate) fn new(atoms: &Atoms) -> Self {
        let is_counted = |number: &u32| atoms.atom(*number).is_some_and(|asked| !is_gram(asked, atoms.literal(asked)));
        let counted = (0..number_of(atoms.len())).filter(is_counted).take(COUNTED_MAX);
        Self {
            rows: 0,
            grams: vec![0; COUNTERS],
            text_bytes: vec![0; atoms.keys.len()],
            counted: counted.map(|atom| (atom, 0)).collect(),
        }
    }

    /// The same about other atoms, if these are about the same keys. Of atoms that are counted one by one, those are known
    /// that both have.
    pub(crate) fn about(&self, own: &Atoms, others: &Atoms) -> Option<Self> {
        if own.keys != others.keys {
            return None;
        }
        let mut sample = Self { counted: Self::new(others).counted, ..self.clone() };
        sample.counted.retain_mut(|(other, count)| {
            let same = self.counted.iter().find(|(atom, _)| own.is_same(*atom, others, *other));
            same.is_some_and(|(_, known)| {
                *count = *known;
                true
            })
        });
        Some(sample)
    }

    /// How many rows it has seen.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, atoms: &Atoms, row: &impl Row, values: &mut Values) {
        self.rows = self.rows.saturating_add(1);
        for (slot, key) in (0..).zip(&atoms.keys) {
            // A dear value: its JSON is looked at instead.
            if row.json(*key).is_some() {
                continue;
            }
            match values.get(slot, &atoms.keys, row) {
                Known::Text(span) => self.add_text(slot, values.text(span)),
                Known::Elements(span) => {
                    for element in values.elements(span).iter().take(SEEN_ELEMENTS_MAX) {
                        self.add_text(slot, values.text(*element));
                    }
                }
                Known::Null | Known::Integer(_) | Known::Other => {}
            }
        }
        for (atom, count) in &mut self.counted {
            let Some(asked) = atoms.atom(*atom) else { continue };
            let value = values.get(asked.slot, &atoms.keys, row);
            *count = count.saturating_add(u32::from(atoms.holds(asked, value, values)));
        }
    }

    fn add_text(&mut self, slot: u32, text: &[u8]) {
        if let Some(bytes) = self.text_bytes.get_mut(slot as usize) {
            *bytes = bytes.saturating_add(number_of(text.len()));
        }
        for gram in text.get(..SEEN_BYTES_MAX).unwrap_or(text).windows(GRAM) {
            if let Some(count) = self.grams.get_mut(counter(slot, gram_number(gram))) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// In how many of a row an atom holds, if the sample can tell. Of text it is at most as often as its rarest four
    /// bytes are there, and a negated atom at least in the others.
    pub(crate) fn rate(&self, atom: u32, asked: Asked, literal: &[u8]) -> Option<f64> {
        let rows = f64::from(self.rows.max(1));
        // What was never seen may be seen yet.
        let unseen = 0.3 / rows;
        let rate = if is_gram(asked, literal) {
            let grams = literal.windows(GRAM).map(|gram| self.rate_of_gram(asked.slot, gram_number(gram)));
            let met = grams.reduce(f64::min)?.min(1.0);
            if asked.negated { 1.0 - met } else { met }
        } else {
            let place = self.counted.binary_search_by_key(&atom, |(atom, _)| *atom).ok()?;
            f64::from(self.counted.get(place)?.1) / rows
        };
        Some(rate.clamp(unseen, 1.0))
    }

    /// How often four bytes are in a row.
    pub(crate) fn rate_of_gram(&self, slot: u32, gram: u32) -> f64 {
        let count = self.grams.get(counter(slot, gram)).copied().unwrap_or_default();
        f64::from(count) / f64::from(self.rows.max(1))
    }

    /// How long a key's text is in a row, in bytes.
    pub(crate) fn text_bytes(&self, slot: u32) -> Option<f64> {
        Some(f64::from(*self.text_bytes.get(slot as usize)?) / f64::from(self.rows.max(1)))
    }

    /// The memory that it uses.
    pub(crate) fn bytes(&self) -> usize {
        self.grams.capacity() * size_of::<u16>()
            + self.text_bytes.capacity() * size_of::<u32>()
            + self.counted.capacity() * size_of::<(u32, u32)>()
    }
}

/// Whether the grams of its literal say how often an atom can hold.
fn is_gram(asked: Asked, literal: &[u8]) -> bool {
    matches!(asked.kind, Kind::Contains | Kind::Prefix | Kind::Suffix | Kind::Equals) && literal.len() >= GRAM
}

fn counter(slot: u32, gram: u32) -> usize {
    let mixed = (u64::from(slot) << 32 | u64::from(gram)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    usize::try_from(mixed >> (u64::BITS - COUNTERS.trailing_zeros())).unwrap_or_default()
}
