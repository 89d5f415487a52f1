//! Finding an event's mappings without testing each of them.
//!
//! A mapping is filed under the first of its conditions that names texts, by each of these texts, else under its first
//! condition. An event is asked only for the fields under which something is filed, and only the mappings filed under
//! what it has there are tested.

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
}

/// The mappings that are filed under one discriminator.
#[derive(Clone, Debug, Default)]
struct Drawer {
    by_text: HashMap<String, Vec<usize>>,
    others: Vec<usize>,
}

impl Router {
    pub(crate) fn new(map: &StreamMap) -> Self {
        let mut router = Self::default();
        for (index, mapping) in map.mappings.iter().enumerate() {
            let names_texts = mapping.when.iter().find(|condition| matches!(condition.test, Test::AnyOf(_)));
            let Some(condition) = names_texts.or(mapping.when.first()) else { continue };
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
        router
    }

    /// The mappings that take an event, in the order of the files.
    pub(crate) fn route(&self, map: &StreamMap, fields: &Map<String, Value>, key: &EventKey<'_>) -> Vec<usize> {
        let mut candidates: Vec<usize> = Vec::new();
        for (discriminator, drawer) in &self.drawers {
            candidates.extend(&drawer.others);
            if !drawer.by_text.is_empty() {
                for text in key.texts(*discriminator) {
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
