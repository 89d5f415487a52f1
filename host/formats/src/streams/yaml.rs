//! Reading a YAML document by hand: typed access with the place of every mistake.
//!
//! Nothing here knows what a streams file means. Keys that nobody asked for are mistakes too, for a misspelt key would
//! otherwise silently do nothing.

use std::fmt;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

/// Why a streams file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMapError {
    file: String,
    line: usize,
    reason: String,
}

impl StreamMapError {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for StreamMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

impl std::error::Error for StreamMapError {}

/// A node, with its file and the key that it is the value of, for messages.
#[derive(Clone, Copy)]
pub(super) struct Node<'d> {
    file: &'d str,
    key: &'d str,
    yaml: &'d MarkedYaml<'d>,
}

pub(super) type Result<T> = std::result::Result<T, StreamMapError>;

/// Reads the only document of `text` and hands its root to `read`.
pub(super) fn with_root<T>(file: &str, text: &str, read: impl FnOnce(Node<'_>) -> Result<T>) -> Result<T> {
    let error = |line, reason| StreamMapError { file: file.to_owned(), line, reason };
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|scan| error(scan.marker().line(), format!("this is not YAML: {}", scan.info())))?;
    match documents.as_slice() {
        [root] => read(Node { file, key: "the document", yaml: root }),
        other => Err(error(1, format!("a streams file is one YAML document; there are {}", other.len()))),
    }
}

impl<'d> Node<'d> {
    /// A mistake here.
    pub(super) fn error(&self, reason: impl fmt::Display) -> StreamMapError {
        StreamMapError {
            file: self.file.to_owned(),
            line: self.yaml.span.start.line(),
            reason: format!("`{}`: {reason}", self.key),
        }
    }

    /// Whether it is a mapping.
    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.yaml.data, YamlData::Mapping(_))
    }

    /// The entries of a mapping, whose keys are plain.
    pub(super) fn entries(&self) -> Result<Vec<(&'d str, Node<'d>)>> {
        let YamlData::Mapping(mapping) = &self.yaml.data else {
            return Err(self.error(format!("expected `key: value` pairs, found {}", self.kind())));
        };
        let entry =
            |(key, value): (&'d MarkedYaml<'d>, &'d MarkedYaml<'d>)| match &key.data {
                YamlData::Value(Scalar::String(name)) => {
                    let name: &'d str = name.as_ref();
                    Ok((name, Node { file: self.file, key: name, yaml: value }))
                }
                _ => Err(Node { yaml: key, ..*self }
                    .error("a key is a name; put it in quotes if it looks like something else")),
            };
        mapping.iter().map(entry).collect()
    }

    /// The entries of a mapping that has these keys and no others, in the order of `keys`.
    pub(super) fn record<const N: usize>(&self, keys: [&str; N]) -> Result<[Option<Node<'d>>; N]> {
        let mut found = [None; N];
        for (name, value) in self.entries()? {
            let place = keys.iter().position(|key| *key == name).and_then(|index| found.get_mut(index));
            let Some(place) = place else {
                return Err(value.error(format!(
                    "is not known here; the keys of `{}` are {}",
                    self.key,
                    keys.join(", ")
                )));
            };
            *place = Some(value);
        }
        Ok(found)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &str, value: Option<Node<'d>>) -> Result<Node<'d>> {
        value.ok_or_else(|| self.error(format!("the key `{key}` is missing")))
    }

    /// The elements of a sequence; anything else is its own only element.
    pub(super) fn one_or_more(&self) -> Vec<Node<'d>> {
        match &self.yaml.data {
            YamlData::Sequence(items) => items.iter().map(|yaml| Node { yaml, ..*self }).collect(),
            _ => vec![*self],
        }
    }

    /// The elements of a sequence.
    pub(super) fn sequence(&self) -> Result<Vec<Node<'d>>> {
        match &self.yaml.data {
            YamlData::Sequence(_) => Ok(self.one_or_more()),
            _ => Err(self.error(format!("expected a list, found {}", self.kind()))),
        }
    }

    /// A scalar as text: numbers and booleans as they are usually written.
    pub(super) fn text(&self) -> Result<String> {
        match &self.yaml.data {
            YamlData::Value(Scalar::String(text)) => Ok(text.to_string()),
            YamlData::Value(Scalar::Integer(value)) => Ok(value.to_string()),
            YamlData::Value(Scalar::Boolean(value)) => Ok(value.to_string()),
            _ => Err(self.error(format!("expected a text, found {}", self.kind()))),
        }
    }

    /// A scalar, or a sequence of scalars, as texts.
    pub(super) fn texts(&self) -> Result<Vec<String>> {
        self.one_or_more().iter().map(Node::text).collect()
    }

    fn kind(&self) -> &'static str {
        match &self.yaml.data {
            YamlData::Mapping(_) => "a mapping",
            YamlData::Sequence(_) => "a list",
            YamlData::Value(Scalar::Null) => "nothing",
            YamlData::Value(Scalar::FloatingPoint(_)) => "a fraction",
            YamlData::Value(_) => "a value",
            YamlData::Tagged(..) => "a tag",
            _ => "something else",
        }
    }
}
