//! The routes that a worker's events took, each with the index over the detections that read its streams.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use sandtrap_formats::binding::Route;

use super::{indexes::Slot, pruning::RouteIndex, shared::Shared};

/// How much memory the indexes of all routes take, in bytes. Real rules and events need a tenth.
pub(super) const INDEX_BYTES_MAX: usize = 256 << 20;

/// How many routes are remembered.
pub(super) const ROUTES_MAX: usize = 4096;

/// The routes that events took, by their ids.
#[derive(Debug, Default)]
pub(super) struct Routes {
    known: HashMap<u64, Known, RandomState>,
    /// How much memory their indexes take, in bytes.
    bytes: usize,
    /// How many events each wanted stream had by routes that are forgotten.
    before: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Known {
    route: Arc<Route>,
    slot: Arc<Slot>,
    /// What was in the slot when the round began.
    pub(super) index: Arc<RouteIndex>,
    /// Whether a detection is asked about all of its events.
    pub(super) unpruned: bool,
    /// How many events took it.
    pub(super) events: u64,
}

impl Routes {
    /// The route, with its index. All others are forgotten first when their indexes take too much memory: strangers choose
    /// what is in events, and each of one round's may take a route of its own.
    pub(super) fn known(&mut self, route: &Arc<Route>, shared: &Shared) -> &mut Known {
        if (self.bytes > INDEX_BYTES_MAX || self.known.len() >= ROUTES_MAX) && !self.known.contains_key(&route.id) {
            self.before = self.offered(shared.wanted.len());
            self.known.clear();
            self.bytes = 0;
        }
        let Self { known, bytes, .. } = self;
        known.entry(route.id).or_insert_with(|| {
            let slot = shared.indexes.slot(route);
            let index = slot.index(route, shared);
            *bytes = bytes.saturating_add(index.bytes());
            let is_unpruned = |wanted: usize| shared.unpruned.get(wanted).is_some_and(|places| !places.is_empty());
            let unpruned = route.fills.iter().any(|fill| is_unpruned(fill.wanted));
            Known { route: Arc::clone(route), slot, index, unpruned, events: 0 }
        })
    }

    /// Puts to use what the indexes learned, here or with another worker.
    pub(super) fn tune(&mut self, shared: &Shared) {
        for known in self.known.values_mut() {
            if let Some(better) = known.index.tuned() {
                known.slot.put(better);
            }
            let current = known.slot.index(&known.route, shared);
            if !Arc::ptr_eq(&current, &known.index) {
                self.bytes = self.bytes.saturating_sub(known.index.bytes()).saturating_add(current.bytes());
                known.index = current;
            }
        }
    }

    /// No event was seen yet.
    pub(super) fn forget_counts(&mut self) {
        self.before.clear();
        self.known.values_mut().for_each(|known| known.events = 0);
    }

    /// Forgets everything: another set has indexes of its own.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How many events each of so many wanted streams had.
    pub(super) fn offered(&self, wanted: usize) -> Vec<u64> {
        let mut offered = self.before.clone();
        offered.resize(wanted, 0);
        for Known { route, events, .. } in self.known.values() {
            for fill in &route.fills {
                if let Some(offered) = offered.get_mut(fill.wanted) {
                    *offered = offered.saturating_add(*events);
                }
            }
        }
        offered
    }
}
