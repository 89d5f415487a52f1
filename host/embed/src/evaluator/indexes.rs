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
    Shared,
    pruning::RouteIndex,
    routes::{INDEX_BYTES_MAX, ROUTES_MAX},
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
}

impl Slot {
    /// The index, built if nobody did yet. Who comes meanwhile waits for it; other routes are not held up.
    pub(super) fn index(&self, route: &Route, shared: &Shared) -> Arc<RouteIndex> {
        let current = self.current.get_or_init(|| {
            let index = RouteIndex::new(route, &shared.members, &shared.readers, shared.options.pruning);
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
