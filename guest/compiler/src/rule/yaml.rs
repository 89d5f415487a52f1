//! YAML as a tree whose nodes know where they stand.
//!
//! A rule file is untrusted: nesting and size are limited, and aliases, with which a small file can describe a huge tree,
//! are refused, with anchors and tags. Scalars stay text; only what a key wants decides what it is.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::diagnostic::{Diagnostic, Span};

/// How deep lists and mappings may nest.
const DEPTH_MAX: usize = 32;

/// How many nodes a file may have.
const NODES_MAX: usize = 100_000;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) data: Data,
    /// Where a scalar stands, or a list or mapping begins.
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Scalar { text: String, style: ScalarStyle },
    List(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// What is not yet closed.
struct Open {
    start: usize,
    /// A mapping's keys and values take turns.
    children: Vec<Node>,
    is_mapping: bool,
}

/// The tree of the one document that a file has.
pub(super) fn read(text: &str) -> Result<Node, Diagnostic> {
    let positions = Positions::of(text);
    let mut parser = Parser::new_from_str(text.get(positions.base..).unwrap_or_default());
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut nodes = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(&error, &positions))?;
        let span = positions.byte(span.start.index())..positions.byte(span.end.index());
        nodes += 1;
        if nodes > NODES_MAX || open.len() > DEPTH_MAX {
            let message = format!("the file has more than {NODES_MAX} nodes or {DEPTH_MAX} levels");
            return Err(Diagnostic::error("SEN0003", span, message));
        }
        if is_decorated(&event) {
            let message = "anchors, aliases and tags are not supported in rule files";
            return Err(Diagnostic::error("SEN0003", span, message).help("write the value out where it is used"));
        }
        let node = match event {
            Event::DocumentStart(_) if root.is_some() => {
                let message = "a rule file has one document, this is a second one";
                return Err(Diagnostic::error("SEN0004", span, message).help("put each rule into a file of its own"));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let is_mapping = matches!(event, Event::MappingStart(..));
                open.push(Open { start: span.start, children: Vec::new(), is_mapping });
                continue;
            }
            Event::Scalar(value, style, ..) => Node { data: Data::Scalar { text: value.into_owned(), style }, span },
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(closed) => closed.into_node(),
                None => continue,
            },
            Event::Alias(_)
            | Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => root = Some(node),
        }
    }
    root.ok_or_else(|| Diagnostic::error("SEN0004", 0..0, "the file is empty"))
}

/// Whether an event uses a name for a value, or gives it a name or a type.
fn is_decorated(event: &Event) -> bool {
    match event {
        Event::Alias(_) => true,
        Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            *anchor != 0 || tag.is_some()
        }
        _ => false,
    }
}

impl Open {
    fn into_node(self) -> Node {
        let start = self.start;
        if !self.is_mapping {
            return Node { data: Data::List(self.children), span: start..start };
        }
        let mut entries = Vec::new();
        let mut children = self.children.into_iter();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            entries.push((key, value));
        }
        Node { data: Data::Mapping(entries), span: start..start }
    }
}

fn not_yaml(error: &ScanError, positions: &Positions) -> Diagnostic {
    let at = positions.byte(error.marker().index());
    Diagnostic::error("SEN0002", at..at, format!("the file is not valid YAML: {}", error.info()))
}

/// From characters, which the YAML parser counts, to bytes.
struct Positions {
    /// Where the YAML begins: behind a byte order mark.
    base: usize,
    /// The byte of each character from `base` on; `None` where they are the same.
    bytes: Option<Vec<usize>>,
    end: usize,
}

impl Positions {
    fn of(text: &str) -> Self {
        let yaml = text.strip_prefix('\u{feff}').unwrap_or(text);
        let base = text.len() - yaml.len();
        let bytes = (!yaml.is_ascii()).then(|| yaml.char_indices().map(|(at, _)| base + at).collect());
        Self { base, bytes, end: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            None => self.base + character,
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.end),
        };
        byte.min(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stand_where_they_are_written() {
        let text = "\u{feff}ä: x\nb: [ö, 'y z']\n";
        let Ok(Node { data: Data::Mapping(entries), .. }) = read(text) else { panic!("a mapping") };
        let shown: Vec<_> = entries.iter().map(|(key, _)| &text[key.span.clone()]).collect();
        assert_eq!(shown, ["ä", "b"]);
        let Data::List(items) = &entries[1].1.data else { panic!("a list") };
        let shown: Vec<_> = items.iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(shown, ["ö", "'y z'"]);
    }

    #[test]
    fn what_is_not_a_small_tree_is_refused() {
        let deep = "[".repeat(DEPTH_MAX + 2) + &"]".repeat(DEPTH_MAX + 2);
        let many = "- a\n".repeat(NODES_MAX);
        for (text, code) in [
            ("a: &x [1]\nb: *x\n", "SEN0003"),
            ("a: !!str 1\n", "SEN0003"),
            (deep.as_str(), "SEN0003"),
            (many.as_str(), "SEN0003"),
            ("a: 1\n---\nb: 2\n", "SEN0004"),
            ("", "SEN0004"),
            ("# nothing\n", "SEN0004"),
            ("a: 'x", "SEN0002"),
            ("a: b: c", "SEN0002"),
        ] {
            assert_eq!(read(text).map_err(|diagnostic| diagnostic.code), Err(code), "{}", &text[..text.len().min(40)]);
        }
    }
}
