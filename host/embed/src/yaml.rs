//! YAML as a tree whose nodes know their line, for the files that stand beside rules.
//!
//! Such a file is as untrusted as a rule: depth is limited, and anchors and aliases, with which a small file can
//! describe a huge tree, are refused. Later keys do not silently replace earlier ones: a duplicate is an error.

use std::borrow::Cow;

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

use crate::TestFileError;

/// How deep lists and mappings may nest.
const DEPTH_MAX: usize = 64;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it starts, from 1.
    pub(crate) line: usize,
    pub(crate) data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Mapping(entries) => entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect(),
        }
    }

    pub(crate) fn to_object(&self) -> Result<Map<String, Value>, TestFileError> {
        match self.to_json() {
            Value::Object(object) => Ok(object),
            _ => Err(TestFileError::new(self.line, "expected a mapping of field names to values")),
        }
    }

    pub(crate) fn list(&self) -> Result<&[Self], TestFileError> {
        match &self.data {
            Data::List(items) => Ok(items),
            _ => Err(TestFileError::new(self.line, "expected a list")),
        }
    }

    pub(crate) fn text(&self) -> Result<&str, TestFileError> {
        match &self.data {
            Data::Scalar(Value::String(text)) => Ok(text),
            _ => Err(TestFileError::new(self.line, "expected text")),
        }
    }

    /// The entries of a mapping that has no other keys than these.
    pub(crate) fn entries(&self, known: &[&str]) -> Result<&[(String, Self)], TestFileError> {
        let Data::Mapping(entries) = &self.data else {
            return Err(TestFileError::new(
                self.line,
                format!("expected a mapping with the keys {}", known.join(", ")),
            ));
        };
        match entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(entries),
            Some((key, node)) => {
                let known = known.join(", ");
                Err(TestFileError::new(node.line, format!("unknown key `{key}`; the keys here are {known}")))
            }
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

/// The first document of `text`; null of an empty one.
pub(crate) fn parse(text: &str) -> Result<Node, TestFileError> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| TestFileError::new(error.marker().line(), format!("not YAML: {}", error.info())))?;
        let line = span.start.line();
        let closed = match event {
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _)
            | Event::Alias(_) => {
                return Err(TestFileError::new(line, "anchors and aliases are not supported: write the value out"));
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
                None => return Ok(node),
            }
        }
    }
    Ok(Node { line: 1, data: Data::Scalar(Value::Null) })
}

fn push(open: &mut Vec<Open>, line: usize, kind: OpenKind) -> Result<(), TestFileError> {
    if open.len() >= DEPTH_MAX {
        return Err(TestFileError::new(line, format!("nested deeper than {DEPTH_MAX} levels")));
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

fn attach(parent: &mut Open, node: Node) -> Result<(), TestFileError> {
    match &mut parent.kind {
        OpenKind::List(items) => items.push(node),
        OpenKind::Mapping(entries, key) => {
            if let Some(key) = key.take() {
                entries.push((key, node));
                return Ok(());
            }
            let name = match node.data {
                Data::Scalar(Value::String(name)) => name,
                Data::Scalar(value) => value.to_string(),
                Data::List(_) | Data::Mapping(_) => {
                    return Err(TestFileError::new(node.line, "a key is a list or a mapping; expected text"));
                }
            };
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(TestFileError::new(node.line, format!("the key `{name}` is there twice")));
            }
            *key = Some(name);
        }
    }
    Ok(())
}

fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
    line: usize,
) -> Result<Node, TestFileError> {
    let value = match Scalar::parse_from_cow_and_metadata(text, style, tag) {
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Boolean(value)) => value.into(),
        Some(Scalar::Integer(value)) => value.into(),
        Some(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        Some(Scalar::String(text)) => text.into_owned().into(),
        None => return Err(TestFileError::new(line, "the value does not fit its tag")),
    };
    Ok(Node { line, data: Data::Scalar(value) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_becomes_json_by_the_core_schema() {
        let text = "a: 1\nb: ['1', 1.5, true, null, ~, 2024-05-01T00:00:00Z]\n4688: {c: \"\"}\n";
        let node = parse(text).expect("sound YAML");
        assert_eq!(
            node.to_json(),
            json!({"a": 1, "b": ["1", 1.5, true, null, null, "2024-05-01T00:00:00Z"], "4688": {"c": ""}})
        );
        assert_eq!(parse("").expect("sound YAML").to_json(), Value::Null);
    }

    #[test]
    fn what_could_surprise_is_refused_with_its_line() {
        let nested = "[".repeat(100);
        let dashes = "- ".repeat(100_000);
        for (text, expected) in [
            ("a: 1\nb: *x", "line 2: "),
            ("a: &x 1", "line 1: anchors and aliases"),
            ("a: 1\na: 2", "line 2: the key `a` is there twice"),
            ("? [a]\n: 1", "line 1: a key is a list"),
            (nested.as_str(), "line 1: nested deeper than 64"),
            (dashes.as_str(), "line 1: nested deeper than 64"),
            ("a: [1", "not YAML"),
        ] {
            let error = parse(text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
