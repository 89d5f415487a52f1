//! The prefilters of an index, each atom and each clause once: many detections ask the same of the same key.
//!
//! Atoms, clauses and detections are numbers here, and literals lie in one text. Numbers have 32 bits: 2^32 atoms would
//! be more memory than a host has.

use std::{collections::HashMap, ops::Range};

use sandtrap_wit::{
    prefilter::{Atom, Clause, Prefilter, Test},
    text::commonness,
};

/// Prefilters as numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Atoms {
    /// The keys that atoms are about, ascending. An atom names a key by its place here: its slot.
    pub(crate) keys: Vec<u32>,
    asked: Vec<Asked>,
    clauses: Lists,
    detections: Lists,
    literals: Vec<u8>,
    integers: Vec<i64>,
}

/// One atom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Of which key, by its place in [`Atoms::keys`]; [`NO_SLOT`] of a column that has no key.
    pub(crate) slot: u32,
    /// What.
    pub(crate) kind: Kind,
    /// Whether it holds where that is not so.
    pub(crate) negated: bool,
    /// Which of its literal's bytes is rare in text.
    pub(crate) rare: u8,
    /// Where its literal lies, or its integers.
    start: usize,
    len: u32,
}

/// The slot of an atom on a column that the detection does not have: there is never a value.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// What an atom asks: [`Test`] without what it compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Contains,
    Prefix,
    Suffix,
    Equals,
    Exists(bool),
    Integers,
    Range,
}

/// Lists of numbers, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

impl Lists {
    /// Adds a list and says its number.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = u32>) -> u32 {
        let number = self.len();
        self.items.extend(list);
        self.starts.push(number_of(self.items.len()));
        number_of(number)
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The list of that number.
    pub(crate) fn get(&self, number: u32) -> &[u32] {
        let at = number as usize;
        let bounds = self.starts.get(at).zip(self.starts.get(at.saturating_add(1)));
        bounds.and_then(|(start, end)| self.items.get(*start as usize..*end as usize)).unwrap_or_default()
    }

    /// The numbers of all lists.
    pub(crate) fn numbers(&self) -> Range<u32> {
        0..number_of(self.len())
    }

    /// The memory that it uses.
    pub(crate) fn bytes(&self) -> usize {
        (self.starts.capacity() + self.items.capacity()) * size_of::<u32>()
    }
}

/// A place as a number.
pub(crate) fn number_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Atoms {
    /// The prefilters, in the order of the detections, with the key of each column.
    pub(crate) fn new<'a>(prefilters: impl Iterator<Item = (&'a Prefilter, &'a [u32])> + Clone) -> Self {
        let mut building = Building::default();
        building.result.keys = keys(prefilters.clone());
        for (prefilter, columns) in prefilters {
            building.add(prefilter, columns);
        }
        building.result
    }

    /// How many detections there are.
    pub(crate) fn detections(&self) -> Range<u32> {
        self.detections.numbers()
    }

    /// The clauses of a detection.
    pub(crate) fn clauses_of(&self, detection: u32) -> &[u32] {
        self.detections.get(detection)
    }

    /// How many clauses there are.
    pub(crate) fn clauses(&self) -> usize {
        self.clauses.len()
    }

    /// The atoms of a clause.
    pub(crate) fn atoms_of(&self, clause: u32) -> &[u32] {
        self.clauses.get(clause)
    }

    /// How many atoms there are.
    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    /// The atom of that number.
    pub(crate) fn atom(&self, atom: u32) -> Option<Asked> {
        self.asked.get(atom as usize).copied()
    }

    /// The literal that an atom compares text with.
    pub(crate) fn literal(&self, asked: Asked) -> &[u8] {
        self.literals.get(asked.start..asked.start.saturating_add(asked.len as usize)).unwrap_or_default()
    }

    /// The integers of an atom, ascending; of a range the two ends.
    pub(crate) fn integers(&self, asked: Asked) -> &[i64] {
        self.integers.get(asked.start..asked.start.saturating_add(asked.len as usize)).unwrap_or_default()
    }

    /// Whether an atom asks the same as one of others, which are about the same keys.
    pub(crate) fn is_same(&self, atom: u32, others: &Self, other: u32) -> bool {
        let (Some(one), Some(two)) = (self.atom(atom), others.atom(other)) else { return false };
        (one.slot, one.kind, one.negated) == (two.slot, two.kind, two.negated)
            && match one.kind {
                Kind::Contains | Kind::Prefix | Kind::Suffix | Kind::Equals => self.literal(one) == others.literal(two),
                Kind::Integers | Kind::Range => self.integers(one) == others.integers(two),
                Kind::Exists(_) => true,
            }
    }

    /// The memory that they use.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u32>()
            + self.asked.capacity() * size_of::<Asked>()
            + self.clauses.bytes()
            + self.detections.bytes()
            + self.literals.capacity()
            + self.integers.capacity() * size_of::<i64>()
    }
}

/// The keys that prefilters are about.
fn keys<'a>(prefilters: impl Iterator<Item = (&'a Prefilter, &'a [u32])>) -> Vec<u32> {
    let mut keys = Vec::new();
    for (prefilter, columns) in prefilters {
        let atoms = prefilter.clauses.iter().flat_map(|clause| &clause.atoms);
        keys.extend(atoms.filter_map(|atom| columns.get(atom.column as usize)));
        keys.sort_unstable();
        keys.dedup();
    }
    keys
}

/// Where the rarest of a literal's first bytes is.
fn rare(literal: &[u8]) -> u8 {
    let bytes = (0..=u8::MAX).zip(literal);
    bytes.min_by(|(_, a), (_, b)| commonness(**a).total_cmp(&commonness(**b))).map_or(0, |(at, _)| at)
}

/// Prefilters while they are added, and what is there already.
#[derive(Default)]
struct Building<'a> {
    result: Atoms,
    atoms: HashMap<(u32, bool, &'a Test), u32>,
    clauses: HashMap<Vec<u32>, u32>,
}

impl<'a> Building<'a> {
    fn add(&mut self, prefilter: &'a Prefilter, columns: &[u32]) {
        let mut clauses: Vec<u32> = prefilter.clauses.iter().map(|clause| self.clause(clause, columns)).collect();
        clauses.sort_unstable();
        clauses.dedup();
        self.result.detections.push(clauses);
    }

    fn clause(&mut self, clause: &'a Clause, columns: &[u32]) -> u32 {
        let mut atoms: Vec<u32> = clause.atoms.iter().map(|atom| self.atom(atom, columns)).collect();
        atoms.sort_unstable();
        atoms.dedup();
        if let Some(known) = self.clauses.get(&atoms) {
            return *known;
        }
        let number = self.result.clauses.push(atoms.iter().copied());
        self.clauses.insert(atoms, number);
        number
    }

    fn atom(&mut self, atom: &'a Atom, columns: &[u32]) -> u32 {
        let key = columns.get(atom.column as usize);
        let slot = key.and_then(|key| self.result.keys.binary_search(key).ok()).map_or(NO_SLOT, number_of);
        let identity = (slot, atom.negated, &atom.test);
        if let Some(known) = self.atoms.get(&identity) {
            return *known;
        }
        let result = &mut self.result;
        let (kind, start, len) = match &atom.test {
            Test::Contains(literal) => result.text(Kind::Contains, literal),
            Test::Prefix(literal) => result.text(Kind::Prefix, literal),
            Test::Suffix(literal) => result.text(Kind::Suffix, literal),
            Test::Equals(literal) => result.text(Kind::Equals, literal),
            Test::Exists(wanted) => (Kind::Exists(*wanted), 0, 0),
            Test::Integers(set) => result.numbers(Kind::Integers, set),
            Test::Range(low, high) => result.numbers(Kind::Range, &[*low, *high]),
        };
        let number = number_of(result.asked.len());
        let mut asked = Asked { slot, kind, negated: atom.negated, rare: 0, start, len: number_of(len) };
        asked.rare = rare(result.literal(asked));
        result.asked.push(asked);
        self.atoms.insert(identity, number);
        number
    }
}

impl Atoms {
    fn text(&mut self, kind: Kind, literal: &str) -> (Kind, usize, usize) {
        let start = self.literals.len();
        self.literals.extend_from_slice(literal.as_bytes());
        (kind, start, literal.len())
    }

    fn numbers(&mut self, kind: Kind, numbers: &[i64]) -> (Kind, usize, usize) {
        let start = self.integers.len();
        self.integers.extend_from_slice(numbers);
        if kind == Kind::Integers
            && let Some(set) = self.integers.get_mut(start..)
        {
            set.sort_unstable();
        }
        (kind, start, numbers.len())
    }
}
