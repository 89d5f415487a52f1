//! Finding an event's mappings without testing each of them.
//!
//! A mapping is filed under the first of its conditions that names texts, by each of these texts, in there under the
//! next such condition, and so on; one whose conditions name no texts, under its first condition. Only the mappings filed under what an event has are tested, and an event is asked only for fields that
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
    cabinet: Cabinet,
    /// The discriminators with drawers, by the first part of each path where they may be.
    by_first_key: HashMap<String, Vec<usize>>,
}

/// Mappings, filed.
#[derive(Clone, Debug, Default)]
struct Cabinet {
    /// By discriminator.
    drawers: BTreeMap<usize, Drawer>,
    /// Mappings that nothing is left to file under.
    always: Vec<usize>,
}

/// The mappings that are filed under one discriminator.
#[derive(Clone, Debug, Default)]
struct Drawer {
    /// By the text, and then by the next condition that names texts.
    by_text: HashMap<String, Cabinet>,
    /// For whatever value.
    others: Vec<usize>,
}

impl Cabinet {
    /// Files a mapping whose conditions before `from` led here. Recurses at most once for each condition.
    fn file(&mut self, index: usize, mapping: &Mapping, from: usize) {
        let mut conditions = mapping.when.iter().enumerate().skip(from);
        let next = conditions.find_map(|(place, condition)| match &condition.test {
            Test::AnyOf(texts) => Some((place, condition, texts)),
            Test::Prefix(_) | Test::Exists(_) => None,
        });
        if let Some((place, condition, texts)) = next {
            let drawer = self.drawers.entry(condition.discriminator).or_default();
            for text in texts {
                drawer.by_text.entry(text.to_ascii_lowercase()).or_default().file(index, mapping, place + 1);
            }
            return;
        }
        let there = mapping.when.iter().find(|condition| !matches!(condition.test, Test::Exists(false)));
        match there.filter(|_| from == 0) {
            Some(condition) => self.drawers.entry(condition.discriminator).or_default().others.push(index),
            None => self.always.push(index),
        }
    }

    /// Adds what is filed under what the event has.
    fn collect(&self, key: &EventKey<'_>, candidates: &mut Vec<usize>) {
        candidates.extend(&self.always);
        for (discriminator, drawer) in &self.drawers {
            drawer.collect(*discriminator, key, candidates);
        }
    }
}

impl Drawer {
    fn collect(&self, discriminator: usize, key: &EventKey<'_>, candidates: &mut Vec<usize>) {
        if !self.others.is_empty() && key.value(discriminator).is_some() {
            candidates.extend(&self.others);
        }
        if !self.by_text.is_empty() {
            for text in key.texts(discriminator) {
                if let Some(cabinet) = self.by_text.get(lower(&text).as_ref()) {
                    cabinet.collect(key, candidates);
                }
            }
        }
    }
}

impl Router {
    pub(crate) fn new(map: &StreamMap) -> Self {
        let mut router = Self::default();
        for (index, mapping) in map.mappings.iter().enumerate() {
            router.cabinet.file(index, mapping, 0);
        }
        for discriminator in router.cabinet.drawers.keys() {
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
        let mut candidates = self.cabinet.always.clone();
        for (discriminator, drawer) in self.open(fields) {
            drawer.collect(discriminator, key, &mut candidates);
        }
        candidates.sort_unstable();
        // An array of texts may lead to a mapping more than once.
        candidates.dedup();
        candidates.retain(|index| map.mappings.get(*index).is_some_and(|mapping| takes(mapping, fields, key)));
        candidates
    }

    /// The drawers of fields that the event may have.
    fn open(&self, fields: &Map<String, Value>) -> impl Iterator<Item = (usize, &Drawer)> {
        let known = fields.keys().filter_map(|key| self.by_first_key.get(key.split('.').next()?));
        let mut open: Vec<usize> = known.flatten().copied().collect();
        open.sort_unstable();
        open.dedup();
        open.into_iter().filter_map(|discriminator| Some((discriminator, self.cabinet.drawers.get(&discriminator)?)))
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
