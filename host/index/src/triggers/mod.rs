//! Triggers: of each detection the atoms of one clause, its witness. No row is admitted that does not pull one of them.
//!
//! [`witness`] chooses, by how often atoms are expected to hold and what it costs to look at a key. A [`watch`] finds the
//! triggers of one key, by [`anchored`] literals and by [`grams`], both of which are [`buckets`] of hashes.

mod anchored;
mod buckets;
mod grams;
mod json;
mod watch;
mod witness;

pub(crate) use grams::{GRAM, Grams, Search, number as gram_number};
use watch::Watch;
use witness::Choice;

use crate::{
    atoms::{Asked, Atoms, Lists, NO_SLOT},
    rates::Rates,
    recent::Recall,
    scratch::Scratch,
    values::Row,
};

/// A key that is looked at for every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The key.
    pub key: u32,
    /// How many atoms are looked for.
    pub atoms: usize,
    /// Where text is searched, the distance in bytes from one place that is looked at to the next.
    pub stride: Option<usize>,
}

/// The triggers of an index.
#[derive(Clone, Debug)]
pub(crate) struct Triggers {
    watches: Vec<Watch>,
    /// For each atom the detections that it triggers.
    targets: Lists,
    /// For each detection the clauses that are left when it is triggered, the best first.
    rest: Lists,
    /// Detections that every row triggers.
    always: Vec<u32>,
}

impl Triggers {
    /// Triggers that are expected to cost least.
    pub(crate) fn new(atoms: &Atoms, rates: &Rates<'_>) -> Self {
        let choices = witness::choose(atoms, rates);
        let mut pulled: Vec<(u32, u32)> = Vec::new();
        let mut always = Vec::new();
        let mut rest = Lists::default();
        for (detection, choice) in atoms.detections().zip(&choices) {
            let clauses = atoms.clauses_of(detection);
            match choice {
                Choice::Witness(witness) => {
                    let triggers = atoms.atoms_of(*witness).iter();
                    pulled.extend(triggers.map(|atom| (*atom, detection)));
                    rest.push(witness::order(clauses.iter().copied().filter(|clause| clause != witness), atoms, rates));
                }
                Choice::Always => {
                    always.push(detection);
                    rest.push(witness::order(clauses.iter().copied(), atoms, rates));
                }
                Choice::Unpruned => {
                    rest.push([]);
                }
            }
        }
        pulled.sort_unstable();
        let mut targets = Lists::default();
        let mut groups = pulled.chunk_by(|(a, _), (b, _)| a == b).peekable();
        for atom in 0..crate::atoms::number_of(atoms.len()) {
            let group = groups.next_if(|group| group.first().is_some_and(|(first, _)| *first == atom));
            targets.push(group.into_iter().flatten().map(|(_, detection)| *detection));
        }
        let mut chosen: Vec<(u32, Asked)> =
            pulled.iter().filter_map(|(atom, _)| Some((*atom, atoms.atom(*atom)?))).collect();
        chosen.retain(|(_, asked)| asked.slot != NO_SLOT);
        chosen.dedup_by_key(|(atom, _)| *atom);
        chosen.sort_by_key(|(_, asked)| asked.slot);
        let watches = chosen.chunk_by(|(_, a), (_, b)| a.slot == b.slot);
        let watches =
            watches.filter_map(|group| Some(Watch::new(group.first()?.1.slot, group, atoms, rates))).collect();
        Self { watches, targets, rest, always }
    }

    /// Finds the atoms that a row pulls.
    pub(crate) fn look(&self, atoms: &Atoms, row: &impl Row, scratch: &mut Scratch) {
        let Scratch { values, hits, recent, .. } = scratch;
        for watch in &self.watches {
            let Some(key) = atoms.keys.get(watch.slot as usize) else { continue };
            if watch.is_idle(|| row.json(*key)) {
                continue;
            }
            let written = row.written(*key);
            let worth = match written.map(|written| recent.recall(watch.number, written)) {
                Some(Recall::Atoms(pulled)) => {
                    hits.add_all(pulled);
                    continue;
                }
                Some(Recall::Worth(place)) => Some(place),
                Some(Recall::Nothing) | None => None,
            };
            let before = (hits.atoms.len(), hits.suspects.len());
            let value = values.get(watch.slot, &atoms.keys, row);
            watch.look(value, values, atoms, hits);
            // An atom is about one key, so that none of these was pulled by another watch.
            if let (Some(place), Some(pulled)) = (worth, hits.atoms.get(before.0..))
                && hits.suspects.len() == before.1
            {
                recent.learn(place, pulled);
            }
        }
    }

    /// The detections that an atom triggers.
    pub(crate) fn targets(&self, atom: u32) -> &[u32] {
        self.targets.get(atom)
    }

    /// What must hold besides, once a detection is triggered.
    pub(crate) fn rest(&self, detection: u32) -> &[u32] {
        self.rest.get(detection)
    }

    /// The detections that every row triggers.
    pub(crate) fn always(&self) -> &[u32] {
        &self.always
    }

    /// The keys that are looked at for every row.
    pub(crate) fn watched(&self, atoms: &Atoms) -> impl Iterator<Item = Watched> {
        self.watches.iter().filter_map(|watch| {
            let key = *atoms.keys.get(watch.slot as usize)?;
            Some(Watched { key, atoms: watch.atoms(), stride: watch.stride() })
        })
    }

    /// The memory that they use.
    pub(crate) fn bytes(&self) -> usize {
        self.watches.iter().map(Watch::bytes).sum::<usize>()
            + self.targets.bytes()
            + self.rest.bytes()
            + self.always.capacity() * size_of::<u32>()
    }
}
