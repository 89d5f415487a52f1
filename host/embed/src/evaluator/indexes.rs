//! The indexes that all workers share, by route: what one of them built or learned, the others use.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use sandtrap_formats::binding::Route;

use super::{
    member::Member,
    pruning::RouteIndex,
    routes::{INDEX_BYTES_MAX, ROUTES_MAX},
    shared::Shared,
};

/// The indexes.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    by_route: Mutex<HashMap<Arc<Route>, Arc<Slot>>>,
    /// How much memory they take, in bytes.
    bytes: AtomicUsize,
}

/// Where the index of a route is, once somebody built it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    current: OnceLock<Mutex<Arc<RouteIndex>>>,
}

impl Indexes {
    /// The place of a route's index. All places are forgotten first where indexes take too much memory; workers that know
    /// some of them go on with those.
    pub(super) fn slot(&self, route: &Arc<Route>) -> Arc<Slot> {
        let mut by_route = lock(&self.by_route);
        if let Some(slot) = by_route.get(route) {
            return Arc::clone(slot);
        }
        if self.bytes.load(Ordering::Relaxed) > INDEX_BYTES_MAX || by_route.len() >= ROUTES_MAX {
            by_route.clear();
            self.bytes.store(0, Ordering::Relaxed);
        }
        Arc::clone(by_route.entry(Arc::clone(route)).or_default())
    }

    /// Takes over the indexes of the set before: those over the same detections as they are, and the others built anew.
    pub(super) fn take_over(&self, before: &Self, old: &Shared, new: &Shared) {
        let places = new.places_of(old);
        let mut is_other = vec![false; new.wanted.len()];
        let mut differs = |member: &Member| {
            if let Some(is_other) = member.reads.as_ref().and_then(|reads| is_other.get_mut(reads.wanted)) {
                *is_other = true;
            }
        };
        let left = old.members.iter().zip(&places).filter(|(_, place)| place.is_none());
        left.for_each(|(member, _)| differs(member));
        let came = new.members.iter().zip(old.places_of(new)).filter(|(_, place)| place.is_none());
        came.for_each(|(member, _)| differs(member));
        let by_route: Vec<(Arc<Route>, Arc<Slot>)> =
            lock(&before.by_route).iter().map(|(route, slot)| (Arc::clone(route), Arc::clone(slot))).collect();
        for (route, slot) in by_route {
            // A route that shows less than what is wanted now is taken by no event any more.
            let columns = |wanted: usize| new.wanted.get(wanted).map_or(0, |wanted| wanted.columns.len());
            let Some(known) =
                slot.known().filter(|_| route.fills.iter().all(|fill| fill.columns.len() == columns(fill.wanted)))
            else {
                continue;
            };
            let next = self.slot(&route);
            if route.fills.iter().any(|fill| is_other.get(fill.wanted) == Some(&true)) {
                next.fill(|| new.index_of(&route, Some(&known)), new);
            } else {
                next.fill(|| known.with_places(&places), new);
            }
        }
    }
}

impl Slot {
    /// The index, built if nobody did yet. Who comes meanwhile waits for it; other routes are not held up.
    pub(super) fn index(&self, route: &Route, shared: &Shared) -> Arc<RouteIndex> {
        self.fill(|| shared.index_of(route, None), shared)
    }

    /// The index if somebody built it.
    fn known(&self) -> Option<Arc<RouteIndex>> {
        self.current.get().map(|current| Arc::clone(&lock(current)))
    }

    fn fill(&self, index: impl FnOnce() -> RouteIndex, shared: &Shared) -> Arc<RouteIndex> {
        let current = self.current.get_or_init(|| {
            let index = index();
            // An index that learned is about as large, so it is counted once.
            shared.indexes.bytes.fetch_add(index.bytes(), Ordering::Relaxed);
            Mutex::new(Arc::new(index))
        });
        Arc::clone(&lock(current))
    }

    /// Puts a better one in its place.
    pub(super) fn put(&self, index: RouteIndex) {
        if let Some(current) = self.current.get() {
            *lock(current) = Arc::new(index);
        }
    }
}

/// A thread that panicked holding a lock leaves what it guards whole: nothing of ours can fail in between.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
