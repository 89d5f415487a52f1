//! Lines of one shape that go to one place, and what was worked out for them: where their cells are, and how a line
//! is routed without being parsed.
//!
//! Routing looks at a few values only. A line is routed as one of the same shape was whose values in these places are
//! written the same.

use std::{cell::OnceCell, collections::HashMap};

use super::{
    access::{Access, Known, Written},
    counts::EventKind,
    origin::{Made, Origin},
    route::Destination,
};
use crate::json::{Leaf, Shape};

/// How many layouts are remembered, and how many cells of them.
const LAYOUTS_MAX: usize = 4096;
const ACCESSES_MAX: usize = 1 << 20;

/// How many ways to write the values that a line is routed by are remembered for a shape.
const DECISIONS_MAX: usize = 1024;

/// How long the values may be that a line is routed by, in bytes, that this is worth remembering.
const VALUES_BYTES_MAX: usize = 1024;

/// Lines of one shape that go to one place.
#[derive(Debug)]
pub(super) struct Layout {
    shape: u32,
    pub(super) goes: Goes,
    keys: Box<[OnceCell<Access>]>,
    time: Box<[OnceCell<Access>]>,
}

/// Where a line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    /// To the destination at this place.
    To(usize),
    /// To no stream.
    Nowhere(EventKind),
}

/// A cell that somebody wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// Of that key.
    Key(usize),
    /// Of that source of the time.
    Time(usize),
}

/// All layouts.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    all: Vec<Layout>,
    /// By the number of the shape.
    by_shape: Vec<Decisions>,
    accesses: usize,
    full: bool,
    /// The values by which the line was routed that was looked up last.
    values: Vec<u8>,
}

/// How lines of one shape are routed.
#[derive(Debug, Default)]
struct Decisions {
    /// Routing looks at more than leaves.
    undecidable: bool,
    /// The leaves that routing looks at.
    leaves: Vec<u32>,
    /// How these leaves are written, and the place of the layout.
    known: Vec<(Box<[u8]>, usize)>,
    /// Places in `known`.
    places: HashMap<Box<[u8]>, usize>,
    /// What was found last, in `known`.
    last: usize,
    /// The layouts of this shape.
    layouts: Vec<usize>,
}

impl Layouts {
    pub(super) fn get(&self, place: usize) -> Option<&Layout> {
        self.all.get(place)
    }

    /// Whether lines of a shape cannot be routed without being parsed.
    pub(super) fn is_undecidable(&self, shape: u32) -> bool {
        self.by_shape.get(shape as usize).is_some_and(|decisions| decisions.undecidable)
    }

    /// Remembers that.
    pub(super) fn set_undecidable(&mut self, shape: u32) {
        if let Some(decisions) = self.decisions(shape) {
            decisions.undecidable = true;
        }
    }

    fn decisions(&mut self, shape: u32) -> Option<&mut Decisions> {
        let shape = shape as usize;
        if self.by_shape.len() <= shape {
            self.by_shape.resize_with(shape.saturating_add(1), Decisions::default);
        }
        self.by_shape.get_mut(shape)
    }

    /// The place of the layout of a line, if it is known.
    pub(super) fn find(&mut self, shape: u32, text: &str, leaves: &[Leaf]) -> Option<usize> {
        let decisions = self.by_shape.get_mut(shape as usize)?;
        written(&decisions.leaves, text, leaves, &mut self.values);
        if let Some((values, place)) = decisions.known.get(decisions.last)
            && **values == *self.values
        {
            return Some(*place);
        }
        decisions.last = *decisions.places.get(&*self.values)?;
        decisions.known.get(decisions.last).map(|(_, place)| *place)
    }

    /// Remembers where a line goes, which was found by looking at these of its leaves. The place of its layout; `None`
    /// if there is no room.
    pub(super) fn add(
        &mut self,
        shape: u32,
        text: &str,
        leaves: &[Leaf],
        looked_at: &[u32],
        goes: Goes,
        destination: Option<&Destination>,
    ) -> Option<usize> {
        self.decisions(shape)?;
        let decisions = self.by_shape.get_mut(shape as usize)?;
        let new: Vec<u32> = looked_at.iter().copied().filter(|leaf| !decisions.leaves.contains(leaf)).collect();
        // What was decided without looking at them may be decided otherwise.
        if !new.is_empty() || decisions.known.len() >= DECISIONS_MAX {
            decisions.known.clear();
            decisions.places.clear();
        }
        for leaf in new {
            if !decisions.leaves.contains(&leaf) {
                decisions.leaves.push(leaf);
            }
        }
        written(&decisions.leaves, text, leaves, &mut self.values);
        if self.values.len() > VALUES_BYTES_MAX {
            return None;
        }
        let all = &self.all;
        let same = |place: &&usize| all.get(**place).is_some_and(|layout| layout.goes == goes);
        let place = if let Some(known) = decisions.layouts.iter().find(same) {
            *known
        } else {
            if self.all.len() >= LAYOUTS_MAX || self.accesses >= ACCESSES_MAX {
                self.full = true;
                return None;
            }
            let none = |count: usize| std::iter::repeat_with(OnceCell::new).take(count).collect::<Box<[_]>>();
            let keys = none(destination.map_or(0, |destination| destination.route.origins.len()));
            let time = none(destination.map_or(0, |destination| destination.time.len()));
            self.accesses = self.accesses.saturating_add(keys.len()).saturating_add(time.len());
            decisions.layouts.push(self.all.len());
            self.all.push(Layout { shape, goes, keys, time });
            self.all.len().saturating_sub(1)
        };
        decisions.last = decisions.known.len();
        decisions.places.insert(self.values.as_slice().into(), decisions.last);
        decisions.known.push((self.values.as_slice().into(), place));
        Some(place)
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.by_shape.clear();
        self.accesses = 0;
        self.full = false;
    }
}

impl Layout {
    /// A cell of a line.
    #[inline]
    pub(super) fn make<'l>(
        &'l self,
        which: Which,
        origin: &'l Origin,
        line: Known<'l>,
        shapes: &[Shape],
    ) -> Option<Made<'l>> {
        Some(self.access(which, origin, shapes)?.make(origin, line))
    }

    /// What decides a cell of a line, if that is at hand.
    #[inline]
    pub(super) fn written<'l>(
        &self,
        which: Which,
        origin: &Origin,
        line: Known<'l>,
        shapes: &[Shape],
    ) -> Option<Written<'l>> {
        self.access(which, origin, shapes)?.written(origin, line)
    }

    #[inline]
    fn access(&self, which: Which, origin: &Origin, shapes: &[Shape]) -> Option<&Access> {
        let access = match which {
            Which::Key(key) => self.keys.get(key)?,
            Which::Time(source) => self.time.get(source)?,
        };
        access.get().or_else(|| self.new_access(access, origin, shapes))
    }

    #[cold]
    fn new_access<'l>(&self, access: &'l OnceCell<Access>, origin: &Origin, shapes: &[Shape]) -> Option<&'l Access> {
        let skeleton = &shapes.get(self.shape as usize)?.skeleton;
        Some(access.get_or_init(|| Access::new(origin, skeleton)))
    }
}

/// How these leaves are written, one behind the other. A value's end shows, so no two ways look alike.
fn written(wanted: &[u32], text: &str, leaves: &[Leaf], values: &mut Vec<u8>) {
    values.clear();
    for wanted in wanted {
        if let Some(leaf) = leaves.get(*wanted as usize) {
            values.extend_from_slice(leaf.raw(text).as_bytes());
        }
        values.push(b',');
    }
}
