//! Reading the tree of a streams file by hand: typed access with the place of every mistake.
//!
//! Nothing here knows what a streams file means. Keys that nobody asked for are mistakes too, for a misspelt key would
//! otherwise silently do nothing.

use std::fmt;

use serde_json::Value;

use crate::yaml::{self, Data};

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
    yaml: &'d yaml::Node,
}

pub(super) type Result<T> = std::result::Result<T, StreamMapError>;

/// Reads `text` and hands its root to `read`.
pub(super) fn with_root<T>(file: &str, text: &str, read: impl FnOnce(Node<'_>) -> Result<T>) -> Result<T> {
    let root = yaml::parse(text).map_err(|error| StreamMapError {
        file: file.to_owned(),
        line: error.line(),
        reason: error.reason().to_owned(),
    })?;
    read(Node { file, key: "the document", yaml: &root })
}

impl<'d> Node<'d> {
    /// A mistake here.
    pub(super) fn error(&self, reason: impl fmt::Display) -> StreamMapError {
        StreamMapError { file: self.file.to_owned(), line: self.yaml.line, reason: format!("`{}`: {reason}", self.key) }
    }

    /// Whether it is a mapping.
    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.yaml.data, Data::Mapping(_))
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self) -> Result<Vec<(&'d str, Node<'d>)>> {
        let Data::Mapping(entries) = &self.yaml.data else {
            return Err(self.error(format!("expected `key: value` pairs, found {}", self.kind())));
        };
        Ok(entries.iter().map(|(key, yaml)| (key.as_str(), Node { file: self.file, key, yaml })).collect())
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
            Data::List(items) => items.iter().map(|yaml| Node { yaml, ..*self }).collect(),
            _ => vec![*self],
        }
    }

    /// The elements of a sequence.
    pub(super) fn sequence(&self) -> Result<Vec<Node<'d>>> {
        match &self.yaml.data {
            Data::List(_) => Ok(self.one_or_more()),
            _ => Err(self.error(format!("expected a list, found {}", self.kind()))),
        }
    }

    /// A scalar as text: integers and booleans as they are usually written.
    pub(super) fn text(&self) -> Result<String> {
        match &self.yaml.data {
            Data::Scalar(Value::String(text)) => Ok(text.clone()),
            Data::Scalar(Value::Number(value)) if !value.is_f64() => Ok(value.to_string()),
            Data::Scalar(Value::Bool(value)) => Ok(value.to_string()),
            _ => Err(self.error(format!("expected a text, found {}", self.kind()))),
        }
    }

    /// A scalar, or a sequence of scalars, as texts.
    pub(super) fn texts(&self) -> Result<Vec<String>> {
        self.one_or_more().iter().map(Node::text).collect()
    }

    fn kind(&self) -> &'static str {
        match &self.yaml.data {
            Data::Mapping(_) => "a mapping",
            Data::List(_) => "a list",
            Data::Scalar(Value::Null) => "nothing",
            Data::Scalar(Value::Number(value)) if value.is_f64() => "a fraction",
            Data::Scalar(_) => "a value",
        }
    }
}
