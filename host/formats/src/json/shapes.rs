//! Lines by their shape: the keys, how they are nested, and every byte between the scalars.
//!
//! Few shapes make up nearly all lines of an input. What follows from a shape, such as which leaf a path leads to, is
//! worked out once.

use serde_json::{Map, Value};

use super::{cursor::Cursor, leaf::Leaf, learn::learn, marks::Marks, trie::Trie};
use crate::input::envelope;

/// How many shapes are remembered.
const SHAPES_MAX: usize = 4096;

/// How many leaves these have together at most.
const LEAVES_MAX: usize = 1 << 17;

/// What learning a shape costs, in lines whose shape is known.
const LESSON: u32 = 8;

/// For how many shapes lines are not learnt any more when no shape comes twice.
const LESSONS_MAX: u32 = 1024;

/// The shapes of the lines so far.
#[derive(Debug)]
pub(crate) struct Shapes {
    trie: Trie,
    known: Vec<Shape>,
    /// How many leaves the shapes have together.
    leaves: usize,
    full: bool,
    marks: Marks,
    /// How many lines may be spent on learning. So an input whose lines are all different is not read more slowly than
    /// it would be without any of this.
    credit: u32,
}

/// One shape.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The object with the numbers of leaves in the place of scalars and lists: see [`leaf_of`].
    pub(crate) skeleton: Map<String, Value>,
}

/// The leaf that a value of a skeleton stands for; `None` of an object.
pub(crate) fn leaf_of(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Array(items) => items.first()?,
        other => other,
    };
    u32::try_from(number.as_u64()?).ok()
}

impl Default for Shapes {
    fn default() -> Self {
        let (trie, known, marks) = (Trie::default(), Vec::new(), Marks::default());
        Self { trie, known, leaves: 0, full: false, marks, credit: LESSON.saturating_mul(LESSONS_MAX) }
    }
}

impl Shapes {
    /// The shapes. A shape's place is its number.
    pub(crate) fn all(&self) -> &[Shape] {
        &self.known
    }

    /// Whether the line that was read last is ASCII without `\u` escapes.
    pub(crate) fn is_plain(&self) -> bool {
        self.marks.is_plain()
    }

    /// The shape of a line, its leaves added to `leaves`. `None`, and nothing added, if the line is to be left to
    /// `serde_json`.
    pub(crate) fn read(&mut self, line: &str, leaves: &mut Vec<Leaf>) -> Option<u32> {
        let before = leaves.len();
        let shape = self.try_read(line, leaves);
        if shape.is_none() {
            leaves.truncate(before);
        }
        shape
    }

    fn try_read(&mut self, line: &str, leaves: &mut Vec<Leaf>) -> Option<u32> {
        if u32::try_from(line.len()).is_err() || !self.marks.read(line) {
            return None;
        }
        let before = leaves.len();
        let cursor = Cursor { bytes: line.as_bytes(), quotes: self.marks.quotes(), at: 0, quote: 0 };
        let limit = LESSON.saturating_mul(LESSONS_MAX);
        self.credit = self.credit.saturating_add(1).min(limit);
        if let Some(shape) = self.trie.find(cursor, leaves) {
            return Some(shape);
        }
        if self.credit < LESSON {
            return None;
        }
        self.credit -= LESSON;
        leaves.truncate(before);
        let learnt = learn(cursor).filter(|learnt| !envelope::has_keys_of_one(&learnt.skeleton))?;
        self.full |= self.known.len() >= SHAPES_MAX
            || self.leaves.saturating_add(learnt.leaves.len()) > LEAVES_MAX
            || self.trie.is_full();
        let shape = u32::try_from(self.known.len()).ok()?;
        if self.full || !self.trie.add(line.as_bytes(), &learnt.leaves, shape) {
            return None;
        }
        leaves.extend_from_slice(&learnt.leaves);
        self.leaves = self.leaves.saturating_add(learnt.leaves.len());
        self.known.push(Shape { skeleton: learnt.skeleton });
        Some(shape)
    }

    /// Forgets all shapes if there was no room for another. Whether it did.
    pub(crate) fn trim(&mut self) -> bool {
        let full = self.full;
        if full {
            (self.trie, self.leaves, self.full) = (Trie::default(), 0, false);
            self.known.clear();
        }
        full
    }
}
