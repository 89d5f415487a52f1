//! The parameters of a processing item or a condition: a mapping whose keys are taken one by one. What nobody has taken is
//! unknown, which is an error: it could change what the rest means.

use super::codes;
use crate::{
    diagnostic::Span,
    sigma::parser::report::Report,
    suggest,
    yaml::{Data, Node},
};

/// A mapping whose keys are asked for.
pub(super) struct Parameters<'n> {
    /// What it is called, for messages.
    what: String,
    entries: &'n [(Node, Node)],
    known: Vec<&'static str>,
    /// Where to point if something is missing.
    pub(super) span: Span,
}

impl<'n> Parameters<'n> {
    /// `None`, reported, if it is no mapping.
    pub(super) fn of(node: &'n Node, what: &str, report: &mut Report) -> Option<Self> {
        let Data::Mapping(entries) = &node.data else {
            let message = format!("{what} must be a mapping");
            report.error(codes::PARAMETER, &node.extent(), message, "write its keys on lines of their own, indented");
            return None;
        };
        let span = entries.first().map_or(node.span.clone(), |(key, _)| key.span.clone());
        Some(Self { what: what.to_owned(), entries, known: Vec::new(), span })
    }

    /// From now on it is called so.
    pub(super) fn rename(&mut self, what: String, span: &Span) {
        self.what = what;
        self.span.clone_from(span);
    }

    /// A key's value, null or not.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entries: &'n [(Node, Node)] = self.entries;
        entries.iter().find(|(found, _)| found.scalar() == Some(key)).map(|(_, value)| value)
    }

    fn present(&mut self, key: &'static str) -> Option<&'n Node> {
        self.node(key).filter(|node| !node.is_null())
    }

    /// That a key is missing.
    pub(super) fn missing(&self, key: &str, report: &mut Report) {
        let message = format!("{} needs `{key}`", self.what);
        report.error(codes::PARAMETER, &self.span, message, format!("add the key `{key}`"));
    }

    pub(super) fn wrong(&self, node: &Node, key: &str, wanted: &str, report: &mut Report) {
        let message = format!("`{key}` of {} must be {wanted}", self.what);
        report.error(codes::PARAMETER, &node.extent(), message, "correct it");
    }

    /// A scalar, as it is written; with white space if it is quoted.
    pub(super) fn text(&mut self, key: &'static str, report: &mut Report) -> Option<String> {
        let node = self.present(key)?;
        if let Data::Scalar { text, .. } = &node.data {
            return Some(text.clone());
        }
        self.wrong(node, key, "text", report);
        None
    }

    /// A scalar, `0` without one.
    pub(super) fn text_or_zero(&mut self, key: &'static str, report: &mut Report) -> String {
        self.text(key, report).unwrap_or_else(|| "0".to_owned())
    }

    pub(super) fn required(&mut self, key: &'static str, report: &mut Report) -> Option<(String, &'n Node)> {
        let Some(node) = self.present(key) else {
            self.missing(key, report);
            return None;
        };
        let text = self.text(key, report)?;
        Some((text, node))
    }

    /// A list of scalars, or one.
    pub(super) fn texts(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<String>> {
        let node = self.present(key)?;
        let texts = texts(node);
        if texts.is_none() {
            self.wrong(node, key, "text or a list of texts", report);
        }
        texts
    }

    pub(super) fn required_texts(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<String>> {
        if self.present(key).is_none() {
            self.missing(key, report);
            return None;
        }
        self.texts(key, report)
    }

    pub(super) fn flag(&mut self, key: &'static str, report: &mut Report) -> bool {
        let Some(node) = self.present(key) else { return false };
        match node.scalar() {
            Some("true" | "True" | "TRUE") => true,
            Some("false" | "False" | "FALSE") => false,
            _ => {
                self.wrong(node, key, "`true` or `false`", report);
                false
            }
        }
    }

    /// A mapping of texts to one or several, in the order written.
    pub(super) fn mapping(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<(String, Vec<String>)>> {
        let Some(node) = self.present(key) else {
            self.missing(key, report);
            return None;
        };
        let Data::Mapping(entries) = &node.data else {
            self.wrong(node, key, "a mapping", report);
            return None;
        };
        let mut mapping = Vec::with_capacity(entries.len());
        for (from, to) in entries {
            if let (Some(from), Some(to)) = (from.scalar(), texts(to)) {
                mapping.push((from.to_owned(), to));
            } else {
                self.wrong(to, key, "a mapping of names to one or several", report);
                return None;
            }
        }
        Some(mapping)
    }

    /// Complains of keys that nobody has asked for.
    pub(super) fn finish(&self, report: &mut Report) {
        for (key, _) in self.entries {
            let name = key.scalar().unwrap_or_default();
            if self.known.contains(&name) {
                continue;
            }
            let help = suggest::closest(name, self.known.iter().copied()).map_or_else(
                || format!("it can have {}", self.known.join(", ")),
                |found| format!("did you mean `{found}`?"),
            );
            report.error(codes::PARAMETER, &key.span, format!("{} has no `{name}`", self.what), help);
        }
    }
}

/// A scalar, or a list of scalars.
pub(super) fn texts(node: &Node) -> Option<Vec<String>> {
    let text = |node: &Node| match &node.data {
        Data::Scalar { text, .. } if !node.is_null() => Some(text.clone()),
        _ => None,
    };
    match &node.data {
        Data::List(items) => items.iter().map(text).collect(),
        _ => text(node).map(|text| vec![text]),
    }
}
