//! A set of detections as all workers share it, and the set that follows it.

use std::sync::Arc;

use sandtrap_dataflow::FlowError;
use sandtrap_formats::binding::{Route, Wanted};

use super::{Options, indexes::Indexes, member::Member, pruning::RouteIndex};
use crate::rules::Rule;

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// By id.
    pub(super) members: Vec<Arc<Member>>,
    /// The streams that they read, and the columns. A set has all that the one before it had, in the same places.
    pub(super) wanted: Arc<Vec<Wanted>>,
    /// For each wanted stream, the places of the detections that read it.
    pub(super) readers: Vec<Vec<u32>>,
    /// For each wanted stream, the places of those that no prefilter prunes.
    pub(super) unpruned: Vec<Vec<u32>>,
    pub(super) indexes: Indexes,
    pub(super) options: Options,
}

impl Shared {
    /// A first set, of rules in the order of their ids.
    pub(super) fn new(rules: &[Rule], options: Options) -> Result<Self, FlowError> {
        let mut wanted = Vec::new();
        let members = rules.iter().map(|rule| Member::new(rule, options, &mut wanted).map(Arc::new));
        let members = members.collect::<Result<_, _>>()?;
        Ok(Self::of(members, Arc::new(wanted), options))
    }

    /// The set that follows this one. Detections that did not change are the same, and so are indexes that do not have
    /// others; those indexes that events needed lately are built.
    pub(super) fn next(&self, rules: &[Rule]) -> Result<Self, FlowError> {
        let mut wanted = Vec::clone(&self.wanted);
        let mut members = Vec::with_capacity(rules.len());
        let mut before = self.members.iter().peekable();
        for rule in rules {
            let id = rule.detection.full_id();
            while before.next_if(|member| member.reference.id.as_str() < id).is_some() {}
            let known = before.next_if(|member| member.reference.id == id);
            members.push(match known.filter(|member| member.is(&rule.detection)) {
                Some(member) => Arc::clone(member),
                None => Arc::new(Member::new(rule, self.options, &mut wanted)?),
            });
        }
        let is_same = wanted == *self.wanted;
        let wanted = if is_same { Arc::clone(&self.wanted) } else { Arc::new(wanted) };
        let next = Self::of(members, wanted, self.options);
        next.indexes.take_over(&self.indexes, self, &next);
        Ok(next)
    }

    fn of(members: Vec<Arc<Member>>, wanted: Arc<Vec<Wanted>>, options: Options) -> Self {
        let mut readers = vec![Vec::new(); wanted.len()];
        let mut unpruned = vec![Vec::new(); wanted.len()];
        for (place, member) in (0_u32..).zip(&members) {
            let Some(reads) = &member.reads else { continue };
            if let Some(readers) = readers.get_mut(reads.wanted) {
                readers.push(place);
            }
            if let Some(unpruned) = unpruned.get_mut(reads.wanted).filter(|_| member.prefilter().is_always()) {
                unpruned.push(place);
            }
        }
        Self { members, wanted, readers, unpruned, indexes: Indexes::default(), options }
    }

    /// An index of a route over these detections.
    pub(super) fn index_of(&self, route: &Route, before: Option<&RouteIndex>) -> RouteIndex {
        RouteIndex::new(route, &self.members, &self.readers, self.options.pruning, before)
    }

    /// Where the detection of that id is.
    pub(super) fn place_of(&self, id: &str) -> Option<u32> {
        let found = self.members.binary_search_by(|member| member.reference.id.as_str().cmp(id));
        found.ok().and_then(|place| u32::try_from(place).ok())
    }

    /// For each place of another set where the same detection is in this one.
    pub(super) fn places_of(&self, other: &Self) -> Vec<Option<u32>> {
        let mut places = (0_u32..).zip(&self.members).peekable();
        let place = |member: &Arc<Member>| {
            while places.next_if(|(_, ours)| ours.reference.id < member.reference.id).is_some() {}
            places.next_if(|(_, ours)| Arc::ptr_eq(ours, member)).map(|(place, _)| place)
        };
        other.members.iter().map(place).collect()
    }
}
