//! How an origin's cells are taken from the leaves of lines of one shape.
//!
//! Paths are looked up in the shape's skeleton, by the same code that looks them up in events. What remains to be done for
//! a line depends on its values only.

use std::{borrow::Cow, cell::OnceCell, sync::Arc};

use bumpalo::Bump;
use sandtrap_wit::LogicalType;
use serde_json::{Map, Value};

use super::origin::{Made, Origin, Place};
use crate::{
    convert::{self, Converted, ListCell},
    json::{Leaf, Scalar, leaf_of},
    path,
    streams::{Physical, Source, without_attributes},
};

/// How cells are taken from leaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Access {
    /// All of them are values.
    All,
    /// The first that has a value.
    Steps(Box<[Step]>),
}

/// Where a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The constant of this source.
    Constant(usize),
    /// What this source makes of the first of the leaves that says something.
    Text { source: usize, leaves: Box<[u32]> },
    /// This leaf, if it says something.
    Leaf(u32),
    /// Of a list column: these leaves, each with whether it is a value though it be a text that stands for none.
    Leaves(Box<[(u32, bool)]>),
    /// Whatever this is in the part of the event that matters.
    Rest(Box<(Origin, Map<String, Value>)>),
}

/// What decides a cell. For the same key of a route, equal ones make equal cells, whatever the lines' shapes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'l> {
    /// What is made of the bytes, as a number.
    pub how: u32,
    /// A scalar or list as it stands in the line.
    pub bytes: &'l [u8],
}

/// What a cell is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    /// No value.
    Nothing,
    /// The bytes' value.
    Value,
    /// What the source in this place makes of the bytes' text.
    Text(usize),
    /// The constant of the source in this place.
    Constant(usize),
}

impl Making {
    /// That of these bytes. `None` if there are more sources than numbers.
    fn of(self, bytes: &[u8]) -> Option<Written<'_>> {
        let of_source = |way: u32, source: usize| u32::try_from(source).ok()?.checked_mul(2)?.checked_add(way);
        let how = match self {
            Self::Nothing => 0,
            Self::Value => 1,
            Self::Text(source) => of_source(2, source)?,
            Self::Constant(source) => of_source(3, source)?,
        };
        Some(Written { how, bytes })
    }
}

/// A line whose shape is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'l> {
    pub(super) text: &'l str,
    /// Whether the text is ASCII without `\u` escapes.
    pub(super) plain: bool,
    pub(super) leaves: &'l [Leaf],
    /// For texts that must be made.
    pub(super) made: &'l Bump,
    /// The one that stays.
    pub(super) long: &'l OnceCell<Box<LongText>>,
}

/// A long text of a line without its escapes. An index asks for it first, and if the event is a candidate so do detections.
#[derive(Debug)]
pub(super) struct LongText {
    leaf: Leaf,
    text: Box<str>,
}

/// From how many bytes on a text is long: to make it again costs more than to keep it.
const LONG_BYTES: usize = 1024;

impl Access {
    /// For a shape with that skeleton.
    pub(super) fn new(origin: &Origin, skeleton: &Map<String, Value>) -> Self {
        match &origin.place {
            Place::AllValues => Self::All,
            Place::Sources { row, sources, no_value } => {
                let mut steps = Vec::new();
                let done = add_steps(row.as_deref(), sources, no_value, origin.list, skeleton, &mut steps);
                if let Err(from) = done {
                    let sources = sources.get(from..).unwrap_or_default();
                    steps.extend(rest(row.as_ref(), sources, no_value, origin, skeleton));
                }
                Self::Steps(steps.into())
            }
        }
    }

    /// What decides the cell, if that is one leaf or none at all.
    #[inline]
    pub(super) fn written<'l>(&self, origin: &Origin, line: Known<'l>) -> Option<Written<'l>> {
        let (Self::Steps(steps), Place::Sources { no_value, .. }) = (self, &origin.place) else { return None };
        let mut steps = steps.iter();
        while let Some(step) = steps.next() {
            let (made, leaves) = match step {
                Step::Leaf(leaf) => (Making::Value, std::slice::from_ref(leaf)),
                Step::Text { source, leaves } => (Making::Text(*source), &**leaves),
                Step::Constant(source) => return Making::Constant(*source).of(&[]),
                Step::Leaves(_) | Step::Rest(_) => return None,
            };
            let mut leaves = leaves.iter().filter_map(|leaf| line.leaf(*leaf));
            if let Some(leaf) = leaves.find(|leaf| line.says_something(*leaf, no_value)) {
                // A source may make nothing of a text, and then it is the next one's turn.
                let decides = made == Making::Value || steps.next().is_none();
                return made.of(leaf.raw(line.text).as_bytes()).filter(|_| decides);
            }
        }
        Making::Nothing.of(&[])
    }

    /// The cell.
    #[inline]
    pub(super) fn make<'l>(&self, origin: &'l Origin, line: Known<'l>) -> Made<'l> {
        match (self, &origin.place) {
            (Self::Steps(steps), Place::Sources { sources, no_value, .. }) => {
                let made = steps.iter().find_map(|step| line.follow(step, origin, sources, no_value));
                made.unwrap_or_else(|| origin.nothing())
            }
            _ => Made::List(ListCell::Values(line.scalars())),
        }
    }
}

/// Adds the steps for these sources. An error is the source from which on there is more to it than single leaves.
fn add_steps(
    row: Option<&str>,
    sources: &[Source],
    no_value: &[String],
    list: bool,
    skeleton: &Map<String, Value>,
    steps: &mut Vec<Step>,
) -> Result<(), usize> {
    let row = match row {
        None => skeleton,
        Some(row) if path::leads_through_lists(skeleton, row) => return Err(0),
        Some(row) => match path::find(skeleton, row).and_then(Value::as_object) {
            Some(row) => row,
            None => return Ok(()),
        },
    };
    for (number, source) in sources.iter().enumerate() {
        let added = match source {
            Source::Field(of) if list => all_steps(of, row),
            Source::Field(of) => leaves(of, row).map(|leaves| leaves.into_iter().map(Step::Leaf).collect()),
            Source::Constant(_) => Some(vec![Step::Constant(number)]),
            Source::FileName(of)
            | Source::User(of)
            | Source::Domain(of)
            | Source::Hash { of, .. }
            | Source::Words { of, .. } => {
                leaves(of, row).map(|leaves| vec![Step::Text { source: number, leaves: leaves.into() }])
            }
            Source::Join { .. } | Source::All(_) | Source::Present(_) | Source::Entry { .. } | Source::Epoch { .. } => {
                None
            }
        };
        let before = steps.len();
        steps.extend(added.ok_or(number)?);
        // Nothing comes behind what is always there.
        let certain = |step: &Step| matches!(step, Step::Leaf(_) | Step::Leaves(_)) && no_value.is_empty();
        if steps.get(before..).is_some_and(|added| added.iter().any(certain)) {
            break;
        }
    }
    Ok(())
}

/// The step for sources that take more than single leaves, unless they find nothing in any line of the shape.
fn rest(
    row: Option<&String>,
    sources: &[Source],
    no_value: &Arc<[String]>,
    origin: &Origin,
    skeleton: &Map<String, Value>,
) -> Option<Step> {
    let place = Place::Sources { row: row.cloned(), sources: sources.into(), no_value: Arc::clone(no_value) };
    let origin = Origin { place, ty: origin.ty, list: origin.list };
    let paths: Vec<&str> = match row {
        Some(row) => vec![row],
        None => sources.iter().flat_map(Source::fields).flat_map(Physical::paths).collect(),
    };
    let part = part(skeleton, &paths);
    let nothing = !has_leaves(&part) && origin.make(&part).is_nothing();
    (!nothing).then(|| Step::Rest(Box::new((origin, part))))
}

/// The part of a skeleton in which these paths may lead somewhere.
fn part(skeleton: &Map<String, Value>, paths: &[&str]) -> Map<String, Value> {
    let mut part = Map::new();
    for (key, value) in skeleton {
        let deeper = paths.iter().filter_map(|path| path.strip_prefix(key.as_str())?.strip_prefix('.'));
        let deeper: Vec<&str> = deeper.collect();
        let kept = match value {
            _ if paths.contains(&key.as_str()) => value.clone(),
            Value::Object(_) | Value::Array(_) if deeper.is_empty() => continue,
            Value::Object(inner) => Value::Object(self::part(inner, &deeper)),
            Value::Array(_) => value.clone(),
            _ => continue,
        };
        part.insert(key.clone(), kept);
    }
    part
}

fn has_leaves(part: &Map<String, Value>) -> bool {
    part.values().any(|value| value.as_object().is_none_or(has_leaves))
}

/// The leaves at the places of a field, of which the first that says something is its value.
fn leaves(of: &Physical, row: &Map<String, Value>) -> Option<Vec<u32>> {
    let mut leaves = Vec::new();
    for place in &*of.0 {
        if place.leads_through_lists(row) {
            return None;
        }
        if let Some(found) = place.find(row) {
            leaves.push(leaf_of(found)?);
        }
    }
    Some(leaves)
}

/// The steps to the places of a field, of which the first place that has a value has all of them.
fn all_steps(of: &Physical, row: &Map<String, Value>) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for place in &*of.0 {
        if place.leads_through_lists(row) {
            return None;
        }
        let mut found = Vec::new();
        place.find_all(row, &mut found);
        let leaf = |value: &Value| Some((leaf_of(without_attributes(value))?, value.is_object()));
        let found: Vec<(u32, bool)> = found.into_iter().map(leaf).collect::<Option<_>>()?;
        match &*found {
            [] => {}
            [(leaf, false)] => steps.push(Step::Leaf(*leaf)),
            _ => steps.push(Step::Leaves(found.into())),
        }
    }
    Some(steps)
}

impl<'l> Known<'l> {
    fn leaf(&self, leaf: u32) -> Option<Leaf> {
        self.leaves.get(leaf as usize).copied()
    }

    /// What a leaf says.
    fn read(&self, leaf: Leaf) -> Scalar<'l> {
        if leaf.len() < LONG_BYTES {
            return leaf.read(self.text, self.made);
        }
        let keep = |text| &**self.long.get_or_init(|| Box::new(LongText { leaf, text }));
        let long = self.long.get().map(|long| &**long).or_else(|| leaf.unescaped(self.text).map(keep));
        match long.filter(|long| long.leaf == leaf) {
            Some(long) => Scalar::String(&long.text),
            None => leaf.read(self.text, self.made),
        }
    }

    /// Whether a leaf is no text that stands for no value.
    fn says_something(&self, leaf: Leaf, no_value: &[String]) -> bool {
        no_value.is_empty() || !leaf.is_one_of(self.text, no_value, self.made)
    }

    fn follow(&self, step: &Step, origin: &Origin, sources: &'l [Source], no_value: &[String]) -> Option<Made<'l>> {
        let of_text = |text: &'l str| {
            if origin.list {
                Made::Only(Cow::Borrowed(text))
            } else {
                Made::One(Some(convert::from_text(Cow::Borrowed(text), origin.ty)))
            }
        };
        match step {
            Step::Leaf(leaf) => {
                let leaf = self.leaf(*leaf).filter(|leaf| self.says_something(*leaf, no_value))?;
                let scalar = self.read(leaf);
                Some(if origin.list { listed(scalar) } else { Made::One(Some(converted(scalar, origin.ty))) })
            }
            Step::Leaves(leaves) => {
                let leaves = leaves.iter().filter_map(|(leaf, always)| Some((self.leaf(*leaf)?, *always)));
                let leaves = leaves.filter(|(leaf, always)| *always || self.says_something(*leaf, no_value));
                let values: Vec<Value> = leaves.map(|(leaf, _)| leaf.read(self.text, self.made).into_json()).collect();
                let cell = ListCell::of_found(&values.iter().collect::<Vec<_>>());
                (cell != ListCell::Absent).then(|| Made::List(cell.into_owned()))
            }
            Step::Constant(source) => match sources.get(*source)? {
                Source::Constant(text) => Some(of_text(text)),
                _ => None,
            },
            Step::Text { source, leaves } => {
                let mut leaves = leaves.iter().filter_map(|leaf| self.leaf(*leaf));
                let leaf = leaves.find(|leaf| self.says_something(*leaf, no_value))?;
                let Scalar::String(text) = leaf.read(self.text, self.made) else { return None };
                sources.get(*source)?.transform(text).map(of_text)
            }
            Step::Rest(rest) => {
                let (origin, part) = &**rest;
                let made = origin.make(&self.filled(part)).into_owned();
                (!made.is_nothing()).then_some(made)
            }
        }
    }

    /// A part of the skeleton with the line's values.
    fn filled(&self, part: &Map<String, Value>) -> Map<String, Value> {
        let fill = |value: &Value| match value {
            Value::Object(inner) => Value::Object(self.filled(inner)),
            leaf => {
                let leaf = leaf_of(leaf).and_then(|leaf| self.leaf(leaf));
                leaf.map_or(Value::Null, |leaf| leaf.read(self.text, self.made).into_json())
            }
        };
        part.iter().map(|(key, value)| (key.clone(), fill(value))).collect()
    }

    /// All scalars of the line.
    fn scalars(&self) -> Vec<Cow<'l, str>> {
        let mut texts = Vec::with_capacity(self.leaves.len());
        for leaf in self.leaves {
            match leaf.read(self.text, self.made) {
                Scalar::Other(Value::Array(items)) => {
                    let inside = convert::scalars_of_list(&items);
                    texts.extend(inside.into_iter().map(|text| Cow::Owned(text.into_owned())));
                }
                scalar => texts.extend(scalar.text()),
            }
        }
        texts
    }
}

/// The cell of a list column for the one value of its field.
fn listed(scalar: Scalar<'_>) -> Made<'_> {
    match scalar {
        Scalar::Null => Made::List(ListCell::Null),
        Scalar::Other(value @ Value::Array(_)) => Made::List(ListCell::of_found(&[&value]).into_owned()),
        scalar => scalar.text().map_or(Made::List(ListCell::Null), Made::Only),
    }
}

/// The cell of a column that is no list.
fn converted(scalar: Scalar<'_>, ty: LogicalType) -> Converted<'_> {
    match scalar {
        Scalar::String(text) => convert::from_text(Cow::Borrowed(text), ty),
        Scalar::Integer(text) if ty == LogicalType::String => Converted::Text(Cow::Borrowed(text)),
        other => convert::from_json(&other.into_json(), ty).into_owned(),
    }
}
