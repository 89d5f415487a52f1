//! What stands between the leaves of the lines so far, as a tree: each way from its root to an end is a shape.
//!
//! So two shapes that begin alike are compared with a line once as far as they do. The child that was right last time is
//! tried first.

use super::{cursor::Cursor, leaf::Leaf};

/// How many nodes there are at most.
const NODES_MAX: usize = 1 << 16;

/// How much text the nodes have at most, in bytes, but for the last of them.
const TEXT_BYTES_MAX: usize = 2 << 20;

/// How many children a node may have: where there are more, keys are data.
const CHILDREN_MAX: u32 = 32;

/// No node, no shape.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Trie {
    /// The first is the root, which has no text.
    nodes: Vec<Node>,
    text: Vec<u8>,
}

/// What stands before a leaf, or behind the last.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// In [`Trie::text`].
    from: u32,
    to: u32,
    /// How many quotes the text has.
    quotes: u32,
    /// The first child and the next sibling.
    child: u32,
    sibling: u32,
    /// The child that was right last time.
    hint: u32,
    children: u32,
    /// The shape that ends here; [`NONE`] before a leaf.
    shape: u32,
    /// Whether the leaf is a list.
    list: bool,
}

impl Default for Trie {
    fn default() -> Self {
        let root = Node::new(0..0, 0, NONE, false);
        Self { nodes: vec![root], text: Vec::new() }
    }
}

impl Node {
    fn new(text: std::ops::Range<u32>, quotes: u32, shape: u32, list: bool) -> Self {
        let (from, to) = (text.start, text.end);
        Self { from, to, quotes, child: NONE, sibling: NONE, hint: NONE, children: 0, shape, list }
    }
}

impl Trie {
    /// The shape of a line, if it is known, with the line's leaves added to `leaves`. If not, these are anything.
    pub(super) fn find(&mut self, mut cursor: Cursor<'_>, leaves: &mut Vec<Leaf>) -> Option<u32> {
        let mut parent = 0;
        loop {
            let place = self.step(parent, &cursor)?;
            let node = self.nodes.get(place as usize)?;
            if node.shape != NONE {
                return Some(node.shape);
            }
            cursor.at += (node.to - node.from) as usize;
            cursor.quote += node.quotes as usize;
            leaves.push(cursor.leaf()?);
            parent = place;
        }
    }

    /// The child of `parent` that is what stands here.
    #[inline]
    fn step(&mut self, parent: u32, cursor: &Cursor<'_>) -> Option<u32> {
        let hint = self.nodes.get(parent as usize)?.hint;
        if self.stands(hint, cursor) {
            return Some(hint);
        }
        self.search(parent, cursor)
    }

    fn search(&mut self, parent: u32, cursor: &Cursor<'_>) -> Option<u32> {
        let mut place = self.nodes.get(parent as usize)?.child;
        while !self.stands(place, cursor) {
            place = self.nodes.get(place as usize)?.sibling;
        }
        self.nodes.get_mut(parent as usize)?.hint = place;
        Some(place)
    }

    /// Whether the text of a node stands here, and behind it what must.
    #[inline]
    fn stands(&self, place: u32, cursor: &Cursor<'_>) -> bool {
        let Some(node) = self.nodes.get(place as usize) else { return false };
        let text = self.text.get(node.from as usize..node.to as usize).unwrap_or_default();
        let Some(rest) = cursor.bytes.get(cursor.at..).and_then(|rest| rest.strip_prefix(text)) else { return false };
        match rest.first() {
            None => node.shape != NONE,
            // With more of what stands between leaves behind it, this is another node's text.
            Some(b' ' | b'{') => false,
            Some(first) => node.shape == NONE && (*first == b'[') == node.list,
        }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() >= NODES_MAX || self.text.len() >= TEXT_BYTES_MAX
    }

    /// Adds the shape of a line that was read. False if there is no room for it, or too much like it.
    pub(super) fn add(&mut self, line: &[u8], leaves: &[Leaf], shape: u32) -> bool {
        let (mut parent, mut from) = (0, 0);
        for leaf in leaves {
            let list = line.get(leaf.start as usize) == Some(&b'[');
            let Some(next) = self.child(parent, line.get(from..leaf.start as usize).unwrap_or_default(), NONE, list)
            else {
                return false;
            };
            (parent, from) = (next, leaf.end as usize);
        }
        self.child(parent, line.get(from..).unwrap_or_default(), shape, false).is_some()
    }

    /// The child with that text, added when it is new.
    fn child(&mut self, parent: u32, text: &[u8], shape: u32, list: bool) -> Option<u32> {
        let mut place = self.nodes.get(parent as usize)?.child;
        while let Some(node) = self.nodes.get(place as usize) {
            let same = self.text.get(node.from as usize..node.to as usize) == Some(text);
            if same && node.list == list && (node.shape == NONE) == (shape == NONE) {
                return Some(place);
            }
            place = node.sibling;
        }
        let from = u32::try_from(self.text.len()).ok()?;
        let to = u32::try_from(self.text.len().checked_add(text.len())?).ok()?;
        let place = u32::try_from(self.nodes.len()).ok()?;
        let full = self.is_full();
        let parent = self.nodes.get_mut(parent as usize)?;
        if full || parent.children >= CHILDREN_MAX {
            return None;
        }
        let quotes = text.iter().filter(|byte| **byte == b'"').count();
        let mut node = Node::new(from..to, u32::try_from(quotes).ok()?, shape, list);
        node.sibling = parent.child;
        parent.child = place;
        parent.hint = place;
        parent.children += 1;
        self.text.extend_from_slice(text);
        self.nodes.push(node);
        Some(place)
    }
}
