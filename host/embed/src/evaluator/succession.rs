//! Sets of detections that follow each other while events flow.
//!
//! A successor is made beside the workers: they go on meanwhile. When it is put in force, whatever a worker takes from
//! then on is evaluated by it, and what was taken before by the set before it, so that every event is evaluated by exactly
//! one. A worker goes on with its instances of detections that did not change, and whoever takes its outcomes in, in the
//! order of the events, goes on with what these remember. What is left of an old set is freed here, not by a worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandtrap_dataflow::FlowError;

use super::shared::Shared;
use crate::rules::Rule;

/// So many new detections are few.
const FEW: usize = 32;

/// The set in force, and those before it that somebody may still use.
#[derive(Debug)]
pub struct Succession {
    sets: Mutex<Sets>,
}

#[derive(Debug)]
struct Sets {
    in_force: Arc<Shared>,
    before: Vec<Arc<Shared>>,
}

/// A set that is ready to take over.
#[derive(Debug)]
pub struct Successor {
    set: Arc<Shared>,
    /// How it differs from the set that it was made after.
    pub difference: Difference,
}

/// How many detections a set does not share with the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// That the one before did not have.
    pub added: usize,
    /// That the one before had.
    pub removed: usize,
    /// That both have, but not the same component.
    pub changed: usize,
}

impl Succession {
    pub(super) fn new(first: Arc<Shared>) -> Self {
        Self { sets: Mutex::new(Sets { in_force: first, before: Vec::new() }) }
    }

    /// Makes a set of these rules, which are in the order of their ids, to follow the one in force. A plan that cannot be
    /// run refuses the whole set. Machine code is made for what events are likely to need at once.
    pub fn prepare(&self, rules: &[Rule]) -> Result<Successor, FlowError> {
        let before = self.in_force();
        let set = Arc::new(before.next(rules)?);
        let difference = Difference::between(&before, &set);
        make_code(&before, &set);
        Ok(Successor { set, difference })
    }

    /// From now on events are evaluated by this set.
    pub fn put_in_force(&self, successor: Successor) {
        let mut sets = self.lock();
        let before = std::mem::replace(&mut sets.in_force, successor.set);
        sets.before.push(before);
    }

    /// Frees what nobody uses any more of sets that are not in force. To be called now and then, by whoever puts sets in
    /// force. Whether all of it is free.
    pub fn free_unused(&self) -> bool {
        let (unused, used) = {
            let mut sets = self.lock();
            let before = std::mem::take(&mut sets.before);
            let (unused, used): (Vec<_>, Vec<_>) = before.into_iter().partition(|set| Arc::strong_count(set) == 1);
            let is_used = !used.is_empty();
            sets.before = used;
            (unused, is_used)
        };
        drop(unused);
        !used
    }

    pub(crate) fn in_force(&self) -> Arc<Shared> {
        Arc::clone(&self.lock().in_force)
    }

    /// A thread that panicked holding the lock leaves sets that are whole.
    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the machine code of detections that take the place of some that have it, and of new ones where these are few, so
/// that no worker has to.
fn make_code(before: &Shared, set: &Shared) {
    let places = before.places_of(set);
    let fresh = || set.members.iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(member, _)| member);
    let are_few = fresh().count() <= FEW;
    for member in fresh() {
        let old = before.place_of(&member.reference.id).and_then(|place| before.members.get(place as usize));
        if are_few || old.is_some_and(|old| old.detection.is_prepared()) {
            // What fails here fails again when it is asked, and is reported then.
            let _ = member.detection.prepare();
        }
    }
}

impl Difference {
    fn between(before: &Shared, after: &Shared) -> Self {
        let fresh = after.members.iter().zip(before.places_of(after)).filter(|(_, place)| place.is_none());
        let (changed, added): (Vec<_>, Vec<_>) =
            fresh.partition(|(member, _)| before.place_of(&member.reference.id).is_some());
        let stayed = after.members.len().saturating_sub(added.len());
        let removed = before.members.len().saturating_sub(stayed);
        Self { added: added.len(), removed, changed: changed.len() }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}
