//! Sigma files: from text to documents.

use std::collections::{BTreeSet, HashMap};

use super::{
    ast::Document, codes, collection::Collection, correlation::correlation, filter::filter, report::Report, rule::rule,
    section::Section,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    rule::{FILE_BYTES_MAX, file::split},
    yaml::{self, Data, Node},
};

/// The keys that make a document a rule, a filter or a correlation rule.
const KINDS: [&str; 3] = ["detection", "filter", "correlation"];

/// What a Sigma file has in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// Its documents in their order, but for those with errors.
    pub documents: Vec<Document>,
    /// What is wrong, in the order of the file; spans are bytes of its text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a Sigma file. `file_name`, which may be a path, gives the id of a rule that has none.
pub fn parse(text: &str, file_name: &str) -> Parsed {
    let mut report = Report::new(text);
    let mut documents = Vec::new();
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; a rule file may have {FILE_BYTES_MAX}", text.len());
        report.error("RUL0002", &(0..0), message, "put its rules into several files");
        return Parsed { documents, diagnostics: report.into_diagnostics() };
    }
    let (stem, _) = split(file_name);
    let mut ids = Ids { stem, given: BTreeSet::new(), names: BTreeSet::new() };
    let mut collection = Collection::new();
    let stream = yaml::read(text);
    let is_empty = stream.documents.is_empty() && stream.diagnostics.is_empty();
    for diagnostic in stream.diagnostics {
        report.push(diagnostic);
    }
    if is_empty {
        report.error(codes::NO_RULE, &(0..0), "the file is empty", "write a rule, or remove the file");
    }
    for node in stream.documents {
        report.next_document();
        let Some(node) = node else {
            collection.refuse();
            continue;
        };
        // An empty document: a file may begin or end with `---`.
        if !node.is_null() {
            documents.extend(document(&node, &mut collection, &mut ids, &mut report));
        }
    }
    Parsed { documents, diagnostics: report.into_diagnostics() }
}

fn document(node: &Node, collection: &mut Collection, ids: &mut Ids, report: &mut Report) -> Option<Document> {
    let errors = report.errors();
    let span = node.extent();
    let Data::Mapping(entries) = &node.data else {
        let help = "a rule has the keys `title`, `logsource` and `detection`";
        report.error(codes::NO_RULE, &span, "a document of a Sigma file is a mapping", help);
        collection.refuse();
        return None;
    };
    check_keys(node, report);
    if report.errors() > errors {
        collection.refuse();
        return None;
    }
    // Where to point if something is missing, also in what other documents add to.
    let at = entries.first().map_or(span.clone(), |(key, _)| key.span.clone());
    let section = Section { name: "the document", entries, span: at.clone() };
    let node = collection.take(&section, node.clone(), report)?;
    let Data::Mapping(entries) = &node.data else { return None };
    let section = Section { name: "the document", entries, span: at };
    let default_id = ids.default();
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| section.find(kind).is_some()).collect();
    if let [first, second, ..] = kinds.as_slice() {
        let at = section.find(second).map_or(span, |(key, _)| key.span.clone());
        let message = format!("a document has either `{first}` or `{second}`");
        report.error(codes::NO_RULE, &at, message, "put a `---` between the rule and what belongs to another");
        return None;
    }
    let mut document = match kinds.first() {
        Some(&"filter") => Document::Filter(Box::new(filter(&section, span, report)?)),
        Some(&"correlation") => Document::Correlation(Box::new(correlation(&section, span, &default_id, report)?)),
        // One that has none of them is most likely a rule without a detection.
        _ => Document::Rule(Box::new(rule(&section, span, &default_id, report)?)),
    };
    if report.errors() > errors {
        return None;
    }
    ids.give(&mut document, &section, report);
    Some(document)
}

/// Keys must be texts, and each be there once (<https://yaml.org/spec/1.2.2/#3211-nodes>).
fn check_keys(root: &Node, report: &mut Report) {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match &node.data {
            Data::Scalar { .. } => {}
            Data::List(items) => open.extend(items),
            Data::Mapping(entries) => {
                let mut seen: HashMap<&str, &Span> = HashMap::new();
                for (key, value) in entries {
                    open.push(value);
                    let Data::Scalar { text, .. } = &key.data else {
                        report.error(codes::KEY, &key.extent(), "a key must be text", "put quotes around it");
                        continue;
                    };
                    let Some(first) = seen.insert(text, &key.span) else { continue };
                    // Finding the line takes time, which a file of nothing but such keys must not add up to.
                    let place = if report.is_full() { 0 } else { report.line(first.start) };
                    let message = format!("the key `{text}` is there twice, first in line {place}");
                    let help = "keep one of the two; to test a field twice, use `|all` or a list of maps";
                    report.error(codes::KEY, &key.span, message, help);
                }
            }
        }
    }
}

/// Ids and names that documents of the file have.
struct Ids<'f> {
    stem: &'f str,
    given: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Ids<'_> {
    /// The id of a rule without one: the file's name, with a number from the second such rule on.
    fn default(&self) -> String {
        self.free(self.stem)
    }

    fn free(&self, id: &str) -> String {
        let numbered = (2_usize..).map(|number| format!("{id}-{number}"));
        let mut candidates = std::iter::once(id.to_owned()).chain(numbered);
        candidates.find(|id| !self.given.contains(id)).unwrap_or_default()
    }

    /// A collection's documents may share an id: detections may not, so later ones get a number.
    fn give(&mut self, document: &mut Document, section: &Section, report: &mut Report) {
        let (id, name) = match document {
            Document::Rule(rule) => (&mut rule.metadata.id, &rule.name),
            Document::Correlation(rule) => (&mut rule.metadata.id, &rule.name),
            Document::Filter(_) => return,
        };
        let free = self.free(id);
        if free != *id {
            let span = section.find("id").map_or(section.span.clone(), |(_, node)| node.span.clone());
            let message = format!("another rule of this file has the id `{id}`; this one is `{free}`");
            report.warning(codes::SAME_ID, &span, message, "give each rule an id of its own");
            *id = free;
        }
        self.given.insert(id.clone());
        if let Some(name) = name
            && !self.names.insert(name.clone())
        {
            let span = section.find("name").map_or(section.span.clone(), |(_, node)| node.span.clone());
            let message = format!("another rule of this file has the name `{name}`");
            report.warning(codes::SAME_ID, &span, message, "give each rule a name of its own");
        }
    }
}
