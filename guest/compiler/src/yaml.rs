//! YAML as a tree whose nodes know where they stand.
//!
//! What both envelopes, Sigma's and Sentinel's, are read from. A rule file is untrusted: nesting and size are limited,
//! and aliases, with which a small file can describe a huge tree, are refused, with anchors and tags. Scalars stay text;
//! only what a key wants decides what it is.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::diagnostic::{Diagnostic, Span};

/// How deep lists and mappings may nest.
const DEPTH_MAX: usize = 32;

/// How many nodes a file may have.
pub(crate) const NODES_MAX: usize = 100_000;

/// How many documents a file may have.
const DOCUMENTS_MAX: usize = 1_000;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) data: Data,
    /// Where a scalar stands, or a list or mapping in brackets; where one in a block begins.
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Scalar { text: String, style: ScalarStyle },
    List(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// What a file has in it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// In the order of the file; `None` for one that is refused. None stand behind what is not YAML.
    pub(crate) documents: Vec<Option<Node>>,
    /// Errors, each of which cost a document at least.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// What is not yet closed.
struct Open {
    start: usize,
    /// A mapping's keys and values take turns.
    children: Vec<Node>,
    is_mapping: bool,
}

/// The trees of a file's documents.
pub(crate) fn read(text: &str) -> Stream {
    let mut stream = Stream::default();
    if let Err(diagnostic) = read_into(text, &mut stream) {
        stream.diagnostics.push(diagnostic);
    }
    stream
}

/// Reads until something is wrong behind which nothing can be read.
fn read_into(text: &str, stream: &mut Stream) -> Result<(), Diagnostic> {
    let positions = Positions::of(text);
    let mut parser = Parser::new_from_str(text.get(positions.base..).unwrap_or_default());
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0;
    let mut is_refused = false;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(&error, &positions))?;
        let span = positions.byte(span.start.index())..positions.byte(span.end.index());
        nodes += 1;
        if nodes > NODES_MAX || open.len() > DEPTH_MAX || stream.documents.len() > DOCUMENTS_MAX {
            let message =
                format!("the file has more than {NODES_MAX} nodes, {DEPTH_MAX} levels or {DOCUMENTS_MAX} documents");
            return Err(Diagnostic::error("RUL0006", span, message).help("split it, or shorten its lists"));
        }
        if is_decorated(&event) && !is_refused {
            is_refused = true;
            let message = "anchors, aliases and tags are not supported in rule files";
            let help = "write the value out where it is used";
            stream.diagnostics.push(Diagnostic::error("RUL0005", span.clone(), message).help(help));
        }
        let node = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let is_mapping = matches!(event, Event::MappingStart(..));
                open.push(Open { start: span.start, children: Vec::new(), is_mapping });
                continue;
            }
            Event::Scalar(value, style, ..) => Node { data: Data::Scalar { text: value.into_owned(), style }, span },
            // Its document is refused; what counts is that a mapping's keys and values go on taking turns.
            Event::Alias(_) => Node { data: Data::List(Vec::new()), span },
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(closed) => closed.into_node(&span, text),
                None => continue,
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => stream.documents.push((!std::mem::take(&mut is_refused)).then_some(node)),
        }
    }
    Ok(())
}

impl Node {
    /// <https://yaml.org/spec/1.2.2/#1032-tag-resolution>
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, style: ScalarStyle::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The words of a scalar that is not null, without the white space around them.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } if !self.is_null() => Some(text.trim()),
            _ => None,
        }
    }

    /// The value of a mapping's key.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        let Data::Mapping(entries) = &self.data else { return None };
        entries.iter().find(|(found, _)| found.scalar() == Some(key)).map(|(_, value)| value)
    }

    /// From where it begins to where the last of it ends.
    pub(crate) fn extent(&self) -> Span {
        let last = match &self.data {
            Data::Scalar { .. } => None,
            Data::List(items) => items.last(),
            Data::Mapping(entries) => entries.last().map(|(_, value)| value),
        };
        self.span.start..last.map_or(self.span.end, |last| last.extent().end.max(self.span.end))
    }

    /// How many nodes it is made of.
    pub(crate) fn size(&self) -> usize {
        let below: usize = match &self.data {
            Data::Scalar { .. } => 0,
            Data::List(items) => items.iter().map(Self::size).sum(),
            Data::Mapping(entries) => entries.iter().map(|(key, value)| key.size() + value.size()).sum(),
        };
        below.saturating_add(1)
    }
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
    /// `end` is where the event stands that closes it: at a bracket, or somewhere behind a block.
    fn into_node(self, end: &Span, text: &str) -> Node {
        let is_bracket = text.get(end.clone()).is_some_and(|end| matches!(end, "]" | "}"));
        let span = self.start..if is_bracket { end.end } else { self.start };
        if !self.is_mapping {
            return Node { data: Data::List(self.children), span };
        }
        let mut entries = Vec::new();
        let mut children = self.children.into_iter();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            entries.push((key, value));
        }
        Node { data: Data::Mapping(entries), span }
    }
}

fn not_yaml(error: &ScanError, positions: &Positions) -> Diagnostic {
    let at = positions.byte(error.marker().index());
    let help = "the mistake may be on a line before: an indentation, a quote or a bracket that is not closed, or a text with `: ` \
                or ` #` in it that needs quotes";
    Diagnostic::error("RUL0004", at..at, format!("the file is not valid YAML: {}", error.info())).help(help)
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

    fn one(text: &str) -> Node {
        let stream = read(text);
        assert_eq!(stream.diagnostics, []);
        stream.documents.into_iter().flatten().next().expect("a document")
    }

    #[test]
    fn nodes_stand_where_they_are_written() {
        let text = "\u{feff}ä: x\nb: [ö, 'y z']\n";
        let root = one(text);
        let Data::Mapping(entries) = &root.data else { panic!("a mapping") };
        let shown: Vec<_> = entries.iter().map(|(key, _)| &text[key.span.clone()]).collect();
        assert_eq!(shown, ["ä", "b"]);
        let Data::List(items) = &entries[1].1.data else { panic!("a list") };
        let shown: Vec<_> = items.iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(shown, ["ö", "'y z'"]);
        assert_eq!(&text[root.extent()], "ä: x\nb: [ö, 'y z']");
        assert_eq!(root.size(), 7);
    }

    #[test]
    fn what_is_not_a_small_tree_is_refused() {
        let deep = "[".repeat(DEPTH_MAX + 2) + &"]".repeat(DEPTH_MAX + 2);
        let many = "- a\n".repeat(NODES_MAX);
        let documents = "--- a\n".repeat(DOCUMENTS_MAX + 1);
        for (text, codes, documents) in [
            ("a: &x [1]\nb: *x\n", vec!["RUL0005"], vec![false]),
            ("a: !!str 1\n", vec!["RUL0005"], vec![false]),
            ("a: 1\n---\n*x : 1\n---\nb: &x 2\n---\nc: 3\n", vec!["RUL0004"], vec![true]),
            ("a: 1\n---\n&y x: &x 1\n---\nc: 3\n", vec!["RUL0005"], vec![true, false, true]),
            (deep.as_str(), vec!["RUL0006"], vec![]),
            (many.as_str(), vec!["RUL0006"], vec![]),
            (documents.as_str(), vec!["RUL0006"], vec![true; DOCUMENTS_MAX + 1]),
            ("a: 1\n---\nb: 2\n", vec![], vec![true, true]),
            ("", vec![], vec![]),
            ("# nothing\n", vec![], vec![]),
            ("a: 'x", vec!["RUL0004"], vec![]),
            ("a: b: c", vec!["RUL0004"], vec![]),
        ] {
            let stream = read(text);
            let found: Vec<_> = stream.diagnostics.iter().map(|found| found.code).collect();
            let read: Vec<_> = stream.documents.iter().map(Option::is_some).collect();
            assert_eq!((found, read), (codes, documents), "{}", &text[..text.len().min(40)]);
        }
    }
}
