//! The routes that a worker's events took, each with the index over the detections that read its streams.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use sandtrap_formats::binding::Route;

use super::{Shared, pruning::RouteIndex};

/// How much memory the indexes of all routes take, in bytes. Real rules and events need a tenth.
const INDEX_BYTES_MAX: usize = 256 << 20;

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
    pub(super) index: RouteIndex,
    /// Whether a detection is asked about all of its events.
    pub(super) unpruned: bool,
    /// How many events took it.
    pub(super) events: u64,
}

impl Routes {
    /// The route, with its index. All others are forgotten first when their indexes take too much memory: strangers choose
    /// what is in events, and each of one round's may take a route of its own.
    pub(super) fn known(&mut self, route: &Arc<Route>, shared: &Shared) -> &mut Known {
        if self.bytes > INDEX_BYTES_MAX && !self.known.contains_key(&route.id) {
            self.before = self.offered(shared.wanted.len());
            self.known.clear();
            self.bytes = 0;
        }
        let Self { known, bytes, .. } = self;
        known.entry(route.id).or_insert_with(|| {
            let index = RouteIndex::new(route, &shared.members, &shared.readers, shared.options.pruning);
            *bytes = bytes.saturating_add(index.bytes());
            let is_unpruned = |wanted: usize| shared.unpruned.get(wanted).is_some_and(|places| !places.is_empty());
            let unpruned = route.fills.iter().any(|fill| is_unpruned(fill.wanted));
            Known { route: Arc::clone(route), index, unpruned, events: 0 }
        })
    }

    /// Puts to use what the indexes learned.
    pub(super) fn tune(&mut self) {
        for known in self.known.values_mut() {
            let before = known.index.bytes();
            if known.index.tune() {
                self.bytes = self.bytes.saturating_sub(before).saturating_add(known.index.bytes());
            }
        }
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
