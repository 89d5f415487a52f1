//! Which detections can match an event: the index over the prefilters of all detections that read what the event fills.
//!
//! Without an index every prefilter is looked at, one after the other: the same answer, slowly (invariant 2).

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use sandtrap_formats::binding::{self, Route, RoutedRow};
use sandtrap_index::{Index, Indexed, Json, Row, Scratch, Written};
use sandtrap_wit::prefilter::Value;

use super::{Pruning, member::Member};

/// The detections that can match the events of a route.
#[derive(Debug)]
pub(super) struct RouteIndex {
    /// The places of the detections that something prunes, in their order.
    detections: Arc<[u32]>,
    way: Arc<Way>,
}

#[derive(Debug)]
enum Way {
    Index(Box<Index>),
    /// For each detection, the keys of its columns.
    EachPrefilter(Vec<Vec<u32>>),
}

/// An event of a round.
struct EventRow<'r>(RoutedRow<'r>);

impl Row for EventRow<'_> {
    #[inline]
    fn value(&self, key: u32) -> Value<'_> {
        self.0.value(key)
    }

    #[inline]
    fn written(&self, key: u32) -> Option<Written<'_>> {
        self.0.written(key).map(|binding::Written { how, bytes }| Written { how, bytes })
    }

    #[inline]
    fn json(&self, key: u32) -> Option<Json<'_>> {
        self.0.json(key).map(|(text, plain)| Json { text, plain })
    }
}

impl RouteIndex {
    /// The index of a route. `readers` are, for each wanted stream, the places of the detections that read it; `before` is
    /// the route's index over other detections, if there was one.
    pub(super) fn new(
        route: &Route,
        members: &[Arc<Member>],
        readers: &[Vec<u32>],
        pruning: Pruning,
        before: Option<&Self>,
    ) -> Self {
        let mut detections = Vec::new();
        let mut keys = Vec::new();
        for fill in &route.fills {
            for place in readers.get(fill.wanted).into_iter().flatten() {
                let Some(member) = members.get(*place as usize) else { continue };
                let Some(reads) = &member.reads else { continue };
                if member.prefilter().is_always() {
                    continue;
                }
                let keys_of = reads.columns.iter().map(|column| fill.columns.get(*column).copied().unwrap_or(u32::MAX));
                detections.push(*place);
                keys.push(keys_of.collect::<Vec<u32>>());
            }
        }
        let way = match pruning {
            Pruning::EachPrefilter => Way::EachPrefilter(keys),
            Pruning::Index => {
                let prefilters = detections.iter().filter_map(|place| members.get(*place as usize));
                let indexed: Vec<Indexed<'_>> = prefilters
                    .zip(&keys)
                    .map(|(member, columns)| Indexed { prefilter: member.prefilter(), columns })
                    .collect();
                Way::Index(Box::new(match before.map(|before| &*before.way) {
                    Some(Way::Index(before)) => Index::after(before, &indexed),
                    Some(Way::EachPrefilter(_)) | None => Index::new(&indexed),
                }))
            }
        };
        Self { detections: detections.into(), way: Arc::new(way) }
    }

    /// A better one, if enough was learned of the route's events.
    pub(super) fn tuned(&self) -> Option<Self> {
        match &*self.way {
            Way::Index(index) => {
                let way = Arc::new(Way::Index(Box::new(index.tuned()?)));
                Some(Self { detections: Arc::clone(&self.detections), way })
            }
            Way::EachPrefilter(_) => None,
        }
    }

    /// The same detections in other places, all of which are there.
    pub(super) fn with_places(&self, places: &[Option<u32>]) -> Self {
        let place = |old: &u32| places.get(*old as usize).copied().flatten();
        Self { detections: self.detections.iter().filter_map(place).collect(), way: Arc::clone(&self.way) }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &*self.way {
            Way::Index(index) => index.bytes(),
            Way::EachPrefilter(keys) => {
                let columns = keys.iter().fold(0_usize, |sum, keys| sum.saturating_add(size_of_val(keys.as_slice())));
                columns.saturating_add(size_of_val(keys.as_slice()))
            }
        }
    }

    /// The places of the detections whose prefilters admit an event, each once, in no order that means anything.
    pub(super) fn candidates<'s>(
        &'s self,
        members: &[Arc<Member>],
        row: RoutedRow<'_>,
        scratch: &'s mut Asking,
    ) -> impl Iterator<Item = u32> + use<'s> {
        let Asking { scratch, found } = scratch;
        found.clear();
        match &*self.way {
            Way::Index(index) => index.candidates(&EventRow(row), scratch, found),
            Way::EachPrefilter(keys) => {
                // A value may have to be made, and is kept as long as the round.
                let asked: RefCell<HashMap<u32, Value<'_>>> = RefCell::default();
                let of_key = |key: &u32| asked.borrow_mut().entry(*key).or_insert_with(|| row.value(*key)).clone();
                let value = |keys: &[u32], column: u32| keys.get(column as usize).map_or(Value::Null, of_key);
                let admits = |(place, keys): (&u32, &Vec<u32>)| {
                    let member = members.get(*place as usize)?;
                    Some(member.prefilter().admits_values(|column| value(keys, column)))
                };
                let all = (0_u32..).zip(self.detections.iter().zip(keys));
                found.extend(all.filter(|(_, one)| admits(*one) == Some(true)).map(|(number, _)| number));
            }
        }
        found.iter().filter_map(|number| self.detections.get(*number as usize).copied())
    }
}

/// What is reused from one event to the next.
#[derive(Debug, Default)]
pub(super) struct Asking {
    scratch: Scratch,
    found: Vec<u32>,
}
