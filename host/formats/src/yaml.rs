//! YAML as a tree whose nodes know their line, for the files that stand beside rules: streams files, tests.
//!
//! Such a file is as untrusted as a rule: depth is limited, and anchors and aliases, with which a small file can
//! describe a huge tree, are refused. Nothing is lost in silence: a second document, a key that is there twice, a key
//! that is no text, a tag of somebody's own and a number that JSON does not have are errors. What a file means is not
//! known here. The compiler has a reader of its own, which keeps bytes rather than lines, for it may not depend on the
//! host.

use std::{borrow::Cow, fmt};

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Number, Value};

/// How deep lists and mappings may nest.
const DEPTH_MAX: usize = 64;

/// Why a text is not YAML that is read here, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    line: usize,
    reason: String,
}

impl YamlError {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong, without the line.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for YamlError {}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it starts, from 1.
    pub line: usize,
    /// What it is.
    pub data: Data,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A text, number, boolean or null, by YAML's core schema.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// The entries of a mapping, in order; no key is there twice.
    Mapping(Vec<(String, Node)>),
}

impl Node {
    /// The same tree as JSON.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Mapping(entries) => entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect(),
        }
    }
}

/// A list or mapping that is still open.
struct Open {
    line: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    /// The key that waits for its value.
    Mapping(Vec<(String, Node)>, Option<String>),
}

/// The only document of `text`.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| YamlError::new(error.marker().line(), format!("not YAML: {}", error.info())))?;
        let line = span.start.line();
        let closed = match event {
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _)
            | Event::Alias(_) => {
                return Err(YamlError::new(line, "anchors and aliases are not supported: write the value out"));
            }
            Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, Some(tag))
            | Event::MappingStart(_, Some(tag))
                if !tag.is_yaml_core_schema() =>
            {
                return Err(YamlError::new(line, format!("the tag `{tag}` is not supported: leave it out")));
            }
            Event::DocumentStart(_) if root.is_some() => {
                return Err(YamlError::new(line, "a second YAML document; a file has one"));
            }
            Event::Scalar(text, style, _, tag) => Some(scalar(text, style, tag.as_ref(), line)?),
            Event::SequenceStart(..) => {
                push(&mut open, line, OpenKind::List(Vec::new()))?;
                None
            }
            Event::MappingStart(..) => {
                push(&mut open, line, OpenKind::Mapping(Vec::new(), None))?;
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(close),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                None
            }
        };
        if let Some(node) = closed {
            match open.last_mut() {
                Some(parent) => attach(parent, node)?,
                None => root = Some(node),
            }
        }
    }
    root.ok_or_else(|| YamlError::new(1, "the file is empty; expected one YAML document"))
}

fn push(open: &mut Vec<Open>, line: usize, kind: OpenKind) -> Result<(), YamlError> {
    if open.len() >= DEPTH_MAX {
        return Err(YamlError::new(line, format!("nested deeper than {DEPTH_MAX} levels")));
    }
    open.push(Open { line, kind });
    Ok(())
}

fn close(open: Open) -> Node {
    let data = match open.kind {
        OpenKind::List(items) => Data::List(items),
        OpenKind::Mapping(entries, _) => Data::Mapping(entries),
    };
    Node { line: open.line, data }
}

fn attach(parent: &mut Open, node: Node) -> Result<(), YamlError> {
    match &mut parent.kind {
        OpenKind::List(items) => items.push(node),
        OpenKind::Mapping(entries, key) => {
            if let Some(key) = key.take() {
                entries.push((key, node));
                return Ok(());
            }
            let Data::Scalar(Value::String(name)) = node.data else {
                let reason = "a key is a text; put it in quotes if it looks like something else";
                return Err(YamlError::new(node.line, reason));
            };
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(YamlError::new(node.line, format!("the key `{name}` is there twice")));
            }
            *key = Some(name);
        }
    }
    Ok(())
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>, line: usize) -> Result<Node, YamlError> {
    let value = match Scalar::parse_from_cow_and_metadata(text, style, tag) {
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Boolean(value)) => value.into(),
        Some(Scalar::Integer(value)) => value.into(),
        Some(Scalar::FloatingPoint(value)) => {
            let number = Number::from_f64(value.into_inner());
            Value::Number(
                number.ok_or_else(|| YamlError::new(line, "JSON does not have this number; put it in quotes"))?,
            )
        }
        Some(Scalar::String(text)) => text.into_owned().into(),
        None => return Err(YamlError::new(line, "the value does not fit its tag")),
    };
    Ok(Node { line, data: Data::Scalar(value) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_becomes_json_by_the_core_schema() {
        let text = "a: 1\nb: ['1', 1.5, true, null, ~, 2024-05-01T00:00:00Z]\n\"4688\": {c: \"\"}\nd: !!str 7\n";
        let node = parse(text).expect("sound YAML");
        assert_eq!(
            node.to_json(),
            json!({"a": 1, "b": ["1", 1.5, true, null, null, "2024-05-01T00:00:00Z"], "4688": {"c": ""}, "d": "7"})
        );
    }

    #[test]
    fn what_could_surprise_is_refused_with_its_line() {
        let nested = "[".repeat(100);
        let dashes = "- ".repeat(100_000);
        for (text, expected) in [
            ("", "line 1: the file is empty"),
            ("# nothing\n", "line 1: the file is empty"),
            ("a: 1\nb: *x", "line 2: "),
            ("a: &x 1", "line 1: anchors and aliases"),
            ("a: 1\na: 2", "line 2: the key `a` is there twice"),
            ("? [a]\n: 1", "line 1: a key is a text"),
            ("a:\n  4688: x", "line 2: a key is a text; put it in quotes"),
            ("a: 1\n---\nb: 1", "line 2: a second YAML document"),
            ("a: !mine 1", "line 1: the tag `!mine` is not supported"),
            ("a: !mine [1]", "line 1: the tag `!mine` is not supported"),
            ("a: !!int x", "line 1: the value does not fit its tag"),
            ("a: .inf", "line 1: JSON does not have this number"),
            (nested.as_str(), "line 1: nested deeper than 64"),
            (dashes.as_str(), "line 1: nested deeper than 64"),
            ("a: [1", "not YAML"),
        ] {
            let error = parse(text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
