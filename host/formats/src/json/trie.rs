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
const CHILDREN_MAX: u32 = 256;

/// How many bytes are compared at once.
const WORD: usize = 8;

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
    /// The first bytes of the text, the lowest first, and what of them is text.
    head: u64,
    mask: u64,
    /// Its last bytes, if it has more.
    tail: u64,
    /// How many quotes it has.
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
        Self { nodes: vec![Node::new(b"", 0, NONE, false)], text: Vec::new() }
    }
}

impl Node {
    /// A node whose text lies from there on.
    fn new(text: &[u8], from: u32, shape: u32, list: bool) -> Self {
        let quotes = text.iter().filter(|byte| **byte == b'"').fold(0_u32, |quotes, _| quotes.saturating_add(1));
        let to = u32::try_from(text.len()).map_or(u32::MAX, |bytes| from.saturating_add(bytes));
        let mask = if text.len() < WORD { short_word(&vec![u8::MAX; text.len()]) } else { u64::MAX };
        let (head, tail) = (word(text, 0) & mask, word(text, text.len().saturating_sub(WORD)));
        let (child, sibling, hint, children) = (NONE, NONE, NONE, 0);
        Self { from, to, head, mask, tail, quotes, child, sibling, hint, children, shape, list }
    }
}

/// The bytes from there on as a number, the first the lowest; zeros behind the last.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.first_chunk().map_or_else(|| short_word(rest), |chunk| u64::from_le_bytes(*chunk))
}

#[cold]
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
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
        let head = word(cursor.bytes, cursor.at);
        let hint = self.nodes.get(parent as usize)?.hint;
        if self.stands(hint, head, cursor) {
            return Some(hint);
        }
        self.search(parent, head, cursor)
    }

    /// The same for a child that is not the hint. It becomes the first child: what is rare is looked for last.
    fn search(&mut self, parent: u32, head: u64, cursor: &Cursor<'_>) -> Option<u32> {
        let first = self.nodes.get(parent as usize)?.child;
        let (mut before, mut place) = (NONE, first);
        while !self.stands(place, head, cursor) {
            before = place;
            place = self.nodes.get(place as usize)?.sibling;
        }
        if let Some(next) = self.nodes.get(place as usize).map(|node| node.sibling)
            && let Some(before) = self.nodes.get_mut(before as usize)
        {
            before.sibling = next;
            self.nodes.get_mut(place as usize)?.sibling = first;
        }
        let parent = self.nodes.get_mut(parent as usize)?;
        (parent.child, parent.hint) = (place, place);
        Some(place)
    }

    /// Whether the text of a node stands here, where `head` is, and behind it what must.
    #[inline]
    fn stands(&self, place: u32, head: u64, cursor: &Cursor<'_>) -> bool {
        let Some(node) = self.nodes.get(place as usize) else { return false };
        if head & node.mask != node.head {
            return false;
        }
        let length = (node.to - node.from) as usize;
        let end = cursor.at + length;
        if length > WORD && word(cursor.bytes, end - WORD) != node.tail {
            return false;
        }
        if length > 2 * WORD {
            let middle = self.text.get(node.from as usize + WORD..node.to as usize - WORD);
            if cursor.bytes.get(cursor.at + WORD..end - WORD) != middle {
                return false;
            }
        }
        match cursor.bytes.get(end) {
            // A short text may stand in part behind the end of the line.
            None => node.shape != NONE && end == cursor.bytes.len(),
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
        let place = u32::try_from(self.nodes.len()).ok()?;
        let full = self.is_full();
        let parent = self.nodes.get_mut(parent as usize)?;
        if full || parent.children >= CHILDREN_MAX {
            return None;
        }
        let mut node = Node::new(text, u32::try_from(self.text.len()).ok()?, shape, list);
        node.sibling = parent.child;
        parent.child = place;
        parent.hint = place;
        parent.children += 1;
        self.text.extend_from_slice(text);
        self.nodes.push(node);
        Some(place)
    }
}
