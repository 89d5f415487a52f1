//! Sentinel's YAML envelope around a query.
//!
//! Its keys: <https://github.com/Azure/Azure-Sentinel/wiki/Query-Style-Guide>. Of our own are `namespace`, `confidence`,
//! `falsePositives`, `references`, `licence`, `authors` and `tags`. Other keys are ignored: Sentinel has many that say how
//! to schedule a rule and what to show, which is not the rule's business here.

use std::collections::BTreeSet;

use sandtrap_wit::manifest::{Attack, Confidence, Level, Status};

use super::{
    DEFAULT_NAMESPACE, attack,
    file::{Metadata, RuleFile, id_fault},
    repair,
    source_map::SourceMap,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    yaml::{self, Data, Node},
};

/// Advice for a file that is neither Sigma's nor Sentinel's.
const NOT_A_RULE: &str =
    "a Sigma rule has the keys `title`, `logsource` and `detection`, a KQL rule in YAML `id`, `name` and `query`";

/// How Sentinel, and Sigma, call levels.
pub(crate) const LEVELS: [(&str, Level); 5] = [
    ("informational", Level::Informational),
    ("low", Level::Low),
    ("medium", Level::Medium),
    ("high", Level::High),
    ("critical", Level::Critical),
];

/// Our own.
pub(crate) const CONFIDENCES: [(&str, Confidence); 3] =
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
    let root = match read(text, diagnostics).and_then(only) {
        Ok(root) => root,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return None;
        }
    };
    let Data::Mapping(entries) = &root.data else {
        let message = "a rule in YAML is a mapping with the keys `id`, `name` and `query`";
        diagnostics.push(Diagnostic::error("SEN0004", root.span, message).help(NOT_A_RULE));
        return None;
    };
    let mut envelope = Envelope { entries, diagnostics };
    if ["id", "name", "query"].into_iter().all(|key| envelope.get(key).is_none()) {
        envelope.error(
            "SEN0005",
            &(0..0),
            "the file is no rule: it has neither a `detection` nor a `query`",
            NOT_A_RULE,
        );
        return None;
    }
    envelope.refuse_duplicates();
    let metadata = envelope.metadata();
    let (query, source_map) = envelope.query(text)?;
    Some(RuleFile::new(text, metadata?, query, source_map))
}

/// The documents, with the one mistake put right that is understood.
fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Vec<Node>, Diagnostic> {
    let error = match documents(text) {
        Ok(documents) => return Ok(documents),
        Err(error) => error,
    };
    let Some((repaired, warnings)) = repair::data_types(text) else { return Err(error) };
    // What is still wrong was not that mistake; the first error is about the text as it stands.
    let documents = documents(&repaired).map_err(|_| error)?;
    diagnostics.extend(warnings);
    Ok(documents)
}

/// A file's documents, or the first thing that is wrong.
fn documents(text: &str) -> Result<Vec<Node>, Diagnostic> {
    let stream = yaml::read(text);
    stream.diagnostics.into_iter().next().map_or(Ok(()), Err)?;
    Ok(stream.documents.into_iter().flatten().collect())
}

/// The one document that a file may have.
fn only(documents: Vec<Node>) -> Result<Node, Diagnostic> {
    let mut documents = documents.into_iter();
    let root =
        documents.next().ok_or_else(|| Diagnostic::error("SEN0004", 0..0, "the file is empty").help(NOT_A_RULE))?;
    match documents.next() {
        None => Ok(root),
        Some(second) => {
            let message = "a file with a `query` has one document, this is a second one";
            Err(Diagnostic::error("SEN0004", second.span, message).help("put each rule into a file of its own"))
        }
    }
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
        self.entries.iter().find(|(found, _)| is_key(found)).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The words of a key: a scalar without the white space around it.
    fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let Data::Scalar { text, .. } = &node.data else {
            self.error(
                "SEN0006",
                &node.span,
                format!("`{key}` must be text"),
                "write it on one line, or as a block with `|`",
            );
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
        nodes.iter().filter_map(|node| Some((node.scalar()?.to_owned(), node.span.clone()))).collect()
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
            let warning =
                Diagnostic::warning("SEN0007", span, format!("`{key}` is none of its values and is left out"))
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
                let warning =
                    Diagnostic::warning("SEN0007", span, format!("`{id}` is no ATT&CK technique and is left out"))
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
            let Some(name) = connector.member("connectorId").and_then(Node::scalar) else { continue };
            let types: Vec<_> = match connector.member("dataTypes").map(|node| &node.data) {
                Some(Data::List(types)) => types.iter().filter_map(Node::scalar).collect(),
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

#[cfg(test)]
mod tests {
    use super::super::{Loaded, load};
    use super::*;

    /// The collection's file as it is; see the folder's README.
    const LEVEL: &str = include_str!("../../tests/fixtures/rmm_Level_netconn.yaml");

    fn codes(loaded: &Loaded) -> Vec<&str> {
        loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn a_file_of_the_collection_loads_with_one_warning() {
        let loaded = load("rmm_Level_netconn.yaml", LEVEL);
        let spans: Vec<_> = loaded.diagnostics.iter().map(|warning| &LEVEL[warning.span.clone()]).collect();
        assert_eq!((codes(&loaded), spans), (vec!["SEN0001"], vec!["dataTypes"]));
        let rule = loaded.rule.expect("a warning is no error");
        let metadata = &rule.metadata;
        assert_eq!(metadata.id, "809456ed-b3ff-4699-a2fb-837b17555f6c");
        assert_eq!(metadata.namespace, "local");
        assert_eq!(metadata.title, "Remote Management and Monitoring tool - Level - Network Connection");
        assert!(metadata.description.starts_with("Remote Monitoring"), "{}", metadata.description);
        assert_eq!(metadata.attack.tactics, ["Command and Control"]);
        assert_eq!(metadata.attack.techniques, ["T1219"]);
        assert_eq!(metadata.data_sources, ["MicrosoftThreatProtection: DeviceNetworkEvents"]);
        assert!(rule.query.starts_with("let Time_start = now(-5d);\n"), "{}", rule.query);
        let at = rule.query.find("AccountUpn").expect("the query groups by it");
        assert_eq!(&LEVEL[rule.locate(&(at..at + 10))], "AccountUpn");
    }

    #[test]
    fn everything_a_manifest_has_can_be_said() {
        let text = "\
id: x
namespace: acme
name: ' A title '
version: 1.10
description: |
  Two
  lines.
severity: High
confidence: low
status: Available
tactics: [CommandAndControl, Exfiltration, CommandAndControl]
relevantTechniques:
  - T1219
  - T1219.003
requiredDataConnectors:
  - connectorId: A
    dataTypes: [T, U]
  - connectorId: B
  - dataTypes: [V]
falsePositives: one
references: [https://a.example, https://b.example]
authors: [J]
license: MIT
tags:
  - a
  - Schema: not ours
entityMappings:
  - entityType: Host
kind: Scheduled
query: T
";
        let loaded = load("x.yml", text);
        assert_eq!(loaded.diagnostics, []);
        let metadata = loaded.rule.expect("no errors").metadata;
        let expected = Metadata {
            namespace: "acme".into(),
            id: "x".into(),
            version: Some("1.10".into()),
            title: "A title".into(),
            description: "Two\nlines.".into(),
            level: Some(Level::High),
            confidence: Some(Confidence::Low),
            status: Some(Status::Stable),
            authors: vec!["J".into()],
            references: vec!["https://a.example".into(), "https://b.example".into()],
            false_positives: vec!["one".into()],
            tags: vec!["a".into()],
            attack: Attack {
                tactics: vec!["Command and Control".into(), "Exfiltration".into()],
                techniques: vec!["T1219".into(), "T1219.003".into()],
            },
            data_sources: vec!["A: T".into(), "A: U".into(), "B".into()],
            licence: Some("MIT".into()),
        };
        assert_eq!(metadata, expected);
    }

    #[test]
    fn errors_have_a_code_and_a_place() {
        for (text, expected) in [
            ("name: n\nquery: T\n", vec![("SEN0005", "")]),
            ("description: d\n", vec![("SEN0005", "")]),
            ("id:\nname: ~\nquery: null\n", vec![("SEN0005", "")]),
            ("id: a/b\nname: n\nquery: T\n", vec![("SEN0008", "a/b")]),
            ("id: a\nnamespace: ''\nname: n\nquery: T\n", vec![("SEN0008", "''")]),
            ("id: a\nname: n\nquery: [T]\n", vec![("SEN0006", "[T]")]),
            ("id: [a]\nname: n\nquery: T\n", vec![("SEN0006", "[a]")]),
            ("id: a\nname: n\nquery: T\nquery: U\n", vec![("SEN0006", "query")]),
            ("- id: a\n", vec![("SEN0004", "")]),
            ("T | count", vec![("SEN0004", "T | count")]),
            ("", vec![("SEN0004", "")]),
            ("id: a\nname: n\nquery: T\n--- b\n", vec![("SEN0004", "b")]),
            ("id: a\nname: n: m\nquery: T\n", vec![("RUL0004", "")]),
        ] {
            let loaded = load("a.yaml", text);
            let found: Vec<_> =
                loaded.diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect();
            assert_eq!((loaded.rule, found), (None, expected), "{text}");
        }
    }

    #[test]
    fn unknown_values_are_left_out_with_a_warning() {
        let text =
            "id: a\nname: n\nquery: T\nseverity: Severe\nstatus: new\nconfidence: 5\nrelevantTechniques: [T1, T1219]\n";
        let loaded = load("a.yaml", text);
        let found: Vec<_> = loaded.diagnostics.iter().map(|found| (found.code, &text[found.span.clone()])).collect();
        assert_eq!(found, [("SEN0007", "Severe"), ("SEN0007", "5"), ("SEN0007", "new"), ("SEN0007", "T1")]);
        let metadata = loaded.rule.expect("warnings are no errors").metadata;
        assert_eq!((metadata.level, metadata.status, metadata.confidence), (None, None, None));
        assert_eq!(metadata.attack.techniques, ["T1219"]);
    }

    #[test]
    fn a_mistake_that_is_not_understood_is_reported_where_it_is() {
        let text =
            "id: a\nrequiredDataConnectors:\n    - connectorId: X\n    dataTypes:\n        - T\nname: 'n\nquery: T\n";
        let loaded = load("a.yaml", text);
        assert_eq!((loaded.rule, loaded.diagnostics.len(), loaded.diagnostics[0].code), (None, 1, "RUL0004"));
    }
}
