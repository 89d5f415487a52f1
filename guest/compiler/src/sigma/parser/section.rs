//! A mapping of a document, and its keys as what they are meant to be.

use super::{codes, report::Report};
use crate::{
    diagnostic::Span,
    suggest,
    yaml::{Data, Node},
};

/// A mapping of a document.
#[derive(Clone)]
pub(super) struct Section<'n> {
    /// What it is called, for messages.
    pub(super) name: &'static str,
    pub(super) entries: &'n [(Node, Node)],
    /// Where to point if something is missing.
    pub(super) span: Span,
}

impl<'n> Section<'n> {
    /// The mapping under a required key.
    pub(super) fn under(&self, key: &'static str, report: &mut Report) -> Option<Self> {
        let Some((at, node)) = self.find(key) else {
            self.missing(key, report);
            return None;
        };
        let Data::Mapping(entries) = &node.data else {
            let message = format!("`{key}` must be a mapping");
            report.error(codes::KIND, &at.span, message, "write its keys on lines of their own, indented");
            return None;
        };
        Some(Self { name: key, entries, span: at.span.clone() })
    }

    /// A key and its value, unless it is null.
    pub(super) fn find(&self, key: &str) -> Option<(&'n Node, &'n Node)> {
        let entries: &'n [(Node, Node)] = self.entries;
        let (key, value) = entries.iter().find(|(found, _)| found.scalar() == Some(key))?;
        (!value.is_null()).then_some((key, value))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.find(key).map(|(_, value)| value)
    }

    pub(super) fn missing(&self, key: &str, report: &mut Report) {
        let message = format!("`{key}` is missing in {}", self.name);
        report.error(codes::MISSING, &self.span, message, format!("add the key `{key}`"));
    }

    /// A scalar's words; an error where something else stands.
    pub(super) fn text(&self, key: &str, report: &mut Report) -> Option<(String, Span)> {
        let (at, node) = self.find(key)?;
        if let Some(text) = node.scalar() {
            return Some((text.to_owned(), node.span.clone()));
        }
        let message = format!("`{key}` must be text");
        report.error(codes::KIND, &at.span, message, "write it on one line, or as a block with `|`");
        None
    }

    pub(super) fn required(&self, key: &str, report: &mut Report) -> Option<(String, Span)> {
        match self.get(key) {
            Some(node) if node.scalar() == Some("") => {
                report.error(codes::MISSING, &node.span, format!("`{key}` is empty"), "say something");
                None
            }
            Some(_) => self.text(key, report),
            None => {
                self.missing(key, report);
                None
            }
        }
    }

    /// A list of scalars, or a single one; an error where something else stands.
    pub(super) fn texts(&self, key: &str, report: &mut Report) -> Vec<(String, Span)> {
        self.scalars(key, |found| {
            let message = format!("`{key}` must be a list of texts");
            report.error(codes::KIND, &found, message, "put quotes around it if it has a `:` in it");
        })
    }

    /// A list of scalars, or a single one, about the rule: what is no scalar is left out with a warning.
    pub(super) fn remarks(&self, key: &str, report: &mut Report) -> Vec<String> {
        let found = self.scalars(key, |found| {
            let message = format!("`{key}` has an element that is no text and is left out");
            report.warning(codes::REMARK, &found, message, "put quotes around it if it has a `:` in it");
        });
        found.into_iter().map(|(text, _)| text).filter(|text| !text.is_empty()).collect()
    }

    fn scalars(&self, key: &str, mut odd: impl FnMut(Span)) -> Vec<(String, Span)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let nodes = match &node.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for node in nodes {
            match node.scalar() {
                Some(text) => texts.push((text.to_owned(), node.span.clone())),
                None => odd(node.extent()),
            }
        }
        texts
    }

    /// Warns of keys that mean nothing here.
    pub(super) fn warn_of_others(&self, known: &[&'static str], report: &mut Report) {
        for (key, _) in self.entries {
            let Some(name) = key.scalar().filter(|name| !known.contains(name)) else { continue };
            let help = suggest::closest(name, known.iter().copied()).map_or_else(
                || format!("it can have {}", known.join(", ")),
                |found| format!("did you mean `{found}`?"),
            );
            let message = format!("`{name}` means nothing in {} and is left out", self.name);
            report.warning(codes::UNKNOWN_KEY, &key.span, message, help);
        }
    }
}
