//! Searches while pipelines are at work: each item knows which processing items have changed it.

use std::collections::BTreeSet;

use crate::sigma::ast::{Item, Search};

/// A search in the making.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Item(Worked),
}

/// An item and the ids of the processing items that have changed it.
#[derive(Clone, Debug)]
pub(super) struct Worked {
    pub(super) item: Item,
    pub(super) applied: BTreeSet<String>,
}

impl Tree {
    pub(super) fn new(search: Search) -> Self {
        match search {
            Search::All(searches) => Self::All(searches.into_iter().map(Self::new).collect()),
            Search::Any(searches) => Self::Any(searches.into_iter().map(Self::new).collect()),
            Search::Item(item) => Self::Item(Worked { item, applied: BTreeSet::new() }),
        }
    }

    /// The search; `None` if nothing of it is left.
    pub(super) fn into_search(self) -> Option<Search> {
        let left = |trees: Vec<Self>| -> Vec<Search> { trees.into_iter().filter_map(Self::into_search).collect() };
        match self {
            Self::All(trees) => Some(left(trees)).filter(|left| !left.is_empty()).map(Search::All),
            Self::Any(trees) => Some(left(trees)).filter(|left| !left.is_empty()).map(Search::Any),
            Self::Item(worked) => Some(Search::Item(worked.item)).filter(has_values),
        }
    }

    /// Its items.
    pub(super) fn items(&self) -> Vec<&Worked> {
        match self {
            Self::All(trees) | Self::Any(trees) => trees.iter().flat_map(Self::items).collect(),
            Self::Item(worked) => vec![worked],
        }
    }

    /// Puts something in the place of every item.
    pub(super) fn replace(self, change: &mut impl FnMut(Worked) -> Self) -> Self {
        match self {
            Self::All(trees) => Self::All(trees.into_iter().map(|tree| tree.replace(change)).collect()),
            Self::Any(trees) => Self::Any(trees.into_iter().map(|tree| tree.replace(change)).collect()),
            Self::Item(worked) => change(worked),
        }
    }

    /// Nothing: what a dropped item leaves.
    pub(super) fn nothing() -> Self {
        Self::All(Vec::new())
    }
}

fn has_values(search: &Search) -> bool {
    !matches!(search, Search::Item(item) if item.values.is_empty())
}
