//! Finding an event's mappings without testing each of them.
//!
//! A mapping is filed under the first of its conditions that names texts, by each of these texts, else under its first
//! condition. Only the mappings filed under what an event has are tested, and an event is asked only for fields that
//! begin as one of its keys does.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use serde_json::{Map, Value};

use super::{
    condition::{EventKey, Test},
    map::{Mapping, StreamMap},
};

/// The index over a map's mappings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Router {
    /// By discriminator.
    drawers: BTreeMap<usize, Drawer>,
    /// The discriminators with drawers, by the first part of each path where they may be.
    by_first_key: HashMap<String, Vec<usize>>,
    /// Mappings whose only conditions are that fields are not there.
    always: Vec<usize>,
}

/// The mappings that are filed under one discriminator.
#[derive(Clone, Debug, Default)]
struct Drawer {
    by_text: HashMap<String, Vec<usize>>,
    /// For whatever text.
    others: Vec<usize>,
}

impl Router {
    pub(crate) fn new(map: &StreamMap) -> Self {
        let mut router = Self::default();
        for (index, mapping) in map.mappings.iter().enumerate() {
            let names_texts = mapping.when.iter().find(|condition| matches!(condition.test, Test::AnyOf(_)));
            let there = || mapping.when.iter().find(|condition| !matches!(condition.test, Test::Exists(false)));
            let Some(condition) = names_texts.or_else(there) else {
                router.always.push(index);
                continue;
            };
            let drawer = router.drawers.entry(condition.discriminator).or_default();
            match &condition.test {
                Test::AnyOf(texts) => {
                    for text in texts {
                        drawer.by_text.entry(text.to_ascii_lowercase()).or_default().push(index);
                    }
                }
                Test::Prefix(_) | Test::Exists(_) => drawer.others.push(index),
            }
        }
        for discriminator in router.drawers.keys() {
            let keys = map.discriminators.get(*discriminator).into_iter().flat_map(|known| known.physical.first_keys());
            for key in keys {
                let known = router.by_first_key.entry(key.to_owned()).or_default();
                if !known.contains(discriminator) {
                    known.push(*discriminator);
                }
            }
        }
        router
    }

    /// The mappings that take an event, in the order of the files.
    pub(crate) fn route(&self, map: &StreamMap, fields: &Map<String, Value>, key: &EventKey<'_>) -> Vec<usize> {
        let mut candidates = self.always.clone();
        for (discriminator, drawer) in self.open(fields) {
            if !drawer.others.is_empty() && key.value(discriminator).is_some() {
                candidates.extend(&drawer.others);
            }
            if !drawer.by_text.is_empty() {
                for text in key.texts(discriminator) {
                    candidates.extend(drawer.by_text.get(lower(&text).as_ref()).into_iter().flatten());
                }
            }
        }
        candidates.retain(|index| map.mappings.get(*index).is_some_and(|mapping| takes(mapping, fields, key)));
        candidates.sort_unstable();
        // An array of texts may lead to a mapping more than once.
        candidates.dedup();
        candidates
    }

    /// The drawers of fields that the event may have.
    fn open(&self, fields: &Map<String, Value>) -> impl Iterator<Item = (usize, &Drawer)> {
        let known = fields.keys().filter_map(|key| self.by_first_key.get(key.split('.').next()?));
        let mut open: Vec<usize> = known.flatten().copied().collect();
        open.sort_unstable();
        open.dedup();
        open.into_iter().filter_map(|discriminator| Some((discriminator, self.drawers.get(&discriminator)?)))
    }
}

fn takes(mapping: &Mapping, fields: &Map<String, Value>, key: &EventKey<'_>) -> bool {
    mapping.when.iter().all(|condition| condition.holds(key))
        && !mapping.unless.iter().any(|condition| condition.holds(key))
        && mapping.row(fields).is_some()
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
