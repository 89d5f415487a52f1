//! Sentinel's YAML envelope around a query.
//!
//! Its keys: <https://github.com/Azure/Azure-Sentinel/wiki/Query-Style-Guide>. Of our own are `namespace`, `confidence`,
//! `falsePositives`, `references`, `licence`, `authors` and `tags`. Other keys are ignored: Sentinel has many that say how
//! to schedule a rule and what to show, which is not the rule's business here.

use std::collections::BTreeSet;

use saphyr_parser::ScalarStyle;
use sandtrap_wit::manifest::{Attack, Confidence, Level, Status};

use super::{
    DEFAULT_NAMESPACE, attack,
    file::{Metadata, RuleFile, id_fault},
    repair,
    source_map::SourceMap,
    yaml::{self, Data, Node},
};
use crate::diagnostic::{Diagnostic, Span};

const LEVELS: [(&str, Level); 5] = [
    ("informational", Level::Informational),
    ("low", Level::Low),
    ("medium", Level::Medium),
    ("high", Level::High),
    ("critical", Level::Critical),
];

const CONFIDENCES: [(&str, Confidence); 3] =
    [("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)];

/// Sigma's statuses, and Sentinel's word for one that is published.
const STATUSES: [(&str, Status); 6] = [
    ("stable", Status::Stable),
    ("available", Status::Stable),
    ("test", Status::Test),
    ("experimental", Status::Experimental),
    ("deprecated", Status::Deprecated),
    ("unsupported", Status::Unsupported),
];

pub(super) fn load(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<RuleFile> {
    let root = match read(text, diagnostics) {
        Ok(root) => root,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return None;
        }
    };
    let Data::Mapping(entries) = &root.data else {
        let message = "a rule in YAML is a mapping with the keys `id`, `name` and `query`";
        diagnostics.push(Diagnostic::error("SEN0004", root.span, message));
        return None;
    };
    let mut envelope = Envelope { entries, diagnostics };
    envelope.refuse_duplicates();
    let metadata = envelope.metadata();
    let (query, source_map) = envelope.query(text)?;
    Some(RuleFile::new(text, metadata?, query, source_map))
}

/// The tree, with the one mistake put right that is understood.
fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Node, Diagnostic> {
    let error = match yaml::read(text) {
        Ok(root) => return Ok(root),
        Err(error) => error,
    };
    let Some((repaired, warnings)) = repair::data_types(text) else { return Err(error) };
    // What is still wrong was not that mistake; the first error is about the text as it stands.
    let root = yaml::read(&repaired).map_err(|_| error)?;
    diagnostics.extend(warnings);
    Ok(root)
}

struct Envelope<'a> {
    entries: &'a [(Node, Node)],
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Envelope<'a> {
    fn refuse_duplicates(&mut self) {
        let mut keys = BTreeSet::new();
        for (key, _) in self.entries {
            if let Data::Scalar { text, .. } = &key.data
                && !keys.insert(text)
            {
                let message = format!("the key `{text}` is there twice");
                self.error("SEN0006", &key.span, message, "keep one of the two");
            }
        }
    }

    fn metadata(&mut self) -> Option<Metadata> {
        let id = self.required("id", "any text that is unique within the namespace; Sentinel uses GUIDs");
        let title = self.required("name", "one line that says what the rule finds");
        let namespace = self.id("namespace").unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let metadata = Metadata {
            namespace,
            id: self.id("id").or(id)?,
            version: self.text("version"),
            title: title?,
            description: self.text("description").unwrap_or_default(),
            level: self.choice("severity", &LEVELS),
            confidence: self.choice("confidence", &CONFIDENCES),
            status: self.choice("status", &STATUSES),
            authors: self.either(["authors", "author"]),
            references: self.texts("references"),
            false_positives: self.texts("falsePositives"),
            tags: self.texts("tags"),
            attack: self.attack(),
            data_sources: self.data_sources(),
            licence: self.either(["licence", "license"]).into_iter().next(),
        };
        Some(metadata)
    }

    /// The query, and where it stands.
    fn query(&mut self, text: &str) -> Option<(String, SourceMap)> {
        let Some(node) = self.get("query") else {
            let help = "add it as a block: `query: |` and the text below, indented";
            self.error("SEN0005", &(0..0), "the key `query` is missing", help);
            return None;
        };
        let Data::Scalar { text: query, style } = &node.data else {
            self.error("SEN0006", &node.span, "`query` must be text", "write `query: |` and the text below, indented");
            return None;
        };
        Some((query.clone(), SourceMap::of_scalar(text, &node.span, query, *style)))
    }

    fn error(&mut self, code: &'static str, span: &Span, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, span.clone(), message).help(help));
    }

    /// The value of a key, unless it is null.
    fn get(&self, key: &str) -> Option<&'a Node> {
        let is_key = |node: &Node| matches!(&node.data, Data::Scalar { text, .. } if text == key);
        self.entries.iter().find(|(found, _)| is_key(found)).map(|(_, value)| value).filter(|value| !is_null(value))
    }

    /// The words of a key: a scalar without the white space around it.
    fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let Data::Scalar { text, .. } = &node.data else {
            self.error("SEN0006", &node.span, format!("`{key}` must be text"), "write it on one line, or as a block with `|`");
            return None;
        };
        Some(text.trim().to_owned())
    }

    fn required(&mut self, key: &str, what: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.error("SEN0005", &(0..0), format!("the key `{key}` is missing"), &format!("add it: {what}"));
        }
        self.text(key)
    }

    /// A text that is part of `namespace/id`. A bad one has been reported and stands, so that the rest is checked.
    fn id(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let Data::Scalar { text, .. } = &node.data else { return None };
        let id = text.trim();
        if let Some(fault) = id_fault(id) {
            self.error("SEN0008", &node.span, format!("`{key}` {fault}"), "use letters, digits, `-`, `_` and `.`");
        }
        Some(id.to_owned())
    }

    /// A list of texts; a single text is a list of one. Elements that are no text are not ours to understand.
    fn texts(&self, key: &str) -> Vec<String> {
        self.located_texts(key).into_iter().map(|(text, _)| text).collect()
    }

    fn located_texts(&self, key: &str) -> Vec<(String, Span)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let nodes = match &node.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        nodes.iter().filter_map(|node| Some((scalar(node)?.to_owned(), node.span.clone()))).collect()
    }

    /// The texts of the first of two spellings of a key that is there.
    fn either(&self, keys: [&str; 2]) -> Vec<String> {
        keys.into_iter().map(|key| self.texts(key)).find(|texts| !texts.is_empty()).unwrap_or_default()
    }

    fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let span = self.get(key).map_or(0..0, |node| node.span.clone());
            let warning = Diagnostic::warning("SEN0007", span, format!("`{key}` is none of its values and is left out"))
                .help(format!("it can be {}", names.join(", ")));
            self.diagnostics.push(warning);
        }
        found
    }

    fn attack(&mut self) -> Attack {
        let mut tactics: Vec<String> = Vec::new();
        for name in self.texts("tactics") {
            let tactic = attack::tactic(&name);
            if !tactics.contains(&tactic) {
                tactics.push(tactic);
            }
        }
        let mut techniques = Vec::new();
        for (id, span) in self.located_texts("relevantTechniques") {
            if !attack::is_technique(&id) {
                let warning = Diagnostic::warning("SEN0007", span, format!("`{id}` is no ATT&CK technique and is left out"))
                    .help("techniques are written T1219 or T1219.003");
                self.diagnostics.push(warning);
            } else if !techniques.contains(&id) {
                techniques.push(id);
            }
        }
        Attack { tactics, techniques }
    }

    /// `connector: data type` for each data type of each connector; the connector alone where it has none.
    fn data_sources(&self) -> Vec<String> {
        let Some(Data::List(connectors)) = self.get("requiredDataConnectors").map(|node| &node.data) else {
            return Vec::new();
        };
        let mut sources = Vec::new();
        for connector in connectors {
            let Some(name) = member(connector, "connectorId").and_then(scalar) else { continue };
            let types: Vec<_> = match member(connector, "dataTypes").map(|node| &node.data) {
                Some(Data::List(types)) => types.iter().filter_map(scalar).collect(),
                _ => Vec::new(),
            };
            if types.is_empty() {
                sources.push(name.to_owned());
            }
            sources.extend(types.iter().map(|ty| format!("{name}: {ty}")));
        }
        sources
    }
}

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Data::Mapping(entries) = &node.data else { return None };
    entries.iter().find(|(found, _)| scalar(found) == Some(key)).map(|(_, value)| value)
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.data {
        Data::Scalar { text, .. } if !is_null(node) => Some(text.trim()),
        _ => None,
    }
}

/// <https://yaml.org/spec/1.2.2/#1032-tag-resolution>
fn is_null(node: &Node) -> bool {
    matches!(&node.data, Data::Scalar { text, style: ScalarStyle::Plain }
        if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
}
