//! Searches while pipelines are at work: each item knows which processing items have changed it.

use std::collections::BTreeSet;

use crate::sigma::{
    ast::{Item, Search},
    size::Size,
};

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

/// So many bytes it takes, beside its text, to remember an id.
const ID_BYTES: usize = 32;

/// What it takes to remember ids.
pub(super) fn bytes_of_ids(ids: &BTreeSet<String>) -> usize {
    ids.iter().map(|id| id.len().saturating_add(ID_BYTES)).fold(0, usize::saturating_add)
}

impl Worked {
    pub(super) fn size(&self) -> Size {
        let mut size = Size::of_item(&self.item);
        size.bytes(bytes_of_ids(&self.applied));
        size
    }
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

    /// Puts something in the place of every item. Alternatives of alternatives are theirs, so that a tree does not become
    /// deeper with every transformation.
    pub(super) fn replace<E>(self, change: &mut impl FnMut(Worked) -> Result<Self, E>) -> Result<Self, E> {
        match self {
            Self::All(trees) => {
                trees.into_iter().map(|tree| tree.replace(change)).collect::<Result<_, _>>().map(Self::All)
            }
            Self::Any(trees) => {
                let mut all = Vec::with_capacity(trees.len());
                for tree in trees {
                    match tree.replace(change)? {
                        Self::Any(trees) => all.extend(trees),
                        tree => all.push(tree),
                    }
                }
                Ok(Self::Any(all))
            }
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
