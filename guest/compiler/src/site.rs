//! What a site adds to the rules that it takes over from others: pipelines, filters and placeholders of its own.

use crate::{
    diagnostic::Diagnostic,
    rule,
    sigma::{
        self, Pipeline, Placeholders,
        ast::{Document, Filter},
        pipeline,
    },
    yaml::{self, Data, Node},
};

/// A file of placeholders that is not one.
const PLACEHOLDERS: &str = "SIG0703";

/// What a site adds to every rule.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Applied to every Sigma rule, by ascending priority.
    pub pipelines: Vec<Pipeline>,
    /// Sigma filters.
    pub filters: Vec<Filter>,
    /// What `expand` makes of placeholders.
    pub placeholders: Placeholders,
}

impl Site {
    /// Adds a processing pipeline in pySigma's format; none after an error.
    pub fn add_pipeline(&mut self, text: &str) -> Vec<Diagnostic> {
        let (pipeline, diagnostics) = pipeline::parse(text);
        self.pipelines.extend(pipeline);
        diagnostics
    }

    /// The filters that a rule file holds. What is wrong with the file is said when it is compiled.
    pub fn filters_of(file_name: &str, text: &str) -> Vec<Filter> {
        // Few files hold filters: the others need not be read twice.
        let could_be = |line: &str| ["filter", "'filter'", "\"filter\"", "{"].iter().any(|key| line.starts_with(key));
        if !text.lines().any(could_be) || rule::kind(file_name, text) != Some(rule::Kind::Sigma) {
            return Vec::new();
        }
        let filter = |document| match document {
            Document::Filter(filter) => Some(*filter),
            Document::Rule(_) | Document::Correlation(_) => None,
        };
        sigma::parse(text, file_name).documents.into_iter().filter_map(filter).collect()
    }

    /// Adds a file of placeholders: a mapping of names, without the percent signs, to a value or a list of values. A name
    /// that is there already gets more values.
    pub fn add_placeholders(&mut self, text: &str) -> Vec<Diagnostic> {
        let stream = yaml::read(text);
        let mut diagnostics = stream.diagnostics;
        for document in stream.documents.iter().flatten() {
            let Data::Mapping(entries) = &document.data else {
                diagnostics.push(not_placeholders(document));
                continue;
            };
            for (name, values) in entries {
                let listed = match &values.data {
                    Data::List(values) => values.iter().collect(),
                    _ => vec![values],
                };
                let texts: Option<Vec<&str>> = listed.into_iter().map(scalar).collect();
                match (scalar(name), texts) {
                    (Some(name), Some(texts)) => {
                        let known = self.placeholders.0.entry(name.to_owned()).or_default();
                        known.extend(texts.into_iter().map(str::to_owned));
                    }
                    _ => diagnostics.push(not_placeholders(values)),
                }
            }
        }
        diagnostics
    }
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.data {
        Data::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn not_placeholders(node: &Node) -> Diagnostic {
    let message = "a file of placeholders is a mapping of names to a value or a list of values";
    Diagnostic::error(PLACEHOLDERS, node.span.clone(), message).help("for example `Servers: [srv-1, srv-2*]`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_have_values_or_lists_of_them() {
        let mut site = Site::default();
        assert_eq!(site.add_placeholders("Servers: [srv-1, srv-2*]\nAdmins: root\n"), []);
        assert_eq!(site.add_placeholders("Admins: [admin]\n"), []);
        assert_eq!(site.placeholders.0["Servers"], ["srv-1", "srv-2*"]);
        assert_eq!(site.placeholders.0["Admins"], ["root", "admin"]);
        for wrong in ["- a\n", "a: {b: c}\n", "a: [[b]]\n"] {
            assert_eq!(site.add_placeholders(wrong)[0].code, PLACEHOLDERS, "{wrong}");
        }
    }
}
