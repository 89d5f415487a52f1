//! Where events go: the streams that they belong to, and where the wanted columns of these streams come from.
//!
//! What fills the streams of an event is the same for very many events, and what follows from it is worked out once.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use sandtrap_wit::logsource::Logsource;
use serde_json::{Map, Value};

use super::{counts::Counts, origin::Origin, wanted::WantedStream};
use crate::{
    json::leaf_of,
    path,
    streams::{Declared, EventKey, Fields, Physical, Router, StreamMap, Target},
};

/// How many routes are remembered. Events need few, but strangers choose what is in them.
pub(super) const ROUTES_MAX: usize = 4096;

/// What detections see of an event: which wanted streams it is a row of, and where their columns come from.
///
/// Each *key* is one place where cells come from, and what they are made into. Columns of several streams that take the
/// same from there have the same key, so that whoever looks at a key has looked at all of them.
#[derive(Debug)]
pub struct Route {
    /// Its number, which no other route of the same binder ever has.
    pub id: u64,
    /// The wanted streams, by their places.
    pub fills: Vec<RouteFill>,
    /// How many keys there are.
    pub keys: usize,
    /// Where each key's cells come from.
    pub(super) origins: Arc<[Origin]>,
}

/// Routes are equal if they show the same, whichever binder found them: their ids do not matter.
impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.fills == other.fills && self.origins == other.origins
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fills.hash(state);
        self.origins.hash(state);
    }
}

/// A wanted stream of a [`Route`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteFill {
    /// Its place among the wanted streams.
    pub wanted: usize,
    /// The key of each wanted column, in their order.
    pub columns: Vec<u32>,
}

/// Where events with the same fillers go.
#[derive(Debug)]
pub(super) struct Destination {
    /// Every stream that they belong to.
    pub(super) streams: Arc<[Arc<str>]>,
    /// Where these are counted.
    pub(super) counted: Vec<usize>,
    /// What the time of an event is: the first that is an instant.
    pub(super) time: Vec<Origin>,
    pub(super) route: Arc<Route>,
}

/// What decides where an event goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Fillers {
    /// The mappings that take it, in order, and the logsources that it says it is of, each with the place in
    /// [`StreamMap::declared`] of who found it.
    Found { mappings: Vec<usize>, declared: Vec<(usize, Logsource)> },
    /// The caller's word: it is a row of this stream.
    Row(Arc<str>),
}

/// Who fills a stream with an event.
#[derive(Clone, Copy, Debug)]
enum Filler {
    /// A mapping of the map.
    Mapping(usize),
    /// The event says its logsource in a place of [`StreamMap::declared`].
    Declared(usize),
    /// The event is a row.
    Row,
}

/// What distinguishes routes.
type Distinct = (Vec<RouteFill>, Arc<[Origin]>);

/// Finds where events go.
#[derive(Debug)]
pub(super) struct Routes {
    map: Arc<StreamMap>,
    router: Router,
    /// Places in `destinations`.
    by_fillers: HashMap<Fillers, usize>,
    destinations: Vec<Destination>,
    known: HashMap<Distinct, Arc<Route>>,
    next_id: u64,
}

impl Routes {
    pub(super) fn new(map: Arc<StreamMap>) -> Self {
        let router = Router::new(&map);
        let (by_fillers, destinations, known) = (HashMap::new(), Vec::new(), HashMap::new());
        Self { map, router, by_fillers, destinations, known, next_id: 0 }
    }

    pub(super) fn map(&self) -> &Arc<StreamMap> {
        &self.map
    }

    /// What was found for events of this round.
    pub(super) fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// The place of an event's destination; `None` if it belongs to no stream.
    pub(super) fn find(
        &mut self,
        event: &Map<String, Value>,
        key: &EventKey<'_>,
        wanted: &[WantedStream],
        counts: &mut Counts,
    ) -> Option<usize> {
        let declared = self.map.declared.iter().enumerate();
        let declared: Vec<_> = declared.filter_map(|(place, by)| Some((place, by.of(event)?))).collect();
        let mappings = self.router.route(&self.map, event, key);
        if mappings.is_empty() && declared.is_empty() {
            return None;
        }
        Some(self.place(Fillers::Found { mappings, declared }, wanted, counts))
    }

    /// The leaves that decide where lines with this skeleton go, if these discriminators were asked for. `None` if there
    /// is more to it than the values of leaves.
    pub(super) fn decisive(&self, skeleton: &Map<String, Value>, asked: &[usize]) -> Option<Vec<u32>> {
        let rows = self.map.mappings.iter().filter_map(|mapping| mapping.row.as_deref());
        if rows.into_iter().any(|row| path::leads_through_lists(skeleton, row)) {
            return None;
        }
        let asked = asked.iter().filter_map(|place| self.map.discriminators.get(*place)).map(|known| &known.physical);
        let said = self.map.declared.iter().flat_map(Declared::parts);
        let mut leaves = Vec::new();
        for physical in asked.chain(said) {
            if !add_first_leaf(physical, skeleton, &mut leaves) {
                return None;
            }
        }
        Some(leaves)
    }

    /// The place of the destination of a row.
    pub(super) fn of_row(&mut self, stream: &str, wanted: &[WantedStream], counts: &mut Counts) -> usize {
        self.place(Fillers::Row(stream.into()), wanted, counts)
    }

    /// Whether there is room for no more: the events that take them are to be evaluated first.
    pub(super) fn is_full(&self) -> bool {
        self.destinations.len() >= ROUTES_MAX
    }

    /// Forgets what takes too much room. Places found before are void.
    pub(super) fn trim(&mut self) -> bool {
        let full = self.is_full();
        if full {
            self.clear();
        }
        full
    }

    /// Forgets everything. Places found before are void.
    pub(super) fn clear(&mut self) {
        self.by_fillers.clear();
        self.destinations.clear();
        self.known.clear();
    }

    fn place(&mut self, fillers: Fillers, wanted: &[WantedStream], counts: &mut Counts) -> usize {
        if let Some(place) = self.by_fillers.get(&fillers) {
            return *place;
        }
        let place = self.destinations.len();
        let streams = self.streams(&fillers);
        let counted = counts.places(&streams);
        let time = fillers.first().map_or_else(Vec::new, |first| {
            let (fields, row) = first.fields(&self.map);
            Origin::of_time(fields, row)
        });
        let route = self.route(&fillers, wanted);
        self.destinations.push(Destination { streams, counted, time, route });
        self.by_fillers.insert(fillers, place);
        place
    }

    /// The tables, and the logsources that no other of them says more exactly.
    fn streams(&self, fillers: &Fillers) -> Arc<[Arc<str>]> {
        let (mappings, declared) = match fillers {
            Fillers::Found { mappings, declared } => (mappings, declared),
            Fillers::Row(stream) => return [Arc::clone(stream)].into(),
        };
        let mapped = mappings.iter().filter_map(|mapping| self.map.mappings.get(*mapping));
        let mapped = mapped.map(|mapping| mapping.target.clone());
        let declared = declared.iter().map(|(_, logsource)| Target::of(logsource.clone()));
        let mut targets: Vec<Target> = Vec::new();
        for target in mapped.chain(declared) {
            if !targets.iter().any(|known| known.says_all_of(&target)) {
                targets.retain(|known| !target.says_all_of(known));
                targets.push(target);
            }
        }
        targets.iter().map(|target| Arc::clone(target.name())).collect()
    }

    fn route(&mut self, fillers: &Fillers, wanted: &[WantedStream]) -> Arc<Route> {
        let mut keys: HashMap<Origin, u32> = HashMap::new();
        let mut origins: Vec<Origin> = Vec::new();
        let mut fills = Vec::new();
        for (place, wanted) in wanted.iter().enumerate() {
            let Some(filler) = fillers.filler(wanted, &self.map) else { continue };
            let (fields, row) = filler.fields(&self.map);
            let columns = wanted.columns.iter().map(|column| {
                let next = u32::try_from(origins.len()).unwrap_or(u32::MAX);
                let origin = Origin::of_column(column, fields, row);
                *keys.entry(origin).or_insert_with_key(|origin| {
                    origins.push(origin.clone());
                    next
                })
            });
            fills.push(RouteFill { wanted: place, columns: columns.collect() });
        }
        let distinct = (fills, Arc::<[Origin]>::from(origins));
        if let Some(known) = self.known.get(&distinct) {
            return Arc::clone(known);
        }
        let (fills, origins) = distinct.clone();
        let route = Arc::new(Route { id: self.next_id, fills, keys: origins.len(), origins });
        self.next_id = self.next_id.saturating_add(1);
        self.known.insert(distinct, Arc::clone(&route));
        route
    }
}

impl Route {
    /// The keys of a wanted stream's columns, if the event is a row of it.
    pub(super) fn fills(&self, wanted: usize) -> Option<&[u32]> {
        let place = self.fills.binary_search_by_key(&wanted, |fill| fill.wanted).ok()?;
        self.fills.get(place).map(|fill| &*fill.columns)
    }
}

/// Adds the leaf in which a field is looked for, if there is one. False if that depends on more than the shape.
fn add_first_leaf(physical: &Physical, skeleton: &Map<String, Value>, leaves: &mut Vec<u32>) -> bool {
    for place in &*physical.0 {
        if place.leads_through_lists(skeleton) {
            return false;
        }
        if let Some(found) = place.find(skeleton) {
            leaves.extend(leaf_of(found));
            return true;
        }
    }
    true
}

impl Fillers {
    /// The first: it says when the event happened.
    fn first(&self) -> Option<Filler> {
        match self {
            Self::Row(_) => Some(Filler::Row),
            Self::Found { mappings, declared } => {
                let mapping = mappings.first().copied().map(Filler::Mapping);
                mapping.or_else(|| declared.first().map(|(place, _)| Filler::Declared(*place)))
            }
        }
    }

    /// The first that fills a stream.
    fn filler(&self, wanted: &WantedStream, map: &StreamMap) -> Option<Filler> {
        let (mappings, declared) = match self {
            Self::Row(stream) => return (wanted.stream == *stream).then_some(Filler::Row),
            Self::Found { mappings, declared } => (mappings, declared),
        };
        let mapping = mappings
            .iter()
            .copied()
            .find(|mapping| map.mappings.get(*mapping).is_some_and(|mapping| wanted.is_filled_by(&mapping.target)));
        let declared = || declared.iter().find(|(_, logsource)| wanted.wants(logsource));
        mapping.map(Filler::Mapping).or_else(|| declared().map(|(place, _)| Filler::Declared(*place)))
    }
}

impl Filler {
    /// How it finds fields, and the object of the event in which they are.
    fn fields(self, map: &StreamMap) -> (&Fields, Option<&str>) {
        let found = match self {
            Self::Mapping(mapping) => {
                map.mappings.get(mapping).map(|mapping| (&*mapping.fields, mapping.row.as_deref()))
            }
            Self::Declared(place) => map.declared.get(place).map(|declared| (&*declared.fields, None)),
            Self::Row => None,
        };
        found.unwrap_or((&map.rows, None))
    }
}
