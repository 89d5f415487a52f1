//! How large a rule becomes by what a site adds to it. The parser bounds what a file says; filters and pipelines could make
//! a rule of any size from it.

use std::fmt;

use super::ast::{Detection, Item, Search, ValueData};
use crate::yaml::NODES_MAX;

/// So many items, values and fields a rule may have: as many as a file may say.
const PARTS_MAX: usize = NODES_MAX;

/// So many bytes of names and texts a rule may have.
const BYTES_MAX: usize = 16 << 20;

/// How large a rule is, or a part of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    parts: usize,
    bytes: usize,
}

/// A rule is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooLarge {
    Parts,
    Bytes,
}

impl Size {
    pub(super) fn of(detection: &Detection) -> Self {
        let mut size = Self::default();
        detection.searches.iter().for_each(|identifier| size.search(&identifier.search));
        size
    }

    pub(super) fn of_item(item: &Item) -> Self {
        let mut size = Self::default();
        size.item(item);
        size
    }

    /// Several of the same size.
    pub(super) fn times(self, count: usize) -> Self {
        Self { parts: self.parts.saturating_mul(count), bytes: self.bytes.saturating_mul(count) }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.parts = self.parts.saturating_add(other.parts);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    /// Adds parts that are texts.
    pub(super) fn texts(&mut self, texts: &[String]) {
        for text in texts {
            self.text(text);
        }
    }

    /// Adds a part and its text.
    pub(super) fn text(&mut self, text: &str) {
        self.add(Self { parts: 1, bytes: text.len() });
    }

    /// Adds parts without text.
    pub(super) fn parts(&mut self, parts: usize) {
        self.add(Self { parts, bytes: 0 });
    }

    /// Adds bytes of parts that are there.
    pub(super) fn bytes(&mut self, bytes: usize) {
        self.add(Self { parts: 0, bytes });
    }

    /// How many bytes may be added.
    pub(super) fn bytes_left(self) -> usize {
        BYTES_MAX.saturating_sub(self.bytes)
    }

    pub(super) fn check(self) -> Result<(), TooLarge> {
        if self.parts > PARTS_MAX {
            Err(TooLarge::Parts)
        } else if self.bytes > BYTES_MAX {
            Err(TooLarge::Bytes)
        } else {
            Ok(())
        }
    }

    fn item(&mut self, item: &Item) {
        self.text(item.field.as_deref().unwrap_or_default());
        for value in &item.values {
            self.text(if let ValueData::Text(text) = &value.data { text } else { "" });
        }
    }

    /// Recursion is as deep as the search, which the parser bounds.
    fn search(&mut self, search: &Search) {
        match search {
            Search::All(searches) | Search::Any(searches) => searches.iter().for_each(|search| self.search(search)),
            Search::Item(item) => self.item(item),
        }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => write!(f, "more than {PARTS_MAX} items and values"),
            Self::Bytes => write!(f, "more than {BYTES_MAX} bytes of text"),
        }
    }
}
