//! Reading a line for the first time: what its shape is.

use serde_json::{Map, Value};

use super::{cursor::Cursor, leaf::Leaf};

/// How many levels of objects a shape has at most.
const DEPTH_MAX: usize = 32;

/// How many leaves a shape has at most.
const LEAVES_MAX: usize = 4096;

/// A line that was read.
#[derive(Debug)]
pub(super) struct Learnt {
    /// The line's object. A scalar is the number of its leaf, a list is a list of that number alone.
    pub(super) skeleton: Map<String, Value>,
    /// In the order of the line.
    pub(super) leaves: Vec<Leaf>,
}

/// Reads a line. `None` if something about it is unusual: keys with escapes, keys that are there twice, more
/// leaves or levels than events have.
pub(super) fn learn(mut cursor: Cursor<'_>) -> Option<Learnt> {
    let mut leaves = Vec::new();
    let skeleton = object(&mut cursor, &mut leaves, 0)?;
    (cursor.at == cursor.bytes.len()).then_some(Learnt { skeleton, leaves })
}

fn object(cursor: &mut Cursor<'_>, leaves: &mut Vec<Leaf>, depth: usize) -> Option<Map<String, Value>> {
    cursor.take(b'{')?;
    cursor.spaces();
    let mut map = Map::new();
    if cursor.take(b'}').is_some() {
        return Some(map);
    }
    loop {
        let key = cursor.string().filter(|key| !key.contains(&b'\\'))?;
        let key = std::str::from_utf8(key).ok()?.to_owned();
        cursor.spaces();
        cursor.take(b':')?;
        cursor.spaces();
        let value = match cursor.peek()? {
            b'{' if depth < DEPTH_MAX => Value::Object(object(cursor, leaves, depth + 1)?),
            first => {
                let number = Value::from(leaves.len());
                leaves.push(cursor.leaf()?);
                if first == b'[' { Value::Array(vec![number]) } else { number }
            }
        };
        if map.insert(key, value).is_some() || leaves.len() > LEAVES_MAX {
            return None;
        }
        cursor.spaces();
        if cursor.take(b'}').is_some() {
            return Some(map);
        }
        cursor.take(b',')?;
        cursor.spaces();
    }
}
