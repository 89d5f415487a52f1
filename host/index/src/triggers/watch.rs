//! The triggers of one key: which of its atoms hold of a value.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    anchored::{Anchored, End},
    grams::{GRAM, Grams, SHORT_GRAM, Search},
    json::Pieces,
};
use crate::{
    atoms::{Asked, Atoms, Kind},
    rates::Rates,
    scratch::Hits,
    values::{Json, Known, Values},
};

/// How many watches were made.
static WATCHES: AtomicU64 = AtomicU64::new(0);

/// Atoms of one key.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Which key.
    pub(super) slot: u32,
    /// Which no other watch of any index has.
    pub(super) number: u64,
    atoms: usize,
    /// Where all atoms are literals to be contained.
    pieces: Option<Pieces>,
    anchored: Anchored,
    grams: Grams<GRAM>,
    short_grams: Grams<SHORT_GRAM>,
    /// Those in either, for when it is flooded.
    contained: Vec<u32>,
    /// Literals of one byte.
    bytes: Vec<u32>,
    /// Met by any text.
    any: Vec<u32>,
    present: Vec<u32>,
    missing: Vec<u32>,
    /// Each integer of each atom that lists some, ascending.
    integers: Vec<(i64, u32)>,
    ranges: Vec<u32>,
}

impl Watch {
    /// A watch for these atoms, which are all of this slot.
    pub(super) fn new(slot: u32, chosen: &[(u32, Asked)], atoms: &Atoms, rates: &Rates) -> Self {
        let of = |wanted: &dyn Fn(Asked) -> bool| -> Vec<u32> {
            chosen.iter().filter(|(_, asked)| wanted(*asked)).map(|(atom, _)| *atom).collect()
        };
        let contains = |asked: Asked, range: std::ops::Range<usize>| {
            asked.kind == Kind::Contains && range.contains(&atoms.literal(asked).len())
        };
        let is_any = |asked: Asked| {
            matches!(asked.kind, Kind::Contains | Kind::Prefix | Kind::Suffix) && atoms.literal(asked).is_empty()
        };
        let anchored = chosen.iter().filter(|(_, asked)| !is_any(*asked)).filter_map(|(atom, asked)| {
            let end = match asked.kind {
                Kind::Prefix => End::First,
                Kind::Suffix => End::Last,
                Kind::Equals => End::Whole,
                _ => return None,
            };
            Some((*atom, end, atoms.literal(*asked)))
        });
        let contained = |range: std::ops::Range<usize>| -> Vec<(u32, &[u8])> {
            let chosen = chosen.iter().filter(|(_, asked)| contains(*asked, range.clone()));
            chosen.map(|(atom, asked)| (*atom, atoms.literal(*asked))).collect()
        };
        let (long, short) = (contained(GRAM..usize::MAX), contained(SHORT_GRAM..GRAM));
        let integers = chosen.iter().filter(|(_, asked)| asked.kind == Kind::Integers);
        let mut integers: Vec<(i64, u32)> =
            integers.flat_map(|(atom, asked)| atoms.integers(*asked).iter().map(|integer| (*integer, *atom))).collect();
        integers.sort_unstable();
        let rate = |gram: &[u8]| rates.of_gram(slot, gram);
        let pieces =
            if long.len() == chosen.len() { Pieces::new(long.iter().map(|(_, literal)| *literal), rate) } else { None };
        Self {
            slot,
            number: WATCHES.fetch_add(1, Ordering::Relaxed),
            atoms: chosen.len(),
            pieces,
            anchored: Anchored::new(anchored),
            grams: Grams::new(&long, rate),
            short_grams: Grams::new(&short, rate),
            contained: long.into_iter().chain(short).map(|(atom, _)| atom).collect(),
            bytes: of(&|asked| contains(asked, 1..SHORT_GRAM)),
            any: of(&is_any),
            present: of(&|asked| asked.kind == Kind::Exists(true)),
            missing: of(&|asked| asked.kind == Kind::Exists(false)),
            integers,
            ranges: of(&|asked| asked.kind == Kind::Range),
        }
    }

    /// Whether the value need not be asked for, as its JSON says.
    pub(super) fn is_idle<'j>(&self, json: impl FnOnce() -> Option<Json<'j>>) -> bool {
        let judged = self.pieces.as_ref().and_then(|pieces| Some((pieces, json()?)));
        judged.is_some_and(|(pieces, json)| !pieces.may_be_in(json))
    }

    /// Adds to `hits` the atoms that hold of a value.
    pub(super) fn look(&self, value: Known, values: &Values, atoms: &Atoms, hits: &mut Hits) {
        match value {
            Known::Null => {
                hits.add_all(&self.missing);
                return;
            }
            Known::Text(span) => self.look_at(values.text(span), atoms, hits),
            Known::Elements(span) => {
                for element in values.elements(span) {
                    self.look_at(values.text(*element), atoms, hits);
                }
            }
            Known::Integer(integer) => self.look_at_integer(integer, atoms, hits),
            Known::Other => {}
        }
        hits.add_all(&self.present);
    }

    #[inline]
    fn look_at(&self, text: &[u8], atoms: &Atoms, hits: &mut Hits) {
        hits.add_all(&self.any);
        let holds = |atom: u32, hits: &mut Hits| {
            let Some(asked) = atoms.atom(atom) else { return };
            if !hits.has(atom) && atoms.text_holds(asked, text) {
                hits.add(atom);
            }
        };
        if !self.anchored.is_empty() {
            self.anchored.find(text, |atom| holds(atom, hits));
        }
        for atom in &self.bytes {
            holds(*atom, hits);
        }
        let mut compare = |atom: u32, start: usize| {
            let asked = atoms.atom(atom).filter(|_| !hits.has(atom))?;
            let literal = atoms.literal(asked);
            if text.get(start..).is_some_and(|rest| rest.starts_with(literal)) {
                hits.add(atom);
            }
            Some(literal.len())
        };
        let long = self.grams.find(text, &mut compare);
        let short = self.short_grams.find(text, &mut compare);
        if long == Search::Flooded || short == Search::Flooded {
            hits.suspect(&self.contained);
        }
    }

    fn look_at_integer(&self, integer: i64, atoms: &Atoms, hits: &mut Hits) {
        let start = self.integers.partition_point(|(known, _)| *known < integer);
        for (known, atom) in self.integers.get(start..).unwrap_or_default() {
            if *known != integer {
                break;
            }
            hits.add(*atom);
        }
        for atom in &self.ranges {
            let bounds = atoms.atom(*atom).map(|asked| atoms.integers(asked));
            if matches!(bounds, Some([low, high]) if (low..=high).contains(&&integer)) {
                hits.add(*atom);
            }
        }
    }

    /// How many atoms it has.
    pub(super) fn atoms(&self) -> usize {
        self.atoms
    }

    /// Of how many bytes of text one is looked at, if text is searched.
    pub(super) fn stride(&self) -> Option<usize> {
        let strides = [self.grams.stride(), self.short_grams.stride()];
        strides.into_iter().flatten().min()
    }

    /// The memory that it uses.
    pub(super) fn bytes(&self) -> usize {
        let lists = [&self.contained, &self.bytes, &self.any, &self.present, &self.missing, &self.ranges];
        size_of::<Self>()
            + self.pieces.as_ref().map_or(0, Pieces::bytes)
            + self.anchored.bytes()
            + self.grams.bytes()
            + self.short_grams.bytes()
            + lists.into_iter().map(|list| list.capacity() * size_of::<u32>()).sum::<usize>()
            + self.integers.capacity() * size_of::<(i64, u32)>()
    }
}
